//! Work without a visitor: the clock, the queues, and what they set going.
pub mod cron;
pub mod each_minute;
pub mod findings;
pub mod queues;

//! Work without a visitor: the cron trigger, the queues, and the jobs they start.
pub mod cron;
pub mod each_minute;
pub mod findings;
pub mod queues;

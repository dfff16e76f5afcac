//! HTTP for every face: the call, the caller, rate limits, and the reply.
pub mod answers;
pub mod call;
pub mod canonical;
pub mod cart_token;
pub mod cookies;
pub mod guard;
pub mod idempotency;
pub mod identity;
pub mod log;
pub mod order_access;
pub mod order_token;
pub mod reply;
pub mod route;

//! The Worker's entry points.

#![cfg_attr(
    test,
    expect(
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        reason = "a test that panics has failed, which is what it is for"
    )
)]

// The Durable Object classes live in `durable`; naming it links their exports into the Worker.
extern crate durable as _;

pub mod app;
pub mod bounded;
pub mod error;
pub mod shop;
pub mod store;
pub mod web;

use worker::web_sys::{Request, Response};
use worker::{Context, Env, MessageBatch, Result, ScheduleContext, ScheduledEvent, event};

#[event(start)]
fn start() {
    web::log::log_panics();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    web::router::serve(request, &env, &context).await
}

#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _context: Context) -> Result<()> {
    web::queues::consume(&batch, &env).await;
    Ok(())
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    web::cron::tick(&env).await;
}

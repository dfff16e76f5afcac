//! Jobs for findings: checks what is filling up, and notifies staff through the configured
//! channels.

use crate::app::App;
use crate::web::http::log::log_failure;
use shop::error::Result;
use shop::operations::finding_deliveries::{push_by_mail, push_to_webhook};
use shop::operations::storage_watch::watch_storage;
use shop::orders::ports::OrderPorts;

/// Does everything that is due.
pub async fn tell_staff(app: &App) {
    log("storage_watch", look(app).await);
    log("findings_mail", mail(app).await);
    log("findings_webhook", post(app).await);
}

async fn look(app: &App) -> Result<()> {
    let size = async || app.database_bytes().await;
    watch_storage(
        &app.findings(),
        &app.dead_letters(),
        &app.jobs(),
        size,
        app.now,
    )
    .await
}

async fn mail(app: &App) -> Result<()> {
    let config = &app.config;
    if config.findings_mail.is_empty() {
        return Ok(());
    }
    let (deliveries, to) = (app.finding_deliveries(), &config.findings_mail);
    push_by_mail(
        &deliveries,
        &config.mail,
        to,
        &config.channel.origin,
        app.now,
    )
    .await
}

async fn post(app: &App) -> Result<()> {
    match app.finding_receiver()? {
        None => Ok(()),
        Some(receiver) => push_to_webhook(&app.finding_deliveries(), &receiver, app.now).await,
    }
}

fn log(job: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        log_failure("job_failed", job, &error);
    }
}

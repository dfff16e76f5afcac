//! What the clock starts, once a minute: the sweeps, the end of what is kept for a while, and the reconciliation with the payment provider.

use crate::app::App;
use crate::error::Result;
use crate::shop::mail::queue_unsent_letters;
use crate::shop::ports::Ports;
use crate::shop::pricing::forget_quotes;
use crate::shop::publish::sweep_catalog;
use crate::shop::retention::purge;
use crate::shop::sweep::Finding;
use crate::shop::{reconciliation, sweep};
use crate::web::findings::tell_staff;
use crate::web::log::{log_event, log_failure};
use serde_json::json;
use worker::Env;

/// Runs the jobs and logs what they found.
pub async fn tick(env: &Env) {
    let app = match App::new(env) {
        Ok(app) => app,
        Err(error) => return log_failure("configuration", "cron", &error),
    };
    let (record, copy, queue) = app.publish_ports();
    if let Err(error) = sweep_catalog(&record, &copy, &queue, app.now).await {
        log_failure("sweep_failed", "catalog", &error);
    }
    tell("sweep", sweep::run(&app, app.now).await);
    match purge(&app.retention(), app.now).await {
        Ok(Some((kind, rows))) if rows > 0 => {
            log_event("purged", &json!({"kind": kind, "rows": rows}));
        }
        Ok(_) => {}
        Err(error) => log_failure("sweep_failed", "retention", &error),
    }
    if let Err(error) = forget_quotes(&app.prices(), app.now).await {
        log_failure("sweep_failed", "quotes", &error);
    }
    match queue_unsent_letters(&app.mails(), &app.mail(), app.now).await {
        Ok(0) => {}
        Ok(letters) => log_event("letters_queued_again", &json!(letters)),
        Err(error) => log_failure("sweep_failed", "letters", &error),
    }
    if app.config.check_payments().is_ok() {
        tell(
            "reconciliation",
            reconciliation::run(&app, &app.jobs(), app.now).await,
        );
    }
    tell_staff(&app).await;
}

fn tell(job: &str, outcome: Result<Vec<Finding>>) {
    match outcome {
        Ok(findings) if findings.is_empty() => {}
        Ok(findings) => log_event(job, &json!(findings)),
        Err(error) => log_failure("job_failed", job, &error),
    }
}

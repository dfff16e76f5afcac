//! What the clock starts: the sweeps, once a minute.

use crate::app::App;
use crate::shop::publish::sweep_catalog;
use crate::shop::sweep;
use crate::web::log::{log_event, log_failure};
use serde_json::json;
use worker::Env;

/// Runs the sweep and logs what it found.
pub async fn tick(env: &Env) {
    let app = match App::new(env) {
        Ok(app) => app,
        Err(error) => return log_failure("configuration", "cron", &error),
    };
    let (record, copy, queue) = app.publish_ports();
    if let Err(error) = sweep_catalog(&record, &copy, &queue, app.now).await {
        log_failure("sweep_failed", "catalog", &error);
    }
    match sweep::run(&app, &app.order_links(), app.now).await {
        Ok(findings) if findings.is_empty() => {}
        Ok(findings) => log_event("sweep", &json!(findings)),
        Err(error) => log_failure("sweep_failed", "sweep", &error),
    }
}

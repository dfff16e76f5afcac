//! The cron trigger: hands out every job once a minute.

use crate::app::App;
use crate::web::http::log::log_failure;
use crate::web::jobs::each_minute::hand_out;
use worker::Env;

/// Hands out the jobs. If the queue rejects them, the next minute makes up for it.
pub async fn tick(env: &Env) {
    let handed_out = match App::new(env) {
        Ok(app) => hand_out(&app).await,
        Err(error) => return log_failure("configuration", "cron", &error),
    };
    if let Err(error) = handed_out {
        log_failure("jobs_not_handed_out", "cron", &error);
    }
}

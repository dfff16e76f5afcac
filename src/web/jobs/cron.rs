//! The clock: once a minute every job is handed out.

use crate::app::App;
use crate::web::http::log::log_failure;
use crate::web::jobs::each_minute::hand_out;
use worker::Env;

/// Hands the jobs out. A minute whose queue does not take them is made up for by the next.
pub async fn tick(env: &Env) {
    let handed_out = match App::new(env) {
        Ok(app) => hand_out(&app).await,
        Err(error) => return log_failure("configuration", "cron", &error),
    };
    if let Err(error) = handed_out {
        log_failure("jobs_not_handed_out", "cron", &error);
    }
}

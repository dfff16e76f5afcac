//! Messages that are sent again. A message is deleted once it was sent, but a queue that isn't
//! drained for days loses it for good, and the shop would show a wrong availability until the next
//! change. So messages about lasting facts are sent again a few times after the change, and then no
//! more: an object that receives no commands costs nothing.

use super::Keeper;
use super::sql::{KeeperError, Parameter, Sql, number};
use crate::Timestamp;
use crate::machine::Machine;
use crate::news::ObjectEvent;

/// Seconds from a change, and then from each repeat, to the next repeat: beyond a short outage, a
/// bad deploy, and a night.
pub const TOLD_AGAIN_AFTER_SECS: [u32; 3] = [15 * 60, 2 * 60 * 60, 12 * 60 * 60];

impl<M: Machine> Keeper<M> {
    /// Adds the machine's lasting fact to the outbox when its repeat is due.
    ///
    /// # Errors
    /// Fails if the database fails. The caller must then drop this keeper.
    pub fn tell_again(&mut self, sql: &impl Sql, now: Timestamp) -> Result<(), KeeperError> {
        if self.tell_again_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        if let Some(news) = self.machine.standing_news(&self.name) {
            let message = serde_json::to_string(&news)?;
            sql.exec(
                "INSERT INTO outbox (message) VALUES (?)",
                &[Parameter::Text(&message)],
            )?;
            self.has_news = true;
        }
        self.plan_next_telling(sql, now)
    }

    fn plan_next_telling(&mut self, sql: &impl Sql, now: Timestamp) -> Result<(), KeeperError> {
        let told = sql.exec("SELECT times FROM telling", &[])?;
        let told = told.into_iter().flatten().flatten().next();
        let times: usize = told.as_deref().map_or(Ok(0), number)?;
        let times = times.saturating_add(1);
        let pause = TOLD_AGAIN_AFTER_SECS.get(times);
        self.tell_again_at = pause.map(|secs| now.plus_secs(*secs));
        let Some(at) = self.tell_again_at else {
            sql.exec("DELETE FROM telling", &[])?;
            return Ok(());
        };
        let times = i64::try_from(times).unwrap_or(i64::MAX);
        sql.exec(
            "UPDATE telling SET times = ?, again_at = ?",
            &[
                Parameter::Integer(times),
                Parameter::Integer(at.as_millis()),
            ],
        )?;
        Ok(())
    }

    /// Returns the instant at which `news` is first sent again; `None` means never.
    pub(super) fn first_repeat_of(
        &self,
        news: &[ObjectEvent],
        now: Timestamp,
    ) -> Option<Timestamp> {
        let secs = TOLD_AGAIN_AFTER_SECS.first()?;
        let is_worth_it = !news.is_empty() && self.machine.standing_news(&self.name).is_some();
        is_worth_it.then(|| now.plus_secs(*secs))
    }
}

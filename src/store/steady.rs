//! A database that may occasionally not answer: operations that are safe to repeat are retried
//! once, after a pause.
//!
//! A statement whose response was lost may have run. So reads are retried, and writes only if their
//! caller declares that a second run changes nothing. All other writes fail, and the client repeats
//! its request under its idempotency key. An overloaded database is not retried: Cloudflare's list
//! of D1 errors names no retry for it, because every further query prolongs the overload.

use crate::store::sql::{Database, SqlError, Statement};
use serde::de::DeserializeOwned;

/// Reaction to a failure, before a retry.
pub trait Patience {
    /// Records that the database did not answer.
    fn note(&self, error: &SqlError);
    /// Waits for a random fraction of a second.
    async fn pause(&self);
}

/// A database whose operations are retried once.
#[derive(Debug)]
pub struct Steady<D, P> {
    /// The database that may not answer.
    pub db: D,
    /// Reaction to a failure, before a retry.
    pub patience: P,
}

impl<D: Database, P: Patience> Steady<D, P> {
    /// Records the failure; returns true, after a pause, if a retry is worthwhile.
    async fn asks_again(&self, error: &SqlError) -> bool {
        self.note(error);
        let again = matches!(error, SqlError::Interrupted(_));
        if again {
            self.patience.pause().await;
        }
        again
    }

    fn note(&self, error: &SqlError) {
        if matches!(error, SqlError::Interrupted(_) | SqlError::Overloaded(_)) {
            self.patience.note(error);
        }
    }

    fn noted<T>(&self, outcome: Result<T, SqlError>) -> Result<T, SqlError> {
        outcome.inspect_err(|error| self.note(error))
    }
}

impl<D: Database, P: Patience> Database for Steady<D, P> {
    async fn query<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>, SqlError> {
        if !statement.is_read() {
            return self.noted(self.db.query(statement).await);
        }
        match self.db.query(statement.clone()).await {
            Err(error) if self.asks_again(&error).await => {
                self.noted(self.db.query(statement).await)
            }
            outcome => outcome,
        }
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
        self.noted(self.db.batch(statements).await)
    }

    async fn repeatable_batch(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
        match self.db.batch(statements.clone()).await {
            Err(error) if self.asks_again(&error).await => {
                self.noted(self.db.batch(statements).await)
            }
            outcome => outcome,
        }
    }

    async fn batch_then_query<T: DeserializeOwned>(
        &self,
        statements: Vec<Statement>,
        query: Statement,
    ) -> Result<Vec<T>, SqlError> {
        self.noted(self.db.batch_then_query(statements, query).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::TextRow;
    use futures_util::FutureExt;
    use shop::error::Error;
    use std::cell::{Cell, RefCell};

    const LOST: &str = "D1_ERROR: Network connection lost.";
    const OVERLOADED: &str = "D1_ERROR: D1 DB is overloaded. Requests queued for too long.";

    /// Fails this many times before it answers.
    struct Failing {
        message: &'static str,
        failures: Cell<u32>,
        runs: Cell<u32>,
    }

    #[derive(Default)]
    struct Counted {
        pauses: Cell<u32>,
        notes: RefCell<Vec<SqlError>>,
    }

    impl Failing {
        fn run(&self) -> Result<(), SqlError> {
            self.runs.set(self.runs.get() + 1);
            if self.failures.get() == 0 {
                return Ok(());
            }
            self.failures.set(self.failures.get() - 1);
            Err(SqlError::of(self.message.to_owned()))
        }
    }

    impl Database for Failing {
        async fn query<T: DeserializeOwned>(&self, _: Statement) -> Result<Vec<T>, SqlError> {
            self.run().map(|()| Vec::new())
        }

        async fn batch(&self, _: Vec<Statement>) -> Result<(), SqlError> {
            self.run()
        }

        async fn batch_then_query<T: DeserializeOwned>(
            &self,
            _: Vec<Statement>,
            _: Statement,
        ) -> Result<Vec<T>, SqlError> {
            self.run().map(|()| Vec::new())
        }
    }

    impl Patience for Counted {
        fn note(&self, error: &SqlError) {
            self.notes.borrow_mut().push(error.clone());
        }

        async fn pause(&self) {
            self.pauses.set(self.pauses.get() + 1);
        }
    }

    fn failing(message: &'static str, failures: u32) -> Steady<Failing, Counted> {
        Steady {
            db: Failing {
                message,
                failures: Cell::new(failures),
                runs: Cell::new(0),
            },
            patience: Counted::default(),
        }
    }

    /// Returns the outcomes of a read, of a batch that may be repeated and of one that may not,
    /// each with the number of times that it ran, paused and was recorded.
    fn outcomes(
        message: &'static str,
        failures: u32,
    ) -> [(Result<(), SqlError>, u32, u32, usize); 3] {
        let counted = |steady: &Steady<Failing, Counted>, outcome| {
            let notes = steady.patience.notes.borrow().len();
            (
                outcome,
                steady.db.runs.get(),
                steady.patience.pauses.get(),
                notes,
            )
        };
        let read = failing(message, failures);
        let rows = read
            .query::<TextRow>(Statement::new("\n SELECT 1"))
            .now_or_never();
        let repeatable = failing(message, failures);
        let repeated = repeatable.repeatable_batch(vec![]).now_or_never();
        let guarded = failing(message, failures);
        let once = guarded.batch(vec![]).now_or_never();
        [
            counted(&read, rows.unwrap().map(|_| ())),
            counted(&repeatable, repeated.unwrap()),
            counted(&guarded, once.unwrap()),
        ]
    }

    #[test]
    fn what_may_be_repeated_is_asked_once_more() {
        let lost = || Err(SqlError::Interrupted(LOST.to_owned()));
        assert_eq!(
            outcomes(LOST, 1),
            [(Ok(()), 2, 1, 1), (Ok(()), 2, 1, 1), (lost(), 1, 0, 1)]
        );
        assert_eq!(
            outcomes(LOST, 9),
            [(lost(), 2, 1, 2), (lost(), 2, 1, 2), (lost(), 1, 0, 1)]
        );
    }

    #[test]
    fn an_overloaded_database_and_a_defect_are_not_asked_again() {
        let overloaded = || (Err(SqlError::of(OVERLOADED.to_owned())), 1, 0, 1);
        assert_eq!(
            outcomes(OVERLOADED, 1),
            [overloaded(), overloaded(), overloaded()]
        );
        let defect = || (Err(SqlError::of("near \"SELCT\"".to_owned())), 1, 0, 0);
        assert_eq!(
            outcomes("near \"SELCT\"", 1),
            [defect(), defect(), defect()]
        );
    }

    #[test]
    fn a_statement_that_writes_and_answers_is_no_read() {
        let steady = failing(LOST, 1);
        let take = Statement::new("UPDATE jobs SET due_at = 1 RETURNING name AS value");
        let outcome = steady.query::<TextRow>(take).now_or_never().unwrap();
        assert!(matches!(outcome, Err(SqlError::Interrupted(_))));
        assert_eq!(steady.db.runs.get(), 1);
    }

    #[test]
    fn what_the_database_says_becomes_an_answer() {
        let answer = |message: &str| {
            let error = Error::from(SqlError::of(message.to_owned()));
            (
                error.status(),
                error.code().as_str().to_owned(),
                error.retry_after_secs(),
            )
        };
        for message in [
            LOST,
            "D1_ERROR: Replica disconnected from primary.",
            "D1_ERROR: D1 DB reset because its code was updated.",
            "D1_ERROR: Internal error in D1 DB storage caused object to be reset.",
            "D1_ERROR: Internal error while starting up D1 DB storage caused object to be reset.",
            "D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.",
            "D1_ERROR: internal error; reference = e_123",
            "D1_ERROR: database is locked: SQLITE_BUSY",
        ] {
            assert_eq!(
                answer(message),
                (503, "database_unavailable".to_owned(), Some(1)),
                "{message}"
            );
        }
        for message in [
            OVERLOADED,
            "D1_ERROR: D1 DB is overloaded. Too many requests queued.",
            "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
            "D1_ERROR: D1 DB exceeded its CPU time limit and was reset.",
            "D1_ERROR: D1 DB's isolate exceeded its memory limit and was reset.",
        ] {
            assert_eq!(
                answer(message),
                (503, "database_unavailable".to_owned(), Some(5)),
                "{message}"
            );
        }
        for message in [
            "D1_ERROR: no such table: orders: SQLITE_ERROR",
            "D1_ERROR: UNIQUE constraint failed: order_events.order_id",
            "D1_ERROR: Exceeded maximum DB size.",
        ] {
            assert_eq!(answer(message).0, 500, "{message}");
        }
    }
}

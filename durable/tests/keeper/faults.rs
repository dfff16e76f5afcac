//! Database that fails at one statement of many, before it ran or after.

use super::*;

/// Position of a failure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    nth: usize,
    after_it_ran: bool,
}

/// SQL that counts its statements, and fails at one of them if planned.
pub(super) struct Faulty<'a> {
    pub(super) sql: &'a Sqlite,
    plan: Option<Fault>,
    pub(super) statements: Cell<usize>,
}

impl<'a> Faulty<'a> {
    pub(super) fn new(sql: &'a Sqlite, plan: Option<Fault>) -> Self {
        Self {
            sql,
            plan,
            statements: Cell::default(),
        }
    }
}

impl Sql for Faulty<'_> {
    fn exec(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, KeeperError> {
        self.statements.set(self.statements.get() + 1);
        let fault = self.plan.filter(|plan| plan.nth == self.statements.get());
        if fault.is_none_or(|fault| fault.after_it_ran) {
            let rows = self.sql.exec(sql, parameters)?;
            if fault.is_none() {
                return Ok(rows);
            }
        }
        Err(planned())
    }
}

fn planned() -> KeeperError {
    KeeperError::Sql("planned".to_owned())
}

/// Returns every fault that a request of `statements` statements can meet.
pub(super) fn faults_of(statements: usize) -> impl Iterator<Item = Fault> {
    let fault = |nth| [false, true].map(|after_it_ran| Fault { nth, after_it_ran });
    (1..=statements).flat_map(fault)
}

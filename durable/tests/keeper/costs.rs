//! Cost of a command, in statements, rows and steps of the database.

use super::*;

/// Cost of a request to the database.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) statements: u64,
    rows_read: u64,
    pub(super) rows_written: u64,
    bytes_written: u64,
    /// Number of rows scanned without an index.
    scanned: u64,
    /// Number of instructions of the database's virtual machine.
    steps: u64,
}

impl Cost {
    /// Asserts that the cost is no more than `other`, apart from the digits of larger numbers.
    pub(super) fn assert_like(self, other: Self, what: &str) {
        assert_eq!(self.scanned, other.scanned, "{what}: {self:?}");
        assert_eq!(self.statements, other.statements, "{what}");
        assert_eq!(self.rows_read, other.rows_read, "{what}");
        assert_eq!(self.rows_written, other.rows_written, "{what}");
        assert!(self.rows_written <= 4, "{what}: {self:?}");
        assert!(self.statements <= 2, "{what}: {self:?}");
        assert!(
            self.steps <= other.steps + 10,
            "{what}: {self:?}, {other:?}"
        );
        let more_bytes = self.bytes_written.saturating_sub(other.bytes_written);
        assert!(more_bytes <= 60, "{what}: {self:?}, {other:?}");
    }
}

pub(super) fn cost_of<M: Machine>(
    sql: &Sqlite,
    keeper: &mut Keeper<M>,
    request: &Request<M::Command>,
) -> Cost {
    let meter = Meter::new(sql);
    keeper
        .carry_out(&meter, request, Timestamp::from_millis(0))
        .unwrap();
    meter.cost()
}

/// SQL that adds up its cost.
pub(super) struct Meter<'a> {
    pub(super) sql: &'a Sqlite,
    pub(super) cost: Cell<Cost>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(sql: &'a Sqlite) -> Self {
        let cost = Cell::default();
        Self { sql, cost }
    }

    pub(super) fn cost(&self) -> Cost {
        self.cost.get()
    }

    /// Reads and resets a counter of the cached statement `sql`.
    fn take(&self, sql: &str, counter: StatementStatus) -> u64 {
        let statement = self.sql.0.prepare_cached(sql).unwrap();
        statement.reset_status(counter).try_into().unwrap()
    }
}

impl Sql for Meter<'_> {
    fn exec(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, KeeperError> {
        for counter in [StatementStatus::FullscanStep, StatementStatus::VmStep] {
            self.take(sql, counter);
        }
        let written = self.sql.0.total_changes();
        let rows = self.sql.exec(sql, parameters)?;
        let so_far = self.cost.get();
        self.cost.set(Cost {
            statements: so_far.statements + 1,
            rows_read: so_far.rows_read + rows.len() as u64,
            rows_written: so_far.rows_written + self.sql.0.total_changes() - written,
            bytes_written: so_far.bytes_written + parameters.iter().map(bytes_of).sum::<u64>(),
            scanned: so_far.scanned + self.take(sql, StatementStatus::FullscanStep),
            steps: so_far.steps + self.take(sql, StatementStatus::VmStep),
        });
        Ok(rows)
    }
}

fn bytes_of(parameter: &Parameter<'_>) -> u64 {
    match parameter {
        Parameter::Text(text) => text.len() as u64,
        Parameter::Null | Parameter::Integer(_) => 8,
    }
}

//! [`StrayPayments`] in SQL. Bookings of a stray payment are stored under its session's ID, with a
//! version of their own: if two were decided from the same version, the second one's whole batch
//! fails.

use crate::store::orders::{findings, statements as sql};
use crate::store::sql::{Database, Statement, from_word, to_word, written};
use durable::Timestamp;
use serde::Deserialize;
use shop::error::{Error, Result};
use shop::orders::findings::Finding;
use shop::orders::ledger::Journal;
use shop::orders::order::{Refund, RefundStatus};
use shop::payments::provider::ProviderId;
use shop::settlement::stray_payments::task_of;
use shop::settlement::strays::{StrayPayment, StrayPayments};
use shop::values::ids::OrderId;
use shop::values::money::{Currency, Money};
use shop::values::written::Written;

/// [`StrayPayments`] on a database.
#[derive(Debug)]
pub struct StrayPaymentsD1<D>(pub D);

impl<D: Database> StrayPayments for StrayPaymentsD1<D> {
    async fn stray_payment(&self, session_id: &str) -> Result<Option<StrayPayment>> {
        let statement = Statement::new(STRAY_PAYMENT).bind(session_id);
        let rows: Vec<Row> = self.0.query(statement).await?;
        rows.into_iter().next().map(Row::into_stray).transpose()
    }

    async fn keep_stray_payment(
        &self,
        stray: &StrayPayment,
        journals: &[Journal],
        finding: &Finding,
        now: Timestamp,
    ) -> Result<Written> {
        let refund = stray.refund.as_ref();
        let status = refund.map(|refund| to_word(&refund.status)).transpose()?;
        let mut batch = vec![
            Statement::new(KEEP)
                .bind(stray.session_id.as_str())
                .bind(stray.order_id.as_str())
                .bind(stray.payment_ref.as_str())
                .bind(stray.amount.amount)
                .bind(stray.amount.currency.code())
                .bind(refund.map(|refund| refund.id.as_str()))
                .bind(status)
                .bind(stray.version)
                .bind(now)
                .bind(stray.provider.as_str()),
            findings::save_one(finding)?,
        ];
        batch.extend(sql::book(&stray.session_id, stray.version, journals, now)?);
        if refund.is_some() {
            let task = task_of(&stray.session_id);
            batch.extend(sql::insert_tasks(&stray.order_id, &[task], now)?);
        }
        written(self.0.batch(batch).await)
    }

    async fn move_stray_refund(
        &self,
        stray: &StrayPayment,
        to: RefundStatus,
        journals: &[Journal],
        finding: Option<&Finding>,
        now: Timestamp,
    ) -> Result<Written> {
        let version = stray.version.saturating_add(1);
        let mut batch = sql::book(&stray.session_id, version, journals, now)?;
        batch.push(
            Statement::new(MOVE)
                .bind(stray.session_id.as_str())
                .bind(to_word(&to)?)
                .bind(version),
        );
        batch.extend(finding.map(findings::save_one).transpose()?);
        written(self.0.batch(batch).await)
    }
}

const STRAY_PAYMENT: &str = "
SELECT session_id, provider, order_id, payment_ref, amount, currency, refund_id, refund_status, version, created_at
FROM stray_payments WHERE session_id = ?1";

const KEEP: &str = "
INSERT INTO stray_payments (session_id, order_id, payment_ref, amount, currency, refund_id, refund_status, version, created_at, provider)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

const MOVE: &str =
    "UPDATE stray_payments SET refund_status = ?2, version = ?3 WHERE session_id = ?1";

#[derive(Deserialize)]
struct Row {
    session_id: String,
    provider: ProviderId,
    order_id: OrderId,
    payment_ref: String,
    amount: i64,
    currency: String,
    refund_id: Option<String>,
    refund_status: Option<String>,
    version: i64,
    created_at: i64,
}

impl Row {
    fn into_stray(self) -> Result<StrayPayment> {
        let currency = Currency::from_code(&self.currency)
            .ok_or_else(|| Error::internal("stored currency"))?;
        let amount = Money::new(self.amount, currency);
        let created_at = Timestamp::from_millis(self.created_at);
        let refund = self.refund_id.zip(self.refund_status);
        let refund = refund.map(|(id, status)| {
            from_word(&status).map(|status| Refund {
                id,
                amount,
                status,
                created_at,
            })
        });
        Ok(StrayPayment {
            session_id: self.session_id,
            provider: self.provider,
            order_id: self.order_id,
            payment_ref: self.payment_ref,
            amount,
            refund: refund.transpose()?,
            version: self.version,
        })
    }
}

//! Tests of the costs of a publish.

use super::*;
use crate::catalog::record::PageSize;
use crate::catalog::{Card, Product};
use crate::pricing::prices::{Currencies, Repricing};
use crate::pricing::quote::Listing;
use crate::publishing::publish::record::{ClaimedDocument, Step};
use crate::publishing::publish::steps::QUERIES_A_STEP;
use crate::values::ids::{ProductId, Sku};
use crate::values::money::Currency;
use futures_util::FutureExt;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

const PRODUCTS: i64 = 10_000;

/// Ten thousand unchanged products; counts the steps.
struct Unchanged {
    publish: RefCell<Publish>,
    steps: Cell<usize>,
}

impl PublishRecord for Unchanged {
    async fn last_publish(&self) -> Result<Option<Publish>> {
        panic!("not asked here")
    }

    async fn publish(&self, _: i64) -> Result<Option<Publish>> {
        Ok(Some(self.publish.borrow().clone()))
    }

    async fn current_publish(&self) -> Result<Option<Pointer>> {
        Ok(None)
    }

    async fn begin_publish(&self, _: Timestamp) -> Result<Written> {
        panic!("not asked here")
    }

    async fn active_products_after(
        &self,
        position: i64,
        size: PageSize,
    ) -> Result<Vec<(i64, Product)>> {
        let last = PRODUCTS.min(position + i64::from(size.products));
        let product = |position: i64| Product {
            id: ProductId::new(position.to_string()),
            ..Product::default()
        };
        Ok((position + 1..=last)
            .map(|position| (position, product(position)))
            .collect())
    }

    async fn repricing(&self, _: i64, _: &[Sku]) -> Result<Repricing> {
        Ok(Repricing {
            currencies: Currencies {
                base: Currency::from_code("USD").unwrap(),
                rates: vec![],
            },
            scheduled: BTreeMap::new(),
        })
    }

    async fn is_price_due(&self, _: Timestamp) -> Result<bool> {
        Ok(false)
    }

    async fn last_listings(&self, _: &[Sku]) -> Result<BTreeMap<Sku, Listing>> {
        Ok(BTreeMap::new())
    }

    async fn claim_documents(&self, _: i64, digests: &[&str]) -> Result<Vec<ClaimedDocument>> {
        let written = |digest: &&str| ClaimedDocument {
            digest: (*digest).to_owned(),
            key: (*digest).to_owned(),
            written: 1,
        };
        Ok(digests.iter().map(written).collect())
    }

    async fn save_step(&self, step: &Step, _: Timestamp) -> Result<Written> {
        self.steps.set(self.steps.get() + 1);
        let mut publish = self.publish.borrow_mut();
        publish.position = step.position;
        publish.products += u32::try_from(step.cards.len()).unwrap();
        publish.listing = step.listing;
        Ok(Written::Landed(()))
    }

    async fn cards(&self, _: i64) -> Result<Vec<Card>> {
        let card = |position| Product::default().card(position, String::new());
        Ok((1..=PRODUCTS).map(card).collect())
    }

    async fn finish_publish(&self, _: i64, _: &str, _: Timestamp) -> Result<Written> {
        self.publish.borrow_mut().state = PublishState::Done;
        Ok(Written::Landed(()))
    }

    async fn end_unchanged(&self, _: i64, version: &str, _: Timestamp) -> Result<()> {
        panic!("{version}")
    }

    async fn switch_back(&self, _: i64, _: Timestamp) -> Result<Written> {
        panic!("not asked here")
    }

    async fn publish_failed(&self, _: i64, error: &str) -> Result<u32> {
        panic!("{error}")
    }

    async fn abandon_publish(&self, _: i64, error: &str, _: Timestamp) -> Result<()> {
        panic!("{error}")
    }

    async fn condemn_documents(&self, _: Timestamp) -> Result<()> {
        panic!("not asked here")
    }

    async fn condemned_documents(&self, _: u32) -> Result<Vec<String>> {
        panic!("not asked here")
    }

    async fn documents_deleted(&self, _: &[String]) -> Result<()> {
        panic!("not asked here")
    }
}

struct Nowhere;

impl CatalogCopy for Nowhere {
    async fn put_document(&self, _: &str, _: &str) -> Result<()> {
        Ok(())
    }

    async fn pointer(&self) -> Result<Option<Pointer>> {
        Ok(None)
    }

    async fn point_to(&self, _: Pointer) -> Result<()> {
        Ok(())
    }

    async fn delete_documents(&self, _: &[String]) -> Result<()> {
        panic!("not asked here")
    }
}

impl PublishQueue for Nowhere {
    async fn enqueue_publish(&self, _: i64, _: u32) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_request_makes_few_queries_even_where_nothing_has_changed() {
    let record = Unchanged {
        publish: RefCell::new(Publish {
            seq: 1,
            state: PublishState::Running,
            version: String::new(),
            products: 0,
            total: 10_000,
            position: 0,
            listing: false,
            error: None,
            collected: false,
            moved_at: Timestamp::default(),
        }),
        steps: Cell::new(0),
    };
    let mut requests = 0;
    while record.publish.borrow().state == PublishState::Running {
        record.steps.set(0);
        continue_publish(&record, &Nowhere, &Nowhere, 1, Timestamp::default())
            .now_or_never()
            .unwrap()
            .unwrap();
        requests += 1;
        assert!(record.steps.get() * QUERIES_A_STEP < 500);
    }
    assert!((2..10).contains(&requests), "{requests} requests");
}

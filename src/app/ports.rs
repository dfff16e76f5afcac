//! Ports of the use cases, implemented by the App.

use crate::app::App;
use crate::app::clock::{now, random_number};
use crate::app::config::Config;
use crate::store::inventory::refusals::RefusalsHere;
use crate::store::orders::findings::FindingsD1;
use crate::store::orders::{OrdersD1, StrayPaymentsD1};
use crate::store::payments::guarded::GuardedPayments;
use crate::store::payments::inbox::InboxD1;
use crate::store::payments::stripe::account::Stripe;
use crate::store::platform::d1::D1;
use crate::store::platform::objects::Objects;
use crate::store::platform::pause::wait;
use crate::store::platform::queues::Outgoing;
use crate::store::pricing::price_list::PricesD1;
use durable::Timestamp;
use shop::cart::CartObjects;
use shop::cart::ports::CartPorts;
use shop::checkout::ports::CheckoutPorts;
use shop::checkout::record::Checkouts;
use shop::customers::challenge::Challenge;
use shop::error::Result;
use shop::inventory::objects::{PromotionObjects, StockObjects};
use shop::inventory::ports::StockPorts;
use shop::inventory::refusals::RefusalMemory;
use shop::messages::mail::Mail;
use shop::orders::findings::FindingRecord;
use shop::orders::ports::OrderPorts;
use shop::orders::record::Orders;
use shop::payments::Payments;
use shop::payments::inbox::Inbox;
use shop::payments::provider::ProviderId;
use shop::pricing::price_list::Prices;
use shop::settlement::ports::SettlementPorts;
use shop::settlement::strays::StrayPayments;
use shop::values::clock::Clock;
use std::rc::Rc;

impl Clock for App {
    fn clock(&self) -> Timestamp {
        now()
    }

    async fn wait(&self, millis: u32) {
        wait(millis).await;
    }
}

impl OrderPorts for App {
    fn orders(&self) -> impl Orders {
        self.order_record()
    }

    fn findings(&self) -> impl FindingRecord {
        FindingsD1(Rc::clone(&self.bindings.db))
    }
}

impl StockPorts for App {
    fn stock(&self) -> impl StockObjects {
        Objects(self.bindings.stock.clone())
    }

    fn refusals(&self) -> impl RefusalMemory {
        RefusalsHere { clock: now }
    }

    fn promotions(&self) -> impl PromotionObjects {
        Objects(self.bindings.promotion.clone())
    }
}

impl CartPorts for App {
    fn carts(&self) -> impl CartObjects {
        Objects(self.bindings.cart.clone())
    }
}

impl SettlementPorts for App {
    fn stray_payments(&self) -> impl StrayPayments {
        StrayPaymentsD1(Rc::clone(&self.bindings.db))
    }

    fn payments(&self, provider: ProviderId) -> Result<impl Payments> {
        let ProviderId::Stripe = provider else {
            return Err(Config::no_payments());
        };
        Ok(GuardedPayments {
            id: provider,
            provider: Stripe {
                config: self.config.stripe.clone(),
                pages_left: Rc::clone(&self.provider_pages_left),
                patience: Rc::clone(&self.provider_patience),
                clock: now,
                entropy: random_number,
            },
            db: Rc::clone(&self.bindings.db),
            knowledge: Rc::clone(&self.bindings.payments_knowledge),
            clock: now,
        })
    }

    fn inbox(&self) -> impl Inbox {
        InboxD1 {
            db: Rc::clone(&self.bindings.db),
            queues: self.bindings.queues.clone(),
        }
    }

    fn mail(&self) -> impl Mail {
        Outgoing(self.bindings.queues.clone())
    }
}

impl CheckoutPorts for App {
    fn prices(&self) -> impl Prices {
        PricesD1 {
            db: Rc::clone(&self.bindings.db),
            known: Rc::clone(&self.bindings.settings),
            listings: Rc::clone(&self.bindings.listings),
        }
    }

    fn new_payments(&self) -> ProviderId {
        self.config.new_payments
    }

    fn challenge(&self) -> Option<impl Challenge> {
        self.config.challenge.as_ref()
    }

    fn checkouts(&self) -> impl Checkouts {
        self.order_record()
    }
}

impl App {
    fn order_record(&self) -> OrdersD1<Rc<D1>> {
        OrdersD1 {
            db: Rc::clone(&self.bindings.db),
            known: Rc::clone(&self.bindings.settings),
        }
    }
}

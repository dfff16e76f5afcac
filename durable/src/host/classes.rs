//! Classes that host one machine each.

use crate::cart::{Cart, Periods};
use crate::host::Host;
use crate::promotion::Promotion;
use crate::stock::Stock;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object, wasm_bindgen};

/// Durable Object that decides over the units of one SKU.
#[durable_object]
pub struct StockObject {
    host: Host<Stock>,
}

impl DurableObject for StockObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            host: Host::new(state, env, Stock::default()),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        self.host.answer(request).await
    }

    async fn alarm(&self) -> Result<Response> {
        self.host.ring().await
    }
}

/// Durable Object that counts the uses of one promotion.
#[durable_object]
pub struct PromotionObject {
    host: Host<Promotion>,
}

impl DurableObject for PromotionObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            host: Host::new(state, env, Promotion::default()),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        self.host.answer(request).await
    }

    async fn alarm(&self) -> Result<Response> {
        self.host.ring().await
    }
}

/// Durable Object that keeps one cart.
#[durable_object]
pub struct CartObject {
    host: Host<Cart>,
}

impl DurableObject for CartObject {
    fn new(state: State, env: Env) -> Self {
        let cart = Cart::new(periods(&env));
        Self {
            host: Host::new(state, env, cart),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        self.host.answer(request).await
    }

    async fn alarm(&self) -> Result<Response> {
        self.host.ring().await
    }
}

fn periods(env: &Env) -> Periods {
    let var = |name: &str| env.var(name).ok()?.to_string().parse().ok();
    let defaults = Periods::default();
    Periods {
        abandoned_secs: var("CART_ABANDONED_SECS").unwrap_or(defaults.abandoned_secs),
        kept_secs: var("CART_KEPT_SECS").unwrap_or(defaults.kept_secs),
    }
}

//! Bindings of the isolate, and the caches it keeps beside them.

use crate::app::clock::PAUSE;
use crate::store::payments::guarded::HealthCache;
use crate::store::platform::d1::D1;
use crate::store::platform::media_r2::Images;
use crate::store::platform::queues::Queues;
use crate::store::platform::rate_limits::{Classes, RateLimits};
use crate::store::pricing::price_list::ListingCache;
use crate::store::pricing::settings::SettingsCache;
use shop::checkout::code_tries::BlockedSources;
use shop::error::{Error, Result};
use std::cell::RefCell;
use std::rc::Rc;
use worker::{Bucket, Env, KvStore, ObjectNamespace};

pub(super) struct Bindings {
    pub(super) catalog: KvStore,
    pub(super) db: Rc<D1>,
    pub(super) stock: ObjectNamespace,
    pub(super) cart: ObjectNamespace,
    pub(super) promotion: ObjectNamespace,
    pub(super) queues: Queues,
    pub(super) payments_knowledge: HealthCache,
    pub(super) settings: SettingsCache,
    pub(super) listings: ListingCache,
    pub(super) limits: RateLimits,
    pub(super) blocked_sources: RefCell<BlockedSources>,
    pub(super) board: ObjectNamespace,
    pub(super) media: Bucket,
    pub(super) images: Images,
}

impl Bindings {
    pub(super) fn new(env: &Env) -> Result<Self> {
        Ok(Self {
            catalog: env.kv("CATALOG").map_err(Error::internal)?,
            db: Rc::new(D1::of(env.d1("DB").map_err(Error::internal)?, PAUSE)),
            stock: env.durable_object("STOCK").map_err(Error::internal)?,
            cart: env.durable_object("CART").map_err(Error::internal)?,
            promotion: env.durable_object("PROMOTION").map_err(Error::internal)?,
            queues: Queues {
                publishes: env.queue("CATALOG_PUBLISHES").map_err(Error::internal)?,
                events: env.queue("STRIPE_EVENTS").map_err(Error::internal)?,
                outgoing: env.queue("OUTGOING").map_err(Error::internal)?,
                link_requests: env.queue("LINK_REQUESTS").map_err(Error::internal)?,
                jobs: env.queue("JOBS").map_err(Error::internal)?,
            },
            payments_knowledge: HealthCache::default(),
            settings: SettingsCache::default(),
            listings: ListingCache::default(),
            blocked_sources: RefCell::default(),
            limits: RateLimits(Rc::new(Classes {
                personal: env
                    .rate_limiter("PERSONAL_READS")
                    .map_err(Error::internal)?,
                carts: env.rate_limiter("CART_CHANGES").map_err(Error::internal)?,
                new_carts: env.rate_limiter("NEW_CARTS").map_err(Error::internal)?,
                checkouts: env
                    .rate_limiter("CHECKOUT_STEPS")
                    .map_err(Error::internal)?,
                lookups: env.rate_limiter("ORDER_LOOKUPS").map_err(Error::internal)?,
                failed_codes: env.rate_limiter("FAILED_CODES").map_err(Error::internal)?,
                staff: env.rate_limiter("STAFF_CALLS").map_err(Error::internal)?,
            })),
            board: env.durable_object("BOARD").map_err(Error::internal)?,
            media: env.bucket("MEDIA").map_err(Error::internal)?,
            images: env.get_binding("IMAGES").map_err(Error::internal)?,
        })
    }
}

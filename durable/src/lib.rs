//! The Durable Objects of the shop.

//! Webhook requests of the payment provider. Whatever header and body arrive, nothing panics,
//! nothing unsigned is accepted, and a signed body is accepted only if it is an event of this
//! account and mode.
//!
//! The input is a header, a zero byte, and a body; without a zero byte, it is a body. The same body
//! is also tried with its correct signature, alone and beside the header, so that the code behind
//! the signature check is reached too.

#![no_main]

use durable::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;
use shop::payments::{Payments, WebhookRequest};
use std::cell::Cell;
use std::rc::Rc;
use storefront::store::payments::stripe::account::{MAX_PAGES, Stripe, StripeConfig};

const NOW_SECS: i64 = 1_795_000_000;
const SECRET: &str = "whsec_of_the_fuzzer";

fuzz_target!(|input: &[u8]| {
    let (header, body) = match input.iter().position(|byte| *byte == 0) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (&input[..0], input),
    };
    let header = String::from_utf8_lossy(header).into_owned();
    assert!(receive(&header, body).is_none(), "believed: {header}");
    let signed = signed(body);
    for header in [
        signed.clone(),
        format!("{signed},{header}"),
        format!("{header},{signed}"),
    ] {
        if let Some(payload) = receive(&header, body) {
            assert_eq!(payload.as_bytes(), body, "it is kept as it came");
            stripe().read_event(&payload).expect("what was kept reads");
        }
    }
});

fn receive(header: &str, body: &[u8]) -> Option<String> {
    let header = |name: &str| (name == "Stripe-Signature").then(|| header.to_owned());
    let delivery = WebhookRequest {
        header: &header,
        body,
    };
    let event = stripe().verify(&delivery, Timestamp::from_millis(NOW_SECS * 1000));
    event.ok().map(|event| event.payload)
}

fn stripe() -> Stripe {
    Stripe {
        config: StripeConfig {
            api_base: String::new(),
            secret_key: "sk_test_of_the_fuzzer".to_owned(),
            webhook_secrets: vec![SECRET.to_owned()],
        },
        pages_left: Rc::new(Cell::new(MAX_PAGES)),
        patience: Rc::default(),
        clock: Timestamp::default,
        entropy: || 0,
    }
}

fn signed(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key will do");
    mac.update(format!("{NOW_SECS}.").as_bytes());
    mac.update(body);
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={NOW_SECS},v1={hex}")
}

//! Stored JSON must stay readable after a deploy: only ever add to these samples.

use super::*;

#[test]
fn stored_rows_still_read() {
    let rows = [
        (
            "totals",
            r#"{"on_hand":5,"reserved":1,"pinned":1,"committed":2,"version":7}"#,
        ),
        (
            "hold/a",
            r#"{"quantity":1,"status":{"reserved":{"expires_at":1000}}}"#,
        ),
        ("hold/b", r#"{"quantity":1,"status":"pinned"}"#),
        ("hold/c", r#"{"quantity":1,"status":"committed"}"#),
        (
            "hold/d",
            r#"{"quantity":0,"status":{"tombstone":{"forget_at":2000}}}"#,
        ),
        (
            "hold/e",
            r#"{"quantity":0,"status":{"shipped":{"forget_at":2000}}}"#,
        ),
        (
            "hold/f",
            r#"{"quantity":1,"status":"committed","customer":"9f"}"#,
        ),
        ("buyer/9f", "1"),
        (
            "settings",
            r#"{"low_threshold":3,"backorder_cap":2,"promise_at":5000,"purchase_limit":4}"#,
        ),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()));

    let stock = Stock::default().restore(&rows).unwrap();

    assert_eq!(stock.view().available, 3);
    assert_eq!(stock.wake_at(), Some(Timestamp::from_millis(1000)));
    for (key, value) in rows {
        assert_eq!(stock.row(&key).unwrap(), Some(value));
    }
}

#[test]
fn stored_events_still_read() {
    for stored in [
        r#"{"received":{"quantity":5}}"#,
        r#"{"held":{"hold_id":"a","quantity":1,"expires_at":1000}}"#,
        r#"{"held":{"hold_id":"a","quantity":1,"expires_at":1000,"customer":"9f"}}"#,
        r#"{"extended":{"hold_id":"a","expires_at":2000}}"#,
        r#"{"pinned":{"hold_id":"a"}}"#,
        r#"{"shipped":{"hold_id":"a","quantity":1,"forget_at":2000}}"#,
        r#"{"adjusted":{"by":-2,"reason":"counted"}}"#,
        r#"{"written_off":{"quantity":1,"reason":"broken"}}"#,
        r#"{"returned":{"quantity":1,"reason":"unopened"}}"#,
        r#"{"configured":{"settings":{"low_threshold":3,"backorder_cap":0,"promise_at":null,"purchase_limit":null}}}"#,
        r#"{"released":{"hold_id":"a","reason":"expired","forget_at":2000}}"#,
        r#"{"committed":{"hold_id":"a"}}"#,
        r#"{"forgotten":{"hold_id":"a"}}"#,
    ] {
        let event: Event = crate::json::read(stored).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), stored);
    }
}

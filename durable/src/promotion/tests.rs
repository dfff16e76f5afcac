//! Stored JSON must stay readable after a deploy: only ever add to these samples.

use super::*;

#[test]
fn stored_rows_still_read() {
    let rows = [
        (
            "totals",
            r#"{"held":2,"reserved":1,"consumed":3,"version":7}"#,
        ),
        (
            "use/a",
            r#"{"status":{"reserved":{"expires_at":1000}},"customer":"9f"}"#,
        ),
        ("use/b", r#"{"status":"pinned","customer":"9f"}"#),
        (
            "use/c",
            r#"{"status":{"consumed":{"settles_at":3000}},"customer":"9f"}"#,
        ),
        ("use/d", r#"{"status":{"tombstone":{"forget_at":2000}}}"#),
        ("customer/9f", "3"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()));

    let promotion = Promotion::default().restore(&rows).unwrap();

    assert_eq!(promotion.wake_at(), Some(Timestamp::from_millis(1000)));
    for (key, value) in rows {
        assert_eq!(promotion.row(&key).unwrap(), Some(value));
    }
}

#[test]
fn stored_events_still_read() {
    for stored in [
        r#"{"held":{"hold_id":"a","customer":"9f","expires_at":1000}}"#,
        r#"{"pinned":{"hold_id":"a"}}"#,
        r#"{"released":{"hold_id":"a","customer":"9f","forget_at":2000}}"#,
        r#"{"released":{"hold_id":"a","forget_at":2000}}"#,
        r#"{"released":{"hold_id":"a","customer":"9f","forget_at":2000,"was_consumed":true}}"#,
        r#"{"consumed":{"hold_id":"a","settles_at":3000}}"#,
        r#"{"forgotten":{"hold_id":"a"}}"#,
    ] {
        let event: Event = crate::json::read(stored).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), stored);
    }
}

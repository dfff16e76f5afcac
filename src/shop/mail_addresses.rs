//! When two mail addresses are one. All that counts or finds people by their address compares the same letters, in Rust as in SQL, whose
//! `LOWER` knows ASCII alone.

/// An address as it is kept: in it, SQL's `LOWER` and [`letters_of`] find the same. Letters of ASCII stay as they were typed.
#[must_use]
pub fn kept_address(typed: &str) -> String {
    let mut kept = String::with_capacity(typed.len());
    for letter in typed.trim().chars() {
        match letter {
            ascii if ascii.is_ascii() => kept.push(ascii),
            other => kept.extend(other.to_lowercase()),
        }
    }
    kept
}

/// What is compared of an address: the same for all ways to write it in capitals.
#[must_use]
pub fn letters_of(address: &str) -> String {
    kept_address(address).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;

    #[test]
    fn capitals_make_no_other_address() {
        for (one, other) in [
            ("Ä@x.test", "ä@x.test"),
            ("ANN@X.TEST", " ann@x.test "),
            ("ΣΟΦΙΑ@ΜΕΛΙ.test", "σοφια@μελι.test"),
            ("ИРА@x.test", "ира@X.test"),
            ("\u{212a}im@x.test", "kim@x.test"),
        ] {
            assert_eq!(letters_of(one), letters_of(other));
        }
        for (one, other) in [("ä@x.test", "a@x.test"), ("ann@x.test", "ann+1@x.test")] {
            assert_ne!(letters_of(one), letters_of(other));
        }
    }

    #[test]
    fn what_is_typed_in_ascii_is_kept() {
        assert_eq!(kept_address(" Ann.Müller@X.test"), "Ann.Müller@X.test");
        assert_eq!(kept_address("Änn@X.test"), "änn@X.test");
    }

    fn in_sql(database: &Connection, kept: &str) -> String {
        let lower = "SELECT LOWER(TRIM(?1))";
        database.query_row(lower, [kept], |row| row.get(0)).unwrap()
    }

    proptest! {
        #[test]
        fn sql_compares_what_rust_does(typed in "[^\\s\\x00]{0,40}", capitals in "[A-ZÄÖÜßÇÑΣΩЖİǅ@.]{0,20}") {
            let database = Connection::open_in_memory().unwrap();
            for address in [typed, capitals] {
                let kept = kept_address(&address);
                prop_assert_eq!(in_sql(&database, &kept), letters_of(&address));
                prop_assert_eq!(kept_address(&kept), kept);
            }
        }
    }
}

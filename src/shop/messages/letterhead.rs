//! Letterhead: the seller's details at the end of an email, as required by law.

use maud::{Markup, html};

/// The shop's details as shown in its emails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letterhead<'a> {
    /// Name of the shop.
    pub shop: &'a str,
    /// Legal name of the seller.
    pub legal_name: &'a str,
    /// Lines of the seller's address.
    pub address: &'a [&'a str],
    /// Email address for shoppers.
    pub email: &'a str,
    /// Telephone number for shoppers. `None` means that there is none.
    pub phone: Option<&'a str>,
}

impl Letterhead<'_> {
    /// Lines at the end of an email, as plain text.
    #[must_use]
    pub fn as_text(&self) -> String {
        format!("{}\n{}\n{}", self.shop, self.seller(), self.contact())
    }

    /// The same lines as HTML.
    #[must_use]
    pub fn as_html(&self) -> Markup {
        html! { p { strong { (self.shop) } br; (self.seller()) br; (self.contact()) } }
    }

    fn seller(&self) -> String {
        let mut parts = vec![self.legal_name];
        parts.extend(self.address);
        parts.join(", ")
    }

    fn contact(&self) -> String {
        match self.phone {
            Some(phone) => format!("{} · {phone}", self.email),
            None => self.email.to_owned(),
        }
    }
}

/// Returns the sender for the email provider: the address, with the shop's name before it unless
/// `address` already has a name. An empty address, meaning no sender, stays empty.
#[must_use]
pub fn named_sender(name: &str, address: &str) -> String {
    let address = address.trim();
    if address.is_empty() || address.contains('<') {
        return address.to_owned();
    }
    let is_plain = |letter: char| letter.is_alphanumeric() || letter == ' ';
    if name.chars().all(is_plain) {
        return format!("{name} <{address}>");
    }
    format!("\"{name}\" <{address}>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::mail_addresses::read_sender;

    #[test]
    fn an_address_gets_the_shops_name_unless_it_has_one() {
        for (name, address, sender) in [
            ("Ohm", "orders@shop.test", "Ohm <orders@shop.test>"),
            (
                "Fern & Oak, Ltd.",
                "a@shop.test",
                "\"Fern & Oak, Ltd.\" <a@shop.test>",
            ),
            ("Ohm", "Other <a@shop.test>", "Other <a@shop.test>"),
        ] {
            assert_eq!(named_sender(name, address), sender);
            assert!(read_sender(sender).is_some(), "{sender}");
        }
        assert_eq!(named_sender("Ohm", ""), "");
    }
}

//! The checkout form: its fields, the values typed in, and the quote request made from them.
//!
//! A separate billing address is asked for only when it differs, even without a script: the style
//! sheet hides its fields while the box says that both are the same, and their content is then
//! ignored.

use crate::web::http::call::{Call, Form};
use crate::web::pages::fields::{BILLING, Field, Typed};
use crate::web::pages::locale::texts::Texts;
use crate::web::pages::purchase::arrival;
use crate::web::pages::visit::PageContext;
use maud::{Markup, html};
use shop::error::FieldError;
use shop::pricing::quote::{Quote, QuoteRequest, ShippingOffer};
use shop::values::addresses::Address;
use shop::values::addresses::labels::{Part, parts_of};
use shop::values::countries::Country;
use shop::values::money::Money;
use shop::values::subdivisions::regions_of;

/// The button that reloads the form with the fields of the chosen country, for browsers without a
/// script.
const CHANGE: &str = "change";

/// The box that says that the billing address is the shipping address.
const SAME: &str = "billing_same";

/// Shipping methods that the form offers.
pub(super) enum Offered {
    /// Methods for the place that the form names.
    There(Vec<ShippingOffer>),
    /// Methods for any place, each at its lowest price. The date of arrival depends on the place.
    Anywhere(Vec<ShippingOffer>),
}

/// Returns the empty form. Its country is the one in the URL, or else the one that the visitor
/// seems to be in.
pub(super) fn nothing_typed(call: &Call<'_>) -> Form {
    let country = call
        .query("country")
        .or_else(|| call.header("CF-IPCountry"))
        .unwrap_or_default();
    let country = Country::of_code(&country).map_or("", |country| country.code);
    let billing = call.query("billing_country").unwrap_or_default();
    let billing = Country::of_code(&billing).map_or(country, |country| country.code);
    form_of([
        ("country", country),
        ("billing_country", billing),
        (SAME, "yes"),
    ])
}

/// Returns true when only the fields of another country are asked for.
pub(super) fn asks_for_fields(form: &Form) -> bool {
    !form.get(CHANGE).is_empty()
}

/// Returns the form as it must have been filled in for this quote.
pub(super) fn typed_in(quote: &Quote) -> Form {
    let codes = codes_of(quote);
    let address = &quote.shipping_address;
    let billing = quote.billing_address.clone().unwrap_or_default();
    let is_same = if quote.billing_address.is_none() {
        "yes"
    } else {
        ""
    };
    form_of([
        ("email", quote.email.as_str()),
        ("name", &address.name),
        ("company", or_empty(&address.company)),
        ("line1", &address.line1),
        ("line2", or_empty(&address.line2)),
        ("neighborhood", or_empty(&address.neighborhood)),
        ("city", &address.city),
        ("region", or_empty(&address.region)),
        ("postal_code", or_empty(&address.postal_code)),
        ("country", &address.country),
        ("phone", or_empty(&address.phone)),
        ("shipping_method", &quote.shipping_method),
        (SAME, is_same),
        ("billing_name", &billing.name),
        ("billing_company", or_empty(&billing.company)),
        ("billing_line1", &billing.line1),
        ("billing_line2", or_empty(&billing.line2)),
        ("billing_neighborhood", or_empty(&billing.neighborhood)),
        ("billing_city", &billing.city),
        ("billing_region", or_empty(&billing.region)),
        ("billing_postal_code", or_empty(&billing.postal_code)),
        ("billing_country", &billing.country),
        ("vat_number", or_empty(&quote.terms.vat_number)),
        ("code", &codes),
    ])
}

/// Returns the quote request that the form makes.
pub(super) fn request_of(form: &Form, visit: &PageContext) -> QuoteRequest {
    QuoteRequest {
        currency: visit.currency.code().to_owned(),
        shipping_address: address_in(form, ""),
        billing_address: is_billed_elsewhere(form).then(|| address_in(form, BILLING)),
        shipping_method: form.get("shipping_method").to_owned(),
        email: form.get("email").to_owned(),
        codes: optional(form, "code").map_or_else(Vec::new, |codes| {
            codes.split(',').map(str::to_owned).collect()
        }),
        vat_number: optional(form, "vat_number"),
    }
}

/// Renders the form with its values, each error beside its field.
pub(super) fn address_form(
    visit: &PageContext,
    offered: &Offered,
    form: &Form,
    errors: &[FieldError],
) -> Markup {
    let texts = visit.texts();
    let typed = Typed::new(texts, form, errors, field_names(texts, form, offered));
    html! {
        form method="post" action=(visit.link("/checkout")) class="stack" novalidate {
            (pressed_by_enter(texts))
            h1 { (texts.checkout) }
            @if !errors.is_empty() {
                div class="notice fault" role="alert" {
                    p { (texts.please_check) }
                    @for fault in typed.elsewhere() { p { (fault) } }
                }
            }
            fieldset {
                legend { (texts.contact) }
                @for field in &contact_fields(texts) { (typed.text_field(field)) }
            }
            fieldset class="address" id="delivery-address" {
                legend { (texts.delivery_address) }
                (typed.country_field(&country_field(texts)))
                @for field in &address_fields(texts, form, "") { (typed.address_field(field)) }
                (typed.text_field(&phone_field(texts, offered)))
            }
            (typed.shipping_field(visit, offered))
            fieldset class="billing" {
                legend { (texts.billing_address) }
                label class="choice" {
                    input type="checkbox" name=(SAME) value="yes" checked[!is_billed_elsewhere(form)];
                    span { (texts.same_as_delivery) }
                }
                div class="address" id="billing-address" {
                    (typed.country_field(&billing_country_field(texts)))
                    @for field in &address_fields(texts, form, BILLING) { (typed.address_field(field)) }
                }
            }
            @for field in &price_fields(texts) { (typed.text_field(field)) }
            button class="wide" { (texts.continue_to_review) }
            p { a href=(visit.link("/cart")) { (texts.back_to_cart) } }
        }
    }
}

/// Adds an invisible first button for Enter. Otherwise, without a script, Enter would press the
/// button beside the country.
fn pressed_by_enter(texts: &Texts) -> Markup {
    html! {
        noscript { button class="unseen" tabindex="-1" aria-hidden="true" { (texts.continue_to_review) } }
    }
}

/// Returns the names of the fields from the top of the page down.
fn field_names(texts: &'static Texts, form: &Form, offered: &Offered) -> Vec<&'static str> {
    let groups: [&[Field]; 7] = [
        &contact_fields(texts),
        &[country_field(texts)],
        &address_fields(texts, form, ""),
        &[phone_field(texts, offered)],
        &[Field::new("shipping_method", texts.shipping, "off", true)],
        &[billing_country_field(texts)],
        &address_fields(texts, form, BILLING),
    ];
    let names = groups.into_iter().flatten().map(|field| field.name);
    names
        .chain(price_fields(texts).map(|field| field.name))
        .collect()
}

const fn contact_fields(texts: &Texts) -> [Field; 1] {
    [Field::new("email", texts.email, "email", true)]
}

const fn country_field(texts: &Texts) -> Field {
    Field::new("country", texts.country, "shipping country", true)
}

const fn billing_country_field(texts: &Texts) -> Field {
    Field::new("billing_country", texts.country, "billing country", true).of(texts.billing_address)
}

/// Returns the phone field. It is required if every shipping method requires a phone number; if
/// only some do, each of those says so.
fn phone_field(texts: &Texts, offered: &Offered) -> Field {
    let rules = || offered.methods().iter().map(|it| it.phone);
    let label = if rules().all(|it| it.is_optional()) {
        texts.phone_optional
    } else {
        texts.phone
    };
    let is_needed = !offered.methods().is_empty() && !rules().any(|it| it.is_optional());
    Field::new("phone", label, "shipping tel", is_needed)
}

/// Returns the fields of an address in the order of its country, and any others that were filled
/// in.
fn address_fields(texts: &'static Texts, form: &Form, prefix: &str) -> Vec<Field> {
    let country = country_in(form, prefix);
    let is_billing = prefix == BILLING;
    let part = |part| part_fields(part, texts, country, is_billing);
    let mut parts = parts_of(country);
    let places = [
        Part::Company,
        Part::Neighborhood,
        Part::PostalCode,
        Part::City,
        Part::Region,
    ];
    parts.extend(places.into_iter().filter(|place| {
        let is_typed = |field: &Field| !form.get(field.name).is_empty();
        !parts_of(country).contains(place) && part(*place).iter().any(is_typed)
    }));
    let name = if is_billing {
        Field::new("billing_name", texts.full_name, "billing name", true)
    } else {
        Field::new("name", texts.full_name, "shipping name", true)
    };
    let fields = std::iter::once(name).chain(parts.into_iter().flat_map(part));
    if is_billing {
        fields.map(|it| it.of(texts.billing_address)).collect()
    } else {
        fields.collect()
    }
}

#[rustfmt::skip] // a row a field
fn part_fields(part: Part, texts: &'static Texts, country: Option<&Country>, is_billing: bool) -> Vec<Field> {
    let needs = |judge: fn(&Country) -> bool| country.is_some_and(judge);
    match (part, is_billing) {
        (Part::Street, false) => vec![
            Field::new("line1", texts.address, "shipping address-line1", true),
            Field::new("line2", texts.address_more, "shipping address-line2", false),
        ],
        (Part::Street, true) => vec![
            Field::new("billing_line1", texts.address, "billing address-line1", true),
            Field::new("billing_line2", texts.address_more, "billing address-line2", false),
        ],
        (Part::Company, _) => {
            let (name, token) = if is_billing { ("billing_company", "billing organization") } else { ("company", "shipping organization") };
            vec![Field::new(name, texts.company, token, false)]
        }
        (Part::Neighborhood, _) => {
            let label = (texts.neighborhood)(country.map_or("", |it| it.neighborhood_word));
            let (name, token) = if is_billing { ("billing_neighborhood", "billing address-level3") } else { ("neighborhood", "shipping address-level3") };
            vec![Field::new(name, label, token, false)]
        }
        (Part::City, _) => {
            let label = (texts.city)(country.map_or("", |it| it.city_word));
            let (name, token) = if is_billing { ("billing_city", "billing address-level2") } else { ("city", "shipping address-level2") };
            vec![Field::new(name, label, token, needs(Country::needs_city))]
        }
        (Part::Region, _) => {
            let label = (texts.region)(country.map_or("", |it| it.region_word));
            let (name, token) = if is_billing { ("billing_region", "billing address-level1") } else { ("region", "shipping address-level1") };
            vec![Field::new(name, label, token, needs(Country::needs_region))]
        }
        (Part::PostalCode, _) => {
            let label = (texts.postal_code)(country.map_or("", |it| it.postal_word));
            let (name, token) = if is_billing { ("billing_postal_code", "billing postal-code") } else { ("postal_code", "shipping postal-code") };
            vec![Field::new(name, label, token, needs(Country::needs_postal_code))]
        }
    }
}

const fn price_fields(texts: &Texts) -> [Field; 2] {
    [
        Field::new("code", texts.promotion_code, "off", false),
        Field::new("vat_number", texts.vat_number, "off", false),
    ]
}

impl Typed<'_> {
    fn country_field(&self, field: &Field) -> Markup {
        let name = field.name;
        let chosen = self.form.get(name);
        self.with_fault(field, |fault_id| html! {
            select id=(name) name=(name) autocomplete=(field.autocomplete) required aria-invalid=[fault_id.map(|_| "true")]
                data-refreshes=(refreshed_by(name)) aria-describedby=[fault_id] autofocus[self.first_fault == Some(name)] {
                option value="" { (self.texts.choose_country) }
                @for (code, country) in (self.texts.countries)() {
                    option value=(code) selected[code == chosen] { (country) }
                }
            }
            noscript { button class="secondary" name=(CHANGE) value=(name) formnovalidate { (self.texts.fields_of_country) } }
        })
    }

    /// Renders a field of an address. Known regions are offered, but any other may be typed.
    fn address_field(&self, field: &Field) -> Markup {
        let Some(prefix) = field.name.strip_suffix("region") else {
            return self.text_field(field);
        };
        let country = country_in(self.form, prefix);
        let mut regions = country.into_iter().flat_map(regions_of).peekable();
        if regions.peek().is_none() {
            return self.text_field(field);
        }
        let list = format!("{}-known", field.name);
        let typed = self.listed_field(field, &list);
        html! {
            (typed)
            datalist id=(list) {
                @for region in regions {
                    option value=(region.name) { @if region.title != region.name { (region.title) } }
                }
            }
        }
    }

    fn shipping_field(&self, visit: &PageContext, offered: &Offered) -> Markup {
        let methods = offered.methods();
        let name = "shipping_method";
        let fault = self.fault(name);
        let chosen = self.form.get(name);
        html! {
            fieldset id="shipping" aria-describedby=[fault.as_ref().map(|_| "shipping_method-fault")] {
                legend { (self.texts.shipping) }
                @for (at, method) in methods.iter().enumerate() {
                    label class="choice" {
                        input type="radio" name=(name) value=(method.id) required autofocus[at == 0 && self.first_fault == Some(name)]
                            checked[chosen == method.id || (at == 0 && chosen.is_empty())];
                        span {
                            bdi { (visit.language.title(&method.title, &method.translations)) }
                            @if let Offered::There(_) = offered
                                && let Some(when) = arrival(visit, method.delivery.as_ref(), method.pick_up) { small { (when) } }
                            @if !method.phone.is_optional() { small { (self.texts.needs_phone) } }
                        }
                        strong { (offered.price(visit, method)) }
                    }
                }
                @if let Some(fault) = fault { p class="fault" id="shipping_method-fault" { (fault) } }
            }
        }
    }
}

/// Returns the IDs of the elements that depend on the choice of a country.
fn refreshed_by(name: &str) -> &'static str {
    if name == "country" {
        "delivery-address shipping"
    } else {
        "billing-address"
    }
}

fn country_in(form: &Form, prefix: &str) -> Option<&'static Country> {
    Country::of_code(&form.get(&format!("{prefix}country")).to_uppercase())
}

impl Offered {
    fn methods(&self) -> &[ShippingOffer] {
        let (Self::There(methods) | Self::Anywhere(methods)) = self;
        methods
    }

    fn price(&self, visit: &PageContext, method: &ShippingOffer) -> String {
        let texts = visit.texts();
        let price = match method.price {
            0 => texts.free.to_owned(),
            price => visit.money(Money::new(price, visit.currency)),
        };
        match self {
            Self::Anywhere(_) if method.price > 0 => (texts.from_price)(&price),
            _ => price,
        }
    }
}

/// Returns true if the form asks for a separate billing address; a form without such fields
/// doesn't.
fn is_billed_elsewhere(form: &Form) -> bool {
    form.get(SAME).is_empty() && form.0.iter().any(|(name, _)| name.starts_with(BILLING))
}

fn address_in(form: &Form, prefix: &str) -> Address {
    let name = |part: &str| format!("{prefix}{part}");
    let typed = |part| form.get(&name(part)).to_owned();
    Address {
        name: typed("name"),
        company: optional(form, &name("company")),
        line1: typed("line1"),
        line2: optional(form, &name("line2")),
        neighborhood: optional(form, &name("neighborhood")),
        city: typed("city"),
        region: optional(form, &name("region")),
        postal_code: optional(form, &name("postal_code")),
        country: typed("country").to_uppercase(),
        phone: optional(form, &name("phone")),
    }
}

fn optional(form: &Form, name: &str) -> Option<String> {
    Some(form.get(name).to_owned()).filter(|value| !value.is_empty())
}

fn or_empty(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default()
}

fn codes_of(quote: &Quote) -> String {
    let promotions = quote.terms.promotions.iter();
    let codes: Vec<&str> = promotions.filter_map(|it| it.code.as_deref()).collect();
    codes.join(", ")
}

fn form_of<const N: usize>(fields: [(&str, &str); N]) -> Form {
    Form(
        fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
    )
}

//! `npm run price -- --cart FILE`: what a cart costs, and how each number came about. The very
//! functions that price a quote, on a catalog and settings from files: no shop has to run, and
//! nothing is counted against a promotion's limits.
#![expect(clippy::print_stdout, reason = "a program prints its answer")]

use durable::Timestamp;
use durable::cart::Line;
use serde::Deserialize;
use shop::catalog::Conversion;
use shop::checkout::quoting::accept_currency;
use shop::error::Error;
use shop::pricing::instants::read_instant;
use shop::pricing::pipeline::{PricedLines, PricingContext, price_lines};
use shop::pricing::places::Destination;
use shop::pricing::price_list::PriceList;
use shop::pricing::prices::Repricing;
use shop::pricing::promotions::Shopper;
use shop::pricing::quote::Listing;
use shop::pricing::settings::{Settings, SettingsVersion};
use shop::pricing::tax::TaxPart;
use shop::publishing::csv::read::{Window, read_products};
use shop::publishing::publish::steps::listings_of;
use shop::values::ids::{Sku, customer_of};
use shop::values::money::{Currency, Money};
use shop::values::typing::plain_code;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::rc::Rc;
use std::{env, fs};

const HELP: &str = "\
npm run price -- --cart FILE [--settings FILE] [--catalog FILE] [--at INSTANT]

Prices the cart described in FILE and explains each number.
  --settings  a response of GET /api/v1/admin/settings; default demo/settings.json
  --catalog   a Shopify product CSV; default demo/catalog.csv
  --at        time of the order, such as 2026-11-20T12:00:00Z, the default

A cart is JSON:
  {\"currency\": \"EUR\", \"country\": \"DE\", \"region\": null, \"postal_code\": \"10115\", \"shipping_method\": \"standard\",
   \"email\": \"ann@example.com\", \"codes\": [\"welcome\"], \"vat_number\": false, \"has_ordered\": false,
   \"lines\": [{\"sku\": \"BAS-HRB-17PM-APR\", \"quantity\": 3}]}
Usage limits of promotions are not checked: only a running shop knows how often one was used.";

const LAUNCH: &str = "2026-11-20T12:00:00Z";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cart {
    currency: String,
    country: String,
    region: Option<String>,
    postal_code: Option<String>,
    shipping_method: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    codes: Vec<String>,
    #[serde(default)]
    vat_number: bool,
    #[serde(default)]
    has_ordered: bool,
    lines: Vec<Line>,
}

/// Settings as a running shop answers with them, or as a file has them.
#[derive(Deserialize)]
struct SettingsFile {
    #[serde(default)]
    version: u64,
    #[serde(flatten)]
    settings: serde_json::Value,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.iter().any(|it| it == "--help") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run(&arguments) {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            println!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String, String> {
    let option = |name: &str| {
        let at = arguments.iter().position(|it| it == name)?;
        arguments.get(at.saturating_add(1)).cloned()
    };
    let or = |name: &str, default: &str| option(name).unwrap_or_else(|| default.to_owned());
    let cart_file = option("--cart").ok_or_else(|| HELP.to_owned())?;
    let cart: Cart = parse(&cart_file, &read(&cart_file)?)?;
    let settings_file = or("--settings", "demo/settings.json");
    let SettingsFile { version, settings } = parse(&settings_file, &read(&settings_file)?)?;
    let settings: Settings =
        serde_json::from_value(settings).map_err(|error| format!("{settings_file}: {error}"))?;
    let at = or("--at", LAUNCH);
    let now = read_instant(&at)
        .ok_or_else(|| format!("--at must be an instant such as {LAUNCH}, not {at}"))?;
    let currencies = currencies_of(&settings);
    let problems = settings.problems(&currencies);
    if !problems.is_empty() {
        return Err(told(&Error::Invalid(problems)));
    }
    let listings = listings(
        &read(&or("--catalog", "demo/catalog.csv"))?,
        &settings,
        &currencies,
    )?;
    let settings = SettingsVersion { version, settings };
    price(&cart, settings, listings, &currencies, now).map_err(|error| told(&error))
}

fn currencies_of(settings: &Settings) -> Vec<Currency> {
    let converted = settings.currencies.rates.iter().map(|rate| rate.currency);
    [settings.currencies.base]
        .into_iter()
        .chain(converted)
        .collect()
}

/// Listings that a publish of the catalog would write.
fn listings(
    csv: &[u8],
    settings: &Settings,
    currencies: &[Currency],
) -> Result<BTreeMap<Sku, Listing>, String> {
    let window = Window {
        csv,
        first_line: None,
        last: true,
        max_variants: usize::MAX,
    };
    let file = read_products(window, currencies);
    if let Some(error) = file.errors.first() {
        return Err(format!(
            "line {}, {}: {}",
            error.line, error.column, error.detail
        ));
    }
    let repricing = Repricing {
        currencies: settings.currencies.clone(),
        scheduled: BTreeMap::new(),
    };
    let products = file.products.into_iter();
    Ok(products
        .map(|it| repricing.reprice(it.product))
        .flat_map(|product| listings_of(&product).collect::<Vec<_>>())
        .collect())
}

fn price(
    cart: &Cart,
    settings: SettingsVersion,
    listings: BTreeMap<Sku, Listing>,
    currencies: &[Currency],
    now: Timestamp,
) -> Result<String, Error> {
    let currency = accept_currency(&cart.currency, currencies)?;
    let codes: Vec<String> = cart.codes.iter().map(|code| plain_code(code)).collect();
    let list = PriceList {
        catalog_seq: 0,
        listings: listings
            .into_iter()
            .map(|(sku, it)| (sku, Rc::new(it)))
            .collect(),
        settings: Rc::new(settings),
        has_ordered: cart.has_ordered,
    };
    let occasion = PricingContext {
        destination: Destination::new(
            &cart.country,
            cart.region.as_deref(),
            cart.postal_code.as_deref(),
        ),
        has_vat_number: cart.vat_number,
        shopper: Shopper {
            codes: &codes,
            customer: &customer_of(&cart.email),
            has_ordered: cart.has_ordered,
            used_up: &[],
            currency,
            now,
        },
    };
    let priced = price_lines(&cart.lines, &list, &occasion, &cart.shipping_method)?;
    Ok(table(&priced, currency))
}

fn table(priced: &PricedLines, currency: Currency) -> String {
    let money = |amount| Money::new(amount, currency).to_decimal();
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |what: String, amount: i64| rows.push((what, money(amount)));
    let terms = &priced.terms;
    for (at, line) in priced.lines.iter().enumerate() {
        let source = match line.detail.conversion {
            Some(Conversion { from, rate_ppm }) => {
                format!(
                    "from {} {} at {rate_ppm} ppm",
                    from.to_decimal(),
                    from.currency
                )
            }
            None => "list".to_owned(),
        };
        let each = format!("{} each, {source}", money(line.unit_price));
        row(
            format!("{}  {} ({each})", line.sku, line.name()),
            line.line_total,
        );
        for (promotion, share) in terms.promotions_on(at) {
            row(format!("    {}", promotion.id), share.saturating_neg());
        }
        taxes(&line.detail.taxes, priced.totals.tax_included, &mut row);
    }
    row(
        format!("Shipping  {}", terms.shipping.title),
        terms.shipping.price,
    );
    if terms.shipping.discount > 0 {
        row(
            "    free shipping".to_owned(),
            terms.shipping.discount.saturating_neg(),
        );
    }
    taxes(&terms.shipping.taxes, priced.totals.tax_included, &mut row);
    let totals = &priced.totals;
    let tax = if totals.tax_included {
        "Tax included"
    } else {
        "Tax"
    };
    for (what, amount) in [
        ("Subtotal", totals.subtotal),
        ("Discount", totals.discount_total.saturating_neg()),
        ("Shipping", totals.shipping_total),
        (tax, totals.tax_total),
        ("Total", totals.total),
    ] {
        row(what.to_owned(), amount);
    }
    let width = rows
        .iter()
        .map(|(what, _)| what.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (what, amount) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{what:<width$}  {amount:>14}");
    }
    let zone = terms
        .tax_zone
        .as_deref()
        .unwrap_or("none, so that no tax is charged");
    let rounding = currency.charge_increment();
    let _ = write!(
        text,
        "{currency}; tax zone {zone}; tax is rounded half up once per line, to {rounding} minor unit(s)"
    );
    if let Some(delivery) = &terms.shipping.delivery {
        let _ = write!(
            text,
            "; arrives {} to {}",
            delivery.earliest, delivery.latest
        );
    }
    for promotion in &terms.promotions {
        if let Some(reason) = &promotion.passed_over {
            let _ = write!(text, "\n{}: takes nothing off, {reason:?}", promotion.id);
        }
    }
    text
}

fn taxes(parts: &[TaxPart], included: bool, row: &mut impl FnMut(String, i64)) {
    let word = if included { "included " } else { "" };
    for part in parts {
        let (whole, rest) = (
            part.rate_ppm.div_euclid(10_000),
            part.rate_ppm.rem_euclid(10_000),
        );
        let rest = format!("{rest:04}");
        let percent = format!("{whole}.{}", rest.trim_end_matches('0'));
        let percent = percent.trim_end_matches('.');
        row(format!("    {word}{} {percent} %", part.name), part.amount);
    }
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{file}: {error}"))
}

fn parse<T: for<'de> Deserialize<'de>>(file: &str, text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| format!("{file}: {error}"))
}

fn told(error: &Error) -> String {
    let Error::Invalid(problems) = error else {
        return error.to_string();
    };
    let lines = problems
        .iter()
        .map(|it| format!("{}: {} ({})", it.field, it.detail, it.code));
    lines.collect::<Vec<_>>().join("\n")
}

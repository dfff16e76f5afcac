//! Reads Shopify's product CSV (help.shopify.com/en/manual/products/import-export/using-csv): one row a variant, further rows with
//! the same handle for more variants and images.
//!
//! Promises: rows are read by column name, in any order; a product with a row that can't be accepted is reported by line and
//! column and left out whole; a variant without an SKU gets a stable one made of its handle and options.

use crate::shop::catalog::{
    Image, Price, Product, ProductOption, Seo, Status, Variant, sanitise_html, slug,
};
use crate::shop::ids::derived_id;
use crate::shop::money::{Currency, Money};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What a file holds.
#[derive(Debug, Default)]
pub struct ProductFile {
    /// The products that can be accepted, in the file's order.
    pub products: Vec<ImportedProduct>,
    /// What is wrong with the others.
    pub errors: Vec<RowError>,
}

/// A product and the stock that its rows state.
#[derive(Clone, Debug)]
pub struct ImportedProduct {
    /// The product.
    pub product: Product,
    /// Units by SKU, of the variants that are tracked and state a quantity.
    pub quantities: Vec<(String, u32)>,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// Name of the column.
    pub column: String,
    /// What would be accepted.
    pub detail: String,
}

/// Reads `csv`. Prices are in `currencies`: `Variant Price` in the first, `Price / EUR` in EUR and so on.
#[must_use]
pub fn read_products(csv: &[u8], currencies: &[Currency]) -> ProductFile {
    let mut file = ProductFile::default();
    let csv = csv.strip_prefix(b"\xef\xbb\xbf").unwrap_or(csv);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv);
    let columns = match reader.byte_headers() {
        Ok(headers) => Columns::named(headers),
        Err(error) => {
            file.errors.push(RowError::new(1, "", error.to_string()));
            return file;
        }
    };
    for required in ["Handle", "Title"] {
        if !columns.has(required) {
            let detail = "This column is missing; is the file a Shopify product CSV?";
            file.errors.push(RowError::new(1, required, detail));
        }
    }
    if !file.errors.is_empty() {
        return file;
    }
    let mut groups: Vec<(String, Vec<Row<'_>>)> = Vec::new();
    for record in reader.byte_records() {
        match record {
            Ok(record) => group(&mut groups, Row::new(&columns, &record)),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                file.errors.push(RowError::new(line, "", error.to_string()));
            }
        }
    }
    let mut skus = HashSet::new();
    for (handle, rows) in groups {
        match read_product(&handle, &rows, currencies, &mut skus) {
            Ok(product) => file.products.push(product),
            Err(errors) => file.errors.extend(errors),
        }
    }
    file
}

impl RowError {
    fn new(line: u64, column: &str, detail: impl Into<String>) -> Self {
        Self {
            line,
            column: column.to_owned(),
            detail: detail.into(),
        }
    }
}

/// Where each column stands.
struct Columns(HashMap<String, usize>);

impl Columns {
    fn named(headers: &csv::ByteRecord) -> Self {
        Self(
            headers
                .iter()
                .enumerate()
                .map(|(at, name)| (String::from_utf8_lossy(name).trim().to_lowercase(), at))
                .collect(),
        )
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(&name.to_lowercase())
    }
}

/// One row, its cells by column name.
struct Row<'a> {
    line: u64,
    columns: &'a Columns,
    cells: Vec<String>,
}

impl<'a> Row<'a> {
    fn new(columns: &'a Columns, record: &csv::ByteRecord) -> Self {
        Self {
            line: record.position().map_or(0, csv::Position::line),
            columns,
            cells: record
                .iter()
                .map(|cell| String::from_utf8_lossy(cell).trim().to_owned())
                .collect(),
        }
    }

    /// The cell of a column; empty where the row or the file lacks it.
    fn cell(&self, column: &str) -> &str {
        self.columns
            .0
            .get(&column.to_lowercase())
            .and_then(|at| self.cells.get(*at))
            .map_or("", String::as_str)
    }

    fn error(&self, column: &str, detail: impl Into<String>) -> RowError {
        RowError::new(self.line, column, detail)
    }

    /// A row for a variant states its options or its price; a row for one more image states neither.
    fn has_variant(&self) -> bool {
        !self.cell("Option1 Value").is_empty() || !self.cell("Variant Price").is_empty()
    }
}

/// Rows of one product stand together; a row without a handle continues the one above.
fn group<'a>(groups: &mut Vec<(String, Vec<Row<'a>>)>, row: Row<'a>) {
    if row.cells.iter().all(String::is_empty) {
        return;
    }
    let handle = row.cell("Handle").to_owned();
    match groups
        .iter_mut()
        .rev()
        .find(|(known, _)| *known == handle || handle.is_empty())
    {
        Some((_, rows)) => rows.push(row),
        None => groups.push((handle, vec![row])),
    }
}

fn read_product(
    handle: &str,
    rows: &[Row<'_>],
    currencies: &[Currency],
    skus: &mut HashSet<String>,
) -> Result<ImportedProduct, Vec<RowError>> {
    let Some(first) = rows.first() else {
        return Err(vec![]);
    };
    let handle = slug(handle);
    let mut errors = Vec::new();
    if handle.is_empty() {
        errors.push(first.error("Handle", "A product needs a handle."));
    }
    if first.cell("Title").is_empty() {
        errors.push(first.error("Title", "The first row of a product needs a title."));
    }
    let status = read_status(first)
        .map_err(|error| errors.push(error))
        .unwrap_or_default();
    let names = option_names(first);
    let mut variants = Vec::new();
    let mut quantities = Vec::new();
    for row in rows.iter().filter(|row| row.has_variant()) {
        match read_variant(&handle, &names, row, currencies) {
            Ok((variant, quantity)) => {
                if !skus.insert(variant.sku.clone()) {
                    let detail =
                        format!("The SKU `{}` is already taken in this file.", variant.sku);
                    errors.push(row.error("Variant SKU", detail));
                }
                quantities.extend(quantity.map(|quantity| (variant.sku.clone(), quantity)));
                variants.push(variant);
            }
            Err(problems) => errors.extend(problems),
        }
    }
    if variants.is_empty() && errors.is_empty() {
        errors.push(first.error("Variant Price", "A product needs a variant with a price."));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(ImportedProduct {
        product: Product {
            id: derived_id("prod", &handle),
            title: first.cell("Title").to_owned(),
            description_html: sanitise_html(first.cell("Body (HTML)")),
            vendor: first.cell("Vendor").to_owned(),
            r#type: first.cell("Type").to_owned(),
            tags: list_of(first.cell("Tags"), ','),
            status,
            category: category_of(first),
            options: options_of(&names, &variants),
            images: images_of(rows),
            seo: Seo {
                title: first.cell("SEO Title").to_owned(),
                description: first.cell("SEO Description").to_owned(),
            },
            variants,
            handle,
        },
        quantities,
    })
}

/// Names of the options, but for the `Title: Default Title` that Shopify writes for a product without any.
fn option_names(first: &Row<'_>) -> Vec<String> {
    if first.cell("Option1 Value") == "Default Title" {
        return vec![];
    }
    ["Option1 Name", "Option2 Name", "Option3 Name"]
        .iter()
        .map(|column| first.cell(column).to_owned())
        .take_while(|name| !name.is_empty())
        .collect()
}

fn read_variant(
    handle: &str,
    names: &[String],
    row: &Row<'_>,
    currencies: &[Currency],
) -> Result<(Variant, Option<u32>), Vec<RowError>> {
    let mut errors = Vec::new();
    let option_values: Vec<String> = ["Option1 Value", "Option2 Value", "Option3 Value"]
        .iter()
        .take(names.len())
        .map(|column| row.cell(column).to_owned())
        .collect();
    let prices = read_prices(row, currencies, &mut errors);
    let weight_grams = read_number(row, "Variant Grams", &mut errors);
    let quantity = read_number(row, "Variant Inventory Qty", &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let tracked = !row.cell("Variant Inventory Tracker").is_empty();
    let sku = row.cell("Variant SKU");
    let variant = Variant {
        id: derived_id("var", &format!("{handle}\0{}", option_values.join("\0"))),
        sku: if sku.is_empty() {
            generated_sku(handle, &option_values)
        } else {
            sku.to_owned()
        },
        sku_generated: sku.is_empty(),
        title: option_values.join(" / "),
        option_values,
        prices,
        barcode: Some(row.cell("Variant Barcode").to_owned()).filter(|code| !code.is_empty()),
        weight_grams,
        image: Some(row.cell("Variant Image").to_owned()).filter(|url| !url.is_empty()),
        tracked,
    };
    Ok((
        variant,
        quantity.filter(|quantity| tracked && *quantity > 0),
    ))
}

/// The same handle and options always give the same SKU, so that an import can be repeated.
fn generated_sku(handle: &str, option_values: &[String]) -> String {
    let mut parts = vec![handle.to_owned()];
    parts.extend(option_values.iter().map(|value| slug(value)));
    parts.retain(|part| !part.is_empty());
    parts.join("-")
}

fn read_prices(
    row: &Row<'_>,
    currencies: &[Currency],
    errors: &mut Vec<RowError>,
) -> BTreeMap<String, Price> {
    let mut prices = BTreeMap::new();
    for (at, currency) in currencies.iter().enumerate() {
        let (price, compare_at) = if at == 0 {
            (
                "Variant Price".to_owned(),
                "Variant Compare At Price".to_owned(),
            )
        } else {
            (
                format!("Price / {currency}"),
                format!("Compare At Price / {currency}"),
            )
        };
        let amount = read_money(row, &price, *currency, errors);
        let compare_at_amount = read_money(row, &compare_at, *currency, errors);
        match amount {
            Some(amount) => {
                let compare_at_amount = compare_at_amount.filter(|before| *before > amount);
                prices.insert(
                    currency.code().to_owned(),
                    Price {
                        amount,
                        compare_at_amount,
                    },
                );
            }
            None if at == 0 && row.cell(&price).is_empty() => {
                errors.push(row.error(&price, "A variant needs a price."));
            }
            None => {}
        }
    }
    prices
}

fn read_money(
    row: &Row<'_>,
    column: &str,
    currency: Currency,
    errors: &mut Vec<RowError>,
) -> Option<i64> {
    let cell = row.cell(column);
    if cell.is_empty() {
        return None;
    }
    match Money::parse_decimal(cell, currency) {
        Ok(money) => Some(money.amount),
        Err(detail) => {
            errors.push(row.error(column, detail));
            None
        }
    }
}

/// A whole number; Shopify exports grams as `221.0` and oversold stock as a negative quantity, which counts as none.
fn read_number(row: &Row<'_>, column: &str, errors: &mut Vec<RowError>) -> Option<u32> {
    let cell = row.cell(column);
    let whole = cell.split_once('.').map_or(cell, |(whole, _)| whole);
    if whole.is_empty() {
        return None;
    }
    if whole
        .strip_prefix('-')
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Some(0);
    }
    match whole
        .parse()
        .ok()
        .filter(|number| *number <= durable::stock::MAX_QUANTITY)
    {
        Some(number) => Some(number),
        None => {
            errors.push(row.error(
                column,
                format!(
                    "`{cell}` is not a whole number up to {}.",
                    durable::stock::MAX_QUANTITY
                ),
            ));
            None
        }
    }
}

fn read_status(first: &Row<'_>) -> Result<Status, RowError> {
    match first.cell("Status").to_lowercase().as_str() {
        "active" => Ok(Status::Active),
        "draft" => Ok(Status::Draft),
        "archived" => Ok(Status::Archived),
        "" if first.cell("Published").eq_ignore_ascii_case("false") => Ok(Status::Draft),
        "" => Ok(Status::Active),
        other => Err(first.error(
            "Status",
            format!("`{other}` is not active, draft or archived."),
        )),
    }
}

fn category_of(first: &Row<'_>) -> Vec<String> {
    let path = list_of(first.cell("Product Category"), '>');
    if path.is_empty() {
        list_of(first.cell("Type"), '>')
    } else {
        path
    }
}

fn options_of(names: &[String], variants: &[Variant]) -> Vec<ProductOption> {
    names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let mut values: Vec<String> = Vec::new();
            for value in variants
                .iter()
                .filter_map(|variant| variant.option_values.get(at))
            {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
            ProductOption {
                name: name.clone(),
                values,
            }
        })
        .collect()
}

fn images_of(rows: &[Row<'_>]) -> Vec<Image> {
    let mut images: Vec<Image> = Vec::new();
    for row in rows {
        let url = row.cell("Image Src");
        if !url.is_empty() && images.iter().all(|image| image.url != url) {
            images.push(Image {
                url: url.to_owned(),
                alt: row.cell("Image Alt Text").to_owned(),
            });
        }
    }
    images
}

fn list_of(cell: &str, separator: char) -> Vec<String> {
    cell.split(separator)
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currencies() -> Vec<Currency> {
        ["USD", "JPY"]
            .iter()
            .map(|code| Currency::from_code(code).unwrap())
            .collect()
    }

    fn read(csv: &str) -> ProductFile {
        read_products(csv.as_bytes(), &currencies())
    }

    #[test]
    fn variants_and_images_continue_their_product() {
        let file = read(concat!(
            "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price,Price / JPY,Image Src,Image Alt Text\n",
            "tee,Tee,\"<p>Soft,\n\"\"very\"\" soft</p>\",Acme,Shirts,\"new, summer\",TRUE,Size,S,,shopify,3,19.99,2900,/a.svg,A\n",
            "tee,,,,,,,,M,TEE-M,,,20,,/b.svg,B\n",
            "tee,,,,,,,,,,,,,,/c.svg,\n",
        ));

        assert_eq!(file.errors, []);
        let [imported] = file.products.as_slice() else {
            panic!("one product")
        };
        let product = &imported.product;
        assert_eq!(product.description_html, "<p>Soft,\n\"very\" soft</p>");
        assert_eq!(product.tags, ["new", "summer"]);
        assert_eq!(product.category, ["Shirts"]);
        assert_eq!(
            product.options,
            [ProductOption {
                name: "Size".into(),
                values: vec!["S".into(), "M".into()]
            }]
        );
        assert_eq!(product.images.len(), 3);
        let [small, medium] = product.variants.as_slice() else {
            panic!("two variants")
        };
        assert_eq!(
            (small.sku.as_str(), small.sku_generated, small.tracked),
            ("tee-s", true, true)
        );
        assert_eq!(
            (medium.sku.as_str(), medium.sku_generated, medium.tracked),
            ("TEE-M", false, false)
        );
        assert_eq!(small.prices["JPY"].amount, 2900);
        assert_eq!(medium.prices.get("JPY"), None);
        assert_eq!(imported.quantities, [("tee-s".to_owned(), 3)]);
    }

    #[test]
    fn a_product_in_one_form_has_no_options() {
        let file = read(
            "Handle,Title,Option1 Name,Option1 Value,Variant Price\nmug,Mug,Title,Default Title,9.00\n",
        );
        let product = &file.products[0].product;
        assert!(product.options.is_empty());
        assert_eq!(product.variants[0].sku, "mug");
        assert_eq!(product.variants[0].title, "");
    }

    #[test]
    fn a_bad_row_leaves_its_product_out_and_says_where() {
        let file =
            read("Handle,Title,Variant SKU,Variant Price\na,A,X,1.999\nb,B,Y,5\nc,C,Y,5\n,,,\n");
        let handles: Vec<_> = file
            .products
            .iter()
            .map(|imported| imported.product.handle.as_str())
            .collect();
        assert_eq!(handles, ["b"]);
        let places: Vec<_> = file
            .errors
            .iter()
            .map(|error| (error.line, error.column.as_str()))
            .collect();
        assert_eq!(places, [(2, "Variant Price"), (4, "Variant SKU")]);
    }

    #[test]
    fn a_file_of_another_kind_is_named_as_such() {
        let file = read("name,price\nMug,9\n");
        assert!(file.products.is_empty());
        assert_eq!(file.errors[0].column, "Handle");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut csv = b"Handle,Title,Option1 Name,Option1 Value,Variant Price,Variant Grams,Variant Inventory Qty\n".to_vec();
            csv.extend(bytes);
            let _ = read_products(&csv, &currencies());
        }
    }
}

//! Columns of Shopify's product CSV.

use crate::values::money::Currency;
use crate::values::unicode::{Form, normalized};

/// Columns that the shop reads and writes, in Shopify's order; price columns for further currencies
/// follow.
pub const COLUMNS: &[&str] = &[
    "Handle",
    "Title",
    "Body (HTML)",
    "Vendor",
    "Product Category",
    "Type",
    "Tags",
    "Published",
    "Option1 Name",
    "Option1 Value",
    "Option2 Name",
    "Option2 Value",
    "Option3 Name",
    "Option3 Value",
    SKU,
    "Variant Grams",
    "Variant Inventory Tracker",
    "Variant Inventory Qty",
    "Variant Price",
    "Variant Compare At Price",
    "Variant Taxable",
    "Variant Tax Code",
    "Variant Barcode",
    "Image Src",
    "Image Position",
    "Image Alt Text",
    "SEO Title",
    "SEO Description",
    FEATURES,
    SPECIFICATIONS,
    METADATA,
    "Variant Image",
    "Status",
];

/// Column of the SKU.
pub const SKU: &str = "Variant SKU";

/// Column of the rule for sold-out variants. The shop always behaves as with `deny`.
pub const POLICY: &str = "Variant Inventory Policy";

/// Columns that are read and kept as in the file; the shop writes none of its own.
const ALSO_READ: &[&str] = &[POLICY];

/// Columns whose cells may contain several lines.
const MANY_LINES: &[&str] = &[
    "Body (HTML)",
    "Image Alt Text",
    "SEO Title",
    "SEO Description",
    FEATURES,
    SPECIFICATIONS,
    METADATA,
];

/// True for a column whose cells are single lines.
pub fn has_one_line(name: &str) -> bool {
    COLUMNS.contains(&name) && !MANY_LINES.contains(&name)
}

/// True for a column that the shop reads, apart from prices in further currencies.
pub fn is_read(name: &str) -> bool {
    COLUMNS.contains(&name) || ALSO_READ.contains(&name)
}

/// Column of selling points: a JSON array of texts.
pub const FEATURES: &str = "Features (product.metafields.custom.features)";

/// Column of specifications: a JSON object of texts.
pub const SPECIFICATIONS: &str = "Specifications (product.metafields.custom.specifications)";

/// Column of the merchant's own fields: a JSON object of texts.
pub const METADATA: &str = "Metadata (product.metafields.custom.metadata)";

/// Columns of pictures, which form one list per product, whichever row they are in.
pub const IMAGE_COLUMNS: &[&str] = &["Image Src", "Image Position", "Image Alt Text"];

/// Column names in Shopify's newer files, with their former names.
const RENAMED: &[(&str, &str)] = &[
    ("URL handle", "Handle"),
    ("Description", "Body (HTML)"),
    ("Published on online store", "Published"),
    ("SKU", SKU),
    ("Barcode", "Variant Barcode"),
    ("Price", "Variant Price"),
    ("Compare-at price", "Variant Compare At Price"),
    ("Inventory tracker", "Variant Inventory Tracker"),
    ("Inventory quantity", "Variant Inventory Qty"),
    ("Continue selling when out of stock", POLICY),
    ("Weight unit for display", "Variant Weight Unit"),
    ("Requires shipping", "Variant Requires Shipping"),
    ("Fulfillment service", "Variant Fulfillment Service"),
    ("Weight value (grams)", "Variant Grams"),
    ("Charge tax", "Variant Taxable"),
    ("Tax code", "Variant Tax Code"),
    ("Product image URL", "Image Src"),
    ("Variant image URL", "Variant Image"),
];

/// Returns the shop's name for a column; an unknown column keeps its own.
pub fn canonical(name: &str) -> String {
    let same = |other: &str| other.eq_ignore_ascii_case(name);
    RENAMED
        .iter()
        .find(|(new, _)| same(new))
        .map(|(_, old)| *old)
        .or_else(|| {
            let mut known = COLUMNS.iter().chain(ALSO_READ);
            known.find(|known| same(known)).copied()
        })
        .unwrap_or(name)
        .to_owned()
}

/// Returns the parts of a cell without surrounding spaces.
pub fn list_of(cell: &str, separator: char) -> Vec<String> {
    cell.split(separator)
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

/// Returns the name of the price column for a further currency.
pub fn price_column(currency: &Currency) -> String {
    format!("Price / {currency}")
}

/// Returns the name of the column of earlier prices for a further currency.
pub fn compare_at_column(currency: &Currency) -> String {
    format!("Compare At Price / {currency}")
}

/// Column of the handles that products are identified by.
pub const HANDLE: &str = "Handle";

/// Pseudo-column for handles as written in the file (see [`handle_key`]).
pub(crate) const WRITTEN_HANDLE: &str = "Handle in the file";

/// Returns the key that distinguishes the file's products by handle: composed, ignoring case.
#[must_use]
pub fn handle_key(written: &str) -> String {
    let lower = written.trim().to_lowercase();
    normalized(&lower, Form::Composed).into_owned()
}

//! The columns of Shopify's product CSV.

use crate::values::money::Currency;
use crate::values::unicode::{Form, normalized};

/// The columns that the shop knows and writes, in Shopify's order; prices of further currencies
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

/// Column of the SKU, which names a variant in the shop and outside it.
pub const SKU: &str = "Variant SKU";

/// Rule for stock that is used up: `deny` is what the shop does.
pub const POLICY: &str = "Variant Inventory Policy";

/// Read and kept as the file has it; the shop writes none of its own.
const ALSO_READ: &[&str] = &[POLICY];

/// Columns whose cells may have several lines.
const MANY_LINES: &[&str] = &[
    "Body (HTML)",
    "Image Alt Text",
    "SEO Title",
    "SEO Description",
    FEATURES,
    SPECIFICATIONS,
    METADATA,
];

/// True for a column whose cells have one line.
pub fn has_one_line(name: &str) -> bool {
    COLUMNS.contains(&name) && !MANY_LINES.contains(&name)
}

/// True for a column that the shop reads, market prices aside.
pub fn is_read(name: &str) -> bool {
    COLUMNS.contains(&name) || ALSO_READ.contains(&name)
}

/// Selling points: a JSON array of texts.
pub const FEATURES: &str = "Features (product.metafields.custom.features)";

/// Measures: a JSON object of texts.
pub const SPECIFICATIONS: &str = "Specifications (product.metafields.custom.specifications)";

/// The merchant's own fields: a JSON object of texts.
pub const METADATA: &str = "Metadata (product.metafields.custom.metadata)";

/// Pictures are a list of the product, whichever of its rows they stand on.
pub const IMAGE_COLUMNS: &[&str] = &["Image Src", "Image Position", "Image Alt Text"];

/// Names that Shopify's newer files use, and what they were called before.
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

/// The name by which the shop knows a column; its own name for one that the shop does not know.
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

/// The parts of a cell, without the space around them.
pub fn list_of(cell: &str, separator: char) -> Vec<String> {
    cell.split(separator)
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

/// The column of prices in a further currency.
pub fn price_column(currency: &Currency) -> String {
    format!("Price / {currency}")
}

/// The column of prices before, in a further currency.
pub fn compare_at_column(currency: &Currency) -> String {
    format!("Compare At Price / {currency}")
}

/// Column of handles that products are made with.
pub const HANDLE: &str = "Handle";

/// Stands for the column of handles as the file has them (see [`handle_key`]).
pub(crate) const WRITTEN_HANDLE: &str = "Handle in the file";

/// Form of a file's handle that tells its products apart: composed, without regard to case.
#[must_use]
pub fn handle_key(written: &str) -> String {
    let lower = written.trim().to_lowercase();
    normalized(&lower, Form::Composed).into_owned()
}

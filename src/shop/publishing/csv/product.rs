//! Parsing of the rows of one product.

use crate::catalog::handles::product_handle;
use crate::catalog::html::sanitise_html;
use crate::catalog::rules::{MAX_CHARS, MAX_TITLE_CHARS, NO_ADDRESS, indistinct};
use crate::catalog::{Image, Product, ProductOption, ProductStatus, Seo, web_address};
use crate::publishing::csv::cells::{read_field, too_long, whole_number};
use crate::publishing::csv::columns::{FEATURES, HANDLE, METADATA, SPECIFICATIONS, list_of};
use crate::publishing::csv::imported::{ImportedProduct, Name, RowError};
use crate::publishing::csv::notices::{NoticeCode, Notices};
use crate::publishing::csv::options::{OptionColumn, are_moved, keep_option_cells, options_of};
use crate::publishing::csv::rows::Row;
use crate::publishing::csv::variants::{Variants, read_variants};
use crate::publishing::csv::write::rows_of;
use crate::values::ids::Sku;
use crate::values::money::Currency;

/// Maximum size of a product in bytes: D1's limit for one parameter, less a margin.
const MAX_PRODUCT_BYTES: usize = 1_900_000;

/// Parses the product in these rows.
///
/// # Errors
/// One error for each row that prevents it.
pub fn read_product(
    rows: &[Row<'_>],
    currencies: &[Currency],
) -> Result<ImportedProduct, Vec<RowError>> {
    let Some(opening) = rows.first() else {
        return Err(vec![]);
    };
    let mut variant_rows: Vec<&Row<'_>> = rows.iter().filter(|row| row.has_variant()).collect();
    // A first row without a variant is merged with the first row that has one.
    let joined = variant_rows
        .first()
        .filter(|row| row.start != opening.start)
        .map(|row| {
            (
                opening.completed_by(row, opening.line),
                opening.completed_by(row, row.line),
            )
        });
    let first = joined.as_ref().map_or(opening, |(first, _)| first);
    if let (Some(row), Some((_, variant))) = (variant_rows.first_mut(), &joined) {
        *row = variant;
    }
    let mut errors = Vec::new();
    let mut product = read_fields(first, &mut errors).map_err(|error| vec![error])?;
    errors.extend(rows.iter().flat_map(not_of_the_web));
    product.images = images_of(rows);
    let columns = options_of(first, &variant_rows);
    let mut notices = notices_of(first, &product);
    let handle = &product.handle;
    let read = read_variants(
        handle,
        &variant_rows,
        &columns,
        currencies,
        &mut notices,
        &mut errors,
    );
    let Variants {
        variants,
        quantities,
        skus,
        unstated,
        ..
    } = read.map_err(|error| vec![error])?;
    if variants.is_empty() && errors.is_empty() {
        errors.push(first.error("Variant Price", "A product needs a variant with a price."));
    }
    product.options = (0_usize..)
        .zip(&columns)
        .map(|(at, column)| ProductOption::of(column.name.clone(), at, &variants))
        .collect();
    if errors.is_empty()
        && let Some(detail) = indistinct(&product.options)
    {
        errors.push(first.error("Option1 Value", detail));
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    product.variants = variants;
    keep_source(
        &mut product,
        &variant_rows,
        &columns,
        &quantities,
        currencies,
    );
    check_size(first, &product).map_err(|error| vec![error])?;
    Ok(ImportedProduct {
        names: names_of(first, &product, skus),
        written_handle: first.cell(HANDLE).to_owned(),
        product,
        quantities,
        notices,
        unstated,
    })
}

/// Reads the product's own fields from its first row; errors are added to `errors`.
///
/// # Errors
/// Fails if there is no handle, since nothing more can be said about such a product.
fn read_fields(first: &Row<'_>, errors: &mut Vec<RowError>) -> Result<Product, RowError> {
    let handle = product_handle(first.cell(HANDLE));
    if handle.is_empty() {
        return Err(first.error(HANDLE, "A product needs a handle with letters or digits."));
    }
    let title = first.cell("Title");
    errors.extend(too_long(first, HANDLE, &handle, MAX_CHARS));
    errors.extend(too_long(first, "Title", title, MAX_TITLE_CHARS));
    if title.is_empty() {
        errors.push(first.error("Title", "The first row of a product needs a title."));
    }
    let status = read_status(first)
        .map_err(|error| errors.push(error))
        .unwrap_or_default();
    Ok(Product {
        handle,
        title: title.to_owned(),
        description_html: sanitise_html(first.cell("Body (HTML)")),
        vendor: first.cell("Vendor").to_owned(),
        r#type: first.cell("Type").to_owned(),
        tags: list_of(first.cell("Tags"), ','),
        status,
        category: category_of(first),
        seo: Seo {
            title: first.cell("SEO Title").to_owned(),
            description: first.cell("SEO Description").to_owned(),
        },
        features: read_field(first, FEATURES, errors),
        specifications: read_field(first, SPECIFICATIONS, errors),
        metadata: read_field(first, METADATA, errors),
        ..Product::default()
    })
}

/// Returns notices about differences between the product and its first row.
fn notices_of(first: &Row<'_>, product: &Product) -> Notices {
    let mut notices = Notices::default();
    let body = first.cell("Body (HTML)").to_lowercase();
    let has_video = ["<iframe", "<video", "<embed", "<object"]
        .iter()
        .any(|tag| body.contains(tag));
    if has_video {
        notices.name(NoticeCode::VideoLeftOut, first.line, &product.handle);
    }
    if product.status == ProductStatus::Unlisted {
        notices.name(NoticeCode::Unlisted, first.line, &product.handle);
    }
    notices
}

/// Keeps the cells of each variant's row that the shop would write differently, so that an export
/// returns them.
fn keep_source(
    product: &mut Product,
    rows: &[&Row<'_>],
    options: &[OptionColumn],
    quantities: &[(Name, u32)],
    currencies: &[Currency],
) {
    let units = quantities
        .iter()
        .map(|(sku, quantity)| (Sku::new(sku.value.clone()), *quantity))
        .collect();
    let written = rows_of(product, currencies, &units);
    let is_moved = are_moved(options);
    for ((variant, row), written) in product.variants.iter_mut().zip(rows).zip(&written) {
        variant.source = row.source(written);
        if is_moved {
            keep_option_cells(variant, row, written);
        }
    }
    // The handle of the first row is written in all rows.
    for variant in product.variants.iter_mut().skip(1) {
        variant.source.remove(HANDLE);
    }
}

fn check_size(first: &Row<'_>, product: &Product) -> Result<(), RowError> {
    let bytes = serde_json::to_string(product).map_or(0, |json| json.len());
    if bytes <= MAX_PRODUCT_BYTES {
        return Ok(());
    }
    let detail = format!(
        "The rows of this product are {bytes} bytes long together; the limit is {MAX_PRODUCT_BYTES}. Shorten its description, and link pictures by URL instead of embedding them."
    );
    Err(first.error("Body (HTML)", detail))
}

/// Returns the names that no other product in the file may have: its handle in the shop, its handle
/// in the file, and its SKUs.
fn names_of(first: &Row<'_>, product: &Product, skus: Vec<Name>) -> Vec<Name> {
    let handle = Name {
        line: first.line,
        column: HANDLE,
        value: product.handle.clone(),
    };
    let written = Name::written_handle(first.line, first.cell(HANDLE));
    [handle, written].into_iter().chain(skus).collect()
}

/// Returns errors for pictures in a row that have no valid web address.
fn not_of_the_web<'a>(row: &'a Row<'_>) -> impl Iterator<Item = RowError> + 'a {
    let columns = ["Image Src", "Variant Image"].into_iter();
    columns.filter_map(|column| {
        let given = row.cell(column);
        (!given.is_empty() && web_address(given).is_none()).then(|| row.error(column, NO_ADDRESS))
    })
}

fn read_status(first: &Row<'_>) -> Result<ProductStatus, RowError> {
    match first.cell("Status").to_lowercase().as_str() {
        "active" if hidden(first) => Ok(ProductStatus::Draft),
        "active" => Ok(ProductStatus::Active),
        "unlisted" if hidden(first) => Ok(ProductStatus::Draft),
        "unlisted" => Ok(ProductStatus::Unlisted),
        "draft" => Ok(ProductStatus::Draft),
        "archived" => Ok(ProductStatus::Archived),
        "" if hidden(first) => Ok(ProductStatus::Draft),
        "" => Ok(ProductStatus::Active),
        other => Err(first.error(
            "Status",
            format!("`{other}` must be active, unlisted, draft or archived."),
        )),
    }
}

/// True if Shopify's `Published` column hides an active product.
fn hidden(first: &Row<'_>) -> bool {
    first.cell("Published").eq_ignore_ascii_case("false")
}

fn category_of(first: &Row<'_>) -> Vec<String> {
    let path = list_of(first.cell("Product Category"), '>');
    if path.is_empty() {
        list_of(first.cell("Type"), '>')
    } else {
        path
    }
}

/// Returns the pictures, ordered by `Image Position` where the file states it.
fn images_of(rows: &[Row<'_>]) -> Vec<Image> {
    let mut images: Vec<(u32, Image)> = Vec::new();
    for row in rows {
        let url = row.cell("Image Src");
        if url.is_empty() || images.iter().any(|(_, image)| image.url == url) {
            continue;
        }
        let position = whole_number(row.cell("Image Position"))
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(u32::MAX);
        images.push((
            position,
            Image {
                url: url.to_owned(),
                alt: row.cell("Image Alt Text").to_owned(),
                width: None,
                height: None,
            },
        ));
    }
    images.sort_by_key(|(position, _)| *position);
    images.into_iter().map(|(_, image)| image).collect()
}

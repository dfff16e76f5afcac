//! Products with any combination of the columns that the shop reads: an export, imported again,
//! yields the same products, whether a cell is written as in the original file or in the shop's own
//! form.

use crate::world::World;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;

const HEADER: &str = "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Status,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Variant Taxable,Variant Tax Code,Variant Barcode,Image Src,Image Position,Image Alt Text,Variant Image,SEO Title,Price / International,Cost per item";

/// Cells of a product, in its first row.
fn product_cells() -> impl Strategy<Value = Vec<&'static str>> {
    (
        select(vec!["Tee", "  Tee ", "\"T, \"\"e\"\" e\"", "हिन्दी"]),
        select(vec!["", "<p>Soft</p>", "\"<p class=x>a\nb\""]),
        select(vec!["", "Acme"]),
        select(vec!["", "Men > Shoes", "Shoes>Men"]),
        select(vec!["", "Shoes", "Men > Shoes"]),
        select(vec!["", "new", "\"new,  old\""]),
        select(vec!["", "true", "FALSE", "yes"]),
        select(vec![
            "", "active", "Unlisted", "unlisted", "draft", "archived",
        ]),
    )
        .prop_map(
            |(title, body, vendor, category, kind, tags, published, status)| {
                vec![title, body, vendor, category, kind, tags, published, status]
            },
        )
}

/// Cells of a variant, from its SKU on.
fn variant_cells() -> impl Strategy<Value = Vec<&'static str>> {
    let stock = (
        select(vec!["", "SAME", "'007"]),
        select(vec!["", "221.0", "0.5"]),
        select(vec!["", "shopify"]),
        select(vec!["", "3", "2.0", "-4"]),
        select(vec!["", "deny", "continue"]),
    );
    let price = (
        select(vec!["5", ".99", " 7.50 "]),
        select(vec!["", "4", "20.00"]),
        select(vec!["", "true", "FALSE"]),
        select(vec!["", "P000000"]),
        select(vec![
            "",
            "'4006381333931",
            "4006381333931.0",
            "4.006381333931E+12",
        ]),
    );
    let picture = (
        select(vec![
            "",
            "/a.jpg",
            "https://cdn.example/my photo.jpg",
            "//cdn.example/b.jpg",
        ]),
        select(vec!["", "1", "2.0", "1.0", "3"]),
        select(vec!["", "A picture"]),
        select(vec!["", "/a.jpg"]),
        select(vec!["", "For seekers"]),
        select(vec!["", "4.50"]),
        select(vec!["", "3.10"]),
    );
    (stock, price, picture).prop_map(|(stock, price, picture)| {
        let (a, b, c, d, e) = stock;
        let (f, g, h, i, j) = price;
        let (k, l, m, n, o, p, q) = picture;
        vec![a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]
    })
}

prop_compose! {
    fn file()(
        products in prop::collection::btree_map(
            select(vec!["tee", "Mug 7!", "a_b", "CAP"]),
            (product_cells(), prop::collection::vec(variant_cells(), 1..4)),
            1..3,
        ),
    ) -> String {
        let mut text = format!("{HEADER}\n");
        let mut skus = BTreeSet::new();
        for (handle, (product, variants)) in &products {
            for (at, variant) in variants.iter().enumerate() {
                let own: Vec<&str> = if at == 0 { product.clone() } else { vec![""; product.len()] };
                let option = if at == 0 { "Size" } else { "" };
                let mut variant = variant.clone();
                // A SKU may repeat within a product, but not in another.
                if !skus.insert((variant[0], *handle)) || skus.iter().any(|(sku, of)| *sku == variant[0] && of != handle) {
                    variant[0] = "";
                }
                text.push_str(&format!("{handle},{},{option},{at} m,{}\n", own.join(","), variant.join(",")));
            }
        }
        text
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_exported_and_imported_is_the_same(csv in file()) {
        let world = World::default();
        prop_assert_eq!(&world.import(&csv).errors, &[], "{}", csv);
        let as_given = world.export_round_trips();
        world.db.tell("UPDATE variants SET source = '{}'");
        let as_written = world.export(300);
        let record = |world: &World| {
            let products = world.db.ask("SELECT json_array(handle, title, status, description_html, vendor, type, tags, category, options, images, seo) FROM products ORDER BY handle");
            let variants = world.db.ask("SELECT json_array(sku, sku_generated, option_values, barcode, weight_grams, image, tracked, tax_class) FROM variants ORDER BY sku");
            let prices = world.db.ask("SELECT json_array(sku, currency, amount, compare_at_amount) FROM prices JOIN variants ON variants.id = variant_id ORDER BY 1");
            (products, variants, prices, world.on_hand.borrow().clone())
        };
        for exported in [as_given, as_written] {
            let elsewhere = World::default();
            prop_assert_eq!(&elsewhere.import(&exported).errors, &[], "{}", exported);
            prop_assert_eq!(record(&elsewhere), record(&world), "{}\n{}", csv, exported);
        }
    }
}

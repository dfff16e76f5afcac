//! `npm run catalog -- convert woocommerce`: converts WooCommerce's product export into the Shopify
//! product CSV that the shop imports. Promises: nothing is dropped silently; whatever the shop has
//! no place for is counted and named.
//!
//! Source of the columns: https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema

import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";

const COLUMNS = [
  "Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Tags", "Published", "Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value",
  "Option3 Name", "Option3 Value", "Variant SKU", "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty", "Variant Price", "Variant Compare At Price",
  "Variant Taxable", "Variant Barcode", "Image Src", "Image Position", "Variant Image", "Status",
];
const MAX_OPTIONS = 3;
const GRAMS = { g: 1, kg: 1000, lbs: 453.59237, oz: 28.349523125 };

/** Columns that have a value in a file but no place in the shop. */
const IGNORED = ["Upsells", "Cross-sells", "Grouped products", "Purchase note", "Shipping class", "Tax class", "Download limit", "Download expiry days", "Is featured?", "Sold individually?"];

/**
 * Converts an export; returns the Shopify product CSV, the number of its products and variants, and
 * notices for the merchant.
 *
 * @param {string} text of the whole export
 * @returns {{ csv: string, products: number, variants: number, notices: string[] }}
 * @throws {Error} with the reason, if it is not a WooCommerce product export
 */
export function convertWooCommerce(text) {
  const rows = parse(text, { bom: true, columns: (names) => names.map((name) => name.trim()), relax_column_count_less: true, skip_empty_lines: true });
  if (rows.length > 0 && !("Name" in rows[0] && "Type" in rows[0])) throw new Error("the columns Type and Name are missing: is this WooCommerce's product export in English?");
  const notices = new Notices();
  const variations = variationsByParent(rows, notices);
  const handles = new Set();
  const out = [];
  let products = 0;
  for (const row of rows) {
    const kind = kindOf(row);
    if (kind === "variation") continue;
    if (!["simple", "variable"].includes(kind)) {
      notices.count(`products of type ${kind} are not supported: left out`, row["Name"]);
      continue;
    }
    const variants = kind === "simple" ? [row] : (variations.take(row) ?? []);
    const lines = productLines(row, variants, freeHandle(row, handles), notices);
    if (lines.length === 0) notices.count("products without a priced variant: left out", row["Name"]);
    else products += 1;
    out.push(...lines);
  }
  variations.left().forEach((row) => notices.count("variations whose product is not in the file: left out", row["Name"] || row["SKU"]));
  for (const name of IGNORED) {
    const used = rows.filter((row) => row[name] && row[name] !== "0");
    used.forEach((row) => notices.count(`column "${name}" is not supported: ignored`, row["Name"]));
  }
  const variants = out.filter((line) => line["Variant Price"]).length;
  return { csv: stringify(out, { header: true, columns: COLUMNS }), products, variants, notices: notices.lines() };
}

function kindOf(row) {
  const words = (row["Type"] ?? "").split(",").map((word) => word.trim().toLowerCase());
  return words.find((word) => word !== "virtual" && word !== "downloadable") ?? "simple";
}

/**
 * Groups variations by the value that refers to their product: its SKU, or `id:` and its number.
 */
function variationsByParent(rows, notices) {
  const byParent = new Map();
  for (const row of rows.filter((row) => kindOf(row) === "variation")) {
    const parent = row["Parent"] ?? "";
    byParent.set(parent, [...(byParent.get(parent) ?? []), row]);
    if (row["Published"] !== "1") notices.count("disabled variations: left out", row["Name"]);
  }
  return {
    take: (product) => {
      const names = [product["SKU"], `id:${product["ID"]}`].filter((name) => byParent.has(name));
      const found = names.flatMap((name) => byParent.get(name));
      names.forEach((name) => byParent.delete(name));
      return found.filter((row) => row["Published"] === "1").sort((a, b) => Number(a["Position"] || 0) - Number(b["Position"] || 0));
    },
    left: () => [...byParent.values()].flat(),
  };
}

function productLines(product, variants, handle, notices) {
  const pictures = listed(product["Images"]);
  const options = optionsOf(variants, notices);
  const sellable = variants.filter((variant) => {
    if (priceOf(variant)) return true;
    if (variant !== product) notices.count("variations without a price: left out", variant["Name"]);
    return false;
  });
  if (sellable.length === 0) return [];
  const lines = sellable.map((variant, at) => ({
    Handle: handle,
    ...(at === 0 && productCells(product, notices)),
    ...optionCells(options, variant, at),
    ...variantCells(product, variant, notices),
    ...(pictures[at] && { "Image Src": pictures[at], "Image Position": at + 1 }),
  }));
  const morePictures = pictures.slice(lines.length).map((picture, at) => ({ Handle: handle, "Image Src": picture, "Image Position": lines.length + at + 1 }));
  return [...lines, ...morePictures];
}

function productCells(product, notices) {
  const [category, ...others] = listed(product["Categories"]);
  if (others.length > 0) notices.count("products in several categories: only the first is used", product["Name"]);
  const isPublished = product["Published"] === "1";
  return {
    Title: product["Name"],
    "Body (HTML)": [product["Short description"], product["Description"]].filter(Boolean).map(written).join("\n"),
    Vendor: product["Brands"] ?? "",
    "Product Category": category ?? "",
    Tags: listed(product["Tags"]).join(", "),
    Published: isPublished ? "TRUE" : "FALSE",
    Status: !isPublished ? "draft" : product["Visibility in catalog"] === "hidden" ? "unlisted" : "active",
  };
}

function variantCells(product, variant, notices) {
  const { price, before, isTimed } = priceOf(variant);
  if (isTimed) notices.count("sale prices with dates: the regular price is used; set the sale as a scheduled price", variant["Name"]);
  const stock = variant["Stock"];
  const isTracked = stock !== undefined && stock !== "" && stock !== "parent";
  const isGone = variant["In stock?"] === "0";
  if (stock === "parent") notices.count("variations that share their product's stock: not counted until each has its own stock", product["Name"]);
  if (["1", "notify"].includes(variant["Backorders allowed?"])) notices.count("products that allow backorders: sold only while in stock", product["Name"]);
  return {
    "Variant SKU": variant["SKU"] ?? "",
    "Variant Grams": grams(variant) || grams(product),
    "Variant Inventory Tracker": isTracked || isGone ? "shopify" : "",
    "Variant Inventory Qty": isTracked ? stock : isGone ? "0" : "",
    "Variant Price": price,
    "Variant Compare At Price": before,
    "Variant Taxable": (variant["Tax status"] || product["Tax status"]) === "none" ? "FALSE" : "TRUE",
    "Variant Barcode": variant["GTIN, UPC, EAN, or ISBN"] ?? "",
    "Variant Image": variant === product ? "" : (listed(variant["Images"])[0] ?? ""),
  };
}

/**
 * Returns the price, and the earlier price if it is reduced; nothing if the product is not for
 * sale.
 */
function priceOf(row) {
  const [regular, sale] = [row["Regular price"] ?? "", row["Sale price"] ?? ""];
  if (!regular && !sale) return undefined;
  if (!sale) return { price: regular, before: "" };
  const isTimed = Boolean(row["Date sale price starts"] || row["Date sale price ends"]);
  return isTimed ? { price: regular || sale, before: "", isTimed } : { price: sale, before: regular };
}

/** Returns the names of the attributes that distinguish a product's variations. */
function optionsOf(variants, notices) {
  if (variants.length === 0 || kindOf(variants[0]) !== "variation") return [];
  const names = [...new Set(variants.flatMap((row) => attributesOf(row).map(([name]) => name)))];
  if (names.length > MAX_OPTIONS) notices.count(`products with more than ${MAX_OPTIONS} options: only the first ${MAX_OPTIONS} are used`, variants[0]["Name"]);
  return names.slice(0, MAX_OPTIONS);
}

function optionCells(options, variant, at) {
  const values = new Map(attributesOf(variant));
  const cells = options.map((name, option) => [
    [`Option${option + 1} Name`, at === 0 ? name : ""],
    [`Option${option + 1} Value`, values.get(name) || "Any"],
  ]);
  return Object.fromEntries(cells.flat());
}

function attributesOf(row) {
  const names = Object.keys(row).filter((name) => /^Attribute \d+ name$/.test(name) && row[name]);
  return names.map((name) => [row[name], row[name.replace("name", "value(s)")] ?? ""]);
}

function grams(row) {
  const column = Object.keys(row).find((name) => /^Weight \((g|kg|lbs|oz)\)$/.test(name));
  if (!column || !row[column]) return "";
  return String(Math.round(Number(row[column]) * GRAMS[column.match(/\((.+)\)/)[1]]));
}

/** Splits a cell at its commas; a comma after a backslash belongs to its part. */
function listed(cell) {
  const parts = (cell ?? "").match(/(?:\\.|[^,\\])+/g) ?? [];
  return parts.map((part) => part.replace(/\\(.)/g, "$1").trim()).filter(Boolean);
}

/** Restores line breaks, which are written as two characters. */
function written(html) {
  return html.replaceAll("\\n", "\n");
}

/** Returns an unused handle made from the name; the shop normalizes it like all handles. */
function freeHandle(row, taken) {
  const words = (row["Name"] || row["SKU"] || `product ${row["ID"]}`).normalize("NFC").toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? ["product"];
  const base = words.join("-");
  let handle = base;
  for (let number = 2; taken.has(handle); number += 1) handle = `${base}-${number}`;
  taken.add(handle);
  return handle;
}

/** Notices, each printed once, with the number of times that it applied and the first name. */
class Notices {
  #counts = new Map();

  count(text, name) {
    const { times, first } = this.#counts.get(text) ?? { times: 0, first: name };
    this.#counts.set(text, { times: times + 1, first });
  }

  lines() {
    return [...this.#counts].map(([text, { times, first }]) => `${times} × ${text} (${first || "unnamed"}${times > 1 ? ", …" : ""})`);
  }
}

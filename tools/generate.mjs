//! `npm run generate`: a catalog of any size, generated from a seed, as a Shopify product CSV for
//! tests and benchmarks. Promises: the same seed and number always yield the same file, byte by
//! byte.

import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { helpIfAsked, runAsProgram, say, Stop } from "./run.mjs";

const HELP = `
npm run generate -- FILE [--products 1000] [--seed 1]

Writes a CSV with that many products, with one to six variants each, in a category tree and five currencies.`;

const COLUMNS = [
  "Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published", "Option1 Name", "Option1 Value",
  "Option2 Name", "Option2 Value", "Variant SKU", "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty", "Variant Price",
  "Variant Compare At Price", "Variant Barcode", "Image Src", "Image Position", "Image Alt Text", "SEO Title", "SEO Description",
  "Price / EUR", "Price / GBP", "Price / JPY", "Price / KWD", "Status",
];

const CATEGORIES = {
  Clothing: ["Shirts", "Trousers", "Jackets", "Dresses", "Knitwear", "Socks"],
  Home: ["Lamps", "Chairs", "Tables", "Rugs", "Kitchenware", "Bedding"],
  Outdoor: ["Tents", "Backpacks", "Bottles", "Bicycles", "Boots", "Stoves"],
  Electronics: ["Speakers", "Keyboards", "Cameras", "Chargers", "Monitors", "Watches"],
  Books: ["Novels", "Cookery", "Travel", "Poetry", "History", "Science"],
  Toys: ["Puzzles", "Blocks", "Trains", "Dolls", "Games", "Kites"],
};
const VENDORS = ["Alder", "Birchwood", "Cinder", "Dovetail", "Elmhurst", "Fernway", "Granite", "Harbor", "Inkwell", "Juniper", "Kestrel", "Larkspur"];
const ADJECTIVES = ["Quiet", "Bold", "Northern", "Amber", "Woven", "Folded", "Bright", "Hollow", "Gentle", "Rugged", "Slate", "Copper", "Everyday", "Winter", "Coastal", "Paper"];
const COLORS = ["Black", "White", "Sage", "Rust", "Navy", "Sand"];
const SIZES = ["S", "M", "L"];
const SENTENCES = [
  "Made to be used every day, and to look better for it.", "The seams are doubled where they carry weight.", "It folds flat and takes no more room than a book.",
  "We tested it in rain, dust and the back of a van.", "Every part can be bought by itself and changed at home.", "Finished by hand in small batches.",
  "The surface is oiled, not lacquered, so that scratches can be rubbed out.", "It weighs less than it looks, and holds more than it should.",
];

/** Yields the lines of the file, header first; stock is tracked if `tracked` is set. */
export function* generateCatalog({ products, seed = 1, tracked = true }) {
  const random = mulberry(seed);
  yield line(COLUMNS);
  for (let number = 1; number <= products; number += 1) yield* product(number, random, tracked ? "shopify" : "");
}

function* product(number, random, tracker) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const group = pick(Object.keys(CATEGORIES));
  const kind = pick(CATEGORIES[group]);
  const vendor = pick(VENDORS);
  const title = `${pick(ADJECTIVES)} ${vendor} ${kind} ${number}`;
  const handle = title.toLowerCase().replaceAll(" ", "-");
  const colors = COLORS.slice(0, 1 + Math.floor(random() * 2));
  const sizes = group === "Clothing" ? SIZES : ["One size"];
  const cents = 500 + Math.floor(random() * 40_000);
  const onSale = random() < 0.2;
  const common = {
    "Handle": handle, "Variant Inventory Tracker": tracker, "Variant Price": decimal(cents), "Variant Compare At Price": onSale ? decimal(Math.round(cents * 1.25)) : "",
    "Price / EUR": decimal(Math.round(cents * 0.92)), "Price / GBP": decimal(Math.round(cents * 0.79)), "Price / JPY": Math.round(cents * 1.5), "Price / KWD": `${(cents * 0.003).toFixed(2)}0`,
  };
  const first = {
    "Title": title, "Body (HTML)": body(title, pick), "Vendor": vendor, "Product Category": `${group} > ${kind}`, "Type": kind,
    "Tags": [group.toLowerCase(), pick(["new", "gift", "sale", "classic"])].join(", "), "Published": "true", "Option1 Name": "Color", "Option2 Name": "Size",
    "SEO Title": title, "SEO Description": pick(SENTENCES), "Status": "active",
  };
  let at = 0;
  for (const color of colors) {
    for (const size of sizes) {
      at += 1;
      yield row({
        ...common, ...(at === 1 && first), "Option1 Value": color, "Option2 Value": size, "Variant SKU": `G${number}-${at}`, "Variant Grams": 50 + Math.floor(random() * 3000),
        "Variant Inventory Qty": Math.floor(random() * 50), "Variant Barcode": `20${String(number * 10 + at).padStart(11, "0")}`,
        "Image Src": `https://images.example.com/${handle}/${at}.jpg`, "Image Position": at, "Image Alt Text": `${title} in ${color}`,
      });
    }
  }
}

function body(title, pick) {
  const paragraph = () => `<p>${pick(SENTENCES)} ${pick(SENTENCES)} ${pick(SENTENCES)}</p>`;
  return `<p><strong>${title}.</strong> ${pick(SENTENCES)}</p>\n${paragraph()}\n<ul>\n<li>${pick(SENTENCES)}</li>\n<li>${pick(SENTENCES)}</li>\n</ul>\n${paragraph()}\n${paragraph()}`;
}

function decimal(cents) {
  return (cents / 100).toFixed(2);
}

function row(cells) {
  return line(COLUMNS.map((column) => cells[column] ?? ""));
}

function line(cells) {
  return `${cells.map((cell) => (/[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell)).join(",")}\n`;
}

/** A small generator whose numbers are the same on every machine. */
function mulberry(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const { values, positionals } = understood(args);
  const [file] = positionals;
  const out = createWriteStream(file);
  for (const text of generateCatalog({ products: Number(values.products), seed: Number(values.seed) })) {
    if (!out.write(text)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  say(`wrote ${values.products} products to ${file}`);
});

function understood(args) {
  const no = () => new Stop("unknown option: see `npm run generate -- --help`");
  let parsed;
  try {
    parsed = parseArgs({ args, allowPositionals: true, options: { products: { type: "string", default: "1000" }, seed: { type: "string", default: "1" } } });
  } catch {
    throw no();
  }
  const whole = (text) => /^\d{1,9}$/.test(text);
  if (parsed.positionals.length !== 1 || !whole(parsed.values.products) || !whole(parsed.values.seed)) throw no();
  return parsed;
}

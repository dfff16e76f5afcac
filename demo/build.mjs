/**
 * Writes the demo catalog: `catalog.csv` in the columns of Shopify's product export, every picture
 * that it names, and `settings.json`. Promises the same bytes for the same source and the same
 * version of sharp, and rejects a catalog that could not be imported completely.
 *
 *     node demo/build.mjs
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { digestOf } from '../tools/pictures.mjs';
import { draw } from './art.mjs';
import { CURRENCIES, products } from './products.mjs';
import { brand } from './brand.mjs';
import { settings } from './settings.mjs';

const MEDIA = new URL('./media/', import.meta.url);
const MARKS = new URL('../assets/', import.meta.url);
const CSV = new URL('./catalog.csv', import.meta.url);
const SETTINGS = new URL('./settings.json', import.meta.url);
const MAX_DRAWING_BYTES = 12_000;
const WEBP = { quality: 80, effort: 6 };

const FEATURES = 'Features (product.metafields.custom.features)';
const SPECIFICATIONS = 'Specifications (product.metafields.custom.specifications)';

const [BASE, ...MARKETS] = Object.keys(CURRENCIES);
const COLUMNS = [
  'Handle', 'Title', 'Body (HTML)', 'Vendor', 'Product Category', 'Type', 'Tags', 'Published',
  'Option1 Name', 'Option1 Value', 'Option2 Name', 'Option2 Value', 'Option3 Name', 'Option3 Value',
  'Variant SKU', 'Variant Grams', 'Variant Inventory Tracker', 'Variant Inventory Qty', 'Variant Inventory Policy',
  'Variant Fulfillment Service', 'Variant Price', 'Variant Compare At Price', 'Variant Requires Shipping',
  'Variant Taxable', 'Variant Barcode', 'Image Src', 'Image Position', 'Image Alt Text', 'Gift Card', 'SEO Title',
  'SEO Description', 'Variant Image', 'Variant Weight Unit', 'Cost per item',
  ...MARKETS.flatMap((currency) => [`Price / ${currency}`, `Compare At Price / ${currency}`]),
  'Status', FEATURES, SPECIFICATIONS,
];

const catalog = products.map((product) => ({ ...product, images: imagesOf(product), variants: variantsOf(product) }));
const pictures = new Map([...catalog.flatMap(({ images }) => images.map(({ name, art }) => [name, art])), ...brand.media]);

const drawings = [...pictures].map(([name, art]) => [name, draw(art)]);
refuse(drawings.filter(([, svg]) => svg.length > MAX_DRAWING_BYTES).map(([name]) => `${name}: over ${MAX_DRAWING_BYTES} bytes as a drawing`));
const painted = new Map(await Promise.all(drawings.map(async ([name, svg]) => [name, await paint(svg)])));
const rows = catalog.flatMap(rowsOf);
refuse(faultsOf(rows));

mkdirSync(MEDIA, { recursive: true });
for (const stale of readdirSync(MEDIA).filter((file) => !painted.has(file))) rmSync(new URL(stale, MEDIA));
for (const [name, { content }] of painted) writeFileSync(new URL(name, MEDIA), content);
for (const [name, art] of brand.marks) writeFileSync(new URL(name, MARKS), draw(art));
writeFileSync(CSV, [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column] ?? ''))].map(line).join(''));
writeFileSync(SETTINGS, `${JSON.stringify(settings)}\n`);
console.log(`${catalog.length} products, ${rows.filter((row) => row['Variant SKU']).length} variants, ${pictures.size} pictures`);
for (const [name] of brand.media) console.log(`${name}: ${painted.get(name).address}`);

/** Saves a drawing in a format that the shop accepts, and returns its address in the shop. */
async function paint(svg) {
  const { data: content, info } = await sharp(Buffer.from(svg)).webp(WEBP).toBuffer({ resolveWithObject: true });
  return { content, address: `/media/${digestOf(content)}-${info.width}x${info.height}.webp` };
}

/** Returns one picture per value of the option that is drawn, then the product's other views. */
function imagesOf({ handle, title, art, options, views = [] }) {
  const drawn = options.flatMap(({ values }) => values).filter((value) => value.art);
  const main = drawn.length
    ? drawn.map(({ value, art: change }) => ({ value, name: `${handle}-${slug(value)}.webp`, alt: `${title} in ${value}`, art: { ...art, ...change } }))
    : [{ name: `${handle}.webp`, alt: title, art }];
  return [...main, ...views.map(({ name, alt, art: view }) => ({ name: `${handle}-${name}.webp`, alt, art: view }))];
}

/**
 * Returns every combination of option values. The facts of a later value override the product's.
 */
function variantsOf(product) {
  const images = imagesOf(product);
  const combinations = product.options.reduce(
    (found, { values }) => found.flatMap((chosen) => values.map((value) => [...chosen, value])),
    [[]],
  );
  return combinations.map((chosen) => {
    const facts = Object.assign({}, product, ...chosen.map(({ value, art, code, ...rest }) => rest));
    const sku = [product.sku, ...chosen.map(({ code }) => code)].join('-');
    const image = images.find(({ value }) => chosen.some((choice) => choice.value === value)) ?? images[0];
    return { ...facts, sku, chosen, image: chosen.length ? image : undefined, stock: facts.stock ?? 50 + (digest(sku) % 351) };
  });
}

/**
 * Returns rows as Shopify exports them: the product on its first row, then a row per variant, with
 * the images distributed over the rows.
 */
function rowsOf(product) {
  const count = Math.max(product.variants.length, product.images.length);
  return Array.from({ length: count }, (_, i) => ({
    Handle: product.handle,
    ...(i === 0 && productCells(product)),
    ...(product.variants[i] && variantCells(product.variants[i])),
    ...(product.images[i] && imageCells(product.images[i], i + 1)),
    ...(i === 0 && { Status: product.status ?? 'active' }),
  }));
}

function productCells(product) {
  const options = product.options.length ? product.options : [{ name: 'Title' }];
  return {
    Title: product.title,
    'Body (HTML)': product.html,
    Vendor: product.vendor,
    'Product Category': product.category,
    Type: product.type,
    Tags: product.tags.join(', '),
    Published: product.status === 'draft' ? 'false' : 'true',
    'Gift Card': String(product.type === 'Gift Card'),
    'SEO Title': product.title,
    'SEO Description': product.summary,
    [FEATURES]: product.points ? JSON.stringify(product.points) : '',
    [SPECIFICATIONS]: product.specs ? JSON.stringify({ ...product.specs, Weight: `${product.grams} g` }) : '',
    ...Object.fromEntries(options.map(({ name }, i) => [`Option${i + 1} Name`, name])),
  };
}

function variantCells(variant) {
  const values = variant.chosen.length ? variant.chosen.map(({ value }) => value) : ['Default Title'];
  const cost = variant.price[0] * (100 - variant.margin) / 100;
  return {
    ...Object.fromEntries(values.map((value, i) => [`Option${i + 1} Value`, value])),
    'Variant SKU': variant.sku,
    'Variant Grams': variant.grams,
    'Variant Inventory Tracker': variant.tracked === false ? '' : 'shopify',
    'Variant Inventory Qty': variant.tracked === false ? 0 : variant.stock,
    'Variant Inventory Policy': 'deny',
    'Variant Fulfillment Service': 'manual',
    'Variant Price': decimal(variant.price[0], BASE),
    'Variant Compare At Price': variant.was ? decimal(variant.was[0], BASE) : '',
    'Variant Requires Shipping': String(variant.shipped !== false),
    'Variant Taxable': String(variant.type !== 'Gift Card'),
    'Variant Barcode': variant.shipped === false ? '' : barcode(variant.sku),
    'Variant Image': variant.image ? painted.get(variant.image.name).address : '',
    'Variant Weight Unit': 'g',
    'Cost per item': decimal(Math.round(cost), BASE),
    ...Object.fromEntries(MARKETS.flatMap((currency, i) => [
      [`Price / ${currency}`, decimal(variant.price[i + 1], currency)],
      [`Compare At Price / ${currency}`, variant.was ? decimal(variant.was[i + 1], currency) : ''],
    ])),
  };
}

function imageCells({ name, alt }, position) {
  return { 'Image Src': painted.get(name).address, 'Image Position': position, 'Image Alt Text': alt };
}

function faultsOf(rows) {
  const handles = rows.map((row) => row.Handle);
  const variants = rows.filter((row) => row['Variant SKU']);
  const prices = ['Variant Price', ...MARKETS.map((currency) => `Price / ${currency}`)];
  return [
    ...duplicates(products.map(({ handle }) => handle)).map((handle) => `${handle}: two products`),
    ...duplicates(handles.filter((handle, i) => handle !== handles[i - 1])).map((handle) => `${handle}: rows apart`),
    ...handles.filter((handle) => handle !== slug(handle)).map((handle) => `${handle}: not a handle`),
    ...duplicates(variants.map((row) => row['Variant SKU'])).map((sku) => `${sku}: two variants`),
    ...duplicates(variants.map((row) => row['Variant Barcode']).filter(Boolean)).map((code) => `${code}: two variants`),
    ...variants.flatMap((row) => prices.filter((column) => !(Number(row[column]) > 0)).map((column) => `${row['Variant SKU']}: no ${column}`)),
    ...variants.filter((row) => prices.some((column) => notAbove(row, column))).map((row) => `${row['Variant SKU']}: compare-at is no higher`),
    ...variants.filter((row) => !row['Price / KWD'].endsWith('0')).map((row) => `${row['Variant SKU']}: KWD is not in steps of 10 fils`),
  ];
}

function notAbove(row, column) {
  const compareAt = row[column === 'Variant Price' ? 'Variant Compare At Price' : `Compare At ${column}`];
  return compareAt !== '' && Number(compareAt) <= Number(row[column]);
}

function refuse(faults) {
  if (!faults.length) return;
  console.error(faults.join('\n'));
  process.exit(1);
}

function duplicates(values) {
  return [...new Set(values.filter((value, i) => values.indexOf(value) !== i))];
}

/** Formats minor units with the decimal places of the currency. */
function decimal(minor, currency) {
  const places = CURRENCIES[currency];
  const digits = String(minor).padStart(places + 1, '0');
  return places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
}

/**
 * Returns an EAN-13 in the range 200–299, which GS1 reserves for internal use, so that it never
 * identifies a product of another company.
 */
function barcode(sku) {
  const body = `2${String(digest(sku)).padStart(11, '0').slice(-11)}`;
  const sum = [...body].reduce((total, digit, i) => total + Number(digit) * (i % 2 ? 3 : 1), 0);
  return body + ((10 - (sum % 10)) % 10);
}

function digest(text) {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6);
}

function slug(text) {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
}

function line(cells) {
  return cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell)).join(',') + '\n';
}

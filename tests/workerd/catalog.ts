/**
 * A custom product CSV: products with one variant each, tracked, priced in the shop's currencies.
 */

export type Listing = { sku: string; quantity?: number; price?: string; title?: string; tracked?: boolean };

const COLUMNS = ['Handle', 'Title', 'Type', 'Status', 'Option1 Name', 'Option1 Value', 'Variant SKU', 'Variant Inventory Tracker', 'Variant Inventory Qty', 'Variant Price', 'Price / JPY'];

export function csvOf(...listings: Listing[]): string {
  const rows = listings.map(({ sku, quantity = 10, price = '25.00', title = `Thing ${sku}`, tracked = true }) => [
    sku.toLowerCase(), title, 'Things', 'active', 'Title', 'Default Title', sku, tracked ? 'shopify' : '', `${quantity}`, price, '2500',
  ]);
  return [COLUMNS, ...rows].map((row) => row.join(',')).join('\n');
}

/**
 * Bytes that a paid order takes in D1, by table: once it is confirmed, and after every retention
 * time of `docs/retention.md` has passed.
 *
 *     npx node tests/workerd/bytes.ts [--orders 50]     with the Worker that was built last
 *
 * Counts the content of columns; rows and indexes have an overhead, so the database's pages are
 * reported as well.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const DAY = 86_400_000;
const AT_ONCE = 5;

/** Columns that determine the age of rows with a retention time. */
export const AGES: Record<string, string[]> = {
  abandoned_carts: ['idle_since'],
  checkouts: ['updated_at'],
  dead_letters: ['buried_at', 'resolved_at'],
  failures: ['at'],
  findings: ['found_at'],
  idempotency_keys: ['claimed_at'],
  import_names: ['claimed_at'],
  mails: ['claimed_at', 'sent_at'],
  outbox: ['done_at'],
  quotes: ['created_at'],
  scheduled_prices: ['valid_until'],
  webhook_events: ['received_at', 'processed_at'],
};

/** Ages rows with a retention time by this many days. */
export async function age(shop: Shop, days: number): Promise<void> {
  for (const [table, columns] of Object.entries(AGES)) {
    await shop.rows(`UPDATE ${table} SET ${columns.map((column) => `${column} = ${column} - ${days * DAY}`).join(', ')}`);
  }
}

if (process.argv[1] === import.meta.filename) await main();

async function main(): Promise<void> {
  const { orders: wanted } = parseArgs({ options: { orders: { type: 'string', default: '50' } } }).values;
  const count = Number(wanted);
  const shop = await startShop();
  try {
    await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: count * 2 + 10 }));
    await sell(shop, 1); // what is there once, whatever is sold
    const [empty, emptyPages, emptyIgnored] = [await bytes(shop), await pages(shop), await ignored(shop)];
    await sell(shop, count);
    const [sold, soldPages, soldIgnored] = [await bytes(shop), await pages(shop), await ignored(shop)];
    await age(shop, 400);
    await eventually(async () => {
      await shop.scheduled();
      assert.deepEqual(await shop.rows('SELECT 1 FROM outbox UNION ALL SELECT 1 FROM webhook_events UNION ALL SELECT 1 FROM mails UNION ALL SELECT 1 FROM checkouts UNION ALL SELECT 1 FROM quotes'), []);
    }, { within: 120_000 });
    const kept = await bytes(shop);
    const per = (total: number) => Math.round(total / count);
    const table = Object.keys(sold).map((name) => ({
      table: name,
      'when confirmed': per((sold[name] ?? 0) - (empty[name] ?? 0)),
      'in the end': per(((kept[name] ?? 0) * count) / (count + 1)),
    })).filter((row) => row['when confirmed'] > 0);
    console.table(table);
    const sum = (column: 'when confirmed' | 'in the end') => table.reduce((total, row) => total + row[column], 0);
    console.log(`an order: ${sum('when confirmed')} bytes when confirmed, ${sum('in the end')} in the end; pages when confirmed: ${per(soldPages - emptyPages)} bytes`);
    console.log(`events that change nothing here, not kept: ${per(soldIgnored - emptyIgnored)} bytes`);
  } finally {
    await shop.close();
  }
}

async function sell(shop: Shop, count: number): Promise<void> {
  for (let sold = 0; sold < count; sold += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - sold) }, async () => {
      const order: Json = await shop.shopper().buy('LAMP', 2);
      await shop.press(order, 'pay');
      await shop.settled(order, 'confirmed');
    }));
  }
  await eventually(async () => {
    const rest = await shop.rows('SELECT 1 FROM webhook_events WHERE processed_at IS NULL UNION ALL SELECT 1 FROM mails WHERE sent_at IS NULL');
    assert.deepEqual(rest, []);
  });
}

async function bytes(shop: Shop): Promise<Record<string, number>> {
  const tables = await shop.rows<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*' ORDER BY name");
  const counted = await Promise.all(tables.map(async ({ name }) => {
    const columns = await shop.rows<{ name: string }>('SELECT name FROM pragma_table_info(?)', name);
    const lengths = columns.map(({ name: column }) => `COALESCE(LENGTH(CAST("${column}" AS BLOB)), 0)`).join(' + ');
    const [row] = await shop.rows<{ bytes: number | null }>(`SELECT SUM(${lengths}) AS bytes FROM "${name}"`);
    return [name, row?.bytes ?? 0] as const;
  }));
  return Object.fromEntries(counted);
}

async function pages(shop: Shop): Promise<number> {
  const { meta } = await shop.db.prepare('SELECT 1').all() as unknown as { meta: { size_after: number } };
  return meta.size_after;
}

async function ignored(shop: Shop): Promise<number> {
  const kept = new Set((await shop.rows<{ id: string }>('SELECT id FROM webhook_events')).map(({ id }) => id));
  const events = [...shop.sandbox.account.events.values()].filter(({ id }) => !kept.has(id));
  return events.reduce((total, event) => total + JSON.stringify(event).length, 0);
}

/**
 * CPU time of the most expensive jobs, each an invocation of its own, which `cpu_ms` of
 * wrangler.toml has to allow. Counts the whole process, including D1, KV and the objects' storage,
 * so more than the platform counts.
 *
 *     npm run build && npx node tests/workerd/cpu.ts
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importCatalog, publishCatalog } from '../../tools/catalog.mjs';
import { cpuMicros, workerdChildren } from '../../tools/bench/servers.mjs';
import { generateCatalog } from '../../tools/generate.mjs';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { SECRETS, startShop } from './shop.ts';

const LARGEST_WINDOW = 8_000_000;
const DELIVERY_BYTES = 512 * 1024;
const DAY = 86_400_000;

const PRODUCTS = 10_000;

// Without caches: pages are made from KV.
const shop = await startShop({ vars: { ISOLATE_CACHE_BYTES: '0' } });
const DOOR = { url: shop.url, key: SECRETS.ADMIN_API_KEY };
const results: { job: string; ms: number }[] = [];
try {
  const pids = workerdChildren();
  /** Returns the mean of several runs. */
  const measured = async (job: string, runs: number, once: (run: number) => Promise<unknown>) => {
    await rest();
    const before = cpuMicros(pids);
    for (let run = 0; run < runs; run += 1) await once(run);
    const ms = (cpuMicros(pids) - before) / 1000 / runs;
    results.push({ job, ms: Math.round(ms * 10) / 10 });
    console.log(`${job}: ${ms} ms`);
  };
  const csv = largestCsv();
  await measured('a window of an import, 8 MB', 1, async () => (await shop.staff.send('POST', '/api/v1/admin/catalog/import', csv, { 'content-type': 'text/csv' })).expect(200));
  await fill();
  await measured(`the publish of ${PRODUCTS} products, all messages together`, 1, () => publishCatalog(DOOR));
  await eventually(async () => assert.ok((await shop.staff.get('/api/v1/products?limit=1')).body['total'] >= PRODUCTS), { within: 60_000 });
  const products: Json[] = (await shop.staff.get('/api/v1/products?limit=100')).expect(200).data;
  const skus: string[] = products.map(({ variants: [first] }) => first.sku);
  await measured('a product page', 50, (run) => got(`/products/${products[run]!['handle']}`));
  await measured('a list of everything', 10, (run) => got(`/products?q=${run}`));
  await measured('a part of the product feed', 3, () => got('/feeds/google.xml?currency=USD&part=1'));
  const index = await (await fetch(`${shop.url}/sitemap.xml`)).text();
  const sitemap = new URL(/<loc>([^<]+)<\/loc>/.exec(index)![1]!).pathname;
  await measured('a part of the sitemap', 3, () => got(sitemap));

  const settings = JSON.parse(readFileSync(new URL('../../demo/settings.json', import.meta.url), 'utf8'));
  const promotions = Array.from({ length: 200 }, (_, at) => ({ id: `p${at}`, title: `Promotion ${at}`, priority: at % 7, benefit: { kind: 'percentage', off_ppm: 1_000 } }));
  (await shop.staff.put('/api/v1/admin/settings', { ...settings, promotions })).expect(200);
  const buyer = await withCart(skus);
  await measured('a quote of 100 lines, 200 promotions on each', 5, () => buyer.quote({ shipping_method: 'express' }));
  const { id } = await buyer.quote({ shipping_method: 'express' });
  await measured('an order of 100 lines', 1, async () => (await buyer.order(id)).expect(201));

  await measured('a webhook of 512 KB with 2,500 signatures', 10, async (run) => {
    const body = JSON.stringify({ id: `evt_${run}`, object: 'event', type: 'checkout.session.completed', livemode: false, data: { object: { id: 'cs_1', filling: 'x'.repeat(DELIVERY_BYTES - 200) } } });
    const at = Math.floor(Date.now() / 1000);
    const good = createHmac('sha256', SECRETS.STRIPE_WEBHOOK_SECRET).update(`${at}.${body}`).digest('hex');
    const signatures = Array.from({ length: 2_500 }, () => `v1=${'0'.repeat(64)}`);
    const { status } = await shop.shopper().send('POST', '/webhooks/stripe', body, { 'stripe-signature': [`t=${at}`, ...signatures, `v1=${good}`].join(',') });
    assert.notEqual(status, 500);
  });

  await deepStock(50_000);
  await measured('a check of 50,000 movements', 1, async () => (await shop.staff.get('/api/v1/admin/stock/DEEP/check')).expect(200));
  await measured('a repair of 50,000 movements', 1, async () => (await shop.staff.post('/api/v1/admin/stock/DEEP/repair')).expect(200));

  await measured('an idle minute', 5, shop.scheduled);
  await shop.rows(`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)
    INSERT INTO webhook_events (id, kind, payload, received_at, processed_at) SELECT 'old_' || n, 'refund.updated', hex(randomblob(1000)), ${Date.now() - 400 * DAY}, ${Date.now() - 400 * DAY} FROM n`);
  await measured('a minute with much to forget', 1, () => shop.purge('webhook_events'));
  console.table(results);
} finally {
  await shop.close();
}

async function fill(): Promise<void> {
  const file = join(tmpdir(), `cpu-${process.pid}.csv`);
  await writeFile(file, [...generateCatalog({ products: PRODUCTS, tracked: false })].join(''));
  await importCatalog(file, DOOR).finally(() => rm(file));
}

async function got(path: string): Promise<void> {
  const answer = await fetch(shop.url + path, { headers: { accept: 'text/html' } });
  assert.equal(answer.status, 200, path);
  await answer.arrayBuffer();
}

async function withCart(skus: string[]) {
  const buyer = shop.shopper();
  for (const sku of skus) await buyer.add(sku);
  return buyer;
}

async function deepStock(movements: number): Promise<void> {
  const stock = shop.stockObject('DEEP');
  await stock.do('in', { receive: { quantity: 1 } });
  await stock.evict();
  const totals = JSON.parse((await stock.stored("SELECT value FROM state WHERE key = 'totals'"))[0].value);
  await stock.write(`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${movements - 1})
    INSERT INTO journal (at, operation_id, digest, events) SELECT ${Date.now()}, 'more ' || n, '', '[{"received":{"quantity":1}}]' FROM n;
    UPDATE state SET value = json_set(value, '$.on_hand', ${totals.on_hand + movements - 1}, '$.version', ${totals.version + movements - 1}) WHERE key = 'totals'`);
}

/** Waits until the queues are idle, so that their work doesn't count toward the next job. */
async function rest(): Promise<void> {
  await eventually(async () => assert.deepEqual(await shop.rows("SELECT 1 FROM webhook_events WHERE processed_at IS NULL AND kind <> 'checkout.session.completed' UNION ALL SELECT 1 FROM mails WHERE sent_at IS NULL"), []));
}

function largestCsv(): string {
  const lines: string[] = [];
  let bytes = 0;
  for (const line of generateCatalog({ products: 1_000_000, seed: 2, tracked: false })) {
    bytes += line.length;
    if (bytes > LARGEST_WINDOW) break;
    lines.push(line);
  }
  return lines.join('');
}

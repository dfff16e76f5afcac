/**
 * Memory of the isolate that was built last, at rest and with every cache full: wasm's, which never
 * shrinks, and what V8 holds beside it. Fails where all of it is more than 100 MB, of the 128 MB
 * that the platform gives. `docs/isolate-limits.md` tells what it found.
 *
 *     npm run build && npx node tests/workerd/memory.ts [--products 10000] [--cache BYTES]
 *
 * `--cache` stands for `ISOLATE_CACHE_BYTES`, by default that of wrangler.toml.
 */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { importCatalog, publishCatalog } from '../../tools/catalog.mjs';
import { generateCatalog } from '../../tools/generate.mjs';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { freePort } from './port.ts';
import { SECRETS, startShop } from './shop.ts';

const AT_ONCE = 16;
const LINES = 100; // of a cart

// More than an isolate keeps.
const LISTINGS = 2_400;
const KEPT_PRODUCTS = 6_000;
const KEPT_PAGES = 2_000;

const BOUND = 100_000_000;
const BUCKETS = 64;
const LOOKS = 40;
const MEMORY_PATH = '/__memory';

type Memory = { wasm: number; heap: number; buffers: number };

const { products: wanted, cache } = parseArgs({ options: { products: { type: 'string', default: '10000' }, cache: { type: 'string' } } }).values;
const inspectorPort = await freePort();
const shop = await startShop({ before: memoryModule, inspectorPort, vars: cache ? { ISOLATE_CACHE_BYTES: cache } : {} });
try {
  const found: [string, Memory][] = [];
  const look = async (when: string) => {
    found.push([when, await collected()]);
    print([found.at(-1)!]);
  };
  await page('/');
  await look('at rest');
  await fill(Number(wanted));
  await look('after the import and the publish');
  const { handles, skus, categories } = await catalog();
  await knowStock(skus);
  await each(handles.slice(0, KEPT_PRODUCTS), (handle) => page(`/api/v1/products/${handle}`));
  await look('products read');
  for (const { handle } of categories) await page(`/collections/${handle}`);
  for (let cursor: string | null = ''; cursor !== null;) cursor = (await shop.staff.get(`/api/v1/products?limit=100${cursor && `&cursor=${cursor}`}`)).expect(200)['next_cursor'];
  await look('directories and cards read');
  await quotes(skus.slice(0, LISTINGS));
  await look('listings read');
  await each(handles.slice(0, KEPT_PAGES), (handle) => page(`/products/${handle}`));
  await look('every cache full');
  await shop.staff.send('POST', '/api/v1/admin/catalog/import?dry_run=true', largestCsv(), { 'content-type': 'text/csv' });
  await look('and the largest window of an import looked through');
  console.log();
  print(found);
  for (const [when, memory] of found) assert.ok(together(memory) <= BOUND, `${when}: ${together(memory)} bytes, where ${BOUND} may be`);
} finally {
  await shop.close();
}

/** The module that tells how much memory wasm has. */
function memoryModule(classes: readonly string[]): string {
  const objects = classes.map((name) => `export class ${name} extends shop.${name} {}`);
  return `
let memory;
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(...given) {
    super(...given);
    memory = this.exports.memory;
  }
};
const shop = await import('./index.js');
${objects.join('\n')}
export default class extends shop.default {
  fetch(request) {
    if (new URL(request.url).pathname !== ${JSON.stringify(MEMORY_PATH)}) return super.fetch(request);
    for (let garbage = 0; garbage < 8; garbage += 1) new Uint8Array(1_000_000).fill(1);
    return Response.json(memory.buffer.byteLength);
  }
}
`;
}

/**
 * The least of many looks: the garbage that each of them makes has the platform collect all of it
 * now and then.
 */
async function collected(): Promise<Memory> {
  let least = await memory();
  for (let looks = 0; looks < LOOKS; looks += 1) {
    const now = await memory();
    if (now.heap + now.buffers < least.heap + least.buffers) least = now;
  }
  return least;
}

async function memory(): Promise<Memory> {
  const wasm = await (await fetch(shop.url + MEMORY_PATH)).json() as number;
  const [target] = await (await fetch(`http://127.0.0.1:${inspectorPort}/json`)).json() as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target!.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = reject; });
  const answered = new Promise<Json>((resolve) => { socket.onmessage = ({ data }) => void (JSON.parse(data).id === 1 && resolve(JSON.parse(data))); });
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.getHeapUsage' }));
  const answer = await answered;
  socket.close();
  const { usedSize, backingStorageSize } = answer.result;
  return { wasm, heap: usedSize, buffers: backingStorageSize };
}

async function fill(products: number): Promise<void> {
  const file = join(tmpdir(), `memory-${process.pid}.csv`);
  await writeFile(file, [...generateCatalog({ products, tracked: false })].join(''));
  const door = { url: shop.url, key: SECRETS.ADMIN_API_KEY };
  await importCatalog(file, door).finally(() => rm(file));
  await publishCatalog(door);
  await eventually(async () => assert.equal((await shop.staff.get('/api/v1/products?limit=1')).body.total, products), { within: 120_000 });
}

async function catalog(): Promise<{ handles: string[]; skus: string[]; categories: Json[] }> {
  const all: Json[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { data, next_cursor } = (await shop.staff.get(`/api/v1/products?limit=100${cursor && `&cursor=${cursor}`}`)).expect(200);
    all.push(...data);
    cursor = next_cursor;
  }
  const categories = (await shop.staff.get('/api/v1/categories')).expect(200).data;
  return { handles: all.map(({ handle }) => handle), skus: all.flatMap(({ variants }) => variants.map(({ sku }: Json) => sku)), categories };
}

/** Copies of the boards that know every SKU, as if all were counted; in whatever bucket. */
async function knowStock(skus: string[]): Promise<void> {
  const kv = (await shop.miniflare.getKVNamespace('CATALOG')) as unknown as { put(key: string, value: string): Promise<void> };
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    const posts = skus.filter((_, at) => at % BUCKETS === bucket).map((sku) => [sku, { stock: 'in_stock', purchase_limit: 5, version: 100 }]);
    await kv.put(`stock/${bucket}`, JSON.stringify(Object.fromEntries(posts)));
  }
}

async function quotes(skus: string[]): Promise<void> {
  for (let from = 0; from < skus.length; from += LINES) {
    const buyer = shop.shopper();
    for (const sku of skus.slice(from, from + LINES)) await buyer.add(sku);
    await buyer.quote();
  }
}

async function page(path: string): Promise<void> {
  const answer = await fetch(shop.url + path, { headers: { accept: 'text/html' } });
  assert.equal(answer.status, 200, path);
  await answer.arrayBuffer();
}

async function each(names: string[], once: (name: string) => Promise<void>): Promise<void> {
  for (let at = 0; at < names.length; at += AT_ONCE) await Promise.all(names.slice(at, at + AT_ONCE).map(once));
}

function largestCsv(): string {
  let csv = '';
  for (const line of generateCatalog({ products: 1_000_000, seed: 2, tracked: false })) {
    if (csv.length + line.length > 8_000_000) return csv;
    csv += line;
  }
  return csv;
}

function together({ wasm, heap, buffers }: Memory): number {
  return wasm + heap + buffers;
}

function print(rows: [string, Memory][]): void {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1).padStart(8);
  for (const [when, memory] of rows) {
    const { wasm, heap, buffers } = memory;
    console.log(`${when.padEnd(56)} wasm ${mb(wasm)} MB, V8's heap ${mb(heap)} MB, buffers ${mb(buffers)} MB, together ${mb(together(memory))} MB`);
  }
}

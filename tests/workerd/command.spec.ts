/**
 * `npm run catalog` as run by a merchant: imported products are shown, and can be exported again.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { csvOf } from './catalog.ts';
import { SECRETS, startShop, type Shop } from './shop.ts';

const run = promisify(execFile);

const MAX_API_BYTES = 8 * 1024 * 1024;

let shop: Shop;
let folder: string;
before(async () => {
  shop = await startShop();
  folder = await mkdtemp(join(tmpdir(), 'catalog-'));
});
after(async () => {
  await shop.close();
  await rm(folder, { recursive: true });
});

const catalogAt = (url: string, ...args: string[]) =>
  run(process.execPath, ['tools/catalog.mjs', ...args], { env: { ...process.env, SHOP_URL: url, ADMIN_API_KEY: SECRETS.ADMIN_API_KEY } });
const catalog = (...args: string[]) => catalogAt(shop.url, ...args);

const shown = async (): Promise<string[]> =>
  (await shop.shopper().get('/api/v1/products')).expect(200)['data'].map(({ handle }: { handle: string }) => handle);

test('a dry run shows nothing, an import publishes, an export reads back the same', async () => {
  const [given, exported, again] = ['given.csv', 'exported.csv', 'again.csv'].map((name) => join(folder, name)) as [string, string, string];
  await writeFile(given, csvOf({ sku: 'LAMP' }, { sku: 'CHAIR' }));

  assert.match((await catalog('import', given, '--dry-run')).stdout, /would import 2 products/);
  assert.deepEqual(await shown(), []);

  assert.match((await catalog('import', given)).stdout, /published version/);
  assert.deepEqual((await shown()).sort(), ['chair', 'lamp']);

  await catalog('export', exported);
  assert.match((await catalog('import', exported, '--dry-run')).stdout, /0 new, 0 changed/);
  await catalog('export', again);
  assert.equal(await readFile(again, 'utf8'), await readFile(exported, 'utf8'));
});

test('a connection that is lost on the way is made again, and nothing is imported twice', async () => {
  const given = join(folder, 'many.csv');
  await writeFile(given, csvOf(...Array.from({ length: 3000 }, (_, number) => ({ sku: `MANY-${number}`, tracked: false }))));
  let asked = 0;
  let lost = 0;
  const flaky = createServer((incoming, outgoing) => {
    asked += 1;
    const loses = asked % 2 === 0;
    const forwarded = request(new URL(incoming.url!, shop.url), { method: incoming.method, headers: incoming.headers }, (answer) => {
      if (!loses) return void answer.pipe(outgoing.writeHead(answer.statusCode!, answer.headers));
      lost += 1; // the shop has done the work, and the command does not learn of it
      answer.resume().on('end', () => incoming.socket.destroy());
    });
    incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(flaky, 'listening');
  try {
    const { port } = flaky.address() as AddressInfo;
    const { stdout } = await catalogAt(`http://127.0.0.1:${port}`, 'import', given, '--no-publish');
    assert.match(stdout, /imported 3000 products with 3000 variants/);
    assert.ok(lost > 0);
  } finally {
    flaky.close();
  }
  const [{ count }] = (await shop.rows<{ count: number }>("SELECT COUNT(*) AS count FROM products WHERE handle LIKE 'many-%'")) as [{ count: number }];
  assert.equal(count, 3000);
});

test('a file without products is refused, and nothing is published', async () => {
  const [{ count }] = (await shop.rows<{ count: number }>('SELECT COUNT(*) AS count FROM publishes')) as [{ count: number }];
  const given = join(folder, 'nothing.csv');
  for (const [text, told] of [['', /The file is empty\./], ['\ufeff\r\n', /The file is empty\./], ['Handle,Title,Variant Price\r\n', /a header row but no products\./]] as const) {
    await writeFile(given, text);
    await assert.rejects(catalog('import', given), { code: 1, stderr: told });
  }
  assert.deepEqual(await shop.rows('SELECT COUNT(*) AS count FROM publishes'), [{ count }]);
});

test('a product of seven hundred variants goes in and comes out, units and all', async () => {
  const [given, exported] = ['rope.csv', 'rope-again.csv'].map((name) => join(folder, name)) as [string, string];
  const rows = Array.from({ length: 700 }, (_, at) => `rope,${at ? '' : 'Rope'},${at ? '' : 'Length'},${at} m,shopify,${at < 400 ? 2 : 0},5`);
  await writeFile(given, ['Handle,Title,Option1 Name,Option1 Value,Variant Inventory Tracker,Variant Inventory Qty,Variant Price', ...rows].join('\n'));
  assert.match((await catalog('import', given)).stdout, /1 product with 700 variants: 1 new/);
  await catalog('export', exported);
  const lines = (await readFile(exported, 'utf8')).split('\n').filter((line) => line.startsWith('rope,'));
  assert.equal(lines.length, 700);
  assert.equal(lines.filter((line) => line.includes(',shopify,2,')).length, 400);
  assert.match((await catalog('import', exported, '--stock')).stdout, /0 new, 0 changed/);
  assert.match((await catalog('publish')).stdout, /nothing has changed: version/);
});

test('a file with every fault ends with a summary that says what came in, what did not, and why', async () => {
  const given = 'tests/catalog/files/every-fault.csv';
  const told = async (...flags: string[]) => {
    const { code, stdout, stderr } = await catalog('import', given, ...flags).then((done) => ({ code: 0, ...done }), (failed) => failed);
    return `exit code ${code}\n\nstandard output\n${stdout}\nstandard error\n${stderr}`;
  };
  const texts = [await told('--dry-run'), await told('--no-publish')];
  const kept = new URL('../catalog/files/every-fault.txt', import.meta.url);
  const text = texts.join('\n');
  if (process.env.UPDATE_SNAPSHOTS) await writeFile(kept, text);
  assert.equal(text, await readFile(kept, 'utf8'));
});

test('rows of a product that stand apart in a file too large to gather them are refused, and nothing is changed', async () => {
  const given = join(folder, 'scattered.csv');
  const large = Array.from({ length: 6 }, (_, at) => `large-${at},Large,One,L-${at},5,${'x'.repeat(1_500_000)}`);
  const rows = ['Handle,Title,Option1 Value,Variant SKU,Variant Price,Body (HTML)', 'far,Far,S,F-1,5,', ...large, 'far,,M,F-2,6,'];
  await writeFile(given, rows.join('\n'));
  await assert.rejects(catalog('import', given), { code: 1, stderr: /line 9: `far` is already used on line 2\. In a file this large, the rows of a product must be next to each other: sort it by handle\. Nothing was imported/ });
  assert.deepEqual(await shop.rows("SELECT handle FROM products WHERE handle = 'far' OR handle LIKE 'large-%'"), []);
});

test('files of another kind, without an end or too large are refused with their cure, and nothing is changed', async () => {
  const before = await shop.rows('SELECT COUNT(*) AS count, MAX(updated_at) AS at FROM products');
  const given = join(folder, 'other.csv');
  const files: [name: string, bytes: string | Buffer, told: RegExp][] = [
    ['a workbook', 'PK\x03\x04....', /Excel workbook\. Open it and save the sheet as CSV/],
    ['UTF-16', Buffer.from('\ufeffHandle,Title,Variant Price\na,A,5\n', 'utf16le'), /UTF-16 or not text\. Save it as CSV \(UTF-8\)/],
    ['JSON', '{"products":[]}', /JSON\. Export the products as CSV/],
    ['a web page', '<!DOCTYPE html><p>Sign in', /web page or XML/],
    ['semicolons', 'Handle;Title;Variant Price\na;A;5\n', /separated by semicolons\. Save the file with commas/],
    ['tabs', 'Handle\tTitle\tVariant Price\na\tA\t5\n', /separated by tabs/],
    ['a million columns', `Handle,Title${',x'.repeat(999_998)}\n`, /The header has 1000000 columns; the limit is 1000/],
    ['an open quote', `Handle,Title,Variant Price\na,A,5\nb,"B,6\n${'c,C,7\n'.repeat(2_000_000)}`, /line 3.*quote that opens here is never closed/s],
  ];
  for (const [name, bytes, told] of files) {
    await writeFile(given, bytes);
    await assert.rejects(catalog('import', given), { code: 1, stderr: told }, name);
    const asked = ['POST', '/api/v1/admin/catalog/import'] as const;
    const type = { 'content-type': 'text/csv' };
    if (bytes.length > MAX_API_BYTES) (await shop.staff.announce(...asked, bytes.length, type)).refused(413, 'body_too_large');
    else assert.match(JSON.stringify((await shop.staff.send(...asked, new Blob([bytes as BlobPart]), type)).refused(422, 'nothing_to_import').errors), told, name);
  }
  await truncate(given, 200_000_000);
  await assert.rejects(catalog('import', given), { code: 1, stderr: /200 MB; the limit is 100 MB\. Split it/ });
  assert.deepEqual(await shop.rows('SELECT COUNT(*) AS count, MAX(updated_at) AS at FROM products'), before);
});

test('a shop that does not answer is told with its cure', async () => {
  await assert.rejects(catalogAt('http://127.0.0.1:9', 'publish'), { code: 1, stderr: /no shop answers at http:\/\/127\.0\.0\.1:9/ });
});

test('a word that is no command is named with its cure', async () => {
  await assert.rejects(catalog('imprt', 'x.csv'), { code: 1, stderr: /npm run catalog -- --help/ });
});

/** `npm run catalog`, as a merchant runs it: what goes in is shown, and comes out again. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { csvOf } from './catalog.ts';
import { SECRETS, startShop, type Shop } from './shop.ts';

const run = promisify(execFile);

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

const catalog = (...args: string[]) =>
  run(process.execPath, ['tools/catalog.mjs', ...args], { env: { ...process.env, SHOP_URL: shop.url, ADMIN_API_KEY: SECRETS.ADMIN_API_KEY } });

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

test('a word that is no command is named with its cure', async () => {
  await assert.rejects(catalog('imprt', 'x.csv'), { code: 1, stderr: /npm run catalog -- --help/ });
});

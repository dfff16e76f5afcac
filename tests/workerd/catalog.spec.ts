/**
 * The catalog from file to shoppers: import, record, stepwise publish, rollback, lists, export, and
 * failures that must not break it.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { generateCatalog } from '../../tools/generate.mjs';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const COUNT = 450; // more documents than one request writes

let shop: Shop;
before(async () => {
  shop = await startShop();
});
after(() => shop.close());

const csv = { 'content-type': 'text/csv' };
const importFile = (text: string, query = '') => shop.staff.send('POST', `/api/v1/admin/catalog/import${query}`, text, csv);
const list = async (query = ''): Promise<Json> => {
  const answer = await fetch(`${shop.url}/api/v1/products?${query}`); // sent on to its canonical address
  assert.equal(answer.status, 200);
  return await answer.json() as Json;
};
const documents = async () => {
  const kv = (await shop.miniflare.getKVNamespace('CATALOG')) as unknown as { list(options: { prefix: string; cursor?: string }): Promise<{ keys: { name: string }[]; cursor?: string }> };
  const names: string[] = [];
  for (let cursor: string | undefined, first = true; first || cursor; first = false) {
    const page = await kv.list({ prefix: 'catalog/', cursor });
    names.push(...page.keys.map(({ name }) => name));
    cursor = page.cursor;
  }
  return names;
};

async function publish(): Promise<Json> {
  const answer = await shop.staff.post('/api/v1/admin/catalog/publish');
  assert.ok([200, 202].includes(answer.status), answer.text);
  return eventually(async () => {
    const now = (await shop.staff.get(`/api/v1/admin/catalog/publishes/${answer.body.seq}`)).expect(200);
    assert.ok(['done', 'unchanged'].includes(now.state), now.state);
    return now;
  });
}

/**
 * Imports a file window by window, as the command line tool does; returns the total of the
 * responses.
 */
async function importInWindows(text: string, windowBytes: number) {
  const bytes = Buffer.from(text);
  const sum = { products: 0, created: 0, updated: 0, errors: [] as Json[] };
  let header = Buffer.alloc(0);
  for (let offset = 0, line = 0; offset < bytes.length;) {
    const part = bytes.subarray(offset, offset + windowBytes);
    const last = offset + part.length >= bytes.length;
    const query = `?import=windows&last=${last}${line ? `&first_line=${line}` : ''}`;
    const done = (await shop.staff.send('POST', `/api/v1/admin/catalog/import${query}`, Buffer.concat([header, part]), csv)).expect(200);
    for (const name of ['products', 'created', 'updated'] as const) sum[name] += done[name];
    sum.errors.push(...done.errors);
    offset += done.consumed_bytes - header.length;
    if (header.length === 0) header = part.subarray(0, done.header_bytes);
    line = done.next_line;
  }
  return sum;
}

test('a large catalog is imported in windows and published by the queue', async () => {
  const text = [...generateCatalog({ products: COUNT, tracked: false })].join('');
  const first = await importInWindows(text, 100_000);
  assert.deepEqual([first.products, first.created, first.errors], [COUNT, COUNT, []]);
  const again = await importInWindows(text, 70_000);
  assert.deepEqual([again.products, again.created, again.updated], [COUNT, 0, 0]);

  assert.equal((await list()).total, 0);
  const answer = await shop.staff.post('/api/v1/admin/catalog/publish');
  assert.equal(answer.status, 202);
  const done = await publish();
  assert.deepEqual([done.products, done.total], [COUNT, COUNT]);
  await eventually(async () => assert.equal((await list()).total, COUNT));
  assert.deepEqual(await shop.rows('SELECT * FROM publish_cards'), []);
});

test('every product of the list is found by its handle, page by page', async () => {
  const seen = new Set<string>();
  for (let cursor = ''; cursor !== null;) {
    const page = await list(`limit=100${cursor && `&cursor=${cursor}`}`);
    for (const { handle } of page.data) seen.add(handle);
    cursor = page.next_cursor;
  }
  assert.equal(seen.size, COUNT);
  for (const handle of [...seen].slice(0, 40)) assert.equal((await shop.staff.get(`/api/v1/products/${handle}`)).expect(200).handle, handle);
});

test('lists filter and sort', async (t) => {
  const { data: categories } = (await shop.staff.get('/api/v1/categories')).expect(200);
  const roots = categories.filter(({ parent }: Json) => parent === null);
  assert.equal(roots.reduce((sum: number, { product_count }: Json) => sum + product_count, 0), COUNT);
  const lamps = categories.find(({ handle }: Json) => handle === 'home--lamps');
  assert.equal(lamps.parent, 'home');

  const all = async (query: string) => (await list(`limit=100&${query}`)).data as Json[];
  const filters: Record<string, (product: Json) => boolean> = {
    'category=home--lamps': ({ categories }) => categories.some(({ handle }: Json) => handle === 'home--lamps'),
    'category=home': ({ categories }) => categories.some(({ handle }: Json) => handle === 'home'),
    'vendor=ALDER': ({ vendor }) => vendor === 'Alder',
    'type=tents': ({ type }) => type === 'Tents',
    'tag=Gift': ({ tags }) => tags.includes('gift'),
    'min_price=10000&max_price=20000': ({ variants }) => variants.some(({ price }: Json) => price.amount >= 10_000 && price.amount <= 20_000),
    'availability=in_stock': () => true,
    'max_price=3000&currency=EUR': ({ price_range }) => price_range.min.currency === 'EUR' && price_range.min.amount <= 3000,
  };
  const everything: Json[] = [];
  for (let cursor = ''; cursor !== null;) {
    const page = await list(`limit=100&cursor=${cursor}`.replace(/cursor=$/, ''));
    everything.push(...page.data);
    cursor = page.next_cursor;
  }
  for (const [query, accepts] of Object.entries(filters)) await t.test(query, async () => {
    const found = await list(`limit=1&${query}`);
    const items = await all(query);
    assert.ok(items.length > 0 && items.every(accepts));
    if (!query.includes('currency')) assert.equal(found.total, everything.filter(accepts).length);
  });
  const prices = (items: Json[]) => items.map(({ price_range }) => price_range.min.amount);
  assert.deepEqual(prices(await all('sort=price')), prices(everything).sort((a, b) => a - b).slice(0, 100));
  assert.deepEqual(prices(await all('sort=-price')), prices(everything).sort((a, b) => b - a).slice(0, 100));
  const titles = (await all('sort=title')).map(({ title }) => title.toLowerCase());
  assert.deepEqual(titles, [...titles].sort(new Intl.Collator('en', { numeric: true }).compare));
});

test('a list tells how many things each other vendor and type would leave', async () => {
  const html = await (await fetch(`${shop.url}/products?vendor=Alder&type=Lamps`)).text();
  for (const [facet, others] of [['vendor', 'type=Lamps'], ['type', 'vendor=Alder']] as const) {
    const choice = html.match(new RegExp(`<select[^>]* name="${facet}".*?</select>`, 's'))![0];
    const told = [...choice.matchAll(/<option value="([^"]+)"[^>]*>[^<]* \((\d+)\)/g)].map(([, value, count]) => [value!, Number(count)] as const);
    assert.ok(told.length > 1, facet);
    for (const [value, count] of told) assert.equal((await list(`limit=1&${others}&${facet}=${value}`)).total, count, value);
    assert.equal(told.reduce((sum, [, count]) => sum + count, 0), (await list(`limit=1&${others}`)).total, facet);
  }
});

test('what a list cannot be asked for is refused', async (t) => {
  const cases: Record<string, [number, string]> = {
    'limit=0': [422, 'invalid_limit'], 'limit=-1': [422, 'invalid_limit'], 'limit=101': [422, 'invalid_limit'], 'limit=1e1': [422, 'invalid_limit'],
    'limit=99999999999999999999': [422, 'invalid_limit'], 'sort=rank': [422, 'invalid_sort'], 'availability=some': [422, 'invalid_availability'], 'min_price=-1': [422, 'invalid_price'],
    'max_price=1.5': [422, 'invalid_price'], 'currency=XXX': [422, 'unknown_currency'], 'cursor=%21': [400, 'malformed_cursor'], 'cursor=AAAA': [400, 'malformed_cursor'],
    [`cursor=${Buffer.from('999:0').toString('base64url')}`]: [410, 'cursor_expired'], [`cursor=${Buffer.from('-1:0').toString('base64url')}`]: [400, 'malformed_cursor'],
    [`cursor=${Buffer.from('1:-1').toString('base64url')}`]: [400, 'malformed_cursor'], 'category=nothing': [404, 'not_found'],
  };
  for (const [query, [status, code]] of Object.entries(cases)) await t.test(query, async () => {
    (await shop.staff.get(`/api/v1/products?${query}`)).refused(status, code);
  });
});

test('a publish writes what has changed, a cursor walks the version it began in', async () => {
  const before = new Set(await documents());
  const first = await list('limit=100');
  (await importFile(csvOf({ sku: 'NEW-1', title: 'Aaa' }))).expect(200);
  await publish();
  const written = (await documents()).filter((name) => !before.has(name));
  assert.ok(written.length < 10, `${written.length} documents for one new product`);
  await eventually(async () => assert.equal((await list()).total, COUNT + 1));
  const second = await list(`limit=100&cursor=${first.next_cursor}`);
  assert.equal(second.total, COUNT);
  const handles = new Set([...first.data, ...second.data].map(({ handle }: Json) => handle));
  assert.equal(handles.size, 200);
});

test('switching back shows and prices what was before', async () => {
  const price = async () => (await shop.staff.get('/api/v1/products/new-1')).body?.variants?.[0].price.amount;
  (await importFile(csvOf({ sku: 'NEW-1', title: 'Aaa', price: '99.00' }))).expect(200);
  await publish();
  await eventually(async () => assert.equal(await price(), 9900));
  await eventually(async () => (await shop.staff.post('/api/v1/admin/catalog/rollback')).expect(200));
  await eventually(async () => assert.equal(await price(), 2500));
  const buyer = shop.shopper();
  await buyer.add('NEW-1');
  const quote = await buyer.quote();
  assert.equal(quote.lines[0].unit_price.amount, 2500);
  (await shop.staff.post('/api/v1/admin/catalog/rollback', { seq: 12345 })).refused(404, 'not_found');
});

test('a publish that stopped holds up changes, not shoppers, and the sweep takes it up', async () => {
  const { total } = await list();
  await shop.rows("INSERT INTO publishes (seq, version, created_at, state, total, moved_at) SELECT MAX(seq) + 1, '', 0, 'running', 0, 0 FROM publishes");
  const [{ seq }] = (await shop.rows<{ seq: number }>("SELECT seq FROM publishes WHERE state = 'running'")) as [{ seq: number }];
  (await importFile(csvOf({ sku: 'LATE' }))).refused(409, 'publish_in_progress');
  assert.equal((await list()).total, total);
  await shop.scheduled();
  await eventually(async () => assert.equal((await shop.staff.get(`/api/v1/admin/catalog/publishes/${seq}`)).body.state, 'done'));
  (await importFile(csvOf({ sku: 'LATE' }))).expect(200);
});

test('publishes that are asked for at once are one, and nothing new makes no version', async () => {
  (await importFile(csvOf({ sku: 'TWICE' }))).expect(200);
  const answers = await Promise.all(Array.from({ length: 8 }, () => shop.staff.post('/api/v1/admin/catalog/publish')));
  for (const { status, text } of answers) assert.ok([200, 202].includes(status), text);
  await publish();
  await eventually(async () => assert.equal((await shop.staff.get('/api/v1/products/twice')).status, 200));
  assert.deepEqual(await shop.rows("SELECT COUNT(*) AS count FROM publishes WHERE state = 'done' AND seq >= ?", answers[0]!.body.seq), [{ count: 1 }]);
  const [current] = await shop.rows('SELECT seq, previous FROM current_publish');
  const again = await shop.staff.post('/api/v1/admin/catalog/publish');
  assert.equal(again.expect(200).state, 'unchanged');
  assert.deepEqual((await shop.rows('SELECT seq, previous FROM current_publish'))[0], current);
  (await shop.staff.post('/api/v1/admin/catalog/rollback', { seq: again.body.seq })).refused(409, 'version_not_kept');
  (await shop.staff.post('/api/v1/admin/catalog/rollback', { seq: current!['seq'] })).refused(409, 'already_shown');
});

test('a publish that cannot end is given up without a trace', async () => {
  const [listings] = await shop.rows('SELECT COUNT(*) AS count, MAX(seq) AS seq FROM listings');
  const [current] = await shop.rows('SELECT seq, previous FROM current_publish');
  await shop.rows("UPDATE products SET tags = 'no JSON' WHERE handle = 'late'");
  const { seq } = (await shop.staff.post('/api/v1/admin/catalog/publish')).refused(500, 'internal_error') && (await shop.rows<{ seq: number }>("SELECT seq FROM publishes WHERE state = 'running'"))[0]!;
  await eventually(async () => {
    await shop.staff.post('/api/v1/admin/catalog/publish');
    assert.equal((await shop.staff.get(`/api/v1/admin/catalog/publishes/${seq}`)).body.state, 'failed');
  });
  assert.deepEqual([(await shop.rows('SELECT COUNT(*) AS count, MAX(seq) AS seq FROM listings'))[0], (await shop.rows('SELECT seq, previous FROM current_publish'))[0]], [listings, current]);
  assert.deepEqual(await shop.rows('SELECT * FROM publish_cards'), []);
  await shop.rows("UPDATE products SET tags = '[]' WHERE handle = 'late'");
  await publish();
});

test('a version that nobody was shown for two days is collected, with what only it had', async () => {
  const before = await documents();
  await shop.rows('UPDATE publishes SET retired_at = 1 WHERE retired_at IS NOT NULL');
  await eventually(async () => {
    await shop.scheduled();
    assert.deepEqual(await shop.rows('SELECT key FROM condemned'), []);
  });
  const after = await documents();
  assert.ok(after.length < before.length);
  const [current] = await shop.rows<{ seq: number }>('SELECT seq FROM current_publish');
  assert.deepEqual(after.filter((name) => name.includes('version-')), [`catalog/version-${current!.seq}`]);
  for (const { handle } of (await list('limit=50')).data) (await shop.staff.get(`/api/v1/products/${handle}`)).expect(200);
});

test('what is exported and imported again changes nothing', async () => {
  const untidy = [
    'Handle,Title,Body (HTML),Vendor,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price,Image Src,Cost per item,Status',
    'tea-pot,Tea Pot,"<p class=""x"">Pours,\nwell</p>",Acme,"a,b",TRUE,Size,S,,shopify,4,19.9,https://images.example.com/1.jpg,3.10,active',
    'tea-pot,,,,,,,L,POT-L,,,25,https://images.example.com/2.jpg,,',
  ].join('\r\n');
  (await importFile(untidy)).expect(200);
  const wide = Array.from({ length: 350 }, (_, at) => `wide-${Math.floor(at / 50)},${at % 50 === 0 ? 'Wide' : ''},${at},5`);
  (await importFile(['Handle,Title,Option1 Value,Variant Price', ...wide].join('\n'))).expect(200);
  const pages: string[] = [];
  for (let after: string | null = ''; after !== null;) {
    const page = await shop.staff.get(`/api/v1/admin/catalog/export${after && `?after=${after}`}`);
    assert.equal(page.status, 200);
    pages.push(page.text);
    assert.ok(page.text.split('\nwide-').length <= 300, 'each variant of a page may ask one stock object');
    after = page.headers.get('next-after');
  }
  const again = await importInWindows(pages.join(''), 100_000);
  assert.deepEqual([again.created, again.updated, again.errors], [0, 0, []]);
  const text = pages.join('');
  for (const cell of ['"<p class=""x"">Pours,\nwell</p>"'.replace('\n', '\r\n'), '"a,b"', 'TRUE', ',19.9,', '3.10']) {
    assert.ok(text.includes(cell) || text.includes(cell.replace('\r\n', '\n')), cell);
  }
  assert.equal((await shop.stock('tea-pot-s')).on_hand, 4);
});

test('an unlisted product is found by its address alone', async () => {
  const text = 'Handle,Title,Status,Variant SKU,Variant Price\nhidden-lamp,Hiddenlamp,unlisted,HID,.99\n';
  for (const type of ['application/csv', 'application/vnd.ms-excel']) {
    const done = (await shop.staff.send('POST', '/api/v1/admin/catalog/import', text, { 'content-type': type })).expect(200);
    assert.deepEqual(done.notices.map(({ code, count }: Json) => [code, count]), [['unlisted', 1]]);
  }
  await publish();
  await eventually(async () => assert.equal((await shop.staff.get('/api/v1/products/hidden-lamp')).status, 200));
  assert.match((await shop.staff.get('/products/hidden-lamp', { accept: 'text/html' })).text, /<meta name="robots" content="noindex">/);
  const [{ handle: newest }] = (await list('sort=newest&limit=1')).data;
  assert.notEqual(newest, 'hidden-lamp');
  assert.doesNotMatch((await shop.staff.get(`/products/${newest}`, { accept: 'text/html' })).text, /noindex|hidden-lamp/);
  for (const path of ['/products?q=hiddenlamp', '/', '/sitemap.xml', '/sitemaps/products-1.xml', '/feeds/google.xml']) {
    assert.doesNotMatch((await shop.staff.get(path)).text, /hidden-lamp/, path);
  }
});

test('an import meets what staff changed while it was under way', async () => {
  const file = (title: string) => ['Handle,Title,Variant SKU,Variant Price', ...Array.from({ length: 200 }, (_, at) => `race-${at},${title} ${at},RACE-${at},5`)].join('\n');
  (await importFile(file('First'))).expect(200);
  const titles = (condition: string) => shop.rows<{ count: number }>(`SELECT COUNT(*) AS count FROM products WHERE handle LIKE 'race-%' AND title ${condition}`);
  const [{ id }] = (await shop.rows<{ id: string }>("SELECT id FROM products WHERE handle = 'race-7'")) as [{ id: string }];
  const edit = { title: 'Edited', handle: 'race-7', variants: [{ sku: 'RACE-7', prices: [{ amount: 500, currency: 'USD' }] }] };
  const [imported, edited] = await Promise.all([importFile(file('Second')), shop.staff.put(`/api/v1/products/${id}`, edit)]);
  for (const { status, text } of [imported, edited]) assert.ok([200, 409, 412].includes(status), text);
  if (imported.status === 409) imported.refused(409, 'products_changed');
  const [[{ count: seconds }], [{ count: edits }]] = (await Promise.all([titles("LIKE 'Second%'"), titles("= 'Edited'")])) as [[{ count: number }], [{ count: number }]];
  assert.equal(seconds, imported.status === 200 ? 200 - edits : 0, 'all or none');
  assert.equal((await importFile(file('Second'))).expect(200).errors.length, 0);
});

test('who takes the SKU of a product that keeps it is left out, and nobody else', async () => {
  const file = (...rows: string[]) => importFile(['Handle,Title,Variant SKU,Variant Price', ...rows].join('\n'));
  (await file('keeper,Keeper,KEPT,5')).expect(200);
  const done = (await file('taker,Taker,KEPT,5', 'keeper,Keeper,KEPT,6', 'bystander,Bystander,BYSTANDER,5')).expect(200);
  assert.deepEqual([done.products, done.errors.map(({ line }: Json) => line)], [1, [2, 3]]);
  assert.deepEqual(await shop.rows("SELECT product_id = (SELECT id FROM products WHERE handle = 'keeper') AS kept FROM variants WHERE sku = 'KEPT'"), [{ kept: 1 }]);
  const moved = (await file('keeper,Keeper,KEPT-2,6', 'taker,Taker,KEPT,5')).expect(200);
  assert.deepEqual([moved.created, moved.updated, moved.errors], [1, 1, []]);
});

test('a dry run tells what would change and changes nothing', async () => {
  const before = await shop.rows('SELECT * FROM products ORDER BY id');
  const text = 'Handle,Title,Variant SKU,Variant Price\ntea-pot,Tea Pot,POT-L,26\nnew-pot,New,NEW-POT,5\nbad,Bad,B,x\n';
  const done = (await importFile(text, '?dry_run=true')).expect(200);
  assert.deepEqual([done.created, done.updated, done.errors.map(({ line, column }: Json) => [line, column])], [1, 1, [[4, 'Variant Price']]]);
  assert.ok(done.changes.find(({ handle }: Json) => handle === 'tea-pot').fields.some((field: string) => field.includes('amount')));
  assert.deepEqual(await shop.rows('SELECT * FROM products ORDER BY id'), before);
});

test('--stock sets the count, and lists know what is out', async () => {
  const row = (quantity: number) => csvOf({ sku: 'COUNTED', title: 'Counted', quantity });
  (await importFile(row(5))).expect(200);
  (await importFile(row(3))).expect(200);
  assert.equal((await shop.stock('COUNTED')).on_hand, 5);
  (await importFile(row(3), '?stock=true')).expect(200);
  assert.equal((await shop.stock('COUNTED')).on_hand, 3);
  (await importFile(row(0), '?stock=true')).expect(200);
  assert.equal((await shop.stock('COUNTED')).on_hand, 0);
  await publish();
  await eventually(async () => {
    const handles = async (availability: string) => (await list(`vendor=&limit=100&category=things&availability=${availability}`)).data.map(({ handle }: Json) => handle);
    assert.ok((await handles('out')).includes('counted'));
    assert.ok(!(await handles('in_stock')).includes('counted'));
    assert.ok((await handles('in_stock')).includes('new-1'));
  });
});

test('staff add, change and remove a product', async () => {
  const product = { title: 'Desk', description_html: '<p onclick="x">Oak</p><script>x</script>', options: ['Size'], variants: [
    { sku: 'DESK-S', option_values: ['S'], prices: [{ amount: 20_000, currency: 'USD' }, { amount: 1, currency: 'JPY' }], tracked: false },
    { option_values: ['L'], prices: [{ amount: 30_000, currency: 'USD' }], compare_at_prices: [{ amount: 35_000, currency: 'USD' }] },
  ], features: ['Solid'], specifications: { Width: '140 cm' }, metadata: { season: 'all' } };
  const made = await shop.staff.post('/api/v1/products', product);
  const { id, version, handle, variants, description_html } = made.expect(201);
  assert.deepEqual([handle, description_html, variants[1].sku], ['desk', '<p>Oak</p>', 'desk-l']);
  (await shop.staff.post('/api/v1/products', product)).refused(422, 'handle_taken');
  (await shop.staff.post('/api/v1/products', { ...product, handle: 'other' })).refused(422, 'sku_taken');
  (await shop.staff.post('/api/v1/products', { ...product, colour: 'x' })).refused(400, 'unknown_field');
  (await shop.staff.post('/api/v1/products', { ...product, handle: 'other', variants: [] })).refused(422, 'invalid_variants');
  (await shop.staff.put(`/api/v1/products/${id}`, product, { 'if-match': `"${version + 1}"` })).refused(412, 'stale_version');
  const changed = (await shop.staff.put(`/api/v1/products/${id}`, { ...product, title: 'Oak desk' }, { 'if-match': `"${version}"` })).expect(200);
  assert.deepEqual([changed.id, changed.version, changed.title, changed.handle, changed.variants[1].sku], [id, version + 1, 'Oak desk', 'oak-desk', 'desk-l']);
  assert.equal((await shop.staff.get(`/api/v1/products/oak-desk`)).status, 404);
  await publish();
  await eventually(async () => assert.deepEqual((await shop.staff.get(`/api/v1/products/oak-desk`)).expect(200).specifications, { Width: '140 cm' }));
  (await shop.staff.delete(`/api/v1/products/${id}`)).expect(204);
  (await shop.staff.delete(`/api/v1/products/${id}`)).refused(404, 'not_found');
  await publish();
  await eventually(async () => assert.equal((await shop.staff.get(`/api/v1/products/oak-desk`)).status, 404));
});

test('a document that the copy does not have yet is answered from the version before', async () => {
  const kv = (await shop.miniflare.getKVNamespace('CATALOG')) as unknown as { get(key: string): Promise<string | null>; put(key: string, value: string): Promise<void>; delete(key: string): Promise<void> };
  (await importFile(csvOf({ sku: 'OLDER', title: 'Unchanged' }))).expect(200);
  await publish();
  const before = new Set(await documents());
  const titleOf = (handle: string, items: Json[]) => items.find((item) => item.handle === handle)?.title;
  (await importFile(csvOf({ sku: 'OLDER', title: 'Changed' }, { sku: 'NEWER', title: 'Newer' }))).expect(200);
  await publish();
  const late = new Map<string, string>();
  for (const key of (await documents()).filter((name) => !before.has(name))) {
    const json = JSON.parse((await kv.get(key)) ?? 'null');
    if (json?.variants) late.set(key, JSON.stringify(json));
  }
  assert.equal(late.size, 2);
  for (const key of late.keys()) await kv.delete(key);

  await eventually(async () => assert.match((await shop.staff.get('/collections/things')).text, /Changed/));
  assert.equal(titleOf('older', (await list('category=things')).data), 'Unchanged');
  assert.equal((await shop.staff.get('/api/v1/products/older')).expect(200).title, 'Unchanged');
  const unknown = await shop.staff.get('/api/v1/products/newer');
  unknown.refused(503, 'catalog_not_copied');
  assert.ok(Number(unknown.headers.get('retry-after')) > 0);
  for (const [key, json] of late) await kv.put(key, json);
  await eventually(async () => assert.equal((await shop.staff.get('/api/v1/products/older')).expect(200).title, 'Changed'));
  await eventually(async () => assert.equal((await shop.staff.get('/api/v1/products/newer')).expect(200).title, 'Newer'));
});

test('public answers have a tag that spares the next one', async () => {
  for (const path of ['/', '/products', '/products/tea-pot', '/collections/home--lamps', '/api/v1/products', '/api/v1/categories', '/api/v1/products/tea-pot']) {
    if ((await shop.staff.get(path)).status === 404) continue;
    for (let time = 0; time < 3; time += 1) {
      const answer = await shop.staff.get(path);
      const tag = answer.headers.get('etag')!;
      assert.match(tag, /^"[0-9a-f]+"$/);
      assert.match(answer.headers.get('cdn-cache-control')!, /max-age=\d+, stale-while-revalidate=\d+/);
      for (const known of [tag, `W/${tag}`, `"x", ${tag}`]) {
        const spared = await shop.staff.get(path, { 'if-none-match': known });
        assert.deepEqual([spared.status, spared.text, spared.headers.get('etag')], [304, '', tag]);
      }
      assert.equal((await shop.staff.get(path, { 'if-none-match': '"x"' })).status, 200);
    }
  }
});

test('no address, however odd, makes the shop fail', async () => {
  let state = 7;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pieces = ['/', '?', '&', '=', '%', '%2', '%00', '%ff', '%2F', '..', 'products', 'collections', 'api/v1', 'cursor', 'limit', 'page', 'sort', 'min_price', 'currency', 'sku', 'JPY', '-1', '9'.repeat(30), '\u{1F4A5}', "'", '"', '<b>', ' ', '+', ';', 'lamps', 'tea-pot', '\\', 'x'.repeat(3000)];
  const { request } = await import('node:http');
  for (let number = 0; number < 400; number += 1) {
    const path = `/${Array.from({ length: 1 + random(8) }, () => pieces[random(pieces.length)]).join('')}`;
    const raw = [...path].map((character) => (character > '~' || character <= ' ' ? encodeURIComponent(character) : character)).join('');
    const status = await new Promise<number>((resolve, reject) => {
      request(`${shop.url}`, { path: raw, headers: random(2) ? { accept: 'text/html' } : {} }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode!))).on('error', reject).end();
    });
    assert.ok(status < 500, `${status} ${raw.slice(0, 300)}`);
  }
  assert.deepEqual(shop.log.filter((line) => line.includes('"level":"fatal"')), []);
});

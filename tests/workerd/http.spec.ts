/** Headers of every response: security, request ID, HEAD, OPTIONS, requests from other origins. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Answer, Client } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const HTML = { accept: 'text/html' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const PARTNER = 'https://partner.test';

let shop: Shop;
let client: Client;
before(async () => {
  shop = await startShop({ vars: { CORS_ORIGINS: `${PARTNER}, https://other.test` } });
  await shop.importCatalog(csvOf({ sku: 'LAMP' }));
  client = shop.shopper();
});
after(() => shop.close());

test('every kind of answer carries the security headers and a request id of its own', async (t) => {
  const answers: Record<string, [answer: Answer, status: number]> = {
    'a page': [await client.get('/', HTML), 200],
    'a page that is not there': [await client.get('/nowhere', HTML), 404],
    'JSON': [await client.get('/api/v1/products'), 200],
    'a problem': [await client.get('/api/v1/nowhere'), 404],
    'a redirect': [await client.send('POST', '/cart/items', 'sku=LAMP&quantity=1', FORM), 303],
    'nothing': [await client.send('OPTIONS', '/api/v1/cart'), 204],
    'a method not allowed': [await client.send('DELETE', '/'), 405],
    'a refusal of staff routes': [await client.post('/api/v1/admin/catalog/publish'), 401],
    'liveness': [await client.get('/healthz'), 200],
    'readiness': [await client.get('/readyz'), 200],
  };
  const ids = new Set<string | null>();
  for (const [name, [answer, status]] of Object.entries(answers)) await t.test(name, () => {
    assert.equal(answer.status, status, answer.text);
    const said = (header: string) => answer.headers.get(header) ?? '';
    assert.match(said('strict-transport-security'), /^max-age=\d{8,}; includeSubDomains/);
    assert.equal(said('x-content-type-options'), 'nosniff');
    assert.equal(said('x-frame-options'), 'DENY');
    assert.equal(said('referrer-policy'), 'strict-origin-when-cross-origin');
    assert.match(said('permissions-policy'), /camera=\(\)/);
    const policy = said('content-security-policy');
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.ok(policy.includes(`form-action 'self' ${shop.sandbox.url}`), policy);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.match(said('x-request-id'), /^req_[a-z0-9]{26}$/);
    ids.add(answer.headers.get('x-request-id'));
  });
  assert.equal(ids.size, Object.keys(answers).length);
});

test('each request leaves one line in the log, under the id of its answer, without its query', async () => {
  const { headers } = await client.get('/api/v1/orders/ord_nothing?token=of_the_link');
  const lines = shop.log.filter((line) => line.includes(headers.get('x-request-id')!));
  assert.equal(lines.length, 1);
  const { event, method, path, status, error } = JSON.parse(lines[0]!);
  assert.deepEqual([event, method, path, status], ['request', 'GET', '/api/v1/orders/ord_nothing', 404]);
  assert.match(error, /^not_found/);
  assert.ok(!shop.log.some((line) => line.includes('of_the_link')));
});

test('HEAD says what GET says, without the body', async (t) => {
  for (const path of ['/', '/products/lamp', '/nowhere', '/cart', '/api/v1/products', '/api/v1/products/nothing', '/healthz', '/readyz']) await t.test(path, async () => {
    const [get, head] = [await client.get(path, HTML), await client.send('HEAD', path, undefined, HTML)];
    assert.equal(head.text, '');
    assert.notEqual(get.text, '');
    assert.equal(head.status, get.status);
    assert.deepEqual(described(head), described(get));
  });
});

test('a path has single slashes and none at its end: who looks is sent there, nothing else is done', async (t) => {
  for (const [path, canonical] of [
    ['//evil.example/x', '/evil.example/x'],
    ['/de//evil.example/x', '/de/evil.example/x'],
    ['/\\\\evil.example/x', '/evil.example/x'],
    ['/.//evil.example/x', '/evil.example/x'],
    ['//products?currency=EUR', '/products?currency=EUR'],
    ['/products/?q=%2F%2Fevil.example', '/products?q=%2F%2Fevil.example'],
    ['/products//lamp', '/products/lamp'],
    ['/de/', '/de'],
    ['///', '/'],
    ['/api/v1//products', '/api/v1/products'],
  ] as const) await t.test(path, async () => {
    for (const method of ['GET', 'HEAD']) {
      const moved = await asIs(method, path);
      assert.deepEqual([moved.status, moved.headers['location'], moved.text], [308, canonical, '']);
      assert.equal(moved.headers['cache-control'], 'public, max-age=300');
    }
    assert.doesNotMatch((await client.get(canonical, HTML)).text, /(?:href|action|src)="(?:\/\/|\/\\|https?:\/\/evil)/);
  });
  const before = await shop.counts();
  for (const path of ['//cart/items', '/cart/items/', '/api/v1/cart/items/', '//webhooks/stripe']) assert.equal((await asIs('POST', path)).status, 404, path);
  assert.deepEqual(await shop.counts(), before);
});

test('readiness is told to strangers from memory, to staff part by part as it is', async () => {
  const stranger = await client.get('/readyz');
  assert.deepEqual(stranger.expect(200), { status: 'ok' });
  assert.equal(stranger.headers.get('cache-control'), 'no-store');
  assert.deepEqual((await shop.staff.get('/readyz')).expect(200), { status: 'ok', checks: { db: 'ok', catalog: 'ok', stock: 'ok', cart: 'ok', secrets: 'ok' } });
  // The result is cached for some seconds, so a slow machine may have to look again.
  await eventually(async () => {
    (await shop.staff.get('/readyz')).expect(200);
    await shop.rows('ALTER TABLE current_publish RENAME TO current_publish_away');
    try {
      assert.deepEqual((await client.get('/readyz')).expect(200), { status: 'ok' });
      assert.deepEqual((await shop.staff.get('/readyz')).expect(503), { status: 'failed', checks: { db: 'failed', catalog: 'ok', stock: 'ok', cart: 'ok', secrets: 'ok' } });
      (await client.get('/healthz')).expect(200);
    } finally {
      await shop.rows('ALTER TABLE current_publish_away RENAME TO current_publish');
    }
  });
  assert.equal((await shop.staff.get('/readyz')).status, 200);
  assert.deepEqual((await client.get('/readyz')).expect(200), { status: 'ok' });
});

test('OPTIONS and 405 name the methods of an address', async (t) => {
  for (const [path, allowed] of [
    ['/', 'GET, HEAD, OPTIONS'],
    ['/checkout', 'GET, POST, HEAD, OPTIONS'],
    ['/api/v1/cart', 'GET, DELETE, HEAD, OPTIONS'],
    ['/api/v1/cart/items', 'POST, OPTIONS'],
    ['/api/v1/cart/items/LAMP', 'PUT, DELETE, OPTIONS'],
    ['/webhooks/stripe', 'POST, OPTIONS'],
  ] as const) await t.test(path, async () => {
    const options = await client.send('OPTIONS', path);
    assert.deepEqual([options.status, options.text, options.headers.get('allow')], [204, '', allowed]);
    const patched = await client.send('PATCH', path);
    patched.refused(405, 'method_not_allowed');
    assert.equal(patched.headers.get('allow'), allowed);
  });
  (await client.send('OPTIONS', '/nowhere')).refused(404, 'not_found');
});

test('a method that HTTP does not know reaches nothing', async () => {
  const before = await shop.counts();
  for (const method of ['PROPFIND', 'PURGE', 'LINK']) {
    const { status } = await client.send(method, '/api/v1/cart/items');
    assert.ok(status >= 400 && status < 600 && status !== 500, `${method}: ${status}`);
  }
  assert.deepEqual(await shop.counts(), before);
  (await client.get('/healthz')).expect(200);
});

test('pages of configured origins may call the API, others and other paths not', async () => {
  const from = (origin: string, path = '/api/v1/products') => client.get(path, { origin });
  const preflight = (origin: string) =>
    client.send('OPTIONS', '/api/v1/orders', undefined, { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'cart-token,idempotency-key' });

  for (const origin of [PARTNER, 'https://other.test']) {
    const { headers } = await from(origin);
    assert.equal(headers.get('access-control-allow-origin'), origin);
    assert.match(headers.get('access-control-expose-headers') ?? '', /Cart-Token/);
    assert.match(headers.get('vary') ?? '', /Origin/);
  }
  const allowed = await preflight(PARTNER);
  assert.equal(allowed.status, 204);
  assert.match(allowed.headers.get('access-control-allow-methods') ?? '', /POST/);
  for (const header of ['Authorization', 'Cart-Token', 'Content-Type', 'Idempotency-Key']) {
    assert.ok(allowed.headers.get('access-control-allow-headers')?.includes(header), header);
  }
  assert.equal((await from(PARTNER, '/api/v1/nowhere')).headers.get('access-control-allow-origin'), PARTNER);

  for (const answer of [
    await from('https://evil.test'), await preflight('https://evil.test'), await from('null'),
    await from(`${PARTNER}.evil.test`), await from('http://partner.test'), await from(PARTNER, '/'),
  ]) {
    assert.deepEqual([...answer.headers.keys()].filter((name) => name.startsWith('access-control-')), []);
  }
  assert.match((await from('https://evil.test')).headers.get('vary') ?? '', /Origin/);
});

const FROM_ELSEWHERE: Record<string, Record<string, string>> = {
  'by Sec-Fetch-Site': { 'sec-fetch-site': 'cross-site' },
  'from a sibling domain': { 'sec-fetch-site': 'same-site' },
  'by Origin': { origin: 'https://evil.test' },
  'from nowhere': { origin: 'null' },
  'from another port': { origin: 'http://127.0.0.1:1' },
  'with an Origin that lies': { 'sec-fetch-site': 'cross-site', origin: 'http://127.0.0.1' },
  'from a partner, who may call the API alone': { 'sec-fetch-site': 'cross-site', origin: PARTNER },
};

test('a change that a browser sends from another site is refused and has no effect, with the cookie and without', async (t) => {
  const own = shop.shopper();
  const cart = await own.add('LAMP');
  const add = (headers: Record<string, string>) => shop.shopper().send('POST', '/cart/items', 'sku=LAMP&quantity=1', { ...FORM, ...headers });
  const cookie = `__Host-cart=${own.cartToken}`;
  const quantity = async () => (await own.get('/api/v1/cart')).body.lines[0].quantity;

  for (const [name, headers] of Object.entries(FROM_ELSEWHERE)) await t.test(name, async () => {
    for (const answer of [await add({ ...headers, cookie }), await add(headers)]) {
      answer.refused(403, 'cross_site');
      assert.equal(answer.headers.get('set-cookie'), null, 'a cookie would replace the cart');
    }
    assert.equal(await quantity(), cart.quantity);
  });
  for (const [at, headers] of [{ 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }, { origin: shop.url }, {}].entries()) {
    assert.equal((await add({ ...headers as Record<string, string>, cookie })).status, 303);
    assert.equal(await quantity(), cart.quantity + at + 1);
    assert.equal((await add(headers as Record<string, string>)).status, 303);
  }
});

test('a change by the API comes from pages of the shop and of configured origins, and from what is no browser', async () => {
  const add = (headers: Record<string, string>) => shop.shopper().post('/api/v1/cart/items', { sku: 'LAMP', quantity: 1 }, headers);
  const own = shop.shopper();
  await own.add('LAMP');
  const there = { 'sec-fetch-site': 'cross-site', origin: PARTNER };
  for (const headers of [there, { ...there, 'sec-fetch-site': 'same-site' }, { origin: PARTNER }, { ...there, 'cart-token': own.cartToken! }, { origin: shop.url }, {}]) {
    (await add(headers as Record<string, string>)).expect(200);
  }
  for (const headers of [{ ...there, cookie: `__Host-cart=${own.cartToken}` }, { ...there, origin: 'https://evil.test' }, { ...there, origin: `${PARTNER}.evil.test` }, { 'sec-fetch-site': 'cross-site' }]) {
    (await add(headers as Record<string, string>)).refused(403, 'cross_site');
  }
  assert.equal((await own.get('/api/v1/cart')).expect(200).quantity, 2);
  const signed = await client.post('/webhooks/stripe', {}, { 'sec-fetch-site': 'cross-site', origin: 'https://stripe.test' });
  signed.refused(400, 'invalid_signature');
});

test('the cart of a browser is kept where scripts and other sites cannot have it', async () => {
  const { headers } = await shop.shopper().send('POST', '/cart/items', 'sku=LAMP&quantity=1', FORM);
  assert.match(headers.get('set-cookie') ?? '', /^__Host-cart=[^;]+; Path=\/; Max-Age=\d+; Secure; HttpOnly; SameSite=Lax$/);
  assert.equal(headers.get('location'), '/cart');
});

test('what is anyone\'s may be kept by caches, what is someone\'s may not', async () => {
  const own = shop.shopper();
  await own.add('LAMP');
  const kept = async (path: string) => (await own.get(path, HTML)).headers.get('cache-control') ?? '';
  for (const path of ['/api/v1/products', '/api/v1/products/lamp', '/products', '/products/lamp']) assert.match(await kept(path), /^public, /, path);
  for (const path of ['/cart', '/api/v1/cart', '/checkout', '/api/v1/nowhere', '/readyz']) assert.equal(await kept(path), 'no-store', path);
});

test('what a page links is kept for ever under the hash of its content', async (t) => {
  const page = (await client.get('/products/lamp', HTML)).text;
  const linked = [...page.matchAll(/(?:src|srcset|href)="(\/[^"]+\.(?:css|js|svg|png))"/g)].map(([, path]) => path!).filter((path) => path !== '/favicon.svg');
  assert.ok(linked.some((path) => path.endsWith('.css')) && linked.some((path) => path.endsWith('.js')), page);
  for (const path of new Set(linked)) await t.test(path, async () => {
    const [, hash] = path.match(/^\/assets\/.+\.([0-9a-f]{12})\.\w+$/) ?? [];
    const answer = await fetch(shop.url + path);
    const { status, headers } = answer;
    assert.equal(status, 200);
    assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(createHash('sha256').update(Buffer.from(await answer.arrayBuffer())).digest('hex').slice(0, 12), hash);
  });
});

test('a page that a cache kept over a deploy finds the file that it links', async () => {
  const outdated = await client.get('/assets/css/shop.000000000000.css');
  assert.deepEqual([outdated.status, outdated.headers.get('cache-control')], [302, 'no-store']);
  const { status, headers } = await client.get(outdated.headers.get('location')!);
  assert.deepEqual([status, headers.get('content-type')], [200, 'text/css; charset=utf-8']);
  (await client.get('/assets/css/nothing.000000000000.css')).refused(404, 'not_found');
});

test('a file under its own name is asked for anew', async () => {
  const { status, headers } = await client.get('/css/shop.css');
  assert.deepEqual([status, headers.get('content-type')], [200, 'text/css; charset=utf-8']);
  assert.match(headers.get('cache-control') ?? '', /max-age=0, must-revalidate/);
  assert.equal((await client.get('/css/shop.css', { 'if-none-match': headers.get('etag')! })).status, 304);
});

/** Sends a path exactly as written, without a client that normalizes it. */
function asIs(method: string, path: string): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; text: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(shop.url);
    request({ hostname, port, method, path, headers: HTML }, async (answer) => {
      const text = Buffer.concat(await answer.toArray()).toString();
      resolve({ status: answer.statusCode, headers: answer.headers, text });
    }).on('error', reject).end();
  });
}

/** Returns the headers of a response, without those that differ each time. */
function described({ headers }: Answer) {
  const anew = new Set(['x-request-id', 'date', 'content-length', 'cart-token', 'etag', 'transfer-encoding', 'content-encoding', 'connection', 'keep-alive']);
  return Object.fromEntries([...headers].filter(([name]) => !anew.has(name)));
}

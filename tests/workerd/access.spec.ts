/**
 * Access: every route of the router × each kind of caller. The routes are read from
 * `src/web/routes`, so that a new route without a case here fails, as does a staff route without a
 * permission. A denial is asserted by its response and by the absence of an effect.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Client, Json } from './client.ts';
import { eventually } from './eventually.ts';
import { SECRETS, startShop, type Shop } from './shop.ts';

const FOLDER = join(import.meta.dirname, '../../src/web/routes');
const ROUTER = ['pages', 'api', 'staff', 'files'].map((table) => readFileSync(join(FOLDER, `${table}.rs`), 'utf8')).join('');
const ROUTES = [...ROUTER.matchAll(/^ +(Get|Post|Put|Delete|Patch) +"([^"]+)" +(\w+)(?:\((\w+)\))? +\w+ +[\w:]+(?:, \w+)?;$/gm)]
  .map(([, method, pattern, access, permission]) => ({ route: `${method!.toUpperCase()} ${pattern}`, access, permission }));

/** The smallest possible picture, and the address where it is served. */
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const GIF_PATH = '/media/54mvlltvpsfzm3edesbvamy32m-1x1.gif';

/** Requests by staff, and a check that each had its effect. */
const STAFF_CALLS: Record<string, { send: (client: Client) => ReturnType<Client['get']>; effect: () => Promise<unknown>; status?: number }> = {
  'POST /api/v1/admin/catalog/import': {
    send: (client) => client.send('POST', '/api/v1/admin/catalog/import', csvOf({ sku: 'NEW' }), { 'content-type': 'text/csv' }),
    effect: () => shop.rows('SELECT sku FROM variants ORDER BY sku'),
  },
  'POST /api/v1/admin/catalog/publish': {
    send: (client) => client.post('/api/v1/admin/catalog/publish'),
    effect: () => shop.rows('SELECT seq FROM publishes'),
  },
  'GET /api/v1/admin/catalog/export': {
    send: (client) => client.get('/api/v1/admin/catalog/export'),
    effect: async () => null,
  },
  'GET /api/v1/admin/catalog/publishes/{seq}': {
    send: (client) => client.get('/api/v1/admin/catalog/publishes/1'),
    effect: async () => null,
  },
  'DELETE /api/v1/admin/catalog/publishes/{seq}': {
    send: async (client) => {
      if (client === shop.staff) await shop.rows("INSERT INTO publishes (seq, version, created_at, state) VALUES (1000, '', 0, 'running')");
      return client.delete('/api/v1/admin/catalog/publishes/1000');
    },
    effect: () => shop.rows('SELECT seq, state FROM publishes'),
  },
  'POST /api/v1/admin/catalog/rollback': {
    send: (client) => client !== shop.staff ? client.post('/api/v1/admin/catalog/rollback') : eventually(async () => {
      const answer = await client.post('/api/v1/admin/catalog/rollback');
      answer.expect(200);
      return answer;
    }),
    effect: () => shop.rows('SELECT seq FROM current_publish'),
  },
  'POST /api/v1/products': {
    send: (client) => client.post('/api/v1/products', { title: 'Made by staff', variants: [{ sku: 'STAFF', prices: [{ amount: 500, currency: 'USD' }] }] }),
    effect: () => shop.rows('SELECT sku FROM variants ORDER BY sku'),
    status: 201,
  },
  'PUT /api/v1/products/{id}': {
    send: async (client) => client.put(`/api/v1/products/${await idOf('lamp')}`, { title: 'Lamp', handle: 'lamp', variants: [{ sku: 'LAMP', prices: [{ amount: 700, currency: 'USD' }] }] }),
    effect: () => shop.rows('SELECT amount FROM prices ORDER BY variant_id, currency'),
  },
  'DELETE /api/v1/products/{id}': {
    send: async (client) => client.delete(`/api/v1/products/${await idOf('made-by-staff')}`),
    effect: () => shop.rows('SELECT sku FROM variants ORDER BY sku'),
    status: 204,
  },
  'GET /api/v1/admin/products/{id}': {
    send: async (client) => client.get(`/api/v1/admin/products/${await idOf('lamp')}`),
    effect: async () => null,
  },
  'GET /api/v1/admin/media': {
    send: (client) => client.get('/api/v1/admin/media'),
    effect: async () => null,
  },
  'POST /api/v1/admin/media': {
    send: (client) => client.send('POST', '/api/v1/admin/media', GIF),
    effect: async () => (await shop.staff.get(GIF_PATH)).status,
    status: 201,
  },
  'DELETE /api/v1/admin/media/{name}': {
    send: (client) => client.delete(`/api/v1/admin${GIF_PATH}`),
    effect: async () => (await shop.staff.get(GIF_PATH)).status,
    status: 204,
  },
  'GET /api/v1/admin/settings': {
    send: (client) => client.get('/api/v1/admin/settings'),
    effect: async () => null,
  },
  'PUT /api/v1/admin/settings': {
    send: async (client) => {
      const { version, ...settings } = (await shop.staff.get('/api/v1/admin/settings')).expect(200);
      return client.put('/api/v1/admin/settings', settings);
    },
    effect: () => shop.rows('SELECT version FROM settings'),
  },
  ...Object.fromEntries(['currencies', 'markets', 'tax-zones', 'shipping-zones', 'promotions'].flatMap((section) => {
    const path = `/api/v1/admin/settings/${section}`;
    return [
      [`GET ${path}`, { send: (client: Client) => client.get(path), effect: async () => null }],
      [`PUT ${path}`, {
        send: async (client: Client) => {
          const { version, ...settings } = (await shop.staff.get(path)).expect(200);
          return client.put(path, settings);
        },
        effect: () => shop.rows('SELECT version FROM settings'),
      }],
    ];
  })),
  'GET /api/v1/admin/scheduled-prices/{sku}': {
    send: (client) => client.get('/api/v1/admin/scheduled-prices/LAMP'),
    effect: async () => null,
  },
  'PUT /api/v1/admin/scheduled-prices/{sku}': {
    send: (client) => client.put('/api/v1/admin/scheduled-prices/LAMP', { prices: [{ currency: 'USD', amount: 500, valid_from: '2099-01-01T00:00:00Z' }] }),
    effect: () => shop.rows('SELECT sku FROM scheduled_prices'),
  },
  'GET /api/v1/admin/stock/{sku}': {
    send: (client) => client.get('/api/v1/admin/stock/LAMP'),
    effect: async () => null,
  },
  'GET /api/v1/admin/stock/{sku}/movements': {
    send: (client) => client.get('/api/v1/admin/stock/LAMP/movements'),
    effect: async () => null,
  },
  'GET /api/v1/admin/stock/{sku}/check': {
    send: (client) => client.get('/api/v1/admin/stock/LAMP/check'),
    effect: async () => null,
  },
  'POST /api/v1/admin/stock/{sku}/repair': {
    send: (client) => client.post('/api/v1/admin/stock/LAMP/repair'),
    effect: async () => (await shop.staff.get('/api/v1/admin/stock/LAMP/movements')).expect(200),
  },
  'POST /api/v1/admin/stock/{sku}': {
    send: (client) => client.post('/api/v1/admin/stock/LAMP', { receive: 5 }),
    effect: () => shop.stock('LAMP'),
  },
  'GET /api/v1/admin/findings': {
    send: (client) => client.get('/api/v1/admin/findings'),
    effect: async () => null,
  },
  'POST /api/v1/admin/findings/{id}/close': {
    send: (client) => client.post('/api/v1/admin/findings/fnd_1/close', { note: 'a test' }),
    effect: () => shop.rows('SELECT closed_by, closing_note FROM findings'),
  },
  'POST /api/v1/orders/{id}/fulfillments': {
    send: (client) => client.post(`/api/v1/orders/${sold.id}/fulfillments`, {}, { 'idempotency-key': 'parcel' }),
    effect: () => shop.rows('SELECT id FROM fulfillments'),
    status: 201,
  },
  'POST /api/v1/orders/{id}/fulfillments/{fulfillment_id}/delivered': {
    send: async (client) => client.post(`/api/v1/orders/${sold.id}/fulfillments/${(await shop.rows('SELECT id FROM fulfillments'))[0]?.['id']}/delivered`),
    effect: () => shop.rows('SELECT delivered_at FROM fulfillments'),
  },
  'POST /api/v1/orders/{id}/returns': {
    send: (client) => client.post(`/api/v1/orders/${sold.id}/returns`, { lines: [{ sku: 'LAMP', quantity: 1 }], restock: true }, { 'idempotency-key': 'return' }),
    effect: () => shop.rows('SELECT id FROM returns'),
    status: 201,
  },
  'POST /api/v1/orders/{id}/refunds': {
    send: (client) => client.post(`/api/v1/orders/${sold.id}/refunds`, { amount: { amount: 1, currency: 'USD' } }, { 'idempotency-key': 'refund' }),
    effect: () => shop.rows('SELECT id FROM refunds'),
    status: 201,
  },
  'PUT /api/v1/orders/{id}/status': {
    send: (client) => client.put(`/api/v1/orders/${unpaid.id}/status`, { status: 'cancelled' }),
    effect: () => shop.rows('SELECT status FROM orders WHERE id = ?', unpaid.id),
  },
  'GET /api/v1/admin/payments/{order_id}': {
    send: (client) => client.get(`/api/v1/admin/payments/${sold.id}`),
    effect: async () => null,
  },
  'GET /api/v1/admin/payments/provider': {
    send: (client) => client.get('/api/v1/admin/payments/provider'),
    effect: async () => null,
  },
  'GET /api/v1/admin/dead-letters': {
    send: (client) => client.get('/api/v1/admin/dead-letters'),
    effect: async () => null,
  },
  'GET /api/v1/admin/dead-letters/{id}': {
    send: (client) => client.get('/api/v1/admin/dead-letters/dl_0'),
    effect: async () => null,
  },
  'POST /api/v1/admin/dead-letters/{id}/replay': {
    send: (client) => client.post('/api/v1/admin/dead-letters/dl_0/replay'),
    effect: () => shop.rows('SELECT status FROM dead_letters ORDER BY id'),
  },
  'POST /api/v1/admin/dead-letters/{id}/discard': {
    send: (client) => client.post('/api/v1/admin/dead-letters/dl_1/discard', { reason: 'a test' }),
    effect: () => shop.rows('SELECT status FROM dead_letters ORDER BY id'),
  },
  'POST /api/v1/admin/dead-letters/replay': {
    send: (client) => client.post('/api/v1/admin/dead-letters/replay'),
    effect: () => shop.rows('SELECT status FROM dead_letters ORDER BY id'),
  },
};

/** Adds dead letters about events that concern no order: replaying them writes nothing else. */
async function seedDeadLetters() {
  for (const id of [0, 1, 2]) {
    const payload = JSON.stringify({ id: `evt_${id}`, type: 'x.y', livemode: false, data: { object: {} } });
    await shop.rows('INSERT INTO webhook_events (id, kind, payload, received_at, processed_at) VALUES (?, ?, ?, 0, 0)', `evt_${id}`, 'x.y', payload);
    await shop.rows('INSERT INTO dead_letters (id, queue, body, attempts, buried_at) VALUES (?, ?, ?, 1, 0)', `dl_${id}`, 'stripe-events-dead', `evt_${id}`);
  }
}

const idOf = async (handle: string) => (await shop.rows<{ id: string }>('SELECT id FROM products WHERE handle = ?', handle))[0]!.id;

let shop: Shop;
let sold: Json;
let unpaid: Json;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP' }));
  sold = await shop.shopper().buy('LAMP');
  await shop.press(sold, 'pay');
  await shop.settled(sold, 'confirmed');
  await eventually(async () => assert.equal((await shop.rows('SELECT id FROM mails WHERE sent_at IS NOT NULL')).length, 1));
  unpaid = await shop.shopper().buy('LAMP');
  await seedDeadLetters();
  await shop.rows("INSERT INTO findings (id, kind, subject, error, found_at) VALUES (1, 'storage', 'database', 'a test', ?)", Date.now());
});
after(() => shop.close());

test('the table of routes reads', () => {
  assert.ok(ROUTES.length > 20);
  const tables = ROUTER.split('routes! {').slice(1).map((table) => table.split('};')[0]!);
  assert.equal(ROUTES.length, tables.join('').match(/;/g)?.length);
  assert.deepEqual([...new Set(ROUTES.map(({ access }) => access))].sort(), ['Anyone', 'Developer', 'Signed', 'Staff']);
});

test('every route for staff, and no other, names a permission that staff can be given', () => {
  const permissions = readFileSync(join(import.meta.dirname, '../../src/shop/customers/permissions.rs'), 'utf8');
  const known = [...permissions.split('pub enum Permission {')[1]!.split('}')[0]!.matchAll(/^ +(\w+),$/gm)].map(([, name]) => name!);
  for (const { route, access, permission } of ROUTES) {
    assert.equal(permission !== undefined, access === 'Staff', route);
    assert.ok(permission === undefined || known.includes(permission), route);
    if (permission !== undefined) assert.equal(permission.startsWith('Read'), route.startsWith('GET '), route);
  }
  assert.deepEqual(new Set(ROUTES.map(({ permission }) => permission).filter((it) => it !== undefined)), new Set(known.filter((name) => name !== 'ReadOrders')));
});

test('every route for staff is denied to everyone else, without effect, and open to staff', async (t) => {
  const routes = ROUTES.filter(({ access }) => access === 'Staff').map(({ route }) => route);
  assert.deepEqual(Object.keys(STAFF_CALLS).sort(), routes.sort());
  const shopper = shop.shopper();
  await shopper.buy('LAMP');
  const key = SECRETS.ADMIN_API_KEY;
  const others: Record<string, Client> = {
    nobody: shop.shopper(),
    'a shopper': shopper,
    ...Object.fromEntries(['Bearer', 'Bearer ', `Bearer ${key}x`, `Bearer ${key.slice(0, -1)}`, `Bearer ${key.toUpperCase()}`, `Basic ${key}`, key, `Bearer  ${key}`,
      `Bearer ${SECRETS.SIGNING_KEY}`].map((authorization) => [authorization, shop.shopper({ authorization })])),
  };
  for (const [route, { send, effect, status = 200 }] of Object.entries(STAFF_CALLS)) await t.test(route, async () => {
    const before = [await shop.counts(), await effect()];
    for (const [who, client] of Object.entries(others)) {
      const denied = await send(client);
      denied.refused(401, 'staff_only');
      assert.equal(denied.headers.get('www-authenticate'), 'Bearer', who);
    }
    assert.deepEqual([await shop.counts(), await effect()], before);
    const open = await send(shop.staff);
    assert.equal(open.status, status, open.text);
    if (!route.startsWith('GET ')) assert.notDeepEqual(await effect(), before[1]);
  });
});

test('what is a developer\'s is there on their own machine alone', async (t) => {
  const routes = ROUTES.filter(({ access }) => access === 'Developer').map(({ route }) => route.split(' ') as [string, string]);
  assert.ok(routes.length > 0);
  for (const [method, path] of routes) await t.test(path, async () => {
    const port = new URL(shop.url).port;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) assert.equal(await statusAt(host, method, path), 200, host);
    for (const host of ['shop.test', 'evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', '0.0.0.0', '10.0.0.1']) {
      assert.equal(await statusAt(host, method, path), 404, host);
    }
  });
});

test('a shop that is not in development opens none of a developer\'s doors, at home either', async (t) => {
  const tried = await startShop({ vars: { ENVIRONMENT: 'staging', MAIL_PROVIDER: 'resend', MAIL_FROM: 'Shop <orders@shop.test>' } });
  t.after(() => tried.close());
  assert.equal((await tried.shopper().get('/healthz')).status, 200);
  const doors = ROUTES.filter(({ access }) => access === 'Developer').map(({ route }) => route.split(' ') as [string, string]);
  for (const [method, path] of doors) for (const client of [tried.shopper(), tried.staff]) {
    assert.equal((await client.send(method, path)).status, 404, path);
  }
});

/** Returns the status of the response to a request for another host. */
function statusAt(host: string, method: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(shop.url);
    request({ hostname, port, method, path, headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', reject).end();
  });
}

test('every route for anyone answers anyone, with anything, and never fails', async (t) => {
  for (const { route } of ROUTES.filter(({ access }) => access !== 'Staff')) await t.test(route, async () => {
    const [method, pattern] = route.split(' ') as [string, string];
    for (const segment of ['LAMP', 'lamp', 'ord_nothing', "'--", '%2F', '..%2f..', '%F0%9F%92%A5', 'x'.repeat(5000)]) {
      const path = pattern.replaceAll(/\{\w+\}/g, segment);
      for (const body of method === 'GET' ? [undefined] : ['', '{}', '\0', '\u{1F4A5}']) {
        for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
          const answer = await shop.shopper().send(method, path, body, { 'content-type': type });
          assert.ok(answer.status < 500, `${method} ${path.slice(0, 100)} with ${JSON.stringify(body)}: ${answer.status} ${answer.text}`);
        }
      }
    }
  });
  assert.deepEqual(shop.log.filter((line) => line.includes('"level":"fatal"')), []);
});

/**
 * Without real secrets, no payment begins and no webhook is accepted. Production only talks to the
 * real provider, and does not start with guessable secrets. A signing key is rolled while a shopper
 * is active, and records name the staff members who have keys of their own.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stripe } from 'stripe';
import { unstable_readConfig } from 'wrangler';
import { csvOf } from './catalog.ts';
import type { Client, Json } from './client.ts';
import { SECRETS, startShop, type Shop } from './shop.ts';

const OTHER_KEY = 'Zk3vQ9xLr0TfWm7aYpBn2sEdHu5gJc8K';
const OLD_KEY = 'f3a91c07be5d42868a0e6bd1974fc25e';
const NEW_KEY = 'b7c25d90e18f4a6372bd5fe09a3c6411';

const ROOT = join(import.meta.dirname, '../..');
const SECRET_NAMES = Object.keys(SECRETS);

const PRODUCTION = {
  ENVIRONMENT: 'production', STRIPE_API_BASE: 'https://api.stripe.com', SHOP_URL: 'https://shop.test',
  MAIL_PROVIDER: 'resend', MAIL_FROM: 'Shop <orders@shop.test>',
  SIGNING_KEY: OLD_KEY,
};

const UNUSABLE: Record<string, Record<string, string>> = {
  'no payment key': { STRIPE_SECRET_KEY: '' },
  'no endpoint secret': { STRIPE_WEBHOOK_SECRET: '' },
  'a test key in production': PRODUCTION,
  'a placeholder in production': { ...PRODUCTION, STRIPE_SECRET_KEY: 'sk_live_your_key', STRIPE_WEBHOOK_SECRET: 'whsec_your_secret' },
};

for (const [name, vars] of Object.entries(UNUSABLE)) test(`with ${name} the shop shows its goods and takes no payment`, () => withShop(vars, async (shop) => {
  await shop.importCatalog(csvOf({ sku: 'LAMP' }));
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const { id } = await buyer.quote();
  const before = await shop.counts();
  const refused = await buyer.order(id);
  refused.refused(503, 'payments_not_configured');
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  const payload = JSON.stringify({ id: 'evt_1', type: 'x', livemode: false, data: { object: {} } });
  const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRETS.STRIPE_WEBHOOK_SECRET });
  (await shop.shopper().send('POST', '/webhooks/stripe', payload, { 'stripe-signature': signature })).refused(503, 'payments_not_configured');
  assert.equal((await shop.shopper().get('/readyz')).status, 503);
  assert.deepEqual(await shop.counts(), before);
  assert.equal(shop.sandbox.account.sessions.size, 0);
}));

const RECEIVER = 'https://hooks.shop.test/findings';

test('who asks whether the shop is ready is told that findings are half set up, and the shop is open', () => withShop({ FINDINGS_WEBHOOK_URL: RECEIVER }, async (shop) => {
  assert.equal((await shop.shopper().get('/readyz')).status, 503);
  assert.deepEqual((await shop.staff.get('/readyz')).expect(503).checks.secrets, 'failed');
  assert.ok(shop.log.some((line) => line.includes('not_ready') && line.includes('FINDINGS_WEBHOOK_SECRET')));
  assert.equal((await shop.shopper().get('/products')).status, 200);
}));

test('production is opened with findings set up in full, and with the secret alone, which is set first', async () => {
  const secret = { FINDINGS_WEBHOOK_SECRET: `whsec_${OTHER_KEY}` };
  for (const vars of [secret, { ...secret, FINDINGS_WEBHOOK_URL: RECEIVER, FINDINGS_MAIL: 'staff@shop.test' }]) {
    await withShop({ ...PRODUCTION, ...vars }, async (shop) => assert.equal((await shop.shopper().get('/healthz')).status, 200));
  }
});

/** Settings with which production refuses to start, and the variable that the log names. */
const CLOSED: Record<string, [variable: string, vars: Record<string, string>]> = {
  'a sandbox behind it': ['payments must go to Stripe', { STRIPE_API_BASE: 'http://127.0.0.1:8788' }],
  'a signing key that is too short': ['SIGNING_KEY', { SIGNING_KEY: OLD_KEY.slice(1) }],
  'a signing key of one letter': ['SIGNING_KEY', { SIGNING_KEY: 'a'.repeat(64) }],
  'a second signing key that is a placeholder': ['SIGNING_KEY', { SIGNING_KEY: `${OLD_KEY},changeme-${NEW_KEY}` }],
  'no signing key': ['SIGNING_KEY', { SIGNING_KEY: ' , ' }],
  'a key of staff that is too short': ['ADMIN_API_KEY', { ADMIN_API_KEY: 'staff_key_of_the_tests' }],
  'a key of staff that is the signing key': ['ADMIN_API_KEY', { ADMIN_API_KEY: OLD_KEY }],
  'a named key that is weak': ['STAFF_KEYS', { STAFF_KEYS: 'anna:secret-secret-secret-secret-secret' }],
  'a list of keys that does not read': ['STAFF_KEYS', { STAFF_KEYS: NEW_KEY }],
  'mails that are only logged': ['MAIL_PROVIDER', { MAIL_PROVIDER: 'log' }],
  'a sender that is made up': ['MAIL_FROM', { MAIL_FROM: 'Shop <orders@example.com>' }],
  'a sender that is no address': ['MAIL_FROM', { MAIL_FROM: 'Shop orders@shop.test' }],
  'a sender whose host is none': ['MAIL_FROM', { MAIL_FROM: 'Shop <orders@shop..test>' }],
  'an address without encryption': ['SHOP_URL', { SHOP_URL: 'http://shop.test' }],
  'findings that nothing signs': ['FINDINGS_WEBHOOK_SECRET', { FINDINGS_WEBHOOK_URL: RECEIVER }],
  'findings signed with what is no secret': ['FINDINGS_WEBHOOK_SECRET', { FINDINGS_WEBHOOK_URL: RECEIVER, FINDINGS_WEBHOOK_SECRET: NEW_KEY }],
  'findings signed with a key of one letter': ['FINDINGS_WEBHOOK_SECRET', { FINDINGS_WEBHOOK_URL: RECEIVER, FINDINGS_WEBHOOK_SECRET: `whsec_${'A'.repeat(32)}` }],
  'findings signed with a key of staff': ['FINDINGS_WEBHOOK_SECRET', { FINDINGS_WEBHOOK_URL: RECEIVER, FINDINGS_WEBHOOK_SECRET: `whsec_${OTHER_KEY}`, ADMIN_API_KEY: OTHER_KEY }],
  'findings posted without encryption': ['FINDINGS_WEBHOOK_URL', { FINDINGS_WEBHOOK_URL: 'http://hooks.shop.test', FINDINGS_WEBHOOK_SECRET: `whsec_${OTHER_KEY}` }],
  'findings mailed to no address': ['FINDINGS_MAIL', { FINDINGS_MAIL: 'staff' }],
  'a challenge by the keys for tests': ['TURNSTILE_SITE_KEY', { TURNSTILE_SITE_KEY: '1x00000000000000000000AA', TURNSTILE_SECRET: '1x0000000000000000000000000000000AA' }],
  'a challenge by the secret for tests': ['TURNSTILE_SECRET', { TURNSTILE_SITE_KEY: '0x4AAAAAAABkMYinukE8nzYS', TURNSTILE_SECRET: '2x0000000000000000000000000000000AA' }],
  'a challenge without its secret': ['TURNSTILE_SECRET', { TURNSTILE_SITE_KEY: '0x4AAAAAAABkMYinukE8nzYS' }],
  'a stand-in for the challenge': ['TURNSTILE_API_BASE', { TURNSTILE_API_BASE: 'http://127.0.0.1:9' }],
  'an address that is made up': ['SHOP_URL', { SHOP_URL: 'https://shop.example.com' }],
};

for (const [name, [variable, vars]] of Object.entries(CLOSED)) test(`production with ${name} answers nothing, and the log says why`, () => withShop({ ...PRODUCTION, ...vars }, async (shop) => {
  for (const path of ['/', '/api/v1/products', '/healthz', '/api/v1/admin/findings']) {
    const { status, headers, text } = await shop.shopper().get(path);
    assert.deepEqual([status, JSON.parse(text).code, headers.get('retry-after')], [503, 'not_configured', '60'], path);
    const told = SECRET_NAMES.filter((name) => text.includes(name));
    assert.deepEqual(told, SECRET_NAMES.filter((name) => vars[name]?.trim() === ','), 'what is set is not spoken of');
    assert.ok(told.includes(variable) || !text.includes(variable), text);
    for (const other of [OLD_KEY, NEW_KEY, OTHER_KEY, 'https']) assert.ok(!text.includes(other), text);
  }
  assert.ok(shop.log.some((line) => line.includes('config: ') && line.includes(variable)), shop.log.join('\n'));
  for (const secret of [OLD_KEY, NEW_KEY, OTHER_KEY]) assert.ok(!shop.log.some((line) => line.includes(secret)));
}));

test('a shop deployed as it comes from the repository answers 503, with the secrets that are missing and the way out', async () => {
  const { vars } = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') }, { hideWarnings: true });
  const deployed = Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, String(value)]));
  const unset = Object.fromEntries(SECRET_NAMES.map((name) => [name, '']));
  await withShop({ ...deployed, ...unset }, async (shop) => {
    for (const path of ['/', '/products', '/_design', '/api/v1/products', '/healthz', '/api/v1/admin/findings']) {
      const { status, body, headers } = await shop.shopper().get(path, { accept: 'text/html' });
      assert.deepEqual([status, body.code, headers.get('cache-control')], [503, 'not_configured', 'no-store'], path);
      for (const named of [...SECRET_NAMES, 'npx wrangler secret put', 'npm run dev']) assert.ok(body.detail.includes(named), body.detail);
    }
  });
  for (const name of SECRET_NAMES) await withShop({ ...PRODUCTION, [name]: '' }, async (shop) => {
    const { detail } = (await shop.shopper().get('/')).expect(503);
    assert.deepEqual(SECRET_NAMES.filter((other) => detail.includes(other)), [name]);
  });
});

test('a signing key is rolled under a shopper: carts and links of the old key are known until it is retired', async () => {
  for (const { keys, believed } of [{ keys: `${NEW_KEY}, ${OLD_KEY}`, believed: true }, { keys: NEW_KEY, believed: false }]) await withShop({ SIGNING_KEY: keys }, async (shop) => {
    await shop.importCatalog(csvOf({ sku: 'LAMP' }));
    const buyer = shop.shopper();
    const order = await buyer.buy('LAMP');
    const [cartId] = buyer.cartToken!.split('.') as [string];
    assert.equal(buyer.cartToken, `${cartId}.${signature(NEW_KEY, 'cart', cartId)}`);
    const cartOf = (key: string) => shop.shopper().get('/api/v1/cart', { 'cart-token': `${cartId}.${signature(key, 'cart', cartId)}` });
    const orderOf = (key: string) => shop.shopper().get(`/api/v1/orders/${order.id}?token=${signature(key, 'order', order.id)}`);
    const ofOld = await cartOf(OLD_KEY);
    assert.deepEqual([ofOld.status, (await orderOf(OLD_KEY)).status], believed ? [200, 200] : [401, 404]);
    if (believed) assert.equal(ofOld.headers.get('cart-token'), buyer.cartToken, 'a cart is signed anew');
    assert.deepEqual([(await cartOf(NEW_KEY)).status, (await orderOf(NEW_KEY)).status], [200, 200]);
    assert.deepEqual([(await cartOf(OTHER_KEY)).status, (await orderOf(OTHER_KEY)).status], [401, 404]);
  });
});

test('records name whoever of staff has a key of their own, to staff alone', () => withShop({ STAFF_KEYS: `anna:${OLD_KEY},ware-house_2:${NEW_KEY}` }, async (shop) => {
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 10 }));
  const [anna, warehouse] = [OLD_KEY, NEW_KEY].map((key) => shop.shopper({ authorization: `Bearer ${key}` })) as [Client, Client];
  (await shop.shopper({ authorization: `Bearer anna:${OLD_KEY}` }).get('/api/v1/admin/findings')).refused(401, 'staff_only');

  const buyer = shop.shopper();
  const order = await buyer.buy('LAMP');
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  (await warehouse.post(`/api/v1/orders/${order.id}/fulfillments`, {}, { 'idempotency-key': 'parcel' })).expect(201);
  (await anna.post(`/api/v1/orders/${order.id}/refunds`, { amount: { amount: 1, currency: 'USD' } }, { 'idempotency-key': 'refund' })).expect(201);
  const actors = async (client: Client) => (await client.get(`/api/v1/orders/${order.id}`)).expect(200).timeline.map(({ event, actor }: Json) => `${event} by ${actor}`);
  assert.deepEqual((await actors(anna)).filter((line: string) => line.includes('staff')), ['shipped by staff:ware-house_2', 'refund_promised by staff:anna']);
  assert.deepEqual((await actors(buyer)).filter((line: string) => line.includes('staff')), ['shipped by staff', 'refund_promised by staff']);

  for (const client of [anna, warehouse, shop.staff]) {
    for (const repeat of [false, true]) {
      const received = await client.post('/api/v1/admin/stock/LAMP', { receive: 1 }, { 'idempotency-key': 'receive' });
      assert.equal(received.headers.has('idempotent-replayed'), repeat);
    }
  }
  const { data } = (await shop.staff.get('/api/v1/admin/stock/LAMP/movements?limit=3')).expect(200);
  assert.deepEqual(data.map(({ actor }: Json) => actor), ['staff', 'staff:ware-house_2', 'staff:anna']);

  await shop.rows("INSERT INTO dead_letters (id, queue, body, attempts, buried_at) VALUES ('dl_1', 'outgoing-dead', '{}', 1, 0)");
  assert.equal((await anna.post('/api/v1/admin/dead-letters/dl_1/discard', { reason: 'a test' })).expect(200).resolved_by, 'staff:anna');
}));

/** Returns the signature of an ID by the shop's key. */
function signature(key: string, purpose: string, id: string): string {
  const tag = createHmac('sha256', key).update(`${purpose}\0${id}`).digest().subarray(0, 16);
  const bits = [...tag].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.match(/.{1,5}/g)!.map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[parseInt(five.padEnd(5, '0'), 2)]).join('');
}

async function withShop(vars: Record<string, string>, use: (shop: Shop) => Promise<unknown>): Promise<void> {
  const shop = await startShop({ vars });
  try {
    await use(shop);
  } finally {
    await shop.close();
  }
}

/**
 * The challenge of checkout: with a solution, orders may exceed a network's limit on pending ones;
 * without one, only a few are accepted, but nobody is stranded.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Answer, Client } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';
import { startSiteverify } from './siteverify.ts';

const SITE_KEY = '0x4AAAAAAABkMYinukE8nzYS';
const SECRET = '0x4AAAAAAABkMYinukE8nzYSsecretOfTheTests';
const CLOUDFLARE = 'https://challenges.cloudflare.com';
/** Maximum orders without a proof from one network in ten minutes. */
const UNPROVED = 5;
/** Maximum pending orders from one network. */
const PENDING = 7;

let siteverify: Awaited<ReturnType<typeof startSiteverify>>;
let shop: Shop;
let off: Shop;
before(async () => {
  siteverify = await startSiteverify({ secret: SECRET, hostname: '127.0.0.1' });
  const limits = { PENDING_ORDERS_PER_NETWORK: String(PENDING) };
  shop = await startShop({ vars: { ...limits, TURNSTILE_SITE_KEY: SITE_KEY, TURNSTILE_SECRET: SECRET, TURNSTILE_API_BASE: siteverify.url } });
  off = await startShop({ vars: { ...limits, TURNSTILE_SECRET: SECRET, TURNSTILE_API_BASE: siteverify.url } });
  for (const each of [shop, off]) await each.importCatalog(csvOf({ sku: 'LAMP', quantity: 10_000 }, { sku: 'SCARCE', quantity: 1 }));
});
after(() => Promise.all([shop, off, siteverify].map((each) => each?.close())));

let networks = 0;
/** Returns an IPv6 network whose addresses all differ. */
function network() {
  const subnet = (networks += 1).toString(16);
  let host = 0;
  return () => `2001:db8:${subnet}:1::${(host += 1).toString(16)}`;
}

let tokens = 0;
const token = (kind: string) => `${kind}-${(tokens += 1)}.${'x'.repeat(300)}`;

async function quoted(at: Shop, sku = 'LAMP', quantity = 1): Promise<{ buyer: Client; quoteId: string }> {
  const buyer = at.shopper();
  await buyer.add(sku, quantity);
  return { buyer, quoteId: (await buyer.quote()).id };
}

type Ask = { address: string; token?: string; key?: string };
const order = (buyer: Client, quoteId: string, { address, token, key = randomUUID() }: Ask): Promise<Answer> =>
  buyer.post('/api/v1/orders', { quote_id: quoteId }, { 'idempotency-key': key, 'cf-connecting-ip': address, ...(token !== undefined && { 'challenge-token': token }) });

async function orderOnce(at: Shop, ask: Ask): Promise<Answer> {
  const { buyer, quoteId } = await quoted(at);
  return order(buyer, quoteId, ask);
}

/** Returns a network that has used up its orders without a proof. */
async function fullNetwork(): Promise<() => string> {
  const address = network();
  for (let at = 0; at < UNPROVED; at++) (await orderOnce(shop, { address: address() })).expect(201);
  return address;
}

function refusedUnproved(answer: Answer): void {
  answer.refused(429, 'too_many_unproved_orders');
  const secs = Number(answer.headers.get('retry-after'));
  assert.ok(Number.isInteger(secs) && secs >= 1 && secs <= 600, `${secs}`);
}

const held = async () => (await shop.stock('LAMP')).held;
const cookie = (buyer: Client) => ({ cookie: `__Host-cart=${buyer.cartToken}`, accept: 'text/html' });
const pageOf = (buyer: Client, path: string) => buyer.get(path, cookie(buyer));
const place = (buyer: Client, path: string, fields: Record<string, string>, address: string) =>
  buyer.send('POST', path, new URLSearchParams(fields).toString(), { ...cookie(buyer), 'content-type': 'application/x-www-form-urlencoded', 'cf-connecting-ip': address });

test('off, there is no widget, no question and no stricter class', async () => {
  const { buyer, quoteId } = await quoted(off);
  const page = await pageOf(buyer, `/checkout/${quoteId}`);
  assert.equal(page.status, 200);
  assert.ok(!page.text.includes('turnstile') && !page.text.includes(CLOUDFLARE));
  assert.ok(!page.headers.get('content-security-policy')!.includes('cloudflare'));
  const address = network();
  for (let at = 0; at < PENDING; at++) (await orderOnce(off, { address: address(), ...(at % 2 && { token: token('bad') }) })).expect(201);
  for (const given of [undefined, token('good')]) (await orderOnce(off, { address: address(), ...(given && { token: given }) })).refused(429, 'too_many_pending_orders');
  assert.deepEqual(siteverify.asked, []);
  assert.deepEqual(await off.rows('SELECT * FROM unproved_orders'), []);
});

test('the widget stands on the page that orders, which alone may load it', async () => {
  const { buyer, quoteId } = await quoted(shop);
  for (const [language, hint, without] of [
    ['', 'A quick check that you are human', 'Without JavaScript this check is skipped'],
    ['/de', 'Eine kurze Prüfung, ob Sie ein Mensch sind', 'Ohne JavaScript entfällt diese Prüfung'],
  ] as const) {
    const page = await pageOf(buyer, `${language}/checkout/${quoteId}`);
    for (const part of [
      `<script src="${CLOUDFLARE}/turnstile/v0/api.js" async defer>`, `class="cf-turnstile" data-sitekey="${SITE_KEY}" data-action="checkout" data-language="${language.slice(1) || 'en'}"`,
      hint, without,
    ]) assert.ok(page.text.includes(part), part);
    const policy = page.headers.get('content-security-policy')!;
    assert.match(policy, new RegExp(`script-src 'self' ${CLOUDFLARE};`));
    assert.match(policy, new RegExp(`frame-src ${CLOUDFLARE}$`));
    assert.ok(!page.text.includes(SECRET));
  }
  for (const path of ['/', '/cart', '/checkout', '/products/lamp', '/orders']) {
    const page = await pageOf(buyer, path);
    assert.ok(!page.text.includes('cf-turnstile') && !page.headers.get('content-security-policy')!.includes('cloudflare'), path);
  }
});

test('without a proof a network orders five times in ten minutes, whatever becomes of the orders', async () => {
  const address = network();
  const { buyer, quoteId } = await quoted(shop);
  const first = (await order(buyer, quoteId, { address: address() })).expect(201);
  (await buyer.post(`/api/v1/orders/${first.id}/cancel`)).expect(200);
  await shop.settled(first, 'cancelled');
  for (let at = 1; at < UNPROVED; at++) (await orderOnce(shop, { address: address() })).expect(201);
  const before = await held();
  refusedUnproved(await orderOnce(shop, { address: address() }));
  assert.equal(await held(), before);
  (await orderOnce(shop, { address: network()() })).expect(201);
  await shop.rows('UPDATE unproved_orders SET placed_at = placed_at - 600000');
  (await orderOnce(shop, { address: address() })).expect(201);
});

test('at once as well, no more than five are placed, and nothing is held for the others', async () => {
  const address = network();
  const carts = await Promise.all(Array.from({ length: 9 }, () => quoted(shop)));
  const before = await held();
  const answers = await Promise.all(carts.map(({ buyer, quoteId }) => order(buyer, quoteId, { address: address() })));
  assert.equal(answers.filter(({ status }) => status === 201).length, UNPROVED, answers.map(({ status, text }) => `${status} ${text.slice(0, 80)}`).join());
  for (const answer of answers) if (answer.status !== 201) refusedUnproved(answer);
  assert.equal(await held() - before, UNPROVED);
  await carts[answers.findIndex(({ status }) => status === 429)]!.buyer.add('LAMP');
});

test('with a proof a network orders on, past what may be pending without one', async () => {
  const address = await fullNetwork();
  const before = siteverify.asked.length;
  for (let at = UNPROVED; at < PENDING + 3; at++) (await orderOnce(shop, { address: address(), token: token('good') })).expect(201);
  (await orderOnce(shop, { address: address() })).refused(429, 'too_many_pending_orders');
  const asked = siteverify.asked.slice(before);
  assert.equal(asked.length, PENDING + 3 - UNPROVED);
  for (const { secret, remoteip, idempotency_key, ...rest } of asked) {
    assert.equal(secret, SECRET);
    assert.match(remoteip!, /^2001:db8:/);
    assert.match(idempotency_key, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(Object.keys(rest), ['response']);
  }
  assert.equal(new Set(asked.map(({ idempotency_key }) => idempotency_key)).size, asked.length);
  assert.equal((await shop.rows('SELECT DISTINCT network FROM unproved_orders')).some(({ network }) => String(network).includes(':')), false, 'an address is kept as its digest alone');
});

test('what is no good solution is none, and its order goes while one without any would', async (t) => {
  const used = token('good');
  (await orderOnce(shop, { address: network()(), token: used })).expect(201);
  const full = await fullNetwork();
  const cases: Record<string, [given: string, told: string | undefined]> = {
    'one that fails': [token('bad'), 'challenge_refused'],
    'one that was used for another order': [used, 'challenge_refused'],
    'one of another site': [token('elsewhere'), 'solved on elsewhere.test'],
    'one for another form': [token('login'), 'challenge_refused'],
    'one that is none': ['', undefined],
    'one that is too long': ['x'.repeat(2049), undefined],
    'one that the provider breaks over': [token('broken'), 'challenge_unanswered'],
    'one that the provider is silent about': [token('silent'), 'challenge_unanswered'],
  };
  for (const [name, [given, told]] of Object.entries(cases)) await t.test(name, async () => {
    const [lines, questions] = [shop.log.length, siteverify.asked.length];
    refusedUnproved(await orderOnce(shop, { address: full(), token: given }));
    (await orderOnce(shop, { address: network()(), token: given })).expect(201);
    const logged = shop.log.slice(lines);
    if (told) await eventually(async () => assert.ok(shop.log.slice(lines).some((line) => line.includes(told)), logged.join('\n')));
    else assert.equal(siteverify.asked.length, questions);
    assert.ok(!shop.log.some((line) => line.includes(SECRET) || (given && line.includes(given))));
  });
});

test('a repeat under its key finds its order, and is asked for no other proof', async () => {
  const address = await fullNetwork();
  const { buyer, quoteId } = await quoted(shop);
  const ask = { address: address(), token: token('good'), key: randomUUID() };
  const placed = (await order(buyer, quoteId, ask)).expect(201);
  const questions = siteverify.asked.length;
  for (const { token, ...others } of [ask, { ...ask, token: undefined }, { ...ask, token: 'good-of-later' }]) {
    const again = await order(buyer, quoteId, { ...others, ...(token && { token }) });
    assert.equal(again.expect(200).id, placed.id);
    assert.equal(again.headers.get('idempotent-replayed'), 'true');
  }
  assert.equal(siteverify.asked.length, questions);
});

test('a repeat of what was refused for want of stock goes by the proof that it has shown before', async () => {
  const address = await fullNetwork();
  const { buyer, quoteId } = await quoted(shop, 'SCARCE', 2);
  const ask = { address: address(), token: token('good'), key: randomUUID() };
  (await order(buyer, quoteId, ask)).refused(409, 'sold_out');
  (await shop.staff.post('/api/v1/admin/stock/SCARCE', { receive: 5 })).expect(200);
  await eventually(async () => (await order(buyer, quoteId, ask)).expect(201));
  const asked = siteverify.asked.filter(({ response }) => response === ask.token);
  assert.ok(asked.length >= 2);
  assert.equal(new Set(asked.map(({ idempotency_key }) => idempotency_key)).size, 1);
  refusedUnproved(await orderOnce(shop, { address: address(), token: ask.token }));
});

test('on a page who is refused for want of a proof reads why, finds the check there, and orders by it', async (t) => {
  for (const [language, ...told] of [
    ['', 'Your order has not been placed yet', 'without the check that you are human', 'Please try again in'],
    ['/de', 'Ihre Bestellung wurde noch nicht abgeschickt', 'ohne die Prüfung, ob Sie ein Mensch sind', 'Sekunden'],
  ] as const) await t.test(language || '/en', async () => {
    const address = await fullNetwork();
    const { buyer, quoteId } = await quoted(shop);
    const path = `${language}/checkout/${quoteId}`;
    const refused = await place(buyer, path, { key: 'of-the-form' }, address());
    assert.equal(refused.status, 429);
    assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    assert.ok(refused.headers.get('content-security-policy')!.includes(`frame-src ${CLOUDFLARE}`));
    for (const part of [...told, 'class="cf-turnstile"', 'name="key" value="of-the-form"', `action="${path}"`]) assert.ok(refused.text.includes(part), `${part}: ${refused.text}`);
    const placed = await place(buyer, path, { 'key': 'of-the-form', 'cf-turnstile-response': token('good') }, address());
    assert.equal(placed.status, 303, placed.text);
    assert.ok(placed.headers.get('location')!.startsWith(shop.sandbox.url));
  });
});

test('on a page as well, an order without JavaScript is placed while few were', async () => {
  const { buyer, quoteId } = await quoted(shop);
  const placed = await place(buyer, `/checkout/${quoteId}`, { key: 'first' }, network()());
  assert.equal(placed.status, 303);
  assert.ok(placed.headers.get('location')!.startsWith(shop.sandbox.url));
});

test('pages of other origins may show a proof', async () => {
  const origin = 'https://front.test';
  const front = await startShop({ vars: { CORS_ORIGINS: origin, TURNSTILE_SITE_KEY: SITE_KEY, TURNSTILE_SECRET: SECRET, TURNSTILE_API_BASE: siteverify.url } });
  try {
    const asked = await front.shopper().send('OPTIONS', '/api/v1/orders', undefined, { origin, 'access-control-request-method': 'POST' });
    assert.ok(asked.headers.get('access-control-allow-headers')!.includes('Challenge-Token'));
  } finally {
    await front.close();
  }
});

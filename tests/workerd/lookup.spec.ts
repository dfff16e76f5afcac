/** Order lookup without a link: the owner gets an email, and the requester learns nothing. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { type Answer, type Json, tokenOf } from './client.ts';
import { eventually } from './eventually.ts';
import { pasted } from './pasted.ts';
import { UNLIMITED, startShop, type Shop } from './shop.ts';

const HTML = { accept: 'text/html' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded', ...HTML };

let shop: Shop;
let provider: Server;
let order: Json;
const sent: Json[] = [];

before(async () => {
  provider = createServer(async (request, response) => {
    const chunks = await request.toArray();
    sent.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.end('{"id":"1"}');
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const { port } = provider.address() as AddressInfo;
  // Visitors are rate limited as in production; the number of their pending orders is covered by
  // another test.
  shop = await startShop({ limited: true, vars: { ...UNLIMITED, MAIL_PROVIDER: 'resend', MAIL_FROM: 'Shop <orders@shop.test>', MAIL_API_BASE: `http://127.0.0.1:${port}` } });
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100 }));
  order = await shop.shopper().buy('LAMP');
});
after(async () => {
  await shop.close();
  provider.close();
});

/** Each visitor has an address of their own, except the one who asks too often. */
let visitors = 0;
const ask = (number: string | number, email: string, { path = '/orders', visitor = `192.0.2.${++visitors}` } = {}) =>
  shop.shopper().send('POST', path, new URLSearchParams({ number: `${number}`, email }).toString(), { ...FORM, 'cf-connecting-ip': visitor });
const links = () => sent.filter(({ text }) => text.includes(`/orders/${order.id}#token=`) && text.match(/link|Link/));

test('whoever asks gets the same answer, and only the owner a mail, one within the hour', async () => {
  const answers = await Promise.all([
    ask(order.number, 'mallory@elsewhere.test'),
    ask(order.number + 1, 'ann@shopper.test'),
    ask(` # ${order.number.slice(0, 3)} ${order.number.slice(3)}`, ' Ann@Shopper.test '),
    ask(order.number, 'ann@shopper.test'),
  ]);
  for (const { status, headers, text } of answers) assert.deepEqual([status, headers.get('location'), text], [303, '/orders?sent', '']);
  await eventually(async () => assert.equal(links().length, 1));
  const [mail] = links();
  assert.deepEqual(mail!.to, ['ann@shopper.test']);
  const link = new URL(/http\S+/.exec(mail!.text)![0]);
  assert.deepEqual([link.href, link.search], [order.status_url, '']);
  const code = codeIn(mail!.text);
  for (const part of [code, order.number, `${shop.url}/orders?by=code`]) assert.ok(mail!.html.includes(part), part);
  const typed = await type(order.number, code);
  assert.deepEqual([typed.status, typed.headers.get('location')], [303, `/orders/${order.id}`]);
  await ask(order.number, 'ann@shopper.test');
  await eventually(async () => assert.equal((await shop.rows("SELECT attempts FROM mails WHERE kind = 'order_link'")).length, 1));
  assert.deepEqual(sent.filter(({ to }) => to.includes('mallory@elsewhere.test')), []);
  assert.deepEqual(shop.log.filter((line) => line.includes('ann@shopper.test')), []);
});

test('who asks in German is answered in German', async () => {
  const other = await shop.shopper().buy('LAMP');
  const { headers } = await ask(other.number, 'ann@shopper.test', { path: '/de/orders' });
  assert.equal(headers.get('location'), '/de/orders?sent');
  await eventually(async () => assert.ok(sent.some(({ subject, text }) => subject === `Der Link zu Ihrer Bestellung ${other.number}` && text.includes(`/de/orders/${other.id}#token=`))));
});

test('what can be no number or address is told beside its field, and kept', async () => {
  const { status, text } = await ask('12a', 'nobody');
  assert.equal(status, 422);
  for (const part of ['value="12a"', 'value="nobody"', 'id="number-fault"', 'id="email-fault"']) assert.ok(text.includes(part), part);
  assert.match(text, /name="number"[^>]*autofocus/);
});

test('who asks too often is asked to wait', async () => {
  const statuses = [];
  for (let times = 0; times < 12; times++) statuses.push((await ask(1, 'a@b.test', { visitor: '198.51.100.1' })).status);
  assert.equal(statuses[0], 303);
  assert.equal(statuses.at(-1), 429);
});

test('a link is traded for a cookie, and the page it led to has no token in its address', async () => {
  const browser = shop.shopper(HTML);
  const closed = await browser.get(`/orders/${order.id}`);
  assert.equal(closed.status, 200);
  assert.ok(closed.text.includes(`data-opens-at="/orders/${order.id}/open"`));
  assert.match(closed.text, /<script src="\/assets\/js\/open-order\.[0-9a-f]+\.js"><\/script>/);
  isPrivate(closed);

  const trade = (id: string, token: string, headers = {}) => browser.send('POST', `/orders/${id}/open`, new URLSearchParams({ token }).toString(), { ...FORM, ...headers });
  const other = await shop.shopper().buy('LAMP');
  for (const token of ['', 'forged', tokenOf(other), tokenOf(order).slice(1)]) {
    const refused = await trade(order.id, token);
    assert.deepEqual([refused.status, refused.headers.get('set-cookie')], [404, null]);
  }
  assert.equal((await trade(order.id, tokenOf(order), { 'sec-fetch-site': 'cross-site' })).status, 403);
  const traded = await trade(order.id, tokenOf(order));
  assert.deepEqual([traded.status, traded.text], [204, '']);
  const set = traded.headers.get('set-cookie')!;
  assert.match(set, new RegExp(`^__Host-order-${order.id}=${tokenOf(order)}; Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax$`));
  const page = await browser.get(`/orders/${order.id}`, { cookie: set.split(';')[0]! });
  assert.match(page.text, /data-status="pending_payment"/);
  assert.ok(!page.text.includes(tokenOf(order)));
  isPrivate(page);
});

test('one browser keeps ten orders open, and the oldest give way', async () => {
  const cookies = Array.from({ length: 12 }, (_, at) => `__Host-order-ord_${at}=x`).join('; ');
  const traded = await shop.shopper().send('POST', `/orders/${order.id}/open`, new URLSearchParams({ token: tokenOf(order) }).toString(), { ...FORM, cookie: `${cookies}; other=1` });
  const [kept, ...closed] = traded.headers.getSetCookie();
  assert.ok(kept!.startsWith(`__Host-order-${order.id}=`));
  assert.deepEqual(closed.map((cookie) => cookie.split('; ').slice(0, 3).join('; ')), [0, 1, 2].map((at) => `__Host-order-ord_${at}=; Path=/; Max-Age=0`));
});

test('a link of before is sent on without its token at once, for a year', async () => {
  const old = await shop.shopper().buy('LAMP');
  const token = tokenOf(old);
  for (const page of ['', '/invoice']) {
    const moved = await shop.shopper(HTML).get(`/orders/${old.id}${page}?token=${token}&payment=unfinished`);
    assert.deepEqual([moved.status, moved.headers.get('location')], [303, `/orders/${old.id}${page}?payment=unfinished`]);
    isPrivate(moved);
    const { status } = await shop.shopper(HTML).get(moved.headers.get('location')!, { cookie: moved.headers.get('set-cookie')!.split(';')[0]! });
    assert.equal(status, 200);
  }
  await shop.rows('UPDATE orders SET created_at = ? WHERE id = ?', Date.now() - 366 * 86_400_000, old.id);
  const late = await shop.shopper(HTML).get(`/orders/${old.id}?token=${token}`);
  assert.deepEqual([late.status, late.headers.get('location'), late.headers.get('set-cookie')], [303, `/orders/${old.id}`, null]);
  (await shop.shopper().get(`/api/v1/orders/${old.id}?token=${token}`)).refused(404, 'not_found');
  (await shop.shopper().get(`/api/v1/orders/${old.id}`, { 'order-token': token })).expect(200);
});

test('the page of the payment leads back without a token, and the browser that ordered sees its order', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const { id } = await buyer.quote();
  const placed = await buyer.send('POST', `/checkout/${id}`, 'key=of_the_page', FORM);
  const cookie = placed.headers.get('set-cookie')!.split(';')[0]!;
  const [, orderId, token] = /^__Host-order-(\w+)=(\w+)$/.exec(cookie)!;
  const [{ request }] = await shop.rows<{ request: string }>('SELECT request FROM payments WHERE order_id = ?', orderId) as [{ request: string }];
  assert.ok(request.includes(encodeURIComponent(`/orders/${orderId}`)) && !request.includes('token') && !request.includes(token!), request);
  assert.match((await shop.shopper(HTML).get(`/orders/${orderId}?payment=unfinished`, { cookie })).text, /data-status="pending_payment"/);
});

test('a number and a code open an order; guesses are counted for each number and network, whether or not there is such an order', async () => {
  await ask(order.number, 'ann@shopper.test');
  await eventually(async () => assert.ok(links().length > 0));
  const code = codeIn(links()[0]!.text);
  const typed = await type(` #${order.number}`, code.toLowerCase().replace('-', ' '));
  assert.deepEqual([typed.status, typed.headers.get('location')], [303, `/orders/${order.id}`]);
  assert.match(typed.headers.get('set-cookie')!, new RegExp(`^__Host-order-${order.id}=`));

  const numbers = pasted(order.number);
  for (const [nth, copied] of pasted(code).entries()) {
    const { status, headers } = await type(numbers[nth]!, copied);
    assert.deepEqual([status, headers.get('location')], [303, `/orders/${order.id}`], JSON.stringify(copied));
  }

  const visitor = '2001:db8:7:7::';
  for (const [number, network] of [[order.number, visitor], ['9999999', '2001:db8:7:8::']] as const) {
    const answers = [];
    for (let tries = 0; tries < 7; tries++) answers.push(await type(number, 'AAAA-AAAA', `${network}${tries + 1}`));
    assert.deepEqual(answers.map(({ status }) => status), [422, 422, 422, 422, 422, 429, 429]);
    assert.ok(answers[0]!.text.includes('id="order_code-fault"'));
    assert.equal(answers[5]!.headers.get('retry-after'), '900');
  }
  assert.equal((await type(order.number, code, `${visitor}99`)).status, 429, 'the right one too');
  assert.equal((await type(order.number, code)).status, 303, 'from elsewhere it opens');
  const guesses = await Promise.all(Array.from({ length: 9 }, () => type(order.number, 'BBBB-BBBB', '192.0.2.200')));
  assert.deepEqual(guesses.map(({ status }) => status).sort(), [422, 422, 422, 422, 422, 429, 429, 429, 429]);

  await shop.rows('UPDATE order_code_tries SET began_at = began_at - 15 * 60000');
  assert.equal((await type(order.number, code, `${visitor}1`)).status, 303, 'after a quarter of an hour');
  assert.equal((await shop.rows('SELECT number FROM order_code_tries')).length, 1, 'what is over is taken away');
  assert.equal((await type(order.number, 'ABCD')).status, 422);
});

test('no token and no code is logged', () => {
  const codes = sent.map(({ text }) => codeIn(text));
  assert.ok(codes.length > 0);
  for (const secret of [tokenOf(order), ...codes, ...sent.map(({ text }) => /token=(\w+)/.exec(text)![1]!)]) assert.ok(!shop.log.some((line) => line.includes(secret)));
});

/** Returns the code in an email. */
function codeIn(text: string): string {
  return /Code: ([A-Z2-7]{4}-[A-Z2-7]{4})/.exec(text)![1]!;
}

/** Submits a number and a code. */
function type(number: string, code: string, visitor = `192.0.2.${++visitors}`) {
  return shop.shopper().send('POST', '/orders/code', new URLSearchParams({ number, order_code: code }).toString(), { ...FORM, 'cf-connecting-ip': visitor });
}

/** Asserts that the response is not cached and sends no referrer. */
function isPrivate({ headers }: Answer) {
  assert.deepEqual([headers.get('cache-control'), headers.get('referrer-policy')], ['no-store', 'no-referrer']);
}

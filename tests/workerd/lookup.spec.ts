/** The way back to an order without its link: its owner gets a mail, and whoever asks learns nothing. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded', 'accept': 'text/html' };

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
  shop = await startShop({ limited: true, vars: { MAIL_PROVIDER: 'resend', MAIL_FROM: 'Shop <orders@shop.test>', MAIL_API_BASE: `http://127.0.0.1:${port}` } });
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100 }));
  order = await shop.shopper().buy('LAMP');
});
after(async () => {
  await shop.close();
  provider.close();
});

/** Each visitor has an address of their own, but for the one who asks too often. */
let visitors = 0;
const ask = (number: string | number, email: string, { path = '/orders', visitor = `192.0.2.${++visitors}` } = {}) =>
  shop.shopper().send('POST', path, new URLSearchParams({ number: `${number}`, email }).toString(), { ...FORM, 'cf-connecting-ip': visitor });
const links = () => sent.filter(({ text }) => text.includes(`/orders/${order.id}?token=`) && text.match(/link|Link/));

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
  assert.equal((await fetch(/http\S+/.exec(mail!.text)![0])).status, 200);
  await ask(order.number, 'ann@shopper.test');
  await eventually(async () => assert.equal((await shop.rows("SELECT attempts FROM mails WHERE kind = 'order_link'")).length, 1));
  assert.deepEqual(sent.filter(({ to }) => to.includes('mallory@elsewhere.test')), []);
  assert.deepEqual(shop.log.filter((line) => line.includes('ann@shopper.test')), []);
});

test('who asks in German is answered in German', async () => {
  const other = await shop.shopper().buy('LAMP');
  const { headers } = await ask(other.number, 'ann@shopper.test', { path: '/de/orders' });
  assert.equal(headers.get('location'), '/de/orders?sent');
  await eventually(async () => assert.ok(sent.some(({ subject, text }) => subject === `Der Weg zu Ihrer Bestellung ${other.number}` && text.includes(`/de/orders/${other.id}?token=`))));
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

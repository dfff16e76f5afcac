/**
 * Emails about an order: sent once through a provider's API, whatever repeats or fails on the way.
 */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { SECRETS, startShop, type Shop } from './shop.ts';

type Sent = { path: string; key: string; authorization: string; body: Record<string, any> };

let shop: Shop;
let provider: Server;
const sent: Sent[] = [];
type Failure = { status: number; retryAfter?: string; body?: string };

/** Responses of the provider to the next emails, after it has received them. */
const failures: Failure[] = [];

before(async () => {
  provider = createServer(async (request, response) => {
    const { authorization = '', 'idempotency-key': key } = request.headers;
    sent.push({ path: request.url ?? '', key: String(key), authorization, body: JSON.parse(await text(request)) });
    const { status, retryAfter, body = '{"id":"1"}' } = failures.shift() ?? { status: 200 };
    response.writeHead(status, { ...(retryAfter && { 'retry-after': retryAfter }) }).end(body);
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const { port } = provider.address() as AddressInfo;
  const vars = { MAIL_PROVIDER: 'resend', MAIL_FROM: 'Shop <orders@shop.test>', MAIL_API_BASE: `http://127.0.0.1:${port}` };
  shop = await startShop({ vars });
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100, title: 'Lamp <b>& co</b>' }));
});
after(async () => {
  await shop.close();
  provider.close();
});

test('a confirmed order is told of in one mail, in text and HTML', async () => {
  const order = await shop.shopper().buy('LAMP', 2);
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  const [mail] = await mailsOf(order.number, 1);
  assert.ok(mail);
  assert.deepEqual([mail.path, mail.authorization], ['/emails', `Bearer ${SECRETS.MAIL_API_KEY}`]);
  assert.deepEqual([mail.body['from'], mail.body['to']], ['Shop <orders@shop.test>', ['ann@shopper.test']]);
  assert.equal(mail.body['subject'], `Order ${order.number} is confirmed`);
  assert.match(mail.body['text'], /Lamp <b>& co<\/b> × 2/);
  assert.match(mail.body['html'], /Lamp &lt;b&gt;&amp; co&lt;\/b&gt; × 2/);
  for (const line of ['Ann Shopper', '1 Main Street', 'New York, NY 10001', 'United States']) {
    assert.ok(mail.body['text'].includes(`\n${line}`) && mail.body['html'].includes(`${line}<br>`), line);
  }
  const link = /http\S+/.exec(mail.body['text'])?.[0];
  assert.equal((await fetch(link!)).status, 200);
  assert.deepEqual(shop.log.filter((line) => line.includes('ann@shopper.test') || line.includes(SECRETS.MAIL_API_KEY)), []);
});

test('events, effects and messages that come again send nothing more', async () => {
  const order = await shop.shopper().buy('LAMP');
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  await mailsOf(order.number, 1);
  const letter = JSON.stringify({ kind: 'order_confirmation', order_id: order.id });
  const queue = await shop.miniflare.getQueueProducer('OUTGOING');
  await Promise.all(Array.from({ length: 5 }, () => queue.send(letter, { contentType: 'text' })));
  await shop.sandbox.control.storm(3);
  const other = await shop.shopper().buy('LAMP');
  await shop.press(other, 'pay');
  await mailsOf(other.number, 1);
  assert.equal(mailsSent(order.number).length, 1);
});

test('a mail that another consumer is sending is left to it, and is no failure', async () => {
  const order = await shop.shopper().buy('LAMP');
  await shop.press(order, 'pay');
  await mailsOf(order.number, 1);
  await eventually(async () => assert.equal((await shop.rows('UPDATE mails SET sent_at = NULL, claimed_at = ? WHERE order_id = ? AND sent_at IS NOT NULL RETURNING id', Date.now(), order.id)).length, 1));
  const queue = await shop.miniflare.getQueueProducer('OUTGOING');
  await queue.send(JSON.stringify({ kind: 'order_confirmation', order_id: order.id }), { contentType: 'text' });
  const other = await shop.shopper().buy('LAMP');
  await shop.press(other, 'pay');
  await mailsOf(other.number, 1);
  assert.equal(mailsSent(order.number).length, 1);
  assert.deepEqual(await shop.rows('SELECT error FROM failures'), []);
});

test('a mail whose answer was lost is sent again under the same key', async () => {
  const order = await shop.shopper().buy('LAMP');
  failures.push({ status: 500 });
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  const [first, second] = await mailsOf(order.number, 2);
  assert.equal(first?.key, second?.key);
  assert.match(first!.key, /^mail_/);
  await eventually(async () => {
    const [row] = await shop.rows('SELECT attempts, last_error, sent_at IS NOT NULL AS sent FROM mails WHERE order_id = ?', order.id);
    assert.deepEqual(row, { attempts: 2, last_error: 'mail provider: status 500', sent: 1 });
  });
});

test('a letter whose message was lost is queued again, and is sent once', async () => {
  const order = await shop.shopper().buy('LAMP');
  await shop.press(order, 'pay');
  const [first] = await mailsOf(order.number, 1);
  await eventually(async () => assert.equal((await unsent(order)).length, 0));
  // The row as it is when the message that should have followed was lost.
  await shop.rows('UPDATE mails SET sent_at = NULL, claimed_at = NULL, unknown_since = NULL, due_at = 0 WHERE order_id = ?', order.id);
  await shop.scheduled();
  const [, again] = await mailsOf(order.number, 2);
  assert.equal(again?.key, first?.key);
  await eventually(async () => assert.equal((await unsent(order)).length, 0));
  await shop.scheduled();
  const other = await shop.shopper().buy('LAMP');
  await shop.press(other, 'pay');
  await mailsOf(other.number, 1);
  assert.equal(mailsSent(order.number).length, 2);
});

test('a letter that may have been sent a day ago is not sent blindly: staff are told', async () => {
  const order = await shop.shopper().buy('LAMP');
  await shop.press(order, 'pay');
  await mailsOf(order.number, 1);
  await eventually(async () => assert.equal((await unsent(order)).length, 0));
  const yesterday = Date.now() - 24 * 60 * 60 * 1000;
  await shop.rows('UPDATE mails SET sent_at = NULL, claimed_at = NULL, unknown_since = ?, due_at = 0 WHERE order_id = ?', yesterday, order.id);
  await shop.scheduled();
  await givenUp(order, 'OrderConfirmation: an attempt more than 23 hours ago may have sent it');
  assert.equal(mailsSent(order.number).length, 1);
});

test('an address that the provider refuses is tried once, and staff are told', async () => {
  failures.push({ status: 422, body: '{"statusCode":422,"name":"validation_error","message":"Invalid `to` field."}' });
  const order = await shop.shopper().buy('LAMP');
  await shop.press(order, 'pay');
  await givenUp(order, 'OrderConfirmation: status 422: the provider refuses the address');
  await shop.scheduled();
  assert.equal(mailsSent(order.number).length, 1);
  assert.deepEqual(await shop.rows('SELECT attempts FROM mails WHERE order_id = ?', order.id), [{ attempts: 1 }]);
});

test('a provider that is busy is left alone for as long as it asks, and that is no failure', async () => {
  await shop.rows('DELETE FROM failures');
  failures.push({ status: 429, retryAfter: '1' });
  const order = await shop.shopper().buy('LAMP');
  await shop.press(order, 'pay');
  const [first, second] = await mailsOf(order.number, 2);
  assert.equal(first?.key, second?.key);
  assert.deepEqual(await shop.rows('SELECT error FROM failures'), []);
});

const unsent = (order: Json) => shop.rows('SELECT id FROM mails WHERE order_id = ? AND sent_at IS NULL', order.id);

async function givenUp(order: Json, error: string): Promise<void> {
  const { data } = await eventually(async () => {
    const findings = (await shop.staff.get('/api/v1/admin/findings')).expect(200);
    assert.ok(findings.data.some(({ subject }: Json) => subject === order.id));
    return findings;
  });
  const told = data.filter(({ subject }: Json) => subject === order.id);
  assert.deepEqual(told.map(({ kind, error }: Json) => ({ kind, error })), [{ kind: 'letter_failed', error }]);
}

function mailsOf(number: string, count: number): Promise<Sent[]> {
  return eventually(() => {
    const mails = mailsSent(number);
    assert.equal(mails.length, count);
    return mails;
  });
}

function mailsSent(number: string): Sent[] {
  return sent.filter(({ body }) => String(body['subject']).includes(` ${number} `));
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

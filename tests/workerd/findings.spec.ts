/** Findings are written in the transaction of their cause, without waiting for the sweep. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

const ANNAS_KEY = 'key_of_anna_for_the_tests_94d2a7';

let shop: Shop;
before(async () => {
  shop = await startShop({ vars: { STAFF_KEYS: `anna:${ANNAS_KEY}` } });
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100 }));
});
after(() => shop.close());

test('an order that was paid otherwise than ordered is told, once', async () => {
  const order = await paidWrongly();
  await shop.settled(order, 'payment_review');
  await shop.sandbox.control.storm(2);
  const found = await findingsOf(order);
  assert.deepEqual(found.map(({ kind, finished, times }) => [kind, finished, times]), [['payment_review', false, 1]]);
});

test('a dispute is told when it is opened and when it is lost, with the order', async () => {
  const order = await paid();
  const session = shop.sandbox.account.sessions.get(sessionOf(order))!;
  const dispute = shop.sandbox.control.dispute(session.payment_intent!);
  await kindsOf(order, ['dispute_opened']);
  shop.sandbox.control.closeDispute(dispute.id, 'lost');
  await kindsOf(order, ['dispute_lost', 'dispute_opened']);
  assert.equal((await shop.staff.get(`/api/v1/orders/${order.id}`)).expect(200).payment_status, 'charged_back');
});

test('dead letters are told by their queue, and each counts once', async () => {
  const letters = [1, 2, 3].map((nth) => ({ id: `message_${nth}`, body: `evt_nobody_${nth}` }));
  await shop.consume('stripe-events-dead', letters);
  await shop.consume('stripe-events-dead', letters);
  assert.deepEqual(await shop.rows("SELECT subject, times FROM findings WHERE kind = 'dead_letter'"), [{ subject: 'stripe-events-dead', times: 3 }]);
});

test('a letter that could not be kept is not told of either', async () => {
  await shop.rows("CREATE TRIGGER no_letters BEFORE INSERT ON dead_letters BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END");
  const { explicitAcks } = await shop.consume('outgoing-dead', [{ id: 'unkept', body: '{}' }]);
  await shop.rows('DROP TRIGGER no_letters');
  assert.deepEqual([explicitAcks, await shop.rows("SELECT id FROM findings WHERE subject = 'outgoing-dead'")], [[], []]);
});

test('staff close a finding with a note, once and for all, and what is found again is another', async () => {
  const anna = shop.shopper({ authorization: `Bearer ${ANNAS_KEY}` });
  const find = (id: string) => shop.consume('link-requests-dead', [{ id, body: '{}' }]);
  const listed = async (status: string) => (await anna.get(`/api/v1/admin/findings?limit=100${status}`)).expect(200).data.filter(({ subject }: Json) => subject === 'link-requests-dead');
  const close = (id: string, body: Json, client = anna) => client.post(`/api/v1/admin/findings/${id}/close`, body);
  await find('first');
  const [open] = await listed('');
  assert.match(open.id, /^fnd_\d+$/);
  assert.deepEqual([open.times, open.closed, await listed('&status=closed')], [1, undefined, []]);

  for (const note of ['', ' ', 'x'.repeat(501)]) (await close(open.id, { note })).refused(422, 'invalid_note');
  for (const id of ['fnd_999999', 'fnd_0x1', open.id.slice(4), 'x']) (await close(id, { note: 'n' })).refused(404, 'not_found');
  (await anna.get('/api/v1/admin/findings?status=all')).refused(422, 'invalid_status');
  assert.equal((await listed('')).length, 1);

  const closed = (await close(open.id, { note: ' replayed them ' })).expect(200);
  assert.deepEqual([closed.closed.by, closed.closed.note, closed.id], ['staff:anna', 'replayed them', open.id]);
  assert.deepEqual((await close(open.id, { note: 'mine' }, shop.staff)).expect(200), closed);
  assert.deepEqual([await listed('&status=open'), await listed('&status=closed')], [[], [closed]]);

  await find('second');
  const [anew, ...more] = await listed('');
  assert.notEqual(anew.id, open.id);
  assert.deepEqual([anew.times, anew.closed, more], [1, undefined, []]);
  await find('third');
  assert.deepEqual((await listed('')).map(({ id, times }: Json) => [id, times]), [[anew.id, 2]]);
  assert.deepEqual(await listed('&status=closed'), [closed]);
});

test('a provider that is left alone for a while is told, once', async () => {
  shop.sandbox.faults.add({ on: 'api', path: '/v1/', kind: 'error', status: 500, times: 50 });
  for (let nth = 0; nth < 6; nth += 1) await shop.shopper().buy('LAMP');
  const found = await shop.rows("SELECT subject, times FROM findings WHERE kind = 'provider_breaker'");
  assert.deepEqual(found, [{ subject: 'stripe', times: 1 }]);
});

async function paidWrongly(): Promise<Json> {
  const order = await shop.shopper().buy('LAMP');
  const session = shop.sandbox.account.sessions.get(sessionOf(order))!;
  session.amount_total -= 1;
  await shop.press(order, 'pay');
  return order;
}

async function paid(): Promise<Json> {
  const order = await shop.shopper().buy('LAMP');
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  return order;
}

async function findingsOf(order: Json): Promise<Json[]> {
  const { data } = (await shop.staff.get('/api/v1/admin/findings?limit=100')).expect(200);
  return data.filter(({ subject }: Json) => subject === order.id);
}

function kindsOf(order: Json, kinds: string[]): Promise<void> {
  return eventually(async () => assert.deepEqual((await findingsOf(order)).map(({ kind }) => kind), kinds));
}

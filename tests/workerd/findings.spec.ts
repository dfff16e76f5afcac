/** What staff are told: in the transaction of what happened, without a run of the sweep in between. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => {
  shop = await startShop();
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

test('a provider that is left alone for a while is told, once', async () => {
  shop.sandbox.faults.add({ on: 'api', path: '/v1/', kind: 'error', status: 500, times: 50 });
  for (let nth = 0; nth < 6; nth += 1) await shop.shopper().buy('LAMP');
  const found = await shop.rows("SELECT subject, times FROM findings WHERE kind = 'provider_breaker'");
  assert.deepEqual(found, [{ subject: 'payments', times: 1 }]);
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

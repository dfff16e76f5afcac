/** Money: the buyer's actions on the payment page, refunds, disputes, and the resulting balance. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Stripe } from 'stripe';
import { line, submit, useFixture } from './fixture.ts';

const shop = useFixture();

describe('paying on the page', () => {
  test('shows lines, total and choices, and escapes what it shows', async () => {
    const { url } = await shop.create({ line_items: [line(1999, 'usd', '<script>alert("x")</script> & co')], cancel_url: 'http://shop.test/cart?a=1&b=2' });
    const page = await (await fetch(url!)).text();
    assert.doesNotMatch(page, /<script/);
    assert.match(page, /&#60;script&#62;alert\(&#34;x&#34;\)&#60;\/script&#62; &#38; co/);
    assert.match(page, /\$19\.99/);
    assert.match(page, /Test mode/);
    assert.match(page, /href="http:\/\/shop\.test\/cart\?a=1&#38;b=2"/);
    assert.equal((await fetch(`${shop.sandbox.url}/c/pay/cs_test_none`)).status, 404);
  });

  test('pay: the session is complete and paid, and the buyer is sent back', async () => {
    const { id, url } = await shop.create();
    const response = await submit(url!, 'pay');
    assert.equal(response.status, 303);
    assert.equal(response.headers.get('location'), `http://shop.test/done?session=${id}`);
    const session = await shop.stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] });
    assert.equal(session.status, 'complete');
    assert.equal(session.payment_status, 'paid');
    assert.equal((session.payment_intent as Stripe.PaymentIntent).amount_received, 2500);
    assert.deepEqual(await shop.types(), ['charge.succeeded', 'checkout.session.completed', 'payment_intent.created', 'payment_intent.succeeded']);
    const completed = shop.received.find((event) => event.type === 'checkout.session.completed')!;
    assert.equal((completed.data.object as Stripe.Checkout.Session).payment_status, 'paid');
    assert.match(await (await fetch(url!)).text(), /Payment complete/);
  });

  test('paying twice charges once', async () => {
    const { url } = await shop.create();
    const answers = await Promise.all([submit(url!, 'pay'), submit(url!, 'pay')]);
    assert.deepEqual(answers.map((response) => response.status), [303, 303]);
    assert.equal(shop.sandbox.account.charges.size, 1);
    assert.equal(shop.sandbox.account.balance.size, 1);
  });

  test('decline, then pay', async () => {
    const { id, url } = await shop.create();
    const declined = await submit(url!, 'decline');
    assert.equal(declined.headers.get('location'), `/c/pay/${id}`);
    assert.match(await (await fetch(url!)).text(), /role="alert">Your card was declined\./);
    assert.equal((await shop.stripe.checkout.sessions.retrieve(id)).status, 'open');
    await submit(url!, 'pay');
    assert.ok((await shop.types()).includes('payment_intent.payment_failed'));
    assert.equal(shop.sandbox.account.intents.size, 1);
    assert.equal((await shop.stripe.checkout.sessions.retrieve(id)).payment_status, 'paid');
  });

  test('pay later that succeeds', async () => {
    const { id, url } = await shop.create();
    await submit(url!, 'delay');
    const waiting = await shop.stripe.checkout.sessions.retrieve(id);
    assert.deepEqual([waiting.status, waiting.payment_status], ['complete', 'unpaid']);
    assert.equal(shop.sandbox.account.balance.size, 0);
    await assert.rejects(shop.stripe.refunds.create({ payment_intent: waiting.payment_intent as string }), { statusCode: 400 });
    assert.match(await (await fetch(url!)).text(), /Let the payment succeed/);
    await submit(url!, 'succeed');
    assert.equal((await shop.stripe.checkout.sessions.retrieve(id)).payment_status, 'paid');
    await submit(url!, 'fail');
    assert.equal((await shop.stripe.checkout.sessions.retrieve(id)).payment_status, 'paid');
    await shop.sandbox.deliveries.idle();
    const completed = shop.received.find((event) => event.type === 'checkout.session.completed')!;
    assert.equal((completed.data.object as Stripe.Checkout.Session).payment_status, 'unpaid');
    const types = await shop.types();
    assert.equal(types.filter((type) => type === 'checkout.session.async_payment_succeeded').length, 1);
    assert.ok(!types.includes('checkout.session.async_payment_failed'));
    assert.equal(shop.sandbox.account.balance.size, 1);
  });

  test('pay later that fails', async () => {
    const { id, url } = await shop.create();
    await submit(url!, 'delay');
    await shop.command(`/_sandbox/sessions/${id}/settle`, { outcome: 'fail' });
    const session = await shop.stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] });
    assert.deepEqual([session.status, session.payment_status], ['complete', 'unpaid']);
    assert.equal((session.payment_intent as Stripe.PaymentIntent).status, 'requires_payment_method');
    assert.ok((await shop.types()).includes('checkout.session.async_payment_failed'));
    assert.match(await (await fetch(url!)).text(), /The payment failed/);
  });

  test('an expired page takes no money', async () => {
    const { url } = await shop.create({ cancel_url: 'http://shop.test/cart' });
    shop.now += 86_400;
    await submit(url!, 'pay');
    assert.match(await (await fetch(url!)).text(), /has expired/);
    assert.equal(shop.sandbox.account.intents.size, 0);
  });

  test('a total of zero needs no payment', async () => {
    const { id, url } = await shop.create({ line_items: [line(0)] });
    await submit(url!, 'pay');
    const session = await shop.stripe.checkout.sessions.retrieve(id);
    assert.deepEqual([session.status, session.payment_status, session.payment_intent], ['complete', 'no_payment_required', null]);
  });

  test('an unknown action changes nothing', async () => {
    const { id, url } = await shop.create();
    assert.equal((await submit(url!, 'steal')).status, 400);
    assert.equal(shop.sandbox.account.sessions.get(id)?.status, 'open');
  });
});

describe('refunds and disputes', () => {
  test('in parts, never beyond what was paid', async () => {
    const intent = await shop.paidIntent();
    const part = await shop.stripe.refunds.create({ payment_intent: intent, amount: 1000, reason: 'requested_by_customer', metadata: { order: '1' } });
    assert.deepEqual([part.status, part.amount, part.metadata], ['succeeded', 1000, { order: '1' }]);
    assert.equal((await shop.stripe.refunds.retrieve(part.id)).charge, part.charge);
    await assert.rejects(shop.stripe.refunds.create({ payment_intent: intent, amount: 1501 }), {
      statusCode: 400, param: 'amount', message: 'Refund amount ($15.01) is greater than unrefunded amount on charge ($15.00)',
    });
    assert.equal((await shop.stripe.refunds.create({ charge: part.charge as string })).amount, 1500);
    await assert.rejects(shop.stripe.refunds.create({ payment_intent: intent }), { code: 'charge_already_refunded' });
    assert.equal((await shop.types()).filter((type) => type === 'refund.created').length, 2);
    const charges = shop.received.filter((event) => event.type === 'charge.refunded').map((event) => event.data.object as Stripe.Charge);
    assert.deepEqual(charges.map((charge) => charge.amount_refunded).sort(), [1000, 2500]);
  });

  test('two at once cannot return more than was paid', async () => {
    const intent = await shop.paidIntent();
    const both = await Promise.allSettled([1, 2].map(() => shop.stripe.refunds.create({ payment_intent: intent, amount: 2000 })));
    assert.deepEqual(both.map((one) => one.status).sort(), ['fulfilled', 'rejected']);
    assert.equal(shop.sandbox.account.refunds.size, 1);
  });

  test('what is asked wrongly is refused', async () => {
    const intent = await shop.paidIntent();
    await assert.rejects(shop.stripe.refunds.create({}), { statusCode: 400 });
    await assert.rejects(shop.stripe.refunds.create({ payment_intent: 'pi_none' }), { code: 'resource_missing', param: 'payment_intent' });
    await assert.rejects(shop.stripe.refunds.create({ payment_intent: intent, amount: 0 }), { param: 'amount' });
    await assert.rejects(shop.stripe.refunds.create({ payment_intent: intent, reason: 'bored' as never }), { param: 'reason' });
    await assert.rejects(shop.stripe.refunds.create({ payment_intent: intent, why: 'x' } as never), { code: 'parameter_unknown' });
    assert.equal(shop.sandbox.account.refunds.size, 0);
  });

  test('a pending refund counts, and gives its amount back when it fails', async () => {
    const intent = await shop.paidIntent();
    shop.sandbox.faults.add({ on: 'refund', kind: 'pending' });
    const refund = await shop.stripe.refunds.create({ payment_intent: intent });
    assert.equal(refund.status, 'pending');
    await assert.rejects(shop.stripe.refunds.create({ payment_intent: intent, amount: 1 }));
    await shop.command(`/_sandbox/refunds/${refund.id}/settle`, { outcome: 'fail' });
    assert.equal((await shop.stripe.refunds.retrieve(refund.id)).status, 'failed');
    assert.equal((await shop.stripe.refunds.create({ payment_intent: intent })).amount, 2500);
    const types = await shop.types();
    assert.ok(types.includes('refund.failed') && types.includes('refund.updated'));
  });

  test('a refund of the dashboard shows up by itself', async () => {
    const intent = await shop.paidIntent();
    await shop.command('/_sandbox/refunds', { payment_intent: intent, amount: 700 });
    await shop.sandbox.deliveries.idle();
    const event = shop.received.find(({ type }) => type === 'refund.created')!;
    assert.equal((event.data.object as Stripe.Refund).amount, 700);
    assert.deepEqual(event.request, { id: null, idempotency_key: null });
  });

  test('a chargeback forbids refunds until it is won', async () => {
    const intent = await shop.paidIntent();
    const dispute = shop.sandbox.control.dispute(intent);
    await assert.rejects(shop.stripe.refunds.create({ payment_intent: intent }), { code: 'charge_disputed' });
    assert.equal((await shop.stripe.disputes.retrieve(dispute.id)).is_charge_refundable, false);
    await shop.command(`/_sandbox/disputes/${dispute.id}/close`, { outcome: 'won' });
    assert.equal((await shop.stripe.refunds.create({ payment_intent: intent })).amount, 2500);
    const types = await shop.types();
    assert.ok(types.includes('charge.dispute.created') && types.includes('charge.dispute.closed'));
  });

  test('an inquiry leaves refunds open', async () => {
    const intent = await shop.paidIntent();
    shop.sandbox.control.dispute(intent, 'inquiry');
    assert.equal((await shop.stripe.refunds.create({ payment_intent: intent })).status, 'succeeded');
  });

  test('the balance tells the whole story', async () => {
    const intent = await shop.paidIntent();
    await shop.stripe.refunds.create({ payment_intent: intent, amount: 500 });
    shop.sandbox.control.dispute(intent);
    const { data } = await shop.stripe.balanceTransactions.list({ limit: 10 });
    assert.deepEqual(data.map(({ type, amount, fee, net }) => [type, amount, fee, net]), [
      ['adjustment', -2000, 1500, -3500], ['refund', -500, 0, -500], ['charge', 2500, 73, 2427],
    ]);
    assert.equal((await shop.stripe.balance.retrieve()).pending[0]?.amount, -1573);
    assert.equal((await shop.stripe.balanceTransactions.list({ type: 'refund' })).data.length, 1);
  });
});

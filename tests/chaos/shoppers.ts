/**
 * Shoppers and staff who persist whatever happens to the shop: a request without an answer is sent
 * again with the same key. Each records the answers, which must stay true.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Sandbox } from '../stripe-sandbox/sandbox.ts';
import { Client, DELIVERY, type Answer, type Json } from '../workerd/client.ts';
import { SECRETS } from '../workerd/shop.ts';
import type { Random } from './random.ts';

/** An order that the shop reported for a key. */
export type Told = { key: string; order_id: string; number: string };

const PAUSE_MS = 250;
const PATIENCE_MS = 45_000;

/** Statuses that are worth a retry of the same request. */
const AGAIN = new Set([429, 500, 502, 503]);

export class Crowd {
  readonly told: Told[] = [];
  readonly counts: Record<string, number> = {};
  readonly #url: string;
  readonly #sandbox: Sandbox;
  readonly #skus: readonly string[];
  readonly #random: Random;
  #people = 0;

  constructor(url: string, sandbox: Sandbox, skus: readonly string[], random: Random) {
    this.#url = url;
    this.#sandbox = sandbox;
    this.#skus = skus;
    this.#random = random;
  }

  /** Sends one shopper after the other until `over` returns true. */
  async keepComing(over: () => boolean): Promise<void> {
    while (!over()) {
      await this.#visit().catch((error) => {
        // A shopper who gave up got no answer, so whatever was begun must end by itself.
        if (!(error instanceof GaveUp)) throw error;
        this.#count('gave_up');
      });
    }
  }

  async #visit(): Promise<void> {
    const person = ++this.#people;
    const shopper = new Client(this.#url, { 'cf-connecting-ip': `10.${person >> 16}.${(person >> 8) & 255}.${person & 255}` });
    const lines = 1 + this.#random.below(2);
    for (let line = 0; line < lines; line++) {
      const wanted = { sku: this.#random.pick(this.#skus), quantity: 1 + this.#random.below(3) };
      const key = randomUUID();
      const added = await insist(() => shopper.post('/api/v1/cart/items', wanted, { 'idempotency-key': key }));
      added.expect(200);
    }
    const email = `shopper-${person}@chaos.test`;
    const quoted = await insist(() => shopper.post('/api/v1/cart/quote', { ...DELIVERY, email }));
    if (quoted.status === 409) return this.#count('refused');
    const order = await this.#order(shopper, quoted.expect(201).id);
    if (order) await this.#goOn(shopper, order);
  }

  /** Places an order; sometimes twice at once, as impatient people do. */
  async #order(shopper: Client, quoteId: string): Promise<Json | undefined> {
    const key = randomUUID();
    const ask = () => insist(() => shopper.order(quoteId, key));
    const answers = await Promise.all(this.#random() < 0.2 ? [ask(), ask()] : [ask()]);
    const placed = answers.filter(({ status }) => status === 200 || status === 201);
    for (const { body } of placed) this.told.push({ key, order_id: body.id, number: body.number });
    const ids = new Set(placed.map(({ body }) => body.id));
    assert.ok(ids.size <= 1, `one key, two orders: ${[...ids]}`);
    for (const answer of answers) if (answer.status >= 400) assert.ok([409, 422].includes(answer.status), `${answer.request}: ${answer.status} ${answer.text}`);
    this.#count(placed.length > 0 ? 'placed' : 'refused');
    return placed[0]?.body;
  }

  async #goOn(shopper: Client, order: Json): Promise<void> {
    const luck = this.#random();
    if (luck < 0.1) return this.#count('left');
    if (luck < 0.2) return this.#cancel(shopper, order);
    const session = await this.#sessionOf(shopper, order);
    if (!session) return;
    const { control } = this.#sandbox;
    try {
      if (luck < 0.3) control.decline(session);
      if (luck < 0.4) {
        control.delay(session);
        await setTimeout(this.#random.between(0, 2000));
        control.settle(session, luck < 0.35 ? 'succeed' : 'fail');
        return this.#count('delayed');
      }
      control.pay(session);
    } catch {
      return this.#count('too_late_to_pay'); // the session had ended
    }
    this.#count('paid');
    await this.#afterPaying(shopper, order);
  }

  async #afterPaying(shopper: Client, order: Json): Promise<void> {
    const luck = this.#random();
    if (luck < 0.15) return this.#cancel(shopper, order);
    if (luck < 0.4) return this.#refund(order);
    if (luck < 0.6) return this.#ship(order);
  }

  async #cancel(shopper: Client, order: Json): Promise<void> {
    const key = randomUUID();
    const answer = await insist(() => shopper.post(`/api/v1/orders/${order.id}/cancel`, undefined, { 'idempotency-key': key }));
    this.#count(answer.status === 200 ? 'cancelled' : 'cancel_refused');
  }

  async #refund(order: Json): Promise<void> {
    if (!(await this.#confirmed(order))) return;
    const amount = { amount: Math.ceil(order.total.amount / 3), currency: order.total.currency };
    const key = randomUUID();
    const answer = await insist(() => this.#staff().post(`/api/v1/orders/${order.id}/refunds`, { amount }, { 'idempotency-key': key }));
    this.#count(answer.status < 300 ? 'refunded' : 'refund_refused');
  }

  async #ship(order: Json): Promise<void> {
    if (!(await this.#confirmed(order))) return;
    const key = randomUUID();
    const answer = await insist(() => this.#staff().post(`/api/v1/orders/${order.id}/fulfillments`, {}, { 'idempotency-key': key }));
    this.#count(answer.status < 300 ? 'shipped' : 'ship_refused');
  }

  async #confirmed(order: Json): Promise<boolean> {
    const until = Date.now() + PATIENCE_MS / 2;
    while (Date.now() < until) {
      const answer = await insist(() => this.#staff().get(`/api/v1/orders/${order.id}`));
      if (answer.body?.status === 'confirmed') return true;
      await setTimeout(PAUSE_MS);
    }
    return false;
  }

  /** Returns the session of the payment page, which may be opened some time after the order. */
  async #sessionOf(shopper: Client, order: Json): Promise<string | undefined> {
    const until = Date.now() + PATIENCE_MS / 2;
    while (Date.now() < until) {
      const url: string | undefined = order.payment?.url;
      if (url) return url.split('/').at(-1);
      await setTimeout(PAUSE_MS);
      order = (await insist(() => shopper.get(`/api/v1/orders/${order.id}`))).body ?? order;
      if (order.status !== 'pending_payment') return undefined;
    }
    this.#count('no_page');
    return undefined;
  }

  #staff = () => new Client(this.#url, { authorization: `Bearer ${SECRETS.ADMIN_API_KEY}` });

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}

class GaveUp extends Error {}

/** Repeats a request until it has a final answer. */
export async function insist(ask: () => Promise<Answer>): Promise<Answer> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask().catch(() => null);
    if (answer && !AGAIN.has(answer.status)) return answer;
    if (Date.now() > until) throw new GaveUp(answer ? `${answer.request}: ${answer.status} ${answer.text}` : 'no answer');
    const asked = Number(answer?.headers.get('retry-after') ?? 0) * 1000;
    await setTimeout(Math.min(Math.max(asked, PAUSE_MS), 2000));
  }
}

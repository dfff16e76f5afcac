/**
 * Webhook deliveries: each event is posted to the configured URL, signed by the official package
 * with a fresh time on every attempt, and tried again with back-off until a 2xx. Nothing promises
 * order: deliveries run side by side, as Stripe's do. At most 64 attempts are on the wire at once;
 * the others wait their turn. The signature's time is the receivers', whatever the account's clock
 * was advanced to, because they compare it with theirs. Sources: https://docs.stripe.com/webhooks
 * (retries, signatures), https://docs.stripe.com/webhooks/process-undelivered-events
 */
import { Stripe } from 'stripe';
import type { Event } from './account.ts';
import type { Faults } from './faults.ts';

export type Delivery = {
  event: string;
  type: string;
  attempt: number;
  /** Status of the response; null if there was none. */
  status: number | null;
  outcome: 'delivered' | 'refused' | 'unreachable' | 'dropped' | 'held';
};

export type DeliveryOptions = {
  webhookUrl: string | undefined;
  webhookSecret: string;
  /** First back-off, which doubles with each attempt. */
  retryUnitMs: number;
  maxAttempts: number;
  timeoutMs: number;
  /** Returns seconds since 1970 by the receivers' clock. */
  now: () => number;
};

export type Sending = {
  /** Number of copies sent in parallel. */
  times?: number;
  /** Age in seconds that the signature claims. */
  ageSecs?: number;
  /** A secret other than the endpoint's. */
  secret?: string;
};

export class Deliveries {
  readonly log: Delivery[] = [];
  url: string | undefined;
  readonly #faults: Faults;
  readonly #options: DeliveryOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  readonly #closed = new AbortController();
  readonly #wire = new Gate(64);
  #held: Event[] = [];
  #whenIdle: (() => void)[] = [];

  constructor(faults: Faults, options: DeliveryOptions) {
    this.#faults = faults;
    this.#options = options;
    this.url = options.webhookUrl;
  }

  get held(): readonly string[] {
    return this.#held.map((event) => event.id);
  }

  /** Dispatches a new event, subject to the faults that are set for it. */
  dispatch(event: Event): void {
    if (!this.url) {
      event.pending_webhooks = 0;
      return;
    }
    const fault = this.#faults.takeWebhook(event.type);
    switch (fault?.kind) {
      case undefined: return this.#start(event);
      case 'drop': return void this.#note(event, 0, null, 'dropped');
      case 'hold': return this.#hold(event);
      case 'delay': return this.#later(fault.delay_ms, () => this.#start(event));
      case 'duplicate': return this.#repeat(event, 1 + fault.copies);
    }
  }

  /**
   * Sends an event now, whether or not it was delivered before; resolves when every copy has a
   * response.
   */
  async deliver(event: Event, sending: Sending = {}): Promise<Delivery[]> {
    const copies = Array.from({ length: sending.times ?? 1 }, () => this.#attempt(event, 1, sending));
    return Promise.all(copies);
  }

  /** Sends each event several times, in parallel and shuffled. */
  async storm(events: Event[], times: number): Promise<Delivery[]> {
    const copies = events.flatMap((event) => Array.from({ length: times }, () => event));
    return Promise.all(shuffle(copies).map((event) => this.#attempt(event, 1)));
  }

  /** Sends held events one by one, so that they arrive in the given order. */
  release(order: 'held' | 'reverse' | 'shuffle' = 'held'): number {
    const held = this.#held;
    this.#held = [];
    const released = order === 'reverse' ? held.toReversed() : order === 'shuffle' ? shuffle(held) : held;
    this.#run(async () => {
      for (const event of released) await this.#tryOnce(event, 1);
    });
    return released.length;
  }

  /** Resolves once nothing is being sent and no retry is pending. */
  async idle(): Promise<void> {
    if (this.#busy()) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  async close(): Promise<void> {
    this.#closed.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#running);
  }

  #hold(event: Event): void {
    this.#held.push(event);
    this.#note(event, 0, null, 'held');
  }

  #repeat(event: Event, times: number): void {
    for (let copy = 0; copy < times; copy++) this.#start(event);
  }

  #start(event: Event, attempt = 1): void {
    this.#run(() => this.#tryOnce(event, attempt));
  }

  #run(work: () => Promise<void>): void {
    const run = work().finally(() => {
      this.#running.delete(run);
      if (this.#busy()) return;
      for (const resolve of this.#whenIdle.splice(0)) resolve();
    });
    this.#running.add(run);
  }

  #busy(): boolean {
    return this.#running.size > 0 || this.#timers.size > 0;
  }

  async #tryOnce(event: Event, attempt: number): Promise<void> {
    if (!this.url || this.#closed.signal.aborted) return;
    const { outcome } = await this.#attempt(event, attempt);
    if (outcome === 'delivered' || attempt >= this.#options.maxAttempts) return;
    this.#later(this.#options.retryUnitMs * 2 ** (attempt - 1), () => this.#start(event, attempt + 1));
  }

  #later(delayMs: number, then: () => void): void {
    if (this.#closed.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, delayMs);
    this.#timers.add(timer);
  }

  async #attempt(event: Event, attempt: number, sending: Sending = {}): Promise<Delivery> {
    const payload = JSON.stringify(event, null, 2);
    const status = await this.#wire.pass(() => this.#post(payload, sending)).catch(() => null);
    const delivered = status !== null && status >= 200 && status < 300;
    if (delivered) event.pending_webhooks = 0;
    return this.#note(event, attempt, status, delivered ? 'delivered' : status === null ? 'unreachable' : 'refused');
  }

  async #post(payload: string, { ageSecs = 0, secret = this.#options.webhookSecret }: Sending): Promise<number> {
    if (!this.url) throw new Error('no webhook URL');
    const timestamp = Math.floor(this.#options.now()) - ageSecs;
    const response = await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp }),
      },
      body: payload,
      redirect: 'manual',
      signal: AbortSignal.any([this.#closed.signal, AbortSignal.timeout(this.#options.timeoutMs)]),
    });
    await response.arrayBuffer();
    return response.status;
  }

  #note(event: Event, attempt: number, status: number | null, outcome: Delivery['outcome']): Delivery {
    const delivery: Delivery = { event: event.id, type: event.type, attempt, status, outcome };
    this.log.push(delivery);
    return delivery;
  }
}

/** Lets a number of tasks run at once, the others in order of arrival. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

function shuffle<T>(items: readonly T[]): T[] {
  return items.map((item) => ({ item, at: Math.random() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}

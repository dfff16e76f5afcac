/**
 * A chaos run: a shop is traded in while it is killed, frozen, locked out of its database and lied
 * to. Then everything works again, and it is left alone with its cron while hours pass. Finally its
 * data is written down for the judge.
 *
 * At the end, the folder contains the databases as they were left, and `evidence.json`: the records
 * of the payment provider, the mail provider, the objects and the shoppers.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startSandbox, type Sandbox } from '../stripe-sandbox/sandbox.ts';
import { csvOf } from '../workerd/catalog.ts';
import { Client } from '../workerd/client.ts';
import { freePort } from '../workerd/port.ts';
import { SECRETS, importCatalog } from '../workerd/shop.ts';
import { Clock } from './clock.ts';
import { House } from './house.ts';
import { startMailbox, type Mailbox } from './mailbox.ts';
import { randomOf } from './random.ts';
import { Crowd } from './shoppers.ts';
import { pendingRefunds, storm } from './weather.ts';

export type ChaosOptions = { seconds: number; clients?: number; seed?: number; say?: (line: string) => void };
export type World = { house: House; sandbox: Sandbox; clock: Clock };
export type Outcome = { folder: string; database: string; evidence: string; summary: Record<string, unknown> };

/** Units of each SKU per minute; some sell out. */
const UNITS: Record<string, number> = { LAMP: 60, CHAIR: 200, VASE: 25, ROPE: 400, BOWL: 100, DESK: 1000 };

/**
 * Minutes that pass while the shop is left alone, with its cron in between. Payment sessions end
 * within the hour.
 */
const HEALING_MINUTES = [1, 5, 15, 45, 20, 60, 70];
const CRONS_A_STEP = 3;

export async function runChaos({ seconds, clients = 6, seed = randomBytes(4).readUInt32LE(), say = () => {} }: ChaosOptions): Promise<Outcome> {
  const random = randomOf(seed);
  const clock = new Clock();
  const folder = await mkdtemp(join(tmpdir(), 'chaos-'));
  say(`seed ${seed}, ${seconds} s, ${clients} clients, in ${folder}`);
  const sandbox = await startSandbox({
    port: 0, now: clock.now, receiversNow: clock.now, secretKey: SECRETS.STRIPE_SECRET_KEY, webhookSecret: SECRETS.STRIPE_WEBHOOK_SECRET, retryUnitMs: 200, timeoutMs: 5_000,
  });
  const mailbox = await startMailbox(random);
  const vars = { STRIPE_API_BASE: sandbox.url, MAIL_PROVIDER: 'resend', MAIL_FROM: 'Shop <orders@shop.test>', MAIL_API_BASE: mailbox.url };
  const house = new House({ port: await freePort(), folder, clock, vars });
  try {
    await house.start();
    const units = Object.entries(UNITS).map(([sku, aMinute]) => ({ sku, quantity: aMinute * Math.ceil(seconds / 60) }));
    await importCatalog(staffOf(house), csvOf(...units));
    sandbox.control.webhook(`${house.url}/webhooks/stripe`);

    const crowd = new Crowd(house.url, sandbox, Object.keys(UNITS), random);
    const weather = await trade({ house, sandbox, mailbox, crowd, random, seconds, clients, say });
    await heal({ house, sandbox, clock, say });
    const summary = { seed, seconds, clients, weather, shoppers: crowd.counts, orders: crowd.told.length };
    const evidence = await collect({ house, sandbox, mailbox, crowd, units, folder, summary });
    return { folder, database: house.databaseFile(), evidence, summary };
  } finally {
    await house.kill();
    await sandbox.close();
    mailbox.close();
  }
}

type Trading = {
  house: House; sandbox: Sandbox; mailbox: Mailbox; crowd: Crowd; random: ReturnType<typeof randomOf>;
  seconds: number; clients: number; say: (line: string) => void;
};

/** Trades through the storm; shoppers who are still active when it ends finish what they do. */
async function trade({ house, sandbox, mailbox, crowd, random, seconds, clients, say }: Trading) {
  const end = Date.now() + seconds * 1000;
  const over = () => Date.now() >= end;
  mailbox.state.faults = true;
  const { weather, ended } = storm(house, sandbox, random, seconds, over);
  const shoppers = Promise.all(Array.from({ length: clients }, () => crowd.keepComing(over)));
  const told = setInterval(() => say(`${Math.round((end - Date.now()) / 1000)} s left: ${JSON.stringify({ ...weather, ...crowd.counts })}`), 15_000);
  try {
    await ended;
    sandbox.faults.clear();
    mailbox.state.faults = false;
    await shoppers;
  } finally {
    clearInterval(told);
  }
  return weather;
}

/**
 * Leaves the shop alone until no work is unfinished, or its time is over; the judge then finds what
 * is left.
 */
async function heal({ say, ...world }: World & { say: (line: string) => void }): Promise<void> {
  for (const minutes of HEALING_MINUTES) {
    await pass(world, minutes);
    say(`${Math.round(world.clock.aheadMs / 60_000)} minutes later: ${JSON.stringify(underWay(world.house))}`);
  }
}

/** Lets minutes pass while the shop is down; then it does what has become due. */
export async function pass({ house, sandbox, clock }: World, minutes: number): Promise<void> {
  await house.kill();
  clock.advance(minutes);
  await house.start();
  sandbox.control.release();
  sandbox.control.advance(0);
  for (const refund of pendingRefunds(sandbox)) sandbox.control.settleRefund(refund, 'succeed');
  for (let cron = 0; cron < CRONS_A_STEP; cron++) {
    await house.cron({ wait: true });
    await quiet(house);
  }
}

/** Waits until the unfinished work has not changed for a moment. */
async function quiet(house: House): Promise<void> {
  let last = '';
  for (let same = 0; same < 3; ) {
    await setTimeout(100);
    const now = JSON.stringify(underWay(house));
    same = now === last ? same + 1 : 0;
    last = now;
  }
}

/** Returns the amount of unfinished work by kind. */
export function underWay(house: House): Record<string, number> {
  const count = (sql: string) => (house.rows<{ count: number }>(sql)[0]?.count ?? 0);
  return {
    pending: count("SELECT COUNT(*) AS count FROM orders WHERE status = 'pending_payment'"),
    tasks: count('SELECT COUNT(*) AS count FROM outbox WHERE done_at IS NULL'),
    events: count('SELECT COUNT(*) AS count FROM webhook_events WHERE processed_at IS NULL'),
    letters: count('SELECT COUNT(*) AS count FROM mails WHERE sent_at IS NULL'),
    refunds: count("SELECT COUNT(*) AS count FROM refunds WHERE status = 'pending'"),
  };
}

type Collecting = {
  house: House; sandbox: Sandbox; mailbox: Mailbox; crowd: Crowd; units: { sku: string; quantity: number }[];
  folder: string; summary: unknown;
};

/** Writes down the evidence of all parties. */
async function collect({ house, sandbox, mailbox, crowd, units, folder, summary }: Collecting): Promise<string> {
  const staff = staffOf(house);
  const stock: Record<string, unknown> = {};
  for (const { sku, quantity: received } of units) {
    const view = await house.view('STOCK', `${sku}#0`);
    stock[sku] = { received, view, shown: await shownWord(staff, sku, view) };
  }
  const carts: Record<string, unknown> = {};
  for (const { cart_id } of house.rows<{ cart_id: string }>('SELECT DISTINCT cart_id FROM orders')) carts[cart_id] = await house.view('CART', cart_id);
  const { sessions, intents, refunds } = sandbox.account;
  const refundedOf = (intent: string | null) => [...refunds.values()].filter((it) => it.payment_intent === intent && it.status === 'succeeded').reduce((sum, it) => sum + it.amount, 0);
  const evidence = {
    summary,
    stock,
    carts,
    told: crowd.told,
    letters: [...mailbox.sent.values()],
    sessions: [...sessions.values()].map((it) => ({
      id: it.id,
      order_id: it.client_reference_id,
      state: it.status === 'complete' ? (it.payment_status === 'paid' ? 'paid' : intents.get(it.payment_intent ?? '')?.status === 'processing' ? 'processing' : 'failed') : it.status,
      amount: it.amount_total,
      refunded: refundedOf(it.payment_intent),
    })),
  };
  const file = join(folder, 'evidence.json');
  await writeFile(file, JSON.stringify(evidence, null, 1));
  return file;
}

/**
 * Returns the availability that pages show for a SKU: the right one once it has reached their copy,
 * or else the last one after half a minute.
 */
async function shownWord(staff: Client, sku: string, view: { stock?: unknown }): Promise<string> {
  const end = Date.now() + 30_000;
  for (;;) {
    const answer = await staff.get(`/api/v1/stock/${sku}`);
    const isOver = Date.now() >= end;
    if (answer.status === 200 || isOver) {
      const { stock } = answer.expect(200);
      if (stock === view.stock || isOver) return stock as string;
    }
    await setTimeout(200);
  }
}

function staffOf(house: House): Client {
  return new Client(house.url, { authorization: `Bearer ${SECRETS.ADMIN_API_KEY}` });
}

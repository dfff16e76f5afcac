/**
 * The storm: each kind of fault occurs independently, with its own probability, until the storm is
 * over.
 */
import { setTimeout } from 'node:timers/promises';
import type { Sandbox } from '../stripe-sandbox/sandbox.ts';
import type { House } from './house.ts';
import type { Random } from './random.ts';

export type Weather = { kills: number; freezes: number; locks: number; outages: number; provider_faults: number; repeats: number; crons: number };

/** Minimum length in seconds of a storm that includes an outage of the database. */
const LONG_STORM_SECS = 20 * 60;
const OUTAGE_SECS = 10 * 60;

export function storm(house: House, sandbox: Sandbox, random: Random, seconds: number, over: () => boolean) {
  const weather: Weather = { kills: 0, freezes: 0, locks: 0, outages: 0, provider_faults: 0, repeats: 0, crons: 0 };
  const each = async (low: number, high: number, act: () => unknown) => {
    while (!over()) {
      await setTimeout(random.between(low, high));
      if (!over()) await act();
    }
  };
  const all = [
    each(5_000, 20_000, async () => {
      weather.kills++;
      await house.kill();
      await setTimeout(random.between(0, 1_500));
      await house.start();
    }),
    each(8_000, 25_000, async () => {
      weather.freezes++;
      await house.freeze(random.between(200, 4_000));
    }),
    each(4_000, 15_000, async () => {
      weather.locks++;
      await house.lockDatabase(random.between(200, 6_000));
    }),
    each(500, 3_000, () => {
      weather.provider_faults++;
      providerFault(sandbox, random);
    }),
    each(1_000, 4_000, async () => {
      weather.repeats++;
      await repeatMessages(house, random);
    }),
    each(3_000, 6_000, async () => {
      weather.crons++;
      await house.cron().catch(() => {}); // it may be killed meanwhile
    }),
  ];
  if (seconds >= LONG_STORM_SECS) all.push(outage(house, seconds, weather));
  return { weather, ended: Promise.all(all) };
}

/** In the middle of the storm, the database accepts no writes for ten minutes. */
async function outage(house: House, seconds: number, weather: Weather): Promise<void> {
  await setTimeout((seconds - OUTAGE_SECS) / 2 * 1000);
  while (!(await house.lockDatabase(OUTAGE_SECS * 1000)));
  weather.outages++;
}

function providerFault(sandbox: Sandbox, random: Random): void {
  const paths = ['/v1/checkout/sessions', '/v1/refunds', '/v1/'];
  const faults = [
    () => ({ on: 'api', path: random.pick(paths), kind: 'error', status: random.pick([429, 500, 503]), times: 1 + random.below(3) }),
    () => ({ on: 'api', path: random.pick(paths), kind: random.pick(['reset', 'reset_after', 'error_after']), status: 500 }),
    () => ({ on: 'api', path: random.pick(paths), kind: 'delay', delay_ms: random.below(3_000) }),
    () => ({ on: 'webhook', kind: 'drop' }),
    () => ({ on: 'webhook', kind: 'duplicate', copies: 1 + random.below(4) }),
    () => ({ on: 'webhook', kind: 'delay', delay_ms: random.below(5_000) }),
    () => ({ on: 'webhook', kind: 'hold', times: 1 + random.below(4) }),
    () => ({ on: 'refund', kind: 'pending' }),
  ];
  sandbox.faults.add(random.pick(faults)());
  if (random() < 0.3) sandbox.control.release('shuffle');
  for (const refund of pendingRefunds(sandbox)) if (random() < 0.5) sandbox.control.settleRefund(refund, 'succeed');
}

/** Returns refunds that the provider has not decided. */
export function pendingRefunds(sandbox: Sandbox): string[] {
  return [...sandbox.account.refunds.values()].filter(({ status }) => status === 'pending').map(({ id }) => id);
}

/** Delivers earlier messages once more, out of order, with events of any age. */
async function repeatMessages(house: House, random: Random): Promise<void> {
  try {
    const events = house.rows<{ id: string }>('SELECT id FROM webhook_events ORDER BY RANDOM() LIMIT 5').map(({ id }) => id);
    if (events.length > 0) await house.consume('stripe-events', [...events, random.pick(events)]);
  } catch {
    // The shop is down or the database locked; later messages are repeated instead.
  }
}

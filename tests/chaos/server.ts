/**
 * The shop in a process of its own, which may be killed at any instant: the built Worker under
 * miniflare, with all data in one folder, on one port. Its clock may run ahead of the machine's.
 * Started by `house.ts`, which sends it messages.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Miniflare, type MiniflareOptions } from 'miniflare';
import { unstable_readConfig } from 'wrangler';
import { DEVELOPMENT } from '../../tools/setup.mjs';
import { eventually } from '../workerd/eventually.ts';
import { SECRETS, UNLIMITED, jobsUnderWay, migrate, runtimeOptions, type Database } from '../workerd/shop.ts';

export type Start = { port: number; folder: string; aheadMs: number; vars: Record<string, string>; fresh: boolean };
export type Call =
  | { id: number; call: 'cron'; wait: boolean }
  | { id: number; call: 'consume'; queue: string; bodies: string[] }
  | { id: number; call: 'stored'; binding: string; name: string };
export type Reply = { id: number; result?: unknown; error?: string };

const ROOT = join(import.meta.dirname, '../..');

/** Lines that the Worker logged in the last minute. */
const log: string[] = [];

const start = JSON.parse(process.argv[2]!) as Start;
const config = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') }, { hideWarnings: true });
const options = runtimeOptions(config);
const [script, ...others] = options.modules;
const miniflare = new Miniflare({
  name: config.name,
  ...options,
  modules: [
    { type: 'ESModule', path: join(dirname(script!.path), 'ahead.js'), contents: alarmsByTheMachine(start.aheadMs) },
    { ...script!, contents: clock(start.aheadMs) + readFileSync(script!.path, 'utf8') },
    ...others,
  ],
  bindings: { ...config.vars, ...DEVELOPMENT, ...UNLIMITED, ...SECRETS, SHOP_URL: `http://127.0.0.1:${start.port}`, ...start.vars },
  unsafeTriggerHandlers: true,
  host: '127.0.0.1',
  port: start.port,
  d1Persist: join(start.folder, 'd1'),
  kvPersist: join(start.folder, 'kv'),
  r2Persist: join(start.folder, 'r2'),
  durableObjectsPersist: join(start.folder, 'objects'),
  handleStructuredLogs: ({ message }: { message: string }) => {
    log.push(message);
    process.send!({ log: message });
  },
} as MiniflareOptions);
await miniflare.ready;
if (start.fresh) await migrate((await miniflare.getD1Database('DB')) as unknown as Database);
process.on('message', (call: Call) => void answer(call));
process.on('disconnect', () => process.exit(1));
process.send!({ ready: true });

async function answer({ id, ...call }: Call): Promise<void> {
  const reply: Reply = await carryOut(call).then((result) => ({ id, result }), (error) => ({ id, error: String(error) }));
  process.send!(reply);
}

async function carryOut(call: { call: string } & Record<string, any>): Promise<unknown> {
  if (call.call === 'cron') return cron(call['wait']);
  const worker = (await miniflare.getWorker()) as any;
  switch (call.call) {
    case 'consume': {
      const messages = (call['bodies'] as string[]).map((body, at) => ({ id: `${Date.now()}-${at}`, timestamp: new Date(), attempts: 1, body }));
      return (await worker.queue(call['queue'], messages)).outcome;
    }
    case 'stored': {
      const objects = (await miniflare.getDurableObjectNamespace(call['binding'])) as any;
      const answer = await objects.get(objects.idFromName(call['name'])).fetch('http://object/', { method: 'POST', body: '"view"' });
      return (await answer.json()).done.view;
    }
    default: throw new Error(`no call ${call.call}`);
  }
}

/**
 * Hands out the jobs of a minute and optionally waits until each has ended. Called by HTTP:
 * miniflare's own handle on the Worker blocks until it is answered, and a Worker whose many log
 * lines nobody reads meanwhile does not answer.
 */
async function cron(wait: boolean): Promise<string> {
  log.length = 0;
  const answer = await fetch(`http://127.0.0.1:${start.port}/cdn-cgi/handler/scheduled?cron=*+*+*+*+*`);
  const outcome = await answer.text();
  assert.equal(outcome, 'ok');
  if (wait) await eventually(() => assert.deepEqual(jobsUnderWay(log), []));
  return outcome;
}

/**
 * Returns the module in front of the Worker, which converts the times of alarms from the shop's
 * clock to the machine's.
 */
function alarmsByTheMachine(aheadMs: number): string {
  const classes = config.durable_objects.bindings.map(({ class_name: name }: { class_name: string }) =>
    `export class ${name} extends shop.${name} { constructor(state, env) { shift(state.storage); super(state, env); } }`);
  return `import * as shop from './index.js';
    const shifted = new WeakSet();
    function shift(storage) {
      const kind = Object.getPrototypeOf(storage);
      if (shifted.has(kind)) return;
      shifted.add(kind);
      const { setAlarm } = kind;
      kind.setAlarm = function (at, options) { return setAlarm.call(this, Number(at) - ${aheadMs}, options); };
    }
    ${classes.join('\n')}
    export default shop.default;`;
}

/** Returns code to run before the Worker's script, which only reads the time by `Date`. */
function clock(aheadMs: number): string {
  return `{
    const Machine = globalThis.Date;
    globalThis.Date = class extends Machine {
      constructor(...given) { if (given.length === 0) super(Machine.now() + ${aheadMs}); else super(...given); }
      static now() { return Machine.now() + ${aheadMs}; }
    };
  }\n`;
}

/**
 * The shop's process from outside: starting, killing, freezing and querying it. Its data survives,
 * except for messages in its queues, which the local broker holds in memory: each kill loses those,
 * unlike on the platform.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import type { Clock } from './clock.ts';
import type { Reply, Start } from './server.ts';

const START_WITHIN_MS = 60_000;
const BUSY_MS = 20_000;
const NANOS_A_MILLI = 1_000_000n;

export type HouseOptions = { port: number; folder: string; clock: Clock; vars: Record<string, string> };

export class House {
  readonly url: string;
  readonly #options: HouseOptions;
  #child: ChildProcess | undefined;
  #waiting = new Map<number, (reply: Reply) => void>();
  #calls = 0;
  #fresh = true;
  #startedAheadMs = 0;
  readonly log: string[] = [];

  constructor(options: HouseOptions) {
    this.#options = options;
    this.url = `http://127.0.0.1:${options.port}`;
    mkdirSync(options.folder, { recursive: true });
  }

  async start(): Promise<void> {
    const { port, folder, clock, vars } = this.#options;
    this.#bringAlarmsForward();
    const start: Start = { port, folder, vars, aheadMs: clock.aheadMs, fresh: this.#fresh };
    const child = fork(join(import.meta.dirname, 'server.ts'), [JSON.stringify(start)], { detached: true, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let told = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (told = (told + text).slice(-4000)));
    await new Promise<void>((ready, failed) => {
      const late = globalThis.setTimeout(() => failed(new Error(`the shop did not start in time: ${told}`)), START_WITHIN_MS);
      child.once('exit', (code, signal) => {
        clearTimeout(late);
        failed(new Error(`the shop ended while it started (${code ?? signal}): ${told}`));
      });
      child.on('message', (message: any) => {
        if (message.ready) {
          clearTimeout(late);
          ready();
        } else if (message.log !== undefined) {
          this.log.push(message.log);
        } else {
          this.#waiting.get(message.id)?.(message);
        }
      });
    });
    this.#fresh = false;
    this.#child = child;
  }

  /**
   * Alarms follow the machine's clock, so they are moved forward by as much as the shop's clock has
   * advanced since the last start.
   */
  #bringAlarmsForward(): void {
    const { folder, clock } = this.#options;
    const movedMs = clock.aheadMs - this.#startedAheadMs;
    this.#startedAheadMs = clock.aheadMs;
    const objects = join(folder, 'objects');
    if (movedMs === 0 || !existsSync(objects)) return;
    for (const kind of readdirSync(objects)) {
      const file = join(objects, kind, 'metadata.sqlite');
      if (!existsSync(file)) continue;
      const database = new DatabaseSync(file);
      database.prepare('UPDATE _cf_ALARM SET scheduled_time = scheduled_time - ?').run(BigInt(movedMs) * NANOS_A_MILLI);
      database.close();
    }
  }

  /** Kills the shop at once, in the middle of whatever it does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    signal(child, 'SIGKILL');
    await gone;
    for (const [id, reply] of this.#waiting) reply({ id, error: 'the shop was killed' });
    this.#waiting.clear();
  }

  /** Freezes the process for a while, then continues. */
  async freeze(ms: number): Promise<void> {
    const child = this.#child;
    if (!child) return;
    signal(child, 'SIGSTOP');
    await setTimeout(ms);
    signal(child, 'SIGCONT');
  }

  /** Locks the database for a while; false if it was being written to all the time. */
  async lockDatabase(ms: number): Promise<boolean> {
    const database = new DatabaseSync(this.databaseFile(), { timeout: 1000 });
    try {
      database.exec('BEGIN IMMEDIATE');
      await setTimeout(ms);
      database.exec('ROLLBACK');
      return true;
    } catch {
      return false;
    } finally {
      database.close();
    }
  }

  /** Runs the cron; with `wait`, until its jobs have ended. */
  cron = ({ wait = false } = {}): Promise<unknown> => this.#ask({ call: 'cron', wait });
  consume = (queue: string, bodies: string[]): Promise<unknown> => this.#ask({ call: 'consume', queue, bodies });
  view = (binding: string, name: string): Promise<any> => this.#ask({ call: 'stored', binding, name });

  /** Reads rows of the database without the shop. */
  rows<T = any>(sql: string, ...values: (string | number)[]): T[] {
    const database = new DatabaseSync(this.databaseFile(), { readOnly: true, timeout: BUSY_MS });
    try {
      return database.prepare(sql).all(...values) as T[];
    } finally {
      database.close();
    }
  }

  databaseFile(): string {
    const folder = join(this.#options.folder, 'd1', 'miniflare-D1DatabaseObject');
    const file = readdirSync(folder).find((name) => name.endsWith('.sqlite') && !name.startsWith('metadata'));
    if (!file) throw new Error(`no database in ${folder}`);
    return join(folder, file);
  }

  #ask(call: Record<string, unknown>): Promise<unknown> {
    const child = this.#child;
    if (!child?.connected) return Promise.reject(new Error('the shop is down'));
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        this.#waiting.delete(id);
        if (error === undefined) resolve(result);
        else reject(new Error(error));
      });
      child.send({ id, ...call }, (error) => error && this.#waiting.get(id)?.({ id, error: error.message }));
    });
  }
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, name);
  } catch {
    // It has already ended.
  }
}

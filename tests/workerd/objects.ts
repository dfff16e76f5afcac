/**
 * A Durable Object of the shop, seen past the Worker: asked by `durable::machine`'s requests, read
 * in its storage, thrown out of memory.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Miniflare } from 'miniflare';
import type { Json } from './client.ts';

/**
 * Part of the type of miniflare's namespace that is used here; the published one comes with a
 * package that nothing else needs.
 */
type Namespace = { idFromName(name: string): unknown; get(id: unknown): { fetch: typeof fetch } };

export type ObjectPlace = { worker: string; binding: string; className: string; name: string; persistedIn: string };

export class ShopObject {
  readonly #miniflare: Miniflare;
  readonly #place: ObjectPlace;

  constructor(miniflare: Miniflare, place: ObjectPlace) {
    this.#miniflare = miniflare;
    this.#place = place;
  }

  async view(): Promise<Json> {
    return (await this.#ask('view')).done.view;
  }

  /** Has a command carried out, once per operation id. */
  do(operationId: string, command: unknown): Promise<Json> {
    return this.#ask({ do: { operation_id: operationId, command } });
  }

  /** Rows of the object's storage, read without asking or waking the object. */
  async stored(sql: string): Promise<Json[]> {
    const database = new DatabaseSync(await this.file(), { readOnly: true });
    try {
      return database.prepare(sql).all();
    } finally {
      database.close();
    }
  }

  /** Changes what its storage holds, while it is out of memory. */
  async write(sql: string): Promise<void> {
    const database = new DatabaseSync(await this.file());
    try {
      database.exec(sql);
    } finally {
      database.close();
    }
  }

  /** File of the object's storage, once something was stored. */
  async file(): Promise<string> {
    const { worker, className, name, persistedIn } = this.#place;
    const id = (await this.#namespace()).idFromName(name);
    return join(persistedIn, `${worker}-${className}`, `${id}.sqlite`);
  }

  /**
   * Has what its rows say have happened so much earlier: it is thrown out of memory, and reads them
   * anew.
   */
  async age(key: string, instant: string, secs: number): Promise<void> {
    await this.evict();
    const database = new DatabaseSync(await this.file());
    try {
      database.prepare(`UPDATE state SET value = json_set(value, '$.${instant}', (value ->> '$.${instant}') - CAST(? AS INTEGER)) WHERE key = ?`).run(secs * 1000, key);
    } finally {
      database.close();
    }
  }

  /** Throws it out of memory, as the platform does with idle objects. */
  evict(): Promise<void> {
    const { worker, className, name } = this.#place;
    return this.#miniflare.unsafeEvictDurableObject(worker, className, { name });
  }

  async #ask(request: unknown): Promise<Json> {
    const objects = await this.#namespace();
    const answer = await objects.get(objects.idFromName(this.#place.name)).fetch('http://object/', { method: 'POST', body: JSON.stringify(request) });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return JSON.parse(text);
  }

  async #namespace(): Promise<Namespace> {
    return (await this.#miniflare.getDurableObjectNamespace(this.#place.binding)) as unknown as Namespace;
  }
}

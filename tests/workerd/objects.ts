/**
 * A Durable Object of the shop, bypassing the Worker: called by requests of `durable::machine`,
 * read in its storage, evicted from memory.
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

  /** Sends a command, which is carried out once per operation ID. */
  do(operationId: string, command: unknown): Promise<Json> {
    return this.#ask({ do: { operation_id: operationId, command } });
  }

  /** Returns rows of the object's storage, without calling or waking the object. */
  async stored(sql: string): Promise<Json[]> {
    const database = new DatabaseSync(await this.file(), { readOnly: true });
    try {
      return database.prepare(sql).all();
    } finally {
      database.close();
    }
  }

  /** Changes the object's storage while the object is evicted. */
  async write(sql: string): Promise<void> {
    const database = new DatabaseSync(await this.file());
    try {
      database.exec(sql);
    } finally {
      database.close();
    }
  }

  /** Returns the file of the object's storage, once something was stored. */
  async file(): Promise<string> {
    const { worker, className, name, persistedIn } = this.#place;
    const id = (await this.#namespace()).idFromName(name);
    return join(persistedIn, `${worker}-${className}`, `${id}.sqlite`);
  }

  /** Moves an instant in the object's rows back: the object is evicted and reads them again. */
  async age(key: string, instant: string, secs: number): Promise<void> {
    await this.evict();
    const database = new DatabaseSync(await this.file());
    try {
      database.prepare(`UPDATE state SET value = json_set(value, '$.${instant}', (value ->> '$.${instant}') - CAST(? AS INTEGER)) WHERE key = ?`).run(secs * 1000, key);
    } finally {
      database.close();
    }
  }

  /** Evicts the object from memory, as the platform does with idle objects. */
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

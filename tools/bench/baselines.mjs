//! Baselines to compare the Worker with: for each kind of work, the smallest JavaScript Worker that
//! does it.

const page = `<!doctype html><title>Product</title><main>${"<p>A line of a page that says what is sold here.</p>".repeat(196)}</main>`;

export const baselines = {
  "constant page": {
    script: `
      const page = ${JSON.stringify(page)};
      const headers = { "content-type": "text/html; charset=utf-8" };
      export default { fetch: () => new Response(page, { headers }) };`,
  },
  "KV read": {
    script: `
      const headers = { "content-type": "application/json" };
      export default {
        async fetch(request, env) {
          const product = await env.KV.get(new URL(request.url).pathname, "json");
          return product ? new Response(JSON.stringify(product), { headers }) : new Response(null, { status: 404 });
        },
      };`,
    options: { kvNamespaces: ["KV"] },
  },
  "webhook verifier": {
    script: `
      const key = crypto.subtle.importKey("raw", new TextEncoder().encode("whsec_bench"), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
      let ready;
      export default {
        async fetch(request, env) {
          ready ??= env.DB.prepare("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, payload TEXT NOT NULL)").run();
          await ready;
          const body = await request.text();
          const [at, v1] = request.headers.get("stripe-signature").split(",").map((part) => part.split("=")[1]);
          const signature = Uint8Array.from(v1.match(/../g), (pair) => parseInt(pair, 16));
          const holds = await crypto.subtle.verify("HMAC", await key, signature, new TextEncoder().encode(at + "." + body));
          if (!holds || Math.abs(Date.now() / 1000 - at) > 300) return new Response(null, { status: 400 });
          const { id } = JSON.parse(body);
          await env.DB.prepare("INSERT OR IGNORE INTO events VALUES (?, ?)").bind(id, body).run();
          await env.QUEUE.send(id);
          return Response.json({ received: true });
        },
      };`,
    options: { d1Databases: ["DB"], queueProducers: { QUEUE: "events" } },
  },
  /** The work of a quote without pricing: calls an object, reads a row, writes one. */
  "object and D1": {
    script: `
      import { DurableObject } from "cloudflare:workers";
      const body = "x".repeat(2000);
      export class Note extends DurableObject {
        constructor(state, env) {
          super(state, env);
          state.storage.sql.exec("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
        }
        fetch() {
          return Response.json(this.ctx.storage.sql.exec("SELECT body FROM note").toArray());
        }
      }
      let ready;
      export default {
        async fetch(request, env) {
          ready ??= env.DB.prepare("CREATE TABLE IF NOT EXISTS quotes (id TEXT PRIMARY KEY, body TEXT NOT NULL)").run();
          await ready;
          const note = await env.NOTE.get(env.NOTE.idFromName("note")).fetch(request.url);
          if (request.method === "GET") return note;
          const { results } = await env.DB.prepare("SELECT ? AS body").bind(body).all();
          await env.DB.prepare("INSERT INTO quotes VALUES (?, ?)").bind(crypto.randomUUID(), body).run();
          return Response.json(results);
        },
      };`,
    options: { d1Databases: ["DB"], durableObjects: { NOTE: { className: "Note", useSQLite: true } } },
  },
  "counter object": {
    script: `
      import { DurableObject } from "cloudflare:workers";
      export class Counter extends DurableObject {
        constructor(state, env) {
          super(state, env);
          state.storage.sql.exec("CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, units INTEGER NOT NULL)");
          state.storage.sql.exec("INSERT OR IGNORE INTO counter VALUES (1, 1000000000)");
        }
        fetch() {
          const [row] = this.ctx.storage.sql.exec("UPDATE counter SET units = units - 1 WHERE id = 1 RETURNING units").toArray();
          return Response.json(row);
        }
      }
      export default {
        fetch(request, env) {
          const name = new URL(request.url).pathname;
          return env.COUNTER.get(env.COUNTER.idFromName(name)).fetch(request);
        },
      };`,
    options: { durableObjects: { COUNTER: { className: "Counter", useSQLite: true } } },
  },
};

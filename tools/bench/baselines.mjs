//! What the Worker is compared with: for each kind of work, the least JavaScript that does it.

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

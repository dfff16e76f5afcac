/**
 * Costs of an operation: database calls with rows read and written, requests to objects, KV reads,
 * messages, calls to providers. A module in front of the built Worker replaces its bindings by
 * counting ones; the Worker itself is the one that ships.
 */

export type Costs = {
  d1_trips: number;
  d1_rows_read: number;
  d1_rows_written: number;
  /** Bytes of the values passed to the database. */
  d1_bytes: number;
  /** Requests to objects, by binding. */
  objects: Record<string, number>;
  kv_reads: number;
  kv_writes: number;
  /** Messages sent, by binding. */
  messages: Record<string, number>;
  /** Requests to other hosts, by method and prefix of the path. */
  calls: Record<string, number>;
};

/**
 * Path that returns the counts, once no call is pending and every message was handled. Reading
 * resets them.
 */
export const COSTS_PATH = '/__costs';

/**
 * Returns the module in front of a Worker whose module is `./index.js` and whose objects have these
 * class names.
 */
export function countingModule(classes: readonly string[]): string {
  const objects = classes.map((name) => `export class ${name} extends shop.${name} { constructor(state, env) { super(state, counting(env)); } }`);
  return `${COUNTING}
${objects.join('\n')}
export default class extends shop.default {
  constructor(context, env) { super(context, counting(env)); }
  fetch(request) {
    if (new URL(request.url).pathname !== ${JSON.stringify(COSTS_PATH)}) return super.fetch(request);
    if (calls > 0 || messages > 0) return Response.json({ calls, messages }, { status: 409 });
    const counted = costs;
    costs = nothing();
    return Response.json(counted);
  }
  queue(batch) {
    for (const message of batch.messages) {
      message.ack = () => {
        messages -= 1;
        Object.getPrototypeOf(message).ack.call(message);
      };
    }
    return super.queue(batch);
  }
}
`;
}

const COUNTING = `
import * as shop from './index.js';
const nothing = () => ({ d1_trips: 0, d1_rows_read: 0, d1_rows_written: 0, d1_bytes: 0, objects: {}, kv_reads: 0, kv_writes: 0, messages: {}, calls: {} });
let costs = nothing();
let calls = 0; // under way
let messages = 0; // sent and not acknowledged
const real = new WeakMap();
const count = (counts, name, more = 1) => (counts[name] = (counts[name] ?? 0) + more);

/** Returns \`target\` with some of its methods replaced. */
function wrapped(target, methods) {
  const proxy = new Proxy(target, {
    get(target, name) {
      if (Object.hasOwn(methods, name)) return methods[name];
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' && name !== 'constructor' ? value.bind(target) : value;
    },
  });
  real.set(proxy, target);
  return proxy;
}

async function called(call) {
  calls += 1;
  try {
    return await call();
  } finally {
    calls -= 1;
  }
}

function sent(name, more) {
  count(costs.messages, name, more);
  messages += more;
}

const encoder = new TextEncoder();
const bytesOf = (value) => value?.byteLength ?? encoder.encode(String(value ?? '')).length;

function trip(results) {
  costs.d1_trips += 1;
  for (const { meta } of results) {
    costs.d1_rows_read += meta?.rows_read ?? 0;
    costs.d1_rows_written += meta?.rows_written ?? 0;
  }
}

function statement(target) {
  const asked = (method) => async (...given) => {
    const result = await called(() => target[method](...given));
    trip([result]);
    return result;
  };
  const bind = (...values) => {
    for (const value of values) costs.d1_bytes += bytesOf(value);
    return statement(target.bind(...values));
  };
  return wrapped(target, { bind, all: asked('all'), run: asked('run') });
}

const counted = {
  D1Database: (target) => wrapped(target, {
    prepare: (sql) => statement(target.prepare(sql)),
    batch: async (statements) => {
      const results = await called(() => target.batch(statements.map((it) => real.get(it) ?? it)));
      trip(results);
      return results;
    },
  }),
  DurableObjectNamespace: (target, name) => {
    const stub = (object) => wrapped(object, { fetch: (...given) => (count(costs.objects, name), called(() => object.fetch(...given))) });
    return wrapped(target, { get: (...given) => stub(target.get(...given)), getByName: (...given) => stub(target.getByName(...given)) });
  },
  KvNamespace: (target) => wrapped(target, {
    get: (...given) => (costs.kv_reads++, called(() => target.get(...given))),
    put: (...given) => (costs.kv_writes++, called(() => target.put(...given))),
  }),
  WorkerQueue: (target, name) => wrapped(target, {
    send: (...given) => (sent(name, 1), called(() => target.send(...given))),
    sendBatch: (batch, ...more) => {
      const all = [...batch];
      sent(name, all.length);
      return called(() => target.sendBatch(all, ...more));
    },
  }),
};

function counting(env) {
  const bindings = Object.entries(env).map(([name, binding]) => {
    const wrap = counted[binding?.constructor?.name];
    return [name, wrap ? wrap(binding, name) : binding];
  });
  return Object.fromEntries(bindings);
}

const send = globalThis.fetch;
globalThis.fetch = (request, ...more) => {
  const { method = 'GET', url = request } = request instanceof Request ? request : {};
  const path = new URL(url).pathname.split('/').slice(0, 4).join('/');
  count(costs.calls, method + ' ' + path);
  return called(() => send(request, ...more));
};
`;

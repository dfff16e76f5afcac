//! The objects themselves, without the Worker in front of them: a driver forwards each request, as
//! the baseline's driver does to its counter. The CPU measured is that of a command (parse, decide,
//! write journal, rows and answer) against that of a decrement.

import { Stop } from "../run.mjs";

const CARTS = 32;
const SKUS = 100;
const OPEN_HOLDS = 20_000;
const MOVEMENTS = 100_000;

/** Number of open holds before the first is committed, so that no commit overtakes its hold. */
const LEAD = 256;

export const objectScenarios = [
  selling("object: hold, commit, one SKU", 1),
  selling("object: hold, commit, 100 SKUs", SKUS),
  selling("object: hold, commit, long past", 1, async (shop, [name]) => {
    await fill(shop, name, "hold", OPEN_HOLDS);
    await fill(shop, name, "adjust", MOVEMENTS - OPEN_HOLDS);
  }),
  {
    name: "object: cart line",
    subject: "objects",
    baseline: "counter object",
    setup: async () => ({ prefix: unique() }),
    request: ({ prefix }, n) => command(`CART/cart_${prefix}_${n % CARTS}`, `${n}`, {
      change: { set: { sku: "PHONE", quantity: 1 + (Math.floor(n / CARTS) % 2) } },
    }),
    baselineRequest: (_state, n) => ({ method: "POST", path: `/${n % CARTS}` }),
  },
];

function selling(name, skus, prepare = async () => {}) {
  return {
    name,
    subject: "objects",
    baseline: "counter object",
    async setup(shop) {
      const prefix = unique();
      const names = Array.from({ length: skus }, (_, at) => `STOCK/${prefix}-${at}#0`);
      for (const name of names) await fill(shop, name, "receive", 1);
      await prepare(shop, names);
      return { names };
    },
    request({ names }, n) {
      const commits = n % 2 === 1 && n > 2 * LEAD;
      const number = commits ? n - 1 - 2 * LEAD : n;
      const hold_id = `ord_${number}:1`;
      const name = names[Math.floor(number / 2) % names.length];
      return commits
        ? command(name, `${hold_id}:commit`, { commit: { hold_id } })
        : command(name, `${hold_id}:hold`, { hold: { hold_id, quantity: 1, ttl_secs: 3600 } });
    },
    baselineRequest: (_state, n) => ({ method: "POST", path: `/${Math.floor(n / 2) % skus}` }),
  };
}

/** A request to the driver. */
export function command(name, operation_id, command) {
  return { method: "POST", path: `/${name.split("/").map(encodeURIComponent).join("/")}`, body: JSON.stringify({ do: { operation_id, command } }) };
}

let count = 0;
function unique() {
  return `bench${(count += 1)}`;
}

/** Has the driver send many commands of one kind, and checks that they were carried out. */
async function fill(shop, name, kind, times) {
  const { path } = command(name, "", {});
  const answer = await fetch(new URL(`${path}?fill=${kind}&times=${times}`, shop.url), { method: "POST" });
  const last = await answer.text();
  if (!answer.ok || !last.includes('{"done":')) throw new Stop(`${name} was not filled: ${last.slice(0, 400)}`);
}

/** The Worker that forwards requests to the shop's objects. */
export const objectDriver = `
  const commands = {
    receive: () => ({ receive: { quantity: 1000000 } }),
    adjust: () => ({ adjust: { by: 1, reason: "counted" } }),
    hold: (at) => ({ hold: { hold_id: "open_" + at, quantity: 1, ttl_secs: 1000000 } }),
  };
  export default {
    async fetch(request, env) {
      const url = new URL(request.url);
      const [binding, name] = url.pathname.slice(1).split("/").map(decodeURIComponent);
      if (!env[binding]) return new Response(null, { status: 404 });
      const object = env[binding].get(env[binding].idFromName(name));
      const kind = url.searchParams.get("fill");
      if (!kind) return object.fetch(request);
      const send = async (at) => {
        const body = JSON.stringify({ do: { operation_id: "fill " + kind + at, command: commands[kind](at) } });
        return (await object.fetch("http://object/", { method: "POST", body })).text();
      };
      const times = Number(url.searchParams.get("times"));
      let sent = [];
      for (let at = 0; at < times; at += sent.length) {
        sent = await Promise.all(Array.from({ length: Math.min(100, times - at) }, (_, more) => send(at + more)));
      }
      return new Response(sent.at(-1));
    },
  };`;

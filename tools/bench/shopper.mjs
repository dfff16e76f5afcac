//! A guest with a connection of their own: a new cart, a quote and an order, in three requests.
//! Promises: an unexpected response stops the run, and so does an order without a payment link.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { Stop } from "../run.mjs";
import { exchange } from "./load.mjs";

const DELIVERY = {
  currency: "USD",
  email: "ann@shopper.test",
  shipping_method: "standard",
  codes: [],
  shipping_address: { name: "Ann Shopper", line1: "1 Main Street", city: "New York", region: "NY", postal_code: "10001", country: "US" },
};

const PATIENCE_MS = 60_000; // without an answer, the run fails

export class Shopper {
  #socket;
  #address;

  static async at(address) {
    const socket = connect({ ...address, noDelay: true });
    await once(socket, "connect");
    socket.setTimeout(PATIENCE_MS, () => socket.destroy());
    return new Shopper(socket, address);
  }

  constructor(socket, address) {
    this.#socket = socket;
    this.#address = address;
  }

  /**
   * Orders one unit. Returns the order and the milliseconds that each request took, the order's
   * last.
   */
  async order(sku) {
    const { place, latencies } = await this.quote(sku);
    const placed = await place();
    if (!placed.order.payment.url) throw new Stop(`an order without its payment: ${JSON.stringify(placed.order)}`);
    return { order: placed.order, latencies: [...latencies, placed.ms] };
  }

  /**
   * Requests a quote for one unit. Returns it with a function that orders by it: the same order
   * however often it is called, or a refusal under any key.
   */
  async quote(sku) {
    const cart = await this.#post("/api/v1/cart/items", { sku, quantity: 1 }, {});
    const token = { "cart-token": cart.headers.match(/\r\ncart-token: (\S+)/i)[1] };
    const quote = await this.#post("/api/v1/cart/quote", DELIVERY, token);
    const key = { "idempotency-key": randomUUID() };
    const place = async () => {
      const { body, ms } = await this.#post("/api/v1/orders", { quote_id: quote.body.id }, { ...token, ...key });
      return { order: body, ms };
    };
    const refused = (key) => this.#post("/api/v1/orders", { quote_id: quote.body.id }, { ...token, "idempotency-key": key }, /^409/);
    return { place, refused, latencies: [cart.ms, quote.ms] };
  }

  async #post(path, body, headers, expected = /^20[01]/) {
    const sent = performance.now();
    const answer = await exchange(this.#socket, request(path, body, headers, this.#address));
    return { ...read(path, answer, expected), ms: performance.now() - sent };
  }

  leave() {
    this.#socket.destroy();
  }
}

function request(path, body, headers, { host, port }) {
  const json = JSON.stringify(body);
  const all = { host: `${host}:${port}`, "content-type": "application/json", "content-length": Buffer.byteLength(json), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${json}`;
}

function read(path, answer, expected) {
  const text = answer.toString();
  const end = text.indexOf("\r\n\r\n");
  const headers = text.slice(0, end);
  if (!expected.test(headers.slice("HTTP/1.1 ".length))) throw new Stop(`POST ${path} was answered ${text.slice(0, 600)}`);
  return { headers, body: JSON.parse(text.slice(text.indexOf("{", end), text.lastIndexOf("}") + 1)) };
}

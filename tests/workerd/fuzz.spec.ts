/**
 * Whatever a client sends, the shop answers: thousands of requests generated from the API's own
 * document, with malformed URLs, headers and bodies. None may make the shop fail, and every refusal
 * is a problem document with a documented code. A run is replayed by its seed:
 * `FUZZ_SEED=7 FUZZ_REQUESTS=20000 npm test -- tests/workerd/fuzz.spec.ts`.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { SECRETS, startShop, type Shop } from './shop.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 1);
const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 1500);
const PAGES = ['/', '/products', '/products/{handle}', '/collections/{category}', '/cart', '/cart/items', '/checkout', '/checkout/{quote_id}', '/orders/{id}', '/webhooks/stripe', '/media/{name}'];
const MAY_BE_BUSY = new Set([503]); // a part that is not configured or not copied yet says so

type Operation = { method: string; path: string; operation: Json };
type Asked = { method: string; path: string; headers: Record<string, string>; body?: string };
type Got = { status: number; type: string; requestId: string; text: string };

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'FUZZ' }));
});
after(() => shop.close());

const document: Json = JSON.parse(readFileSync(new URL('../../assets/api/v1/openapi.json', import.meta.url), 'utf8'));
const operations: Operation[] = [
  ...Object.entries<Json>(document.paths).flatMap(([path, methods]) => Object.entries<Json>(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation }))),
  ...PAGES.flatMap((path) => ['GET', 'POST'].map((method) => ({ method, path, operation: {} }))),
];

/** A generator that a seed replays (constants from Numerical Recipes). */
function randomOf(seed: number) {
  let state = seed >>> 0;
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  return { below, one: <T>(items: readonly T[]): T => items[below(items.length)]! };
}
type Random = ReturnType<typeof randomOf>;

const WORDS = ['FUZZ', 'fuzz', 'things', 'USD', 'JPY', 'XXX', '', ' ', '0', '-1', '1.5', '1e309', '9007199254740993', '99999999999999999999', 'null', 'true', '../..', '%', '%00', '%ff', '%2F', "' OR 1=1 --", '"', '<script>', '\u202e\u{1F4A5}', 'x'.repeat(5000), 'prod_', 'ord_00000000000000000000000000', 'cart_x.y'] as const;

function value(random: Random, schema: Json, depth = 0): unknown {
  if (random.below(8) === 0 || depth > 4) return random.one([null, true, -1, 1.5, 2 ** 53, '', 'x', [], {}, [[]], { a: {} }, 'x'.repeat(3000)]);
  const known = schema?.$ref ? document.components.schemas[schema.$ref.split('/').at(-1)] : schema;
  const type = Array.isArray(known?.type) ? known.type[0] : known?.type;
  if (known?.enum) return random.one(known.enum);
  if (known?.oneOf || known?.allOf) return value(random, random.one(known.oneOf ?? known.allOf), depth + 1);
  if (type === 'object') return Object.fromEntries(Object.entries<Json>(known.properties ?? {}).filter(() => random.below(6) > 0).map(([name, inner]) => [name, value(random, inner, depth + 1)]));
  if (type === 'array') return Array.from({ length: random.below(4) }, () => value(random, known.items, depth + 1));
  if (type === 'integer' || type === 'number') return random.one([0, 1, 2, 10, -5, 4_294_967_296, 1e21, 2500]);
  if (type === 'boolean') return random.below(2) === 0;
  return random.one(WORDS);
}

function bodyOf(random: Random, operation: Json): string {
  const schema = operation.requestBody?.content?.['application/json']?.schema;
  const json = JSON.stringify(value(random, schema ?? {})) ?? '';
  return random.one([json, json, json, json, json.slice(0, -1), `${json}{}`, `\ufeff${json}`, '{"a":'.repeat(200), '', '\u0000', 'a=b&sku=FUZZ&quantity=1']);
}

function ask(random: Random): Asked {
  const { method, path, operation } = random.one(operations);
  const filled = path.replace(/\{[^}]+\}/g, () => random.one(WORDS)).replace(/[^!-~]|[<>"\\^`{|}]/gu, encodeURIComponent);
  const names = [...(operation.parameters ?? []).filter((parameter: Json) => parameter.in === 'query').map(({ name }: Json) => name), 'cursor', 'currency', 'limit'];
  const query = Array.from({ length: random.below(4) }, () => `${random.one(names)}=${encodeURIComponent(random.one(WORDS))}`).join('&');
  const headers: Record<string, string> = {};
  const maybe = (name: string, values: readonly string[]) => random.below(3) === 0 && (headers[name] = random.one(values));
  maybe('authorization', [`Bearer ${SECRETS.ADMIN_API_KEY}`, `Bearer ${SECRETS.ADMIN_API_KEY}`, 'Bearer', 'Basic eA==', 'Bearer x'.repeat(500)]);
  maybe('cart-token', ['x', 'cart_a.b', '.'.repeat(2000)]);
  maybe('if-match', ['"1"', 'W/"0"', '1', '"-1"', '"99999999999999999999"']);
  maybe('idempotency-key', ['k', '', 'k'.repeat(400), `key-${random.below(20)}`]);
  maybe('origin', ['https://evil.example', 'null', 'x']);
  maybe('cookie', ['__Host-cart=x', '__Host-cart=cart_a.b; a=b', ';;;=']);
  maybe('accept', ['text/html', 'application/json', '*/*;q=0']);
  maybe('accept-language', ['de', 'xx-YY;q=2', ',,,']);
  maybe('stripe-signature', ['t=1,v1=00', 't=,v1=', 'x'.repeat(3000)]);
  const bent = random.below(12) === 0 ? random.one(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'POST']) : method;
  if (bent === 'GET' || bent === 'HEAD') return { method: bent, path: `${filled}?${query}`, headers };
  headers['content-type'] = random.one(['application/json', 'application/json', 'application/json', 'text/csv', 'application/x-www-form-urlencoded', 'multipart/form-data', 'x', 'application/json; charset=latin1']);
  return { method: bent, path: `${filled}?${query}`, headers, body: bodyOf(random, operation) };
}

/** Sends over a plain socket, because fetch normalizes URLs and rejects some headers. */
function send({ method, path, headers, body }: Asked): Promise<Got> {
  return new Promise((resolve, reject) => {
    const length: Record<string, string> = body === undefined ? {} : { 'content-length': `${Buffer.byteLength(body)}` };
    const sent = request(shop.url, { method, path, headers: { ...headers, ...length } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part) => parts.push(part)).on('end', () => resolve({
        status: answer.statusCode!,
        type: answer.headers['content-type'] ?? '',
        requestId: `${answer.headers['x-request-id'] ?? ''}`,
        text: Buffer.concat(parts).toString(),
      }));
    });
    sent.on('error', reject).end(body);
  });
}

test(`whatever is sent, the shop answers (FUZZ_SEED=${SEED})`, async () => {
  const random = randomOf(SEED);
  const documented = JSON.stringify(document);
  const seen = new Set<number>();
  for (let number = 0; number < REQUESTS; number += 1) {
    const asked = ask(random);
    const got = await send(asked);
    const told = `request ${number}: ${JSON.stringify(asked).slice(0, 1500)} was answered ${got.status} ${got.text.slice(0, 400)}`;
    seen.add(got.status);
    assert.ok(got.status < 500 || MAY_BE_BUSY.has(got.status), told);
    assert.ok(got.requestId, told);
    if (got.status < 400 || asked.method === 'HEAD' || !asked.path.startsWith('/api/v1/')) continue;
    assert.equal(got.type, 'application/problem+json', told);
    const { code, status, request_id } = JSON.parse(got.text);
    assert.deepEqual([status, request_id], [got.status, got.requestId], told);
    assert.ok(documented.includes(`\`${code}\``), `${code} is not documented; ${told}`);
  }
  for (const status of [200, 400, 401, 404, 405, 415, 422]) assert.ok(seen.has(status), `no request was answered ${status}`);
  assert.deepEqual(shop.log.filter((line) => line.includes('"level":"fatal"')), []);
});

/**
 * A second brand, as a Worker of its own: `tests/brand/second.toml` is all that differs, and
 * nothing of the first is in any answer.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { SECOND_BRAND } from '../../tools/build.mjs';
import { csvOf } from './catalog.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const FIRST = readFileSync(new URL('../../content/shop.toml', import.meta.url), 'utf8');
const SECOND = readFileSync(new URL('../brand/second.toml', import.meta.url), 'utf8');
const HTML = { accept: 'text/html' };

let shop: Shop;
let provider: Server;
const letters: { from: string; text: string; html: string }[] = [];
before(async () => {
  provider = createServer(async (request, response) => {
    letters.push(JSON.parse(await text(request)));
    response.end('{"id":"1"}');
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const vars = { MAIL_PROVIDER: 'resend', MAIL_FROM: 'post@fern.example', MAIL_API_BASE: `http://127.0.0.1:${(provider.address() as AddressInfo).port}` };
  shop = await startShop({ built: SECOND_BRAND, vars });
  await shop.importCatalog(csvOf({ sku: 'POT', title: 'Pot', quantity: 20 }));
});
after(async () => {
  await shop?.close();
  provider?.close();
});

const answer = async (path: string): Promise<string> => {
  const { status, text } = await shop.staff.get(path, HTML);
  assert.equal(status, 200, `${path}: ${text}`);
  return withoutTraces(path, text);
};

test('every page speaks for the second brand, in the language that is its default', async (t) => {
  for (const path of ['/', '/products', '/products/pot', '/cart', '/orders', '/offline', '/policies/terms', '/policies/returns', '/_design']) await t.test(path, async () => {
    const page = await answer(path);
    for (const said of ['<html lang="de">', 'Fern &amp; Oak', 'Fern &amp; Oak OHG, Am Hang 3, 07743 Jena', 'hallo@fern.example', 'Pflanzen und worin sie stehen']) assert.ok(page.includes(said), said);
    const [, header, footer] = page.match(/<nav class="sections"[^>]*>(.*?)<\/nav>.*<footer[^>]*>(.*?)<\/footer>/s)!;
    assert.deepEqual(linksIn(header!), [['/', 'Fern &amp; Oak'], ['/collections/garden--pots', 'Töpfe'], ['https://blog.fern.example/', 'Tagebuch']]);
    assert.deepEqual(linksIn(footer!).slice(0, 2), [['/policies/returns', 'Zurückschicken'], ['/cart', 'Warenkorb']]);
    assert.ok(footer!.includes('Gut zu wissen') && !footer!.includes('href="tel:'));
  });
  const english = await answer('/en/products/pot');
  for (const said of ['<html lang="en">', 'plants and what they stand in', 'href="/en/collections/garden--pots"', 'Journal']) assert.ok(english.includes(said), said);
  assert.equal((await shop.staff.get('/de/products/pot', HTML)).status, 404, 'the default has one address');
});

test('the home page says what the brand says while nothing is launched', async () => {
  const home = await answer('/');
  for (const said of ['<title>Pflanzen für dunkle Ecken · Fern &amp; Oak</title>', '<h1>Pflanzen für dunkle Ecken</h1>', 'Sie brauchen wenig und wollen noch weniger.']) assert.ok(home.includes(said), said);
  const documents = [...home.matchAll(/<script type="application\/ld\+json">(.*?)<\/script>/gs)].map(([, json]) => JSON.parse(json!));
  const organization = documents.find((document) => document['@type'] === 'Organization');
  assert.deepEqual([organization.name, organization.legalName, organization.contactPoint.email], ['Fern & Oak', 'Fern & Oak OHG', 'hallo@fern.example']);
});

test('what machines read is of the second brand, too', async () => {
  const manifest = JSON.parse(await answer('/manifest.webmanifest'));
  assert.deepEqual([manifest.name, manifest.description, manifest.theme_color], ['Fern & Oak', 'Fern & Oak verkauft Pflanzen, Töpfe und Erde.', '#fbfff8']);
  assert.ok((await answer('/css/shop.css')).includes('--accent: light-dark(#1f6b45, #7fd6a4);'));
  assert.ok((await answer('/feeds/google.xml')).includes('<title>Fern &amp; Oak</title>'));
  const sitemap = await answer('/sitemaps/products-1.xml');
  assert.ok(sitemap.includes(`<loc>${shop.url}/products/pot</loc>`) && sitemap.includes(`<loc>${shop.url}/en/products/pot</loc>`) && !sitemap.includes('/de/'), sitemap);
  for (const path of ['/service-worker.js', '/speculation-rules.json', '/robots.txt', '/api/v1/products', '/api/v1/openapi.json']) await answer(path);
  const lost = await shop.staff.get('/nowhere', HTML);
  assert.equal(lost.status, 404);
  assert.ok(withoutTraces('/nowhere', lost.text).includes('Fern &amp; Oak'));
});

test('letters come from the brand, and say who wrote them', async () => {
  const order = await shop.shopper().buy('POT');
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  await eventually(() => assert.equal(letters.length, 1));
  const [letter] = letters;
  assert.equal(letter!.from, '"Fern & Oak, Gärtnerei" <post@fern.example>');
  assert.ok(letter!.text.endsWith('Fern & Oak\nFern & Oak OHG, Am Hang 3, 07743 Jena\nhallo@fern.example'), letter!.text);
  withoutTraces('the letter', JSON.stringify(letter));
  const link = /http\S+/.exec(letter!.text)![0];
  withoutTraces('the order', await (await fetch(link)).text());
});

test('a catalog without categories shows no list of them', async () => {
  const [columns, pot] = csvOf({ sku: 'POT' }).replace('active', 'draft').split('\n');
  const [, pan] = csvOf({ sku: 'PAN', title: 'Pan' }).replace('Things', '').split('\n');
  await shop.importCatalog([columns, pot, pan].join('\n'));
  await eventually(async () => {
    const home = await answer('/');
    assert.ok(home.includes('href="/products/pan"') && !home.includes('href="/products/pot"'), home);
    for (const part of ['/collections/things', 'id="sections"', '<ul></ul>', '<ul class="tiles"></ul>']) assert.ok(!home.includes(part), part);
  });
});

/** Everything that identifies the first brand, from `content/shop.toml`. */
const TRACES = ((): string[] => {
  const pictures = /\[pictures\][^[]*/.exec(FIRST)![0];
  const said = FIRST.replace(pictures, '').split('\n').flatMap((line) => /^[\w-]+ = "([^"]+)"/.exec(line)?.[1] ?? []);
  return [...new Set(said)].filter((value) => value.length > 6 && !SECOND.includes(`"${value}"`));
})();

/** Returns `text` after checking that it contains nothing of the first brand. */
function withoutTraces(place: string, text: string): string {
  assert.ok(TRACES.length > 10, `${TRACES}`);
  const plain = text.toLowerCase();
  assert.deepEqual(TRACES.filter((trace) => plain.includes(trace.toLowerCase())), [], place);
  return text;
}

/** Returns address and label of each link. */
function linksIn(html: string): [string, string][] {
  return [...html.matchAll(/<a href="([^"]*)"[^>]*>([^<]*)<\/a>/g)].map(([, href, label]) => [href!, label!]);
}

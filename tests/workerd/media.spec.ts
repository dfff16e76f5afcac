/** Pictures from staff to shoppers: accepted formats, names and widths, and refusals. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { call as asStaff } from '../../tools/catalog.mjs';
import { uploadPictures } from '../../tools/pictures.mjs';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { SECRETS, startShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => {
  shop = await startShop();
});
after(() => shop.close());

const FORMATS = { jpeg: 'jpg', png: 'png', webp: 'webp', avif: 'avif', gif: 'gif' } as const;
type Format = keyof typeof FORMATS;
/**
 * Part of the bucket's type that is used here; the published one comes with a package that nothing
 * else needs.
 */
type Bucket = { list(options: { prefix: string }): Promise<{ objects: { key: string }[] }>; put(key: string, value: string): Promise<unknown> };

/** Returns a picture with some content. */
const paint = (width: number, height: number, format: Format) =>
  sharp({ create: { width, height, channels: 3, background: '#f27a35', noise: { type: 'gaussian', mean: 128, sigma: 30 } } }).toFormat(format).toBuffer();
const upload = (content: Buffer, headers: Record<string, string> = {}) => shop.staff.send('POST', '/api/v1/admin/media', new Uint8Array(content), headers);
const fetched = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(shop.url + path, { headers });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
};

test('a picture is what its bytes say, and is kept for ever under a name that tells its size', async (t) => {
  for (const [format, extension] of Object.entries(FORMATS) as [Format, string][]) await t.test(format, async () => {
    const content = await paint(321, 123, format);
    const { url, ...told } = (await upload(content, { 'content-type': 'text/html' })).expect(201);
    assert.deepEqual(told, { content_type: `image/${format}`, width: 321, height: 123 });
    assert.match(url, new RegExp(`^/media/[0-9a-z]+-321x123\\.${extension}$`));
    const { status, headers, bytes } = await fetched(url);
    assert.equal(status, 200);
    assert.ok(bytes.equals(content));
    assert.equal(headers.get('content-type'), `image/${format}`);
    assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.equal((await fetched(url, { 'if-none-match': headers.get('etag')! })).status, 304);
    assert.equal((await upload(content)).expect(201).url, url, 'the same content has the same name');
    const head = await fetch(shop.url + url, { method: 'HEAD' });
    assert.deepEqual([head.status, (await head.arrayBuffer()).byteLength], [200, 0]);
  });
});

test('of a folder, the pictures are sent that the shop lacks', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pictures-'));
  t.after(() => rm(folder, { recursive: true }));
  const door = { url: shop.url, key: SECRETS.ADMIN_API_KEY };
  const send = () => uploadPictures(folder, (...request: [string, string, Buffer?]) => asStaff(door, ...request));
  await assert.rejects(send(), /contains no pictures/);
  await writeFile(join(folder, 'notes.txt'), 'no picture');
  for (const name of ['a.webp', 'b.webp']) await writeFile(join(folder, name), await paint(40, 30, 'webp'));
  const first = await send();
  assert.deepEqual([first.sent, [...first.urls.keys()]], [2, ['a.webp', 'b.webp']]);
  for (const [name, url] of first.urls) assert.ok((await fetched(url!)).bytes.equals(await readFile(join(folder, name))), name);
  await writeFile(join(folder, 'c.webp'), await paint(40, 30, 'webp'));
  const second = await send();
  assert.deepEqual([second.sent, second.urls.get('a.webp')], [1, first.urls.get('a.webp')]);
  await writeFile(join(folder, 'd.png'), '<svg/>');
  await assert.rejects(send(), /d\.png: refused with 415/);
});

test('a picture comes in the listed widths and in no other', async () => {
  const { url } = (await upload(await paint(1000, 500, 'jpeg'))).expect(201);
  const at = (width: string) => fetched(url.replace('/media/', `/media/${width}/`));
  for (const width of [160, 320, 640, 960]) {
    const { status, headers, bytes } = await at(`${width}`);
    assert.equal(status, 200);
    const made = await sharp(bytes).metadata();
    assert.deepEqual([made.format, made.width, made.height], ['webp', width, width / 2]);
    assert.equal(headers.get('content-type'), 'image/webp');
    assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable');
  }
  for (const width of ['1280', '161', '0', '-320', '100000', 'x', '320.0']) assert.equal((await at(width)).status, 404, width);
});

test('a width of a picture is made once, whoever asks at once or again, and goes with the picture', async () => {
  const { url } = (await upload(await paint(600, 300, 'jpeg'))).expect(201);
  const name = url.replace('/media/', '');
  const bucket = (await shop.miniflare.getR2Bucket('MEDIA')) as unknown as Bucket;
  const kept = async () => (await bucket.list({ prefix: `~scaled/${name}/` })).objects.map(({ key }) => key);
  const at = () => fetched(`/media/320/${name}`);
  assert.deepEqual(await kept(), [], 'nothing is made before it is asked for');
  const [first, ...others] = await Promise.all(Array.from({ length: 8 }, at));
  assert.equal(first!.status, 200);
  for (const { status, bytes } of others) assert.deepEqual([status, bytes.equals(first!.bytes)], [200, true]);
  assert.deepEqual(await kept(), [`~scaled/${name}/320.webp`]);
  await bucket.put(`~scaled/${name}/320.webp`, 'as it was made');
  const again = await at();
  assert.deepEqual([again.bytes.toString(), again.headers.get('content-type')], ['as it was made', 'image/webp'], 'it is not made again');
  await fetched(`/media/160/${name}`);
  (await shop.staff.delete(`/api/v1/admin${url}`)).expect(204);
  assert.deepEqual(await kept(), []);
  assert.equal((await at()).status, 404);
});

test('an original that can not be scaled is served as it is, for a short time, and nothing is kept', async () => {
  const { url } = (await upload(await paint(400, 200, 'png'))).expect(201);
  const name = url.replace('/media/', '');
  const bucket = (await shop.miniflare.getR2Bucket('MEDIA')) as unknown as Bucket;
  await bucket.put(name, 'no picture any more');
  const { status, headers, bytes } = await fetched(`/media/320/${name}`);
  assert.deepEqual([status, bytes.toString()], [200, 'no picture any more']);
  assert.equal(headers.get('cache-control'), 'public, max-age=60');
  assert.deepEqual((await bucket.list({ prefix: `~scaled/${name}/` })).objects, []);
});

test('a page offers a picture in the widths that are smaller than it', async () => {
  const { url } = (await upload(await paint(700, 700, 'jpeg'))).expect(201);
  await shop.importCatalog(csvOf({ sku: 'LAMP' }));
  const [{ id }] = (await shop.staff.get('/api/v1/products')).expect(200).data;
  const product = { title: 'Lamp', handle: 'lamp', variants: [{ sku: 'LAMP', prices: [{ amount: 100, currency: 'USD' }] }], images: [{ url, alt: 'A lamp' }] };
  (await shop.staff.put(`/api/v1/products/${id}`, product)).expect(200);
  await eventually(async () => {
    (await shop.staff.post('/api/v1/admin/catalog/publish')).expect(200);
    const page = await (await fetch(`${shop.url}/products/lamp`, { headers: { accept: 'text/html' } })).text();
    const [, srcset = ''] = page.match(/srcset="([^"]+ \d+w)"/) ?? [];
    const at = (width: number) => url.replace('/media/', `/media/${width}/`);
    assert.deepEqual(srcset.split(', '), [`${at(160)} 160w`, `${at(320)} 320w`, `${at(640)} 640w`, `${url} 700w`]);
    assert.ok(page.includes(`<meta property="og:image" content="${shop.url}${url}">`));
  });
});

test('what is no picture is refused, and nothing of it is kept', async (t) => {
  const png = await paint(10, 10, 'png');
  for (const [name, [content, status, code]] of Object.entries<[Buffer, number, string]>({
    'nothing': [Buffer.from(''), 415, 'unsupported_media_type'],
    'a drawing with a script': [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'), 415, 'unsupported_media_type'],
    'a page': [Buffer.from('<!doctype html><script>alert(1)</script>'), 415, 'unsupported_media_type'],
    'a page behind a space': [Buffer.concat([Buffer.from(' '), png]), 415, 'unsupported_media_type'],
    'a header without a size': [png.subarray(0, 12), 422, 'invalid_image'],
    'more pixels than can be scaled': [await paint(12001, 1, 'png'), 422, 'invalid_image'],
  })) await t.test(name, async () => {
    const answer = await upload(content, { 'content-type': 'image/png' });
    assert.deepEqual([answer.status, answer.body.code], [status, code]);
  });
  const announced = await shop.staff.announce('POST', '/api/v1/admin/media', 10 * 1024 * 1024 + 1, { 'content-type': 'image/png' });
  announced.refused(413, 'body_too_large');
  const bucket = (await shop.miniflare.getR2Bucket('MEDIA')) as unknown as { list(): Promise<{ objects: { key: string }[] }> };
  assert.ok((await bucket.list()).objects.every(({ key }) => !key.includes('12001') && !key.includes('-10x10')));
});

test('staff see every picture once, page by page', async () => {
  const { url } = (await upload(await paint(64, 32, 'webp'))).expect(201);
  const bucket = (await shop.miniflare.getR2Bucket('MEDIA')) as unknown as { put(key: string, value: string): Promise<unknown> };
  for (const foreign of ['0', 'notes.txt', 'zz']) await bucket.put(foreign, 'no picture');
  const seen: Json[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { data, next_cursor }: Json = (await shop.staff.get(`/api/v1/admin/media?limit=1${cursor && `&cursor=${cursor}`}`)).expect(200);
    assert.ok(data.length <= 1);
    seen.push(...data);
    cursor = next_cursor;
  }
  assert.ok(seen.length > 2);
  assert.equal(new Set(seen.map(({ name }) => name)).size, seen.length);
  const { uploaded_at, bytes, ...told } = seen.find((it) => it['url'] === url)!;
  assert.deepEqual(told, { name: url.replace('/media/', ''), url, content_type: 'image/webp', width: 64, height: 32 });
  assert.equal(bytes, (await fetched(url)).bytes.length);
  assert.match(uploaded_at, /^20\d\d-\d\d-\d\dT/);
  (await shop.staff.get('/api/v1/admin/media?limit=0')).refused(422, 'invalid_limit');
  for (const cursor of ['', '%', Buffer.from('x'.repeat(1025)).toString('base64url')]) (await shop.staff.get(`/api/v1/admin/media?cursor=${cursor}`)).refused(400, 'malformed_cursor');
});

test('a picture that a product names can not be removed, wherever it is named', async (t) => {
  await shop.importCatalog(csvOf({ sku: 'VASE' }));
  const { id } = (await shop.staff.get('/api/v1/products/vase')).expect(200);
  const variants = [{ sku: 'VASE', prices: [{ amount: 100, currency: 'USD' }] }];
  const product = { title: 'Vase', handle: 'vase', variants };
  for (const [place, named] of Object.entries<(url: string) => Json>({
    'a picture': (url) => ({ ...product, images: [{ url, alt: 'A vase' }] }),
    'a picture by its whole address': (url) => ({ ...product, images: [{ url: shop.url + url, alt: 'A vase' }] }),
    'a picture in another width': (url) => ({ ...product, images: [{ url: url.replace('/media/', '/media/640/'), alt: 'A vase' }] }),
    'a variant': (url) => ({ ...product, variants: [{ ...variants[0], image: url }] }),
    'a description': (url) => ({ ...product, description_html: `<p>Look: <img src="${url}" alt="it"></p>` }),
  })) await t.test(place, async () => {
    const { url } = (await upload(await paint(30, 30, 'png'))).expect(201);
    const remove = () => shop.staff.delete(`/api/v1/admin${url}`);
    await eventually(async () => (await shop.staff.put(`/api/v1/products/${id}`, named(url))).expect(200));
    const { products } = (await remove()).refused(409, 'media_in_use');
    assert.deepEqual(products, [{ id, handle: 'vase', title: 'Vase' }]);
    assert.equal((await fetched(url)).status, 200);
    (await shop.staff.put(`/api/v1/products/${id}`, product)).expect(200);
    (await remove()).expect(204);
  });
});

test('staff remove a picture', async () => {
  const { url } = (await upload(await paint(20, 20, 'png'))).expect(201);
  const remove = () => shop.staff.delete(`/api/v1/admin${url}`);
  (await remove()).expect(204);
  assert.equal((await fetched(url)).status, 404);
  (await remove()).refused(404, 'not_found');
  for (const path of ['/media/nothing.png', '/media/..%2F..%2Fsecret-1x1.png', '/media/320/nothing-1x1.png']) assert.equal((await fetched(path)).status, 404, path);
});

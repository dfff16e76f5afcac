/**
 * WooCommerce's product export, converted and imported: its products are sold here, and whatever
 * has no place in the shop is named.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { convertWooCommerce } from '../../tools/woocommerce.mjs';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const HEADER = 'ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,"Is featured?","Visibility in catalog","Short description",Description,"Date sale price starts","Date sale price ends","Tax status","Tax class","In stock?",Stock,"Backorders allowed?","Weight (kg)","Sale price","Regular price",Categories,Tags,Images,Parent,"Grouped products",Upsells,Position,"Attribute 1 name","Attribute 1 value(s)","Attribute 1 visible","Attribute 1 global","Attribute 2 name","Attribute 2 value(s)"';

const FILE = `\uFEFF${HEADER}
44,variable,woo-vneck,,V-Neck T-Shirt,1,1,visible,"A shirt.","<b>Soft</b>\\nand light",,,taxable,,1,,0,.5,,,"Clothing > Tshirts","summer, cotton","https://pictures.test/a.jpg, https://pictures.test/b.jpg, https://pictures.test/c.jpg",,,,0,Color,"Blue, Green",1,1,Size,"L, M"
61,variation,woo-vneck-blue,4006381333931,V-Neck T-Shirt - Blue,1,0,visible,,,,,taxable,parent,1,7,0,.5,15,20,,,https://pictures.test/blue.jpg,woo-vneck,,,2,Color,Blue,,1,Size,L
62,variation,woo-vneck-green,,V-Neck T-Shirt - Green,1,0,visible,,,,,taxable,parent,0,,0,.5,,20,,,,id:44,,,1,Color,Green,,1,Size,M
63,variation,,,V-Neck T-Shirt - Red,1,0,visible,,,,,taxable,parent,1,,0,,,,,,,woo-vneck,,,3,Color,Red,,1,Size,S
70,"simple, virtual",woo-album,,Album,1,0,hidden,,"15 songs",2026-01-01,2026-02-01,none,,1,,1,,15,18.50,"Music \\, films, Gifts",,,,,woo-single,0,,,,,,
71,simple,woo-cap,,Cap,0,0,visible,,,,,taxable,,1,3,0,,,9.99,Clothing,,,,,,0,,,,,,
72,simple,woo-cap-2,,Cap,1,0,visible,,,,,taxable,,1,3,0,,,9.99,Clothing,,,,,,0,,,,,,
80,grouped,logo,,Logo Collection,1,0,visible,,,,,taxable,,1,,0,,,,Clothing,,,,"woo-cap, woo-album",,0,,,,,,
90,variation,orphan,,Orphan,1,0,visible,,,,,taxable,,1,,0,,,5,,,,gone,,,0,,,,,,
`;

let shop: Shop;
const converted = convertWooCommerce(FILE);
before(async () => {
  shop = await startShop();
  const imported = await shop.staff.send('POST', '/api/v1/admin/catalog/import', converted.csv, { 'content-type': 'text/csv' });
  assert.deepEqual(imported.expect(200)['errors'], []);
  (await shop.staff.post('/api/v1/admin/catalog/publish')).expect(200);
  await eventually(() => product('album'));
});
after(() => shop.close());

const product = async (handle: string) => (await shop.shopper().get(`/api/v1/products/${handle}`)).expect(200);

test('a product and its variations', async () => {
  const shirt = await product('v-neck-t-shirt');
  assert.equal(shirt.title, 'V-Neck T-Shirt');
  assert.match(shirt.description_html, /A shirt\.\s*<(b|strong)>Soft/);
  const variants = shirt.variants.map(({ sku, options, price, compare_at_price: before }: any) => [sku, Object.values(options).join(' '), price.amount, before?.amount]);
  assert.deepEqual(variants, [['woo-vneck-green', 'Green M', 2000, undefined], ['woo-vneck-blue', 'Blue L', 1500, 2000]]);
  assert.deepEqual([(await shop.stock('woo-vneck-blue')).on_hand, (await shop.stock('woo-vneck-green')).on_hand], [7, 0]);
});

test('a hidden product has its address, a draft has none, and two of one name have two', async () => {
  assert.equal((await product('album')).variants[0].price.amount, 1850);
  const listed = (await shop.shopper().get('/api/v1/products')).expect(200).data.map(({ handle }: any) => handle);
  assert.deepEqual(listed.toSorted(), ['cap-2', 'v-neck-t-shirt']);
  (await shop.shopper().get('/api/v1/products/cap')).expect(404);
});

test('what has no place in the shop is counted and named', () => {
  assert.deepEqual([converted.products, converted.variants], [4, 5]);
  for (const told of [
    /1 × products of type grouped are not supported: left out \(Logo Collection\)/, /1 × variations whose product is not in the file/, /1 × variations without a price/,
    /1 × sale prices with dates/, /1 × products in several categories/, /1 × products that allow backorders/, /column "Upsells" is not supported/,
  ]) assert.ok(converted.notices.some((notice) => told.test(notice)), `${told} of ${converted.notices.join('\n')}`);
});

test('a file of another kind is refused with the reason', () => {
  assert.throws(() => convertWooCommerce('Handle,Title\na,A\n'), /is this WooCommerce's product export/);
  assert.throws(() => convertWooCommerce('Type,Name\nsimple,"A\n'), /Quote/);
  assert.deepEqual(convertWooCommerce(`${HEADER}\n`).products, 0);
});

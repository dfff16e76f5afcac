/** Settings through the staff API, and their effect on quotes, lists and orders. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { DELIVERY, type Json } from './client.ts';
import { eventually } from './eventually.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

const SETTINGS = '/api/v1/admin/settings';
const BERLIN = { name: 'Uwe', line1: 'Torstraße 1', city: 'Berlin', postal_code: '10115', country: 'DE' };

const usd = (amount: number) => ({ amount, currency: 'USD' });

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000, price: '25.00' }, { sku: 'CORD', quantity: 1000, price: '9.90' }));
});
after(() => shop.close());

/** Changes settings, and restores them after the test. */
async function change(t: { after(undo: () => unknown): void }, section: string, value: Json): Promise<Json> {
  const path = `${SETTINGS}/${section}`;
  const { version, ...before } = (await shop.staff.get(path)).expect(200);
  t.after(async () => (await shop.staff.put(path, before)).expect(200));
  return (await shop.staff.put(path, value)).expect(200);
}

test('settings are versions: a stale change is refused, a bad one with its place', async () => {
  const { version, ...settings } = (await shop.staff.get(SETTINGS)).expect(200);
  const stale = await shop.staff.put(`${SETTINGS}/markets`, { markets: [] }, { 'if-match': `"${version + 1}"` });
  stale.refused(412, 'stale_version');
  const overlapping = ['a', 'b'].map((id) => ({ id, places: [{ country: 'US', region: 'NY' }], rates: [{ name: 'Tax', rate_ppm: 10_000_000 }] }));
  const problem = (await shop.staff.put(`${SETTINGS}/tax-zones`, { tax_zones: overlapping })).refused(422, 'overlapping_zones');
  assert.deepEqual(problem.errors.map(({ field, code }: Json) => `${field} ${code}`), [
    'tax_zones[1].places[0] overlapping_zones', 'tax_zones[0].rates[0].rate_ppm invalid_rate', 'tax_zones[1].rates[0].rate_ppm invalid_rate',
  ]);
  (await shop.staff.put(`${SETTINGS}/tax-zones`, { tax_zones: [], more: 1 })).refused(400, 'unknown_field');
  assert.equal((await shop.staff.get(SETTINGS)).body.version, version);
  const same = await shop.staff.put(SETTINGS, settings, { 'if-match': `"${version}"` });
  assert.deepEqual(same.expect(200), { version: version + 1, ...settings });
  const both = await Promise.all([1, 2].map(() => shop.staff.put(SETTINGS, settings, { 'if-match': `"${version + 1}"` })));
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412]);
});

test('prices include tax where the market says so, and the order, the session and the books agree', async (t) => {
  await change(t, 'markets', { markets: [{ id: 'eu', countries: ['DE'], prices_include_tax: true }] });
  await change(t, 'tax-zones', { tax_zones: [{ id: 'de', places: [{ country: 'DE' }], rates: [{ name: 'VAT', rate_ppm: 190_000 }], exempts_businesses: true }] });
  const buyer = shop.shopper();
  await buyer.add('LAMP', 2);
  const quote = await buyer.quote({ shipping_address: BERLIN });
  // 19 % is included in $50.00 and in $5.95 of shipping.
  assert.deepEqual([quote.subtotal, quote.shipping_total, quote.tax_total, quote.total].map(({ amount }) => amount), [5000, 595, 893, 5595]);
  assert.deepEqual([quote.tax_included, quote.tax_zone], [true, 'de']);
  assert.deepEqual(quote.lines[0].taxes, [{ name: 'VAT', rate_ppm: 190_000, amount: usd(798) }]);
  const order = (await buyer.order(quote.id)).expect(201);
  assert.deepEqual([order.total, order.tax_included, order.lines], [quote.total, true, quote.lines]);
  assert.equal(shop.sandbox.account.sessions.get(sessionOf(order))?.amount_total, 5595);
  const entries = await shop.rows<{ account: string; amount: number }>('SELECT account, amount FROM ledger_entries WHERE order_id = ?', order.id);
  assert.deepEqual(Object.fromEntries(entries.map(({ account, amount }) => [account, amount])), { receivable: 5595, sales: -4202, shipping: -500, tax: -893 });

  const business = shop.shopper();
  await business.add('LAMP', 2);
  const net = await business.quote({ shipping_address: BERLIN, vat_number: 'de 123456789' });
  assert.deepEqual([net.subtotal, net.shipping_total, net.tax_total, net.total].map(({ amount }) => amount), [4202, 500, 0, 4702]);
  assert.deepEqual([net.tax_exempt, net.vat_number], [true, 'DE123456789']);
  const broken = await business.post('/api/v1/cart/quote', { ...DELIVERY, shipping_address: BERLIN, vat_number: 'DE12' });
  assert.equal(broken.refused(422, 'invalid_vat_number').errors[0].field, 'vat_number');
});

test('an address in no zone is told of in the list of methods, before the quote', async (t) => {
  const method = { id: 'post', title: 'Post', by: 'weight', rates: [{ price: usd(700) }], free_over: [usd(4000)], working_days: { min: 1, max: 3 } };
  await change(t, 'shipping-zones', { shipping_zones: [{ id: 'us', places: [{ country: 'US' }], methods: [method] }] });
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const methods = '/api/v1/cart/shipping-methods';
  const [offer] = (await buyer.get(`${methods}?country=US&region=NY`)).expect(200).data;
  assert.deepEqual([offer.id, offer.price], ['post', usd(700)]);
  assert.match(offer.delivery.latest, /^\d{4}-\d\d-\d\d$/);
  assert.equal((await buyer.get(`${methods}?country=DE`)).refused(422, 'not_shipped_there').errors[0].field, 'shipping_address.country');
  (await buyer.post('/api/v1/cart/quote', { ...DELIVERY, shipping_address: BERLIN })).refused(422, 'not_shipped_there');
  await buyer.add('LAMP');
  assert.deepEqual((await buyer.get(`${methods}?country=US`)).expect(200).data[0].price, usd(0));
});

test('the page of a product says how long delivery takes, to its reader first, in the merchant\'s words', async (t) => {
  const method = (id: string, title: string, more: Json) => ({ id, title, rates: [{ price: usd(700) }, { price: { amount: 900, currency: 'JPY' } }], ...more });
  const days = (min: number, max: number) => ({ working_days: { min, max } });
  const zone = (id: string, countries: string[], methods: Json[], more = {}) => ({ id, places: countries.map((country) => ({ country })), methods, ...more });
  await change(t, 'shipping-zones', { shipping_zones: [
    zone('us', ['US'], [
      method('post', 'Slow boat', { ...days(3, 5), translations: { de: 'Langsames Boot' } }),
      method('courier', 'Bike courier', { ...days(1, 1), excludes: [{ sku: 'CORD' }] }),
      method('shop', 'Come by', { ...days(0, 0), pick_up: true }),
    ]),
    zone('eu', ['AT', 'DE'], [method('post', 'Slow boat', days(0, 4))], { title: 'Middle of Europe', translations: { de: 'Mitteleuropa' } }),
    zone('jp', ['JP'], [method('post', 'Slow boat', days(2, 2))]),
    zone('gb', ['GB'], [method('post', 'Slow boat', {})]),
    zone('world', ['*'], [method('post', 'Slow boat', days(6, 12))]),
  ] });
  const told = async (path: string) => {
    const { text } = await shop.staff.get(path, { accept: 'text/html' });
    const [, estimate = ''] = text.match(/<details class="delivery">(.*?)<\/details>/s) ?? [];
    return estimate.replace(/<\/?bdi>/g, '').replace(/<[^>]+>/g, ' ').split(/\s{2,}/).map((part) => part.trim()).filter(Boolean).join(' | ');
  };
  for (const [path, estimate] of [
    ['/products/lamp', 'Delivery: 3–5 working days | United States | United States | Slow boat: 3–5 working days | Bike courier: 1 working day | Middle of Europe | Slow boat: up to 4 working days | Japan | Slow boat: 2 working days | All other countries | Slow boat: 6–12 working days'],
    ['/products/cord', 'Delivery: 3–5 working days | United States | United States | Slow boat: 3–5 working days | Middle of Europe | Slow boat: up to 4 working days | Japan | Slow boat: 2 working days | All other countries | Slow boat: 6–12 working days'],
    ['/de/products/cord?currency=JPY', 'Lieferzeit: 2 Werktage | Japan | Vereinigte Staaten | Langsames Boot: 3–5 Werktage | Mitteleuropa | Slow boat: bis zu 4 Werktage | Japan | Slow boat: 2 Werktage | Alle anderen Länder | Slow boat: 6–12 Werktage'],
    ['/products/lamp?currency=EUR', ''],
  ] as const) await eventually(async () => assert.equal(await told(path), estimate));

  const worldwide = { shipping_zones: [zone('world', ['*'], [method('post', 'Fast boat', days(1, 2))])] };
  (await shop.staff.put(`${SETTINGS}/shipping-zones`, worldwide)).expect(200);
  await eventually(async () => assert.equal(await told('/products/lamp'), 'Delivery: 1–2 working days | Worldwide | Worldwide | Fast boat: 1–2 working days'));

  const refused = await shop.staff.put(`${SETTINGS}/shipping-zones`, { shipping_zones: [zone('us', ['US'], [method('post', 'Post', { translations: { de: ' ' } })], { translations: { de: 'Dort' } })] });
  assert.deepEqual(refused.refused(422, 'required').errors.map(({ field }: Json) => field), ['shipping_zones[0].title', 'shipping_zones[0].methods[0].translations.de']);
});

test('where no tax is charged, and where it is charged instead, is said in so many words', async (t) => {
  await change(t, 'tax-zones', { tax_zones: [{ id: 'at', places: [{ country: 'AT' }], rates: [{ name: 'VAT', rate_ppm: 200_000 }] }] });
  const method = (id: string, more: Json = {}) => ({ id, title: id, rates: [{ price: usd(0) }], ...more });
  const shop_ = method('shop', { pick_up: true, pick_up_at: { country: 'AT' } });
  const zones = (methods: Json[]) => ({ shipping_zones: [{ id: 'world', places: [{ country: '*' }], methods }] });
  const misplaced = await shop.staff.put(`${SETTINGS}/shipping-zones`, zones([{ ...shop_, pick_up: false }]));
  assert.equal(misplaced.refused(422, 'invalid_place').errors[0].field, 'shipping_zones[0].methods[0].pick_up_at');
  await change(t, 'shipping-zones', zones([method('standard'), shop_]));
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const shipped = await buyer.quote({ shipping_address: BERLIN });
  assert.deepEqual([shipped.tax_total, shipped.tax_zone], [usd(0), null]);
  assert.equal(shipped.tax_explanation, 'No tax is charged at this address: it is in no tax zone.');
  const page = await buyer.get(`/de/checkout/${shipped.id}`, { accept: 'text/html' });
  assert.match(page.text, /Für dieses Lieferziel berechnen wir keine Steuer/);
  const fetched = await buyer.quote({ shipping_address: BERLIN, shipping_method: 'shop' });
  assert.deepEqual([fetched.tax_total, fetched.tax_zone], [usd(500), 'at']);
  assert.equal(fetched.tax_explanation, 'Taxed where it is picked up, in the tax zone at.');
});

test('more than one charge takes is refused before it is ordered', async () => {
  await shop.importCatalog(csvOf({ sku: 'YACHT', quantity: 50, price: '500000.00' }));
  const buyer = shop.shopper();
  await buyer.add('YACHT', 2);
  const { errors } = (await buyer.post('/api/v1/cart/quote', DELIVERY)).refused(422, 'above_largest_charge');
  assert.deepEqual(errors.map(({ field }: Json) => field), ['cart']);
});

test('codes work in any case and with spaces; what they come to is told line by line', async (t) => {
  await change(t, 'promotions', { promotions: [
    { id: 'ten', title: 'Ten percent', code: 'Take Ten', benefit: { kind: 'percentage', off_ppm: 100_000 } },
    { id: 'big', title: 'Big cart', code: 'BIG', min_subtotal: [usd(100_000)], benefit: { kind: 'amount', amounts: [usd(500)] } },
    { id: 'past', title: 'Past', code: 'PAST', ends_at: '2020-01-01T00:00:00Z', benefit: { kind: 'free_shipping' } },
  ] });
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  await buyer.add('CORD');
  const quote = await buyer.quote({ codes: [' take ten '] });
  assert.deepEqual(quote.lines.map(({ discount, promotions }: Json) => [discount, promotions]), [
    [usd(250), [{ id: 'ten', discount: usd(250) }]], [usd(99), [{ id: 'ten', discount: usd(99) }]],
  ]);
  assert.deepEqual(quote.promotions, [{ id: 'ten', title: 'Ten percent', code: 'Take Ten', discount: usd(349), stacks: true }]);
  for (const [code, reason] of [['NONE', 'unknown_code'], ['big', 'code_not_met'], ['past', 'code_ended']] as const) {
    const { errors } = (await buyer.post('/api/v1/cart/quote', { ...DELIVERY, codes: ['TAKETEN', code] })).refused(422, reason);
    assert.deepEqual(errors.map(({ field }: Json) => field), ['codes.1']);
  }
  const order = (await buyer.order(quote.id)).expect(201);
  assert.deepEqual([order.promotions, order.lines, order.total], [quote.promotions, quote.lines, quote.total]);
});

test('a quote keeps the settings it was made by', async (t) => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const quote = await buyer.quote();
  const { version } = await change(t, 'promotions', { promotions: [
    { id: 'big', title: 'Big cart', code: 'BIG', min_subtotal: [usd(100_000)], benefit: { kind: 'amount', amounts: [usd(500)] } },
  ] });
  assert.ok(quote.settings_version < version);
  const order = (await buyer.order(quote.id)).expect(201);
  assert.deepEqual([order.total, order.settings_version], [quote.total, quote.settings_version]);
});

test('a change of settings that changes what a cart costs is told with old and new', async (t) => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const quote = await buyer.quote();
  const { held } = await shop.stock('LAMP');
  const { version } = await change(t, 'tax-zones', { tax_zones: [] });
  const { old, new: now } = (await buyer.order(quote.id)).refused(409, 'quote_changed');
  assert.deepEqual([old.tax_total, old.total], [quote.tax_total, quote.total]);
  assert.deepEqual([now.tax_total, now.total], [usd(0), usd(quote.total.amount - quote.tax_total.amount)]);
  assert.equal((await shop.stock('LAMP')).held, held);
  const again = await buyer.quote();
  assert.deepEqual((await buyer.order(again.id)).expect(201).total, now.total);
  const untaxed = shop.shopper();
  await untaxed.add('LAMP');
  assert.deepEqual([(await untaxed.quote()).tax_total, (await untaxed.quote()).settings_version], [usd(0), version]);
});

test('a publish converts what the price list leaves out, and shows scheduled prices in their time', async (t) => {
  await change(t, 'currencies', { currencies: { base: 'USD', rates: [{ currency: 'EUR', rate_ppm: 920_000, rounding: { step: 100, ending: 99 } }] } });
  (await shop.staff.post('/api/v1/admin/catalog/publish')).expect(200);
  const price = async (currency: string) => (await shop.staff.get(`/api/v1/products/lamp?currency=${currency}`)).body?.variants?.[0]?.price;
  // $25.00 are €23.00, rounded to €22.99; the list's own yen prices stay.
  await eventually(async () => assert.deepEqual(await price('EUR'), { amount: 2299, currency: 'EUR' }));
  assert.deepEqual(await price('JPY'), { amount: 2500, currency: 'JPY' });
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const quote = await buyer.quote({ currency: 'EUR' });
  assert.deepEqual([quote.lines[0].unit_price.amount, quote.lines[0].converted], [2299, true]);
  assert.deepEqual(quote.lines[0].conversion, { from: usd(2500), rate_ppm: 920_000 });

  const schedule = '/api/v1/admin/scheduled-prices/LAMP';
  const minute = 60_000;
  const at = (millis: number) => new Date(Date.now() + millis).toISOString();
  const sale = { currency: 'USD', amount: 2000, compare_at_amount: 2500, valid_from: at(-minute), valid_until: at(60 * minute) };
  (await shop.staff.put(schedule, { prices: [sale, { ...sale, valid_from: at(minute) }] })).refused(422, 'overlapping_prices');
  (await shop.staff.put(schedule, { prices: [sale] })).expect(200);
  assert.equal((await shop.staff.get(schedule)).expect(200).prices[0].amount, 2000);
  // Ages the last publish to before the beginning of the sale.
  await shop.rows('UPDATE publishes SET created_at = created_at - ?', 10 * minute);
  await shop.scheduled();
  await eventually(async () => assert.deepEqual(await price('USD'), usd(2000)));
  assert.deepEqual(await price('EUR'), { amount: 1799, currency: 'EUR' });
  // And ends the sale.
  (await shop.staff.put(schedule, { prices: [{ ...sale, valid_until: at(-minute / 60) }] })).expect(200);
  await shop.rows('UPDATE publishes SET created_at = created_at - ?', minute / 2);
  await shop.scheduled();
  await eventually(async () => assert.deepEqual(await price('USD'), usd(2500)));
});

test('a single-use code used by 50 checkouts at once makes one order; another may use it once that is cancelled', async (t) => {
  await change(t, 'promotions', { promotions: [
    { id: 'single', title: 'Once', code: 'ONCE', limits: { total: 1 }, benefit: { kind: 'percentage', off_ppm: 500_000 } },
  ] });
  const checkouts = await Promise.all(Array.from({ length: 50 }, async (_, at) => {
    const buyer = shop.shopper();
    await buyer.add('CORD');
    return { buyer, quote: await buyer.quote({ codes: ['once'], email: `buyer${at}@shopper.test` }) };
  }));
  const decided = await Promise.all(checkouts.map(({ buyer, quote }) => eventually(async () => {
    const answer = await buyer.order(quote.id);
    assert.notEqual(answer.body.code, 'promotion_contended', answer.text);
    return answer;
  })));
  const orders = decided.filter(({ status }) => status === 201).map(({ body }) => body);
  assert.equal(orders.length, 1);
  for (const answer of decided) if (answer.status !== 201) assert.equal(answer.refused(409, 'promotion_used_up').promotion, 'single');
  const { held, committed } = await shop.stock('CORD');
  const lines = await shop.rows<{ units: number }>("SELECT SUM(quantity) AS units FROM order_lines WHERE sku = 'CORD'");
  assert.equal(held + committed, lines[0]?.units);

  const late = shop.shopper();
  await late.add('CORD');
  (await late.post('/api/v1/cart/quote', { ...DELIVERY, codes: ['ONCE'] })).refused(422, 'code_used_up');
  await shop.press(orders[0], 'pay');
  await shop.settled(orders[0], 'confirmed');
  (await late.post('/api/v1/cart/quote', { ...DELIVERY, codes: ['ONCE'] })).refused(422, 'code_used_up');
  (await shop.staff.post(`/api/v1/orders/${orders[0].id}/cancel`)).expect(200);
  await shop.settled(orders[0], 'cancelled');
  const quote = await late.quote({ codes: ['ONCE'] });
  assert.deepEqual(quote.discount_total, usd(495));
  (await late.order(quote.id)).expect(201);
});

test('a promotion that a customer has used is left out of the next quote, or its code refused when it is ordered with', async (t) => {
  await change(t, 'promotions', { promotions: [
    { id: 'welcome', title: 'Welcome', first_order: true, benefit: { kind: 'percentage', off_ppm: 100_000 } },
    { id: 'each', title: 'Once for each', code: 'EACH', limits: { per_customer: 1 }, benefit: { kind: 'percentage', off_ppm: 100_000 } },
  ] });
  const [mine, others] = [{ email: 'CÄrol@shopper.test' }, { email: 'dave@shopper.test' }];
  const used = async (who: Json, codes: string[] = []) => {
    const buyer = shop.shopper();
    await buyer.add('LAMP');
    const quote = await buyer.quote({ ...who, codes });
    return { ids: quote.promotions.map(({ id }: Json) => id), place: () => buyer.order(quote.id), buyer };
  };
  const [first, second] = [await used(mine, ['EACH']), await used(mine, ['EACH'])];
  assert.deepEqual(first.ids, ['each', 'welcome']);
  (await first.place()).expect(201);
  assert.equal((await second.place()).refused(409, 'promotion_not_available').promotion, 'welcome');
  assert.deepEqual((await used({ email: ' cärol@SHOPPER.test' })).ids, []);
  const again = await used(mine, ['EACH']);
  assert.deepEqual(again.ids, ['each']);
  assert.equal((await again.place()).refused(409, 'promotion_not_available').promotion, 'each');
  assert.deepEqual((await used(others, ['EACH'])).ids, ['each', 'welcome']);
});

test('a quote with a code does not tell what an address has ordered', async (t) => {
  await change(t, 'promotions', { promotions: [
    { id: 'first', title: 'First', code: 'FIRST', first_order: true, benefit: { kind: 'percentage', off_ppm: 100_000 } },
    { id: 'some', title: 'Some', code: 'SOME', customers: ['grace@shopper.test'], benefit: { kind: 'percentage', off_ppm: 100_000 } },
  ] });
  const known = shop.shopper();
  await known.add('LAMP');
  (await known.order((await known.quote({ email: 'erin@shopper.test' })).id)).expect(201);
  for (const code of ['FIRST', 'SOME']) {
    const quotes = await Promise.all(['erin@shopper.test', 'frank@shopper.test'].map(async (email) => {
      const buyer = shop.shopper();
      await buyer.add('LAMP');
      const { id, expires_at, ...told } = await buyer.quote({ email, codes: [code] });
      return { told, order: () => buyer.order(id) };
    }));
    assert.deepEqual(quotes[0]!.told, quotes[1]!.told);
    assert.equal(quotes[0]!.told['promotions'][0].checked_at_order, true);
    (await quotes[0]!.order()).refused(409, 'promotion_not_available');
    const stranger = await quotes[1]!.order();
    if (code === 'FIRST') stranger.expect(201);
    else stranger.refused(409, 'promotion_not_available');
  }
});

test('a code whose last use another checkout holds on the clock may come back', async (t) => {
  await change(t, 'promotions', { promotions: [
    { id: 'held', title: 'Held', code: 'HELD', limits: { total: 1 }, benefit: { kind: 'percentage', off_ppm: 100_000 } },
  ] });
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const hold = { hold: { hold_id: 'ord_elsewhere:1', customer: 'someone', limits: { total: 1 }, ttl_secs: 600 } };
  await shop.promotionObject('held').do('elsewhere', hold);
  const refused = await buyer.post('/api/v1/cart/quote', { ...DELIVERY, codes: ['HELD'] });
  assert.equal(refused.refused(409, 'promotion_contended').promotion, 'held');
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  await shop.promotionObject('held').do('elsewhere again', { release: { hold_id: 'ord_elsewhere:1' } });
  assert.equal((await buyer.quote({ codes: ['HELD'] })).promotions[0].id, 'held');
});

test('the settings of the demo price a cart in each of its markets', async (t) => {
  const { version, ...before } = (await shop.staff.get(SETTINGS)).expect(200);
  t.after(async () => (await shop.staff.put(SETTINGS, before)).expect(200));
  const demo = JSON.parse(readFileSync(join(import.meta.dirname, '../../demo/settings.json'), 'utf8'));
  (await shop.staff.put(SETTINGS, demo)).expect(200);
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const address = { name: 'Ann', line1: '1 Main Street', city: 'Town' };
  for (const [zone, included, tax, there] of [
    ['us-ny', false, 124, { country: 'US', region: 'New York', postal_code: '10001' }],
    ['de', true, 503, BERLIN],
    ['gb', true, 525, { country: 'GB', postal_code: 'SW1A 1AA' }],
    ['jp', true, 277, { country: 'JP', region: 'Tokyo', postal_code: '100-0001' }],
    ['kw', false, 0, { country: 'KW' }],
  ] as const) {
    const quote = await buyer.quote({ shipping_address: { ...address, ...there } });
    assert.deepEqual([quote.tax_zone, quote.tax_included, quote.tax_total.amount], [zone, included, tax]);
  }
});

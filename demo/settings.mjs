/**
 * Pricing settings of the demo, to go with its catalog: exchange rates, prices with or without tax,
 * tax zones, shipping, and a few promotions. `build.mjs` writes them to `settings.json`, which
 * `npm run dev` loads into an empty shop.
 */

const MONEY = ['USD', 'EUR', 'GBP', 'JPY', 'KWD'];

/** One amount for each currency, in minor units. */
const money = (...amounts) => amounts.map((amount, at) => ({ amount, currency: MONEY[at] }));
const prices = (...amounts) => money(...amounts).map((price) => ({ price }));
const percent = (rate) => Math.round(rate * 10_000);

/** State sales tax rates in percent (2026); cities and counties add their own. */
const STATES = {
  AL: ['Alabama', 4], AZ: ['Arizona', 5.6], AR: ['Arkansas', 6.5], CA: ['California', 7.25], CO: ['Colorado', 2.9], CT: ['Connecticut', 6.35],
  DC: ['District of Columbia', 6], FL: ['Florida', 6], GA: ['Georgia', 4], HI: ['Hawaii', 4], ID: ['Idaho', 6], IL: ['Illinois', 6.25],
  IN: ['Indiana', 7], IA: ['Iowa', 6], KS: ['Kansas', 6.5], KY: ['Kentucky', 6], LA: ['Louisiana', 5], ME: ['Maine', 5.5], MD: ['Maryland', 6],
  MA: ['Massachusetts', 6.25], MI: ['Michigan', 6], MN: ['Minnesota', 6.875], MS: ['Mississippi', 7], MO: ['Missouri', 4.225], NE: ['Nebraska', 5.5],
  NV: ['Nevada', 6.85], NJ: ['New Jersey', 6.625], NM: ['New Mexico', 4.875], NY: ['New York', 4], NC: ['North Carolina', 4.75],
  ND: ['North Dakota', 5], OH: ['Ohio', 5.75], OK: ['Oklahoma', 4.5], PA: ['Pennsylvania', 6], RI: ['Rhode Island', 7], SC: ['South Carolina', 6],
  SD: ['South Dakota', 4.2], TN: ['Tennessee', 7], TX: ['Texas', 6.25], UT: ['Utah', 6.1], VT: ['Vermont', 6], VA: ['Virginia', 5.3],
  WA: ['Washington', 6.5], WV: ['West Virginia', 6], WI: ['Wisconsin', 5], WY: ['Wyoming', 4],
};

/**
 * Standard rates of value added tax in percent. The shop is in Germany; businesses elsewhere in the
 * European Union account for the tax themselves.
 */
const UNION = {
  AT: 20, BE: 21, BG: 20, CY: 19, CZ: 21, DE: 19, DK: 25, EE: 24, ES: 21, FI: 25.5, FR: 20, GR: 24, HR: 25, HU: 27,
  IE: 23, IT: 22, LT: 21, LU: 17, LV: 21, MT: 18, NL: 21, PL: 23, PT: 23, RO: 21, SE: 25, SI: 22, SK: 23,
};

const country = (code) => ({ country: code });

const states = Object.entries(STATES).map(([code, [name, rate]]) => ({
  id: `us-${code.toLowerCase()}`,
  places: [{ country: 'US', region: code }],
  rates: [{ name: `${name} sales tax`, rate_ppm: percent(rate) }],
}));

const union = Object.entries(UNION).map(([code, rate]) => ({
  id: code.toLowerCase(), places: [country(code)], rates: [{ name: 'VAT', rate_ppm: percent(rate) }],
  ...(code !== 'DE' && { exempts_businesses: true }),
}));

const standard = (...amounts) => ({ id: 'standard', title: 'Standard', translations: { de: 'Standardversand' }, rates: prices(...amounts), free_over: money(10_000, 9_000, 8_000, 15_000, 30_000) });
const express = (...amounts) => ({ id: 'express', title: 'Express', translations: { de: 'Expressversand' }, rates: prices(...amounts), working_days: { min: 1, max: 2 } });
const within = (method, min, max) => ({ ...method, working_days: { min, max } });

/** Surcharge for parcels of two kilograms or more. */
const heavy = (method, from, ...more) => ({
  ...method, by: 'weight', up_to: 60_000, rates: [...method.rates, ...prices(...more).map((rate) => ({ from, ...rate }))],
});

export const settings = {
  currencies: {
    base: 'USD',
    rates: [
      { currency: 'EUR', rate_ppm: 925_000, rounding: { step: 100, ending: 99 } },
      { currency: 'GBP', rate_ppm: 790_000, rounding: { step: 100, ending: 99 } },
      { currency: 'JPY', rate_ppm: 150_000_000, rounding: { step: 100, ending: 0 } },
      { currency: 'KWD', rate_ppm: 307_000, rounding: { step: 250, ending: 0 } },
    ],
  },
  markets: [
    { id: 'eu', countries: Object.keys(UNION), prices_include_tax: true },
    { id: 'uk', countries: ['GB'], prices_include_tax: true },
    { id: 'jp', countries: ['JP'], prices_include_tax: true },
  ],
  tax_zones: [
    ...states,
    ...union,
    { id: 'gb', places: [country('GB')], rates: [{ name: 'VAT', rate_ppm: percent(20) }] },
    { id: 'jp', places: [country('JP')], rates: [{ name: 'Consumption tax', rate_ppm: percent(10) }] },
    { id: 'kw', places: [country('KW')], rates: [] },
  ],
  shipping_zones: [
    {
      id: 'us', places: [country('US')],
      methods: [within(heavy(standard(595, 550, 495, 800, 1_800), 2_000, 995, 950, 850, 1_400, 3_000), 3, 5), express(1_995, 1_850, 1_695, 2_800, 6_000)],
    },
    { id: 'eu', title: 'European Union', translations: { de: 'Europäische Union' }, places: Object.keys(UNION).map(country), methods: [within(standard(650, 590, 520, 900, 2_000), 2, 4), express(1_750, 1_590, 1_450, 2_500, 5_500)] },
    { id: 'gb', places: [country('GB')], methods: [within(standard(650, 590, 495, 900, 2_000), 2, 3), express(1_500, 1_390, 1_195, 2_200, 4_600)] },
    { id: 'jp', places: [country('JP')], methods: [within(standard(550, 500, 450, 770, 1_700), 1, 3), express(1_200, 1_100, 950, 1_650, 3_700)] },
    { id: 'kw', places: [country('KW')], methods: [within(standard(900, 850, 750, 1_300, 2_750), 3, 6), express(1_900, 1_750, 1_550, 2_700, 5_750)] },
    { id: 'world', places: [country('*')], methods: [within(standard(2_495, 2_290, 1_990, 3_500, 7_500), 6, 12), express(4_995, 4_590, 3_990, 7_000, 15_000)] },
  ],
  promotions: [
    { id: 'welcome', title: 'Welcome: 10 % off your first order', code: 'WELCOME', first_order: true, stacks: false, benefit: { kind: 'percentage', off_ppm: percent(10) } },
    { id: 'launch', title: 'Launch: first hundred, twenty off', code: 'LAUNCH', limits: { total: 100, per_customer: 1 }, min_subtotal: money(20_000, 18_000, 16_000, 30_000, 60_000), benefit: { kind: 'amount', amounts: money(2_000, 1_800, 1_600, 3_000, 6_000) } },
    { id: 'three-for-two', title: 'Protection: three for two', items: [{ category: 'cases-protection' }], benefit: { kind: 'buy_x_get_y', buy: 2, get: 1, off_ppm: percent(100) } },
  ],
};

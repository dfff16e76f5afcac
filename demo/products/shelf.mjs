/**
 * Short form in which products are written down: prices, options and texts, checked and completed
 * here.
 */

/**
 * Currencies in which the demo sells, with their decimal places; the first is the shop's default.
 */
export const CURRENCIES = { USD: 2, EUR: 2, GBP: 2, JPY: 0, KWD: 3 };

/** A shelf of products with the shared properties of `shared`, which each product may override. */
export function shelf({ ground, ...shared }, products) {
  return products.map((product) => complete({ ...shared, ...product, art: { ground, ...product.art } }));
}

/** Prices in whole units of USD, EUR, GBP, JPY and KWD, converted to minor units. */
export function prices(...amounts) {
  const places = Object.values(CURRENCIES);
  if (amounts.length !== places.length) throw new Error(`prices(${amounts}): one for each currency`);
  return amounts.map((amount, i) => Math.round(amount * 10 ** places[i]));
}

/**
 * The standard prices for a price in US dollars: the price elsewhere including tax, rounded to a
 * customary amount.
 */
export function usual(dollars) {
  return prices(
    dollars,
    below(dollars * 1.17, [[100, 1, 0.05], [Infinity, 10, 1]]),
    below(dollars * 0.97, [[100, 1, 0.05], [Infinity, 10, 1]]),
    below(dollars * 158, [[10_000, 100, 20], [Infinity, 1000, 200]]),
    below(dollars * 0.33, [[50, 1, 0.1], [Infinity, 5, 0.1]]),
  );
}

/** Finishes: name → [code in the SKU, colour of the drawing, further facts]. */
export function colors(finishes) {
  return {
    name: 'Color',
    values: Object.entries(finishes).map(([value, [code, color, facts]]) => ({ value, code, art: { color }, ...facts })),
  };
}

/** Any other option: value → [code in the SKU, facts of that value]. */
export function choice(name, values) {
  return { name, values: Object.entries(values).map(([value, [code, facts]]) => ({ value, code, ...facts })) };
}

/** Storage sizes, which determine the price. */
export function storage(sizes) {
  return choice('Storage', Object.fromEntries(Object.entries(sizes).map(([size, price]) => [size, [size.replace('GB', ''), { price }]])));
}

/** The nearest amount just below a round one; `steps` are `[up to, round to, less]`. */
function below(amount, steps) {
  const [, step, less] = steps.find(([limit]) => amount <= limit);
  return Math.ceil((amount + less) / step) * step - less;
}

function complete(product) {
  const [first] = product.text.match(/^.*?[.!?](?=\s|$)/) ?? [product.text];
  return {
    options: [],
    tags: [],
    margin: 38,
    ...product,
    summary: product.summary ?? first,
    html: product.html ?? `<p>${product.text}</p>`,
  };
}

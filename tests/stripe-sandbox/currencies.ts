/**
 * Stripe's own money rules, which differ from ISO 4217's: amounts are integers in Stripe's units,
 * some currencies have no decimals, some have decimals on the wire that must be zero, and each
 * charge has a smallest and a largest amount. Source: https://docs.stripe.com/currencies
 * (zero-decimal, special cases, three-decimal, minimum and maximum charges). For a currency without
 * a minimum of its own Stripe converts at the day's rate to the account's settlement currency; the
 * sandbox knows no rates, so there it asks for no more than a positive amount.
 */
import { invalid } from './http.ts';

const TWO_DECIMAL = words(`aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf
  cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr kyd
  kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar
  ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd yer zar zmw`);
const ZERO_DECIMAL = words('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf');
const THREE_DECIMAL = words('bhd jod kwd omr tnd');
/** Two decimals on the wire, always `00`: https://docs.stripe.com/currencies#special-cases */
const DECIMALS_ALWAYS_ZERO = words('isk ugx');

const MINIMUM: Readonly<Record<string, number>> = {
  usd: 50, aed: 200, aud: 50, bgn: 100, brl: 50, cad: 50, chf: 50, czk: 1500, dkk: 250, eur: 50, gbp: 30, hkd: 400,
  huf: 17500, inr: 50, jpy: 50, mxn: 1000, myr: 200, nok: 300, nzd: 50, pln: 200, ron: 200, sek: 300, sgd: 50, thb: 1000,
};
/** Maximum amounts, by the number of digits allowed. */
const MAXIMUM: Readonly<Record<string, number>> = { cop: 9_999_999_999, huf: 9_999_999_999, idr: 999_999_999_999, inr: 999_999_999, jpy: 9_999_999_999, lbp: 99_999_999_999 };
const MAXIMUM_ELSEWHERE = 99_999_999;

export function checkCurrency(currency: string, param: string): void {
  if (decimals(currency) !== undefined) return;
  throw invalid(
    `Invalid currency: ${currency}. Use a lower-case three-letter code that Stripe supports, see https://docs.stripe.com/currencies`,
    param,
  );
}

export function checkAmount(currency: string, amount: number, param: string): void {
  const step = increment(currency);
  if (amount % step === 0) return;
  throw invalid(
    `Invalid amount ${amount} for ${currency}: the amount must end in ${String(step).slice(1)}, see https://docs.stripe.com/currencies#special-cases`,
    param,
    'parameter_invalid_integer',
  );
}

export function checkTotal(currency: string, total: number): void {
  const most = MAXIMUM[currency] ?? MAXIMUM_ELSEWHERE;
  if (total > most) {
    throw invalid(`The total amount must be no more than ${format(currency, most)}`, 'line_items', 'amount_too_large');
  }
  if (total === 0 || total >= (MINIMUM[currency] ?? 1)) return;
  throw invalid(
    `The Checkout Session's total amount due must add up to at least ${format(currency, MINIMUM[currency] ?? 1)} ${currency}`,
    'line_items',
    'amount_too_small',
  );
}

/** Formats the amount for people, exactly, with integer arithmetic only. */
export function format(currency: string, amount: number): string {
  const places = decimals(currency) ?? 2;
  const digits = String(Math.abs(amount)).padStart(places + 1, '0');
  const split = digits.length - places;
  const decimal = `${amount < 0 ? '-' : ''}${digits.slice(0, split)}${places > 0 ? `.${digits.slice(split)}` : ''}`;
  const shown = DECIMALS_ALWAYS_ZERO.has(currency) ? 0 : places;
  return new Intl.NumberFormat('en', {
    style: 'currency', currency, minimumFractionDigits: shown, maximumFractionDigits: shown,
  }).format(decimal as Intl.StringNumericLiteral);
}

/**
 * Returns 2.9 % of the amount, rounded to the currency's increment; the fixed part of real fees
 * depends on the account's country.
 */
export function fee(currency: string, amount: number): number {
  const step = increment(currency);
  return Math.floor((amount * 29 + 500 * step) / (1000 * step)) * step;
}

function increment(currency: string): number {
  if (DECIMALS_ALWAYS_ZERO.has(currency)) return 100;
  return THREE_DECIMAL.has(currency) ? 10 : 1;
}

function decimals(currency: string): number | undefined {
  if (TWO_DECIMAL.has(currency) || DECIMALS_ALWAYS_ZERO.has(currency)) return 2;
  if (ZERO_DECIMAL.has(currency)) return 0;
  return THREE_DECIMAL.has(currency) ? 3 : undefined;
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

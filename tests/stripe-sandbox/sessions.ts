/**
 * Checkout Sessions: created open, then once and for all complete or expired. Expiry is looked at
 * on each access and by a timer, so a session is never seen open after its time. Sources:
 * https://docs.stripe.com/api/checkout/sessions/create, …/expire, …/list, …/line_items
 */
import { newId, type Account, type LineItem, type Session } from './account.ts';
import { checkAmount, checkCurrency, checkTotal } from './currencies.ts';
import { invalid, missing, refused, type Form } from './http.ts';
import { expand, missingParam, range, read, type Fields, type Values } from './params.ts';

const MIN_OPEN_SECS = 30 * 60;
const MAX_OPEN_SECS = 24 * 3600;

const unmodelled = { kind: 'unmodelled' } as const;

const PRICE_DATA = {
  currency: { kind: 'string', required: true },
  unit_amount: { kind: 'integer', min: 0, required: true },
  unit_amount_decimal: unmodelled,
  product: unmodelled,
  product_data: {
    kind: 'hash',
    required: true,
    fields: {
      name: { kind: 'string', required: true },
      description: { kind: 'string', max: 40_000 },
      images: { kind: 'list', of: { kind: 'string', format: 'url' }, max: 8 },
      metadata: { kind: 'metadata' },
      tax_code: { kind: 'string' },
      unit_label: unmodelled,
    },
  },
  recurring: unmodelled,
  tax_behavior: { kind: 'string', oneOf: ['exclusive', 'inclusive', 'unspecified'] },
} as const satisfies Fields;

const LINE_ITEM = {
  adjustable_quantity: unmodelled,
  dynamic_tax_rates: unmodelled,
  metadata: { kind: 'metadata' },
  price: unmodelled,
  price_data: { kind: 'hash', fields: PRICE_DATA, required: true },
  quantity: { kind: 'integer', min: 1, max: 999_999, required: true },
  tax_rates: unmodelled,
} as const satisfies Fields;

const CREATE = {
  billing_address_collection: { kind: 'string', oneOf: ['auto', 'required'] },
  cancel_url: { kind: 'string', format: 'url' },
  client_reference_id: { kind: 'string', max: 200 },
  currency: { kind: 'string' },
  customer_creation: { kind: 'string', oneOf: ['always', 'if_required'] },
  customer_email: { kind: 'string', format: 'email', max: 800 },
  expand,
  expires_at: { kind: 'integer' },
  line_items: { kind: 'list', of: { kind: 'hash', fields: LINE_ITEM }, max: 100 },
  locale: { kind: 'string' },
  metadata: { kind: 'metadata' },
  mode: { kind: 'string', oneOf: ['payment', 'setup', 'subscription'], required: true },
  payment_intent_data: {
    kind: 'hash',
    fields: {
      capture_method: { kind: 'string', oneOf: ['automatic', 'automatic_async'] },
      description: { kind: 'string' },
      metadata: { kind: 'metadata' },
      receipt_email: { kind: 'string', format: 'email' },
      statement_descriptor: { kind: 'string', max: 22 },
      statement_descriptor_suffix: { kind: 'string', max: 22 },
      application_fee_amount: unmodelled,
      on_behalf_of: unmodelled,
      setup_future_usage: unmodelled,
      shipping: unmodelled,
      transfer_data: unmodelled,
      transfer_group: unmodelled,
    },
  },
  payment_method_types: { kind: 'list', of: { kind: 'string' } },
  submit_type: { kind: 'string', oneOf: ['auto', 'book', 'donate', 'pay', 'subscribe'] },
  success_url: { kind: 'string', format: 'url' },
  ui_mode: { kind: 'string' },
  ...Object.fromEntries(
    `adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types automatic_tax branding_settings
    consent_collection custom_fields custom_text customer customer_account customer_update discounts
    excluded_payment_method_types integration_identifier invoice_creation managed_payments name_collection optional_items
    origin_context payment_method_collection payment_method_configuration payment_method_data payment_method_options
    permissions phone_number_collection redirect_on_completion return_url saved_payment_method_options setup_intent_data
    shipping_address_collection shipping_options subscription_data tax_id_collection wallet_options`
      .split(/\s+/).map((name) => [name, unmodelled]),
  ) as Record<never, never>,
} as const satisfies Fields;

const LIST = {
  created: range,
  customer: unmodelled,
  ending_before: { kind: 'string' },
  expand,
  limit: { kind: 'integer', min: 1, max: 100 },
  payment_intent: { kind: 'string' },
  starting_after: { kind: 'string' },
  status: { kind: 'string', oneOf: ['complete', 'expired', 'open'] },
} as const satisfies Fields;

type Line = Values<typeof LINE_ITEM>;
type Create = Values<typeof CREATE>;

/** Parameters for the payment intent of a session, which is created on the first attempt to pay. */
const intentData = new WeakMap<Session, NonNullable<Create['payment_intent_data']>>();

export function createSession(account: Account, form: Form, pageOrigin: string): Session {
  const params = read(form, CREATE);
  const hosted = hostedMode(account.apiVersion);
  if (params.mode !== 'payment') throw invalid(`The sandbox does not model mode ${params.mode}`, 'mode');
  if (params.ui_mode && params.ui_mode !== hosted) throw invalid(`Invalid ui_mode: the sandbox models ${hosted}`, 'ui_mode');
  if (!params.success_url) throw missingParam('success_url');
  if (!params.line_items?.length) throw missingParam('line_items');
  const currency = checkLines(params.line_items, params.currency);
  const total = params.line_items.reduce((sum, line) => sum + line.quantity * line.price_data.unit_amount, 0);
  checkTotal(currency, total);
  const created = account.now();
  const expiresAt = params.expires_at ?? created + MAX_OPEN_SECS;
  checkExpiry(expiresAt, created);

  const id = newId('cs_test_a1', 56);
  const session: Session = {
    id,
    object: 'checkout.session',
    adaptive_pricing: null,
    after_expiration: null,
    allow_promotion_codes: null,
    amount_subtotal: total,
    amount_total: total,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: params.billing_address_collection ?? null,
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    client_secret: null,
    created,
    currency,
    customer: null,
    customer_creation: params.customer_creation ?? 'if_required',
    customer_details: params.customer_email ? { email: params.customer_email } : null,
    customer_email: params.customer_email ?? null,
    expires_at: expiresAt,
    invoice: null,
    livemode: false,
    locale: params.locale ?? null,
    metadata: params.metadata ?? {},
    mode: 'payment',
    payment_intent: null,
    payment_link: null,
    payment_method_types: params.payment_method_types ?? ['card'],
    payment_status: total === 0 ? 'no_payment_required' : 'unpaid',
    recovered_from: null,
    shipping_cost: null,
    status: 'open',
    submit_type: params.submit_type ?? null,
    subscription: null,
    success_url: params.success_url,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: hosted,
    url: `${pageOrigin}/c/pay/${id}`,
  };
  account.sessions.set(id, session);
  account.lineItems.set(id, params.line_items.map((line) => lineItem(line, created)));
  if (params.payment_intent_data) intentData.set(session, params.payment_intent_data);
  return session;
}

export function getSession(account: Account, id: string): Session {
  const session = account.sessions.get(id);
  if (!session) throw missing('checkout.session', id, 'session');
  expireIfDue(account, session);
  return session;
}

export function listSessions(account: Account, form: Form) {
  expireDue(account);
  const params = read(form, LIST);
  const sessions = [...account.sessions.values()].filter((session) =>
    (!params.status || session.status === params.status) &&
    (!params.payment_intent || session.payment_intent === params.payment_intent));
  return { items: sessions, params };
}

export function expireSession(account: Account, id: string): Session {
  const session = getSession(account, id);
  if (session.status !== 'open') {
    throw refused(
      `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`,
    );
  }
  expire(account, session);
  return session;
}

export function expireDue(account: Account): void {
  for (const session of account.sessions.values()) expireIfDue(account, session);
}

export function paymentData(session: Session): NonNullable<Create['payment_intent_data']> {
  return intentData.get(session) ?? {};
}

function expireIfDue(account: Account, session: Session): void {
  if (session.status === 'open' && session.expires_at <= account.now()) expire(account, session);
}

function expire(account: Account, session: Session): void {
  session.status = 'expired';
  session.url = null;
  const intent = session.payment_intent && account.intents.get(session.payment_intent);
  if (intent) intent.status = 'canceled';
  account.emit('checkout.session.expired', session);
}

/** `hosted` until 2026-03-25.dahlia renamed it: https://docs.stripe.com/changelog/dahlia */
function hostedMode(apiVersion: string): string {
  return apiVersion < '2026-03-25' ? 'hosted' : 'hosted_page';
}

function checkLines(lines: Line[], asked: string | undefined): string {
  const currency = asked ?? lines[0]!.price_data.currency;
  lines.forEach((line, index) => {
    const path = `line_items[${index}][price_data]`;
    checkCurrency(line.price_data.currency, `${path}[currency]`);
    if (line.price_data.currency !== currency) {
      throw invalid(`All line items must have the same currency, ${currency}`, `${path}[currency]`);
    }
    checkAmount(currency, line.price_data.unit_amount, `${path}[unit_amount]`);
  });
  return currency;
}

function checkExpiry(expiresAt: number, created: number): void {
  if (expiresAt < created + MIN_OPEN_SECS) {
    throw invalid('The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.', 'expires_at');
  }
  if (expiresAt > created + MAX_OPEN_SECS) {
    throw invalid('The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.', 'expires_at');
  }
}

function lineItem(line: Line, created: number): LineItem {
  const { currency, unit_amount, product_data, tax_behavior } = line.price_data;
  const amount = unit_amount * line.quantity;
  return {
    id: newId('li_1'),
    object: 'item',
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency,
    description: product_data.name,
    metadata: line.metadata ?? {},
    price: {
      id: newId('price_1'),
      object: 'price',
      active: false,
      billing_scheme: 'per_unit',
      created,
      currency,
      livemode: false,
      lookup_key: null,
      metadata: {},
      nickname: null,
      product: newId('prod_', 14),
      recurring: null,
      tax_behavior: tax_behavior ?? 'unspecified',
      type: 'one_time',
      unit_amount,
      unit_amount_decimal: String(unit_amount),
    },
    quantity: line.quantity,
  };
}

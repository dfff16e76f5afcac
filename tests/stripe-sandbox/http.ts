/**
 * HTTP as Stripe speaks it: form-encoded requests with nested brackets, JSON answers, errors in one
 * envelope. Promises that whatever is thrown on the way becomes an answer in Stripe's shape and
 * never ends the process. Sources: https://docs.stripe.com/api/errors,
 * https://docs.stripe.com/error-codes
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

export type Form = { [name: string]: string | Form };

export type Answer = { status: number; headers: Record<string, string>; body: string };

export class StripeError extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string | undefined;
  readonly param: string | undefined;
  /** True if work had begun: such a response is stored under the Idempotency-Key. */
  readonly begun: boolean;

  constructor(status: number, type: string, message: string, code?: string, param?: string, begun = false) {
    super(message);
    this.status = status;
    this.type = type;
    this.code = code;
    this.param = param;
    this.begun = begun;
  }
}

export function invalid(message: string, param?: string, code?: string, status = 400): StripeError {
  return new StripeError(status, 'invalid_request_error', message, code, param);
}

/** The parameters are valid, but the object's state does not allow the request. */
export function refused(message: string, param?: string, code?: string): StripeError {
  return new StripeError(400, 'invalid_request_error', message, code, param, true);
}

export function missing(kind: string, id: string, param = 'id'): StripeError {
  return invalid(`No such ${kind}: '${id}'`, param, 'resource_missing', 404);
}

export function json(status: number, value: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value, null, 2) };
}

export function html(status: number, body: string): Answer {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
  };
  return { status, headers, body };
}

export function redirect(location: string): Answer {
  return { status: 303, headers: { location, 'cache-control': 'no-store' }, body: '' };
}

export function errorAnswer(error: unknown): Answer {
  if (!(error instanceof StripeError)) {
    console.error(error);
    return errorAnswer(serverError());
  }
  const { type, code, message, param } = error;
  return json(error.status, {
    error: { ...(code && { code }), ...(code && { doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` }), message, ...(param && { param }), type },
  });
}

export function serverError(status = 500): StripeError {
  if (status === 429) return invalid('Too many requests hit the API too quickly.', undefined, 'rate_limit', 429);
  return new StripeError(status, 'api_error', 'An unknown error occurred');
}

export function send(response: ServerResponse, answer: Answer): void {
  if (response.destroyed || response.writableEnded) return;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) });
  response.end(answer.body);
}

export async function readText(request: IncomingMessage, limit = 1_000_000): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > limit) throw invalid('Request body is too large', undefined, undefined, 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Parses `a[b][0]=x&a[c][]=y` into a tree. Lists stay trees with numeric names until a schema
 * requires a list.
 */
export function parseForm(text: string): Form {
  const form: Form = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) plant(form, path(name), value, name);
  return form;
}

/** Splits a name into its parts: `a[b][]` is `a`, `b` and an empty name. */
function path(name: string): string[] {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  if (!match) throw invalid(`Invalid parameter name: ${name}`, name);
  return [match[1]!, ...[...match[2]!.matchAll(/\[([^[\]]*)\]/g)].map((part) => part[1]!)];
}

function plant(form: Form, names: string[], value: string, whole: string): void {
  const [first, ...rest] = names;
  const name = first || String(Object.keys(form).length);
  if (rest.length === 0) {
    form[name] = value;
    return;
  }
  const branch = (form[name] ??= Object.create(null) as Form);
  if (typeof branch === 'string') throw invalid(`Invalid object for ${whole}`, whole);
  plant(branch, rest, value, whole);
}

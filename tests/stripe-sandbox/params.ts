/**
 * Parameters of requests: rules as data, read once, with Stripe's own refusals. A name that no rule
 * knows is refused. A name that Stripe knows and this sandbox does not model is refused in other
 * words, so that nobody takes silence for support. Sources: https://docs.stripe.com/error-codes
 * (parameter_unknown, parameter_missing, parameter_invalid_*), https://docs.stripe.com/api/metadata
 */
import { invalid, type Form } from './http.ts';

type Base = { required?: true };
export type Rule = Base &
  (
    | { kind: 'string'; max?: number; oneOf?: readonly string[]; format?: 'url' | 'email' }
    | { kind: 'integer'; min?: number; max?: number }
    | { kind: 'boolean' }
    | { kind: 'metadata' }
    | { kind: 'list'; of: Rule; max?: number }
    | { kind: 'hash'; fields: Fields }
    | { kind: 'unmodelled' }
  );
export type Fields = { readonly [name: string]: Rule };

type ValueOf<R> = R extends { kind: 'integer' } ? number
  : R extends { kind: 'boolean' } ? boolean
  : R extends { kind: 'metadata' } ? Record<string, string>
  : R extends { kind: 'list'; of: infer Of } ? ValueOf<Of>[]
  : R extends { kind: 'hash'; fields: infer F } ? Values<F>
  : R extends { kind: 'unmodelled' } ? never
  : string;
export type Values<F> =
  & { [N in keyof F as F[N] extends { required: true } ? N : never]: ValueOf<F[N]> }
  & { [N in keyof F as F[N] extends { required: true } ? never : N]?: ValueOf<F[N]> };

export const expand = { kind: 'list', of: { kind: 'string' }, max: 20 } as const;

/** An instant, or a range of instants: `created=…` or `created[gte]=…`. */
const moment = { kind: 'integer', min: 0 } as const;
export const range = { kind: 'hash', fields: { gt: moment, gte: moment, lt: moment, lte: moment } } as const;

export function read<const F extends Fields>(form: Form, fields: F): Values<F> {
  return hash(form, fields, '') as Values<F>;
}

function hash(form: Form, fields: Fields, path: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(form)) {
    const rule = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!rule) throw invalid(`Received unknown parameter: ${join(path, name)}`, join(path, name), 'parameter_unknown');
    values[name] = value(given, rule, join(path, name));
  }
  for (const [name, rule] of Object.entries(fields)) {
    if (rule.required && values[name] === undefined) throw missingParam(join(path, name));
  }
  return values;
}

export function missingParam(param: string) {
  return invalid(`Missing required param: ${param}.`, param, 'parameter_missing');
}

function value(given: string | Form, rule: Rule, path: string): unknown {
  switch (rule.kind) {
    case 'unmodelled': throw invalid(`The sandbox does not model the parameter ${path}`, path);
    case 'metadata': return metadata(branch(given, path), path);
    case 'hash': return hash(branch(given, path), rule.fields, path);
    case 'list': return list(branch(given, path), rule.of, rule.max, path);
    case 'integer': return integer(leaf(given, path), rule, path);
    case 'boolean': return boolean(leaf(given, path), path);
    case 'string': return string(leaf(given, path), rule, path);
  }
}

function branch(given: string | Form, path: string): Form {
  if (typeof given === 'string') throw invalid(`Invalid object: ${given}`, path);
  return given;
}

function leaf(given: string | Form, path: string): string {
  if (typeof given !== 'string') throw invalid(`Invalid string: ${JSON.stringify(given)}`, path);
  if (given !== '') return given;
  throw invalid(
    `You passed an empty string for '${path}'. We assume empty values are an attempt to unset a parameter; however '${path}' cannot be unset. You should remove '${path}' from your request or supply a non-empty value.`,
    path,
    'parameter_invalid_empty',
  );
}

function integer(given: string, rule: { min?: number; max?: number }, path: string): number {
  const number = Number(given);
  if (!/^-?\d+$/.test(given) || !Number.isSafeInteger(number)) {
    throw invalid(`Invalid integer: ${given}`, path, 'parameter_invalid_integer');
  }
  if (rule.min !== undefined && number < rule.min) {
    const bound = rule.min === 0 ? 'Invalid non-negative integer' : `This value must be greater than or equal to ${rule.min}.`;
    throw invalid(bound, path, 'parameter_invalid_integer');
  }
  if (rule.max !== undefined && number > rule.max) {
    throw invalid(`This value must be less than or equal to ${rule.max}.`, path, 'parameter_invalid_integer');
  }
  return number;
}

function boolean(given: string, path: string): boolean {
  if (given !== 'true' && given !== 'false') throw invalid(`Invalid boolean: ${given}`, path);
  return given === 'true';
}

function string(given: string, rule: { max?: number; oneOf?: readonly string[]; format?: 'url' | 'email' }, path: string): string {
  const max = rule.max ?? 5000;
  if (given.length > max) {
    throw invalid(`Invalid string: must be at most ${max} characters`, path, 'parameter_invalid_string_too_long');
  }
  if (rule.oneOf && !rule.oneOf.includes(given)) {
    throw invalid(`Invalid ${path}: must be one of ${rule.oneOf.join(', ')}`, path);
  }
  if (rule.format === 'url' && !isUrl(given)) throw invalid('Not a valid URL', path, 'url_invalid');
  if (rule.format === 'email' && !isEmail(given)) {
    throw invalid(`Invalid email address: ${given}`, path, 'email_invalid');
  }
  return given;
}

/**
 * Accepts ASCII with at most 64 characters before the @, and a host name whose last part is not a
 * number.
 */
function isEmail(given: string): boolean {
  const [, local, host] = /^([\w.!#$%&'*+/=?^`{|}~-]+)@([^@]+)$/.exec(given) ?? [];
  if (local === undefined || host === undefined || local.length > 64 || given.length > 254) return false;
  const labels = host.split('.');
  return labels.length > 1 && labels.every((label) => /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

function isUrl(given: string): boolean {
  const url = URL.parse(given);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
}

function list(form: Form, of: Rule, max: number | undefined, path: string): unknown[] {
  const names = Object.keys(form);
  const stray = names.find((name) => !/^\d+$/.test(name));
  if (stray !== undefined) throw invalid(`Invalid array`, join(path, stray));
  if (max !== undefined && names.length > max) throw invalid(`Array ${path} exceeded maximum ${max} allowed elements.`, path);
  return names.map((name) => value(form[name]!, of, join(path, name)));
}

function metadata(form: Form, path: string): Record<string, string> {
  const entries = Object.entries(form);
  if (entries.length > 50) throw invalid('Metadata can have up to 50 keys', path);
  return Object.fromEntries(entries.map(([name, given]) => [name, metadatum(name, given, join(path, name))]));
}

function metadatum(name: string, given: string | Form, path: string): string {
  if (name.length > 40) throw invalid(`Metadata keys must be at most 40 characters: ${name}`, path);
  if (typeof given !== 'string') throw invalid('Metadata values must be strings', path);
  if (given.length > 500) throw invalid('Metadata values must be at most 500 characters', path);
  return given;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}[${name}]`;
}

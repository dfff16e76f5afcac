/**
 * Lists newest first with cursors, and `expand[]`.
 * Sources: https://docs.stripe.com/api/pagination, https://docs.stripe.com/api/expanding_objects
 */
import type { Account } from './account.ts';
import { invalid, missing } from './http.ts';

type Item = { id: string; created?: number };
type Bounds = { gt?: number; gte?: number; lt?: number; lte?: number };
export type Page = { limit?: number; starting_after?: string; ending_before?: string; created?: Bounds };

export type List<T> = { object: 'list'; data: T[]; has_more: boolean; url: string };

/** Returns a page, newest first, of items given in order of creation. */
export function newestFirst<T extends Item>(items: readonly T[], page: Page, url: string): List<T> {
  return slice(items.toReversed().filter((item) => within(item.created ?? 0, page.created ?? {})), page, url);
}

export function slice<T extends Item>(items: readonly T[], page: Page, url: string): List<T> {
  const limit = page.limit ?? 10;
  if (page.ending_before) {
    const end = position(items, page.ending_before, 'ending_before');
    const start = Math.max(0, end - limit);
    return { object: 'list', data: items.slice(start, end), has_more: start > 0, url };
  }
  const start = page.starting_after ? position(items, page.starting_after, 'starting_after') + 1 : 0;
  return { object: 'list', data: items.slice(start, start + limit), has_more: items.length > start + limit, url };
}

/** Returns a copy of the object in which each path contains the object in place of its ID. */
export function expanded(account: Account, object: Record<string, unknown>, paths: readonly string[] = []) {
  const copy = structuredClone(object);
  for (const path of paths) expandPath(account, copy, path.split('.'), path);
  return copy;
}

function expandPath(account: Account, object: Record<string, unknown>, names: readonly string[], path: string): void {
  const [name, ...rest] = names;
  if (name === 'data' && object['object'] === 'list') {
    for (const item of object['data'] as Record<string, unknown>[]) expandPath(account, item, rest, path);
    return;
  }
  const target = expandName(account, object, name!, path);
  if (target && rest.length > 0) expandPath(account, target, rest, path);
}

function expandName(account: Account, object: Record<string, unknown>, name: string, path: string) {
  const lines = object['object'] === 'checkout.session' && name === 'line_items';
  if (lines) object[name] ??= lineItems(account, String(object['id']), {});
  const value = object[name];
  const found = typeof value === 'string' ? account.find(value) : value;
  if (value === undefined || (value !== null && (typeof found !== 'object' || found === null))) {
    throw invalid(`This property cannot be expanded (${path}).`, 'expand');
  }
  if (typeof value === 'string') object[name] = structuredClone(found);
  return object[name] as Record<string, unknown> | null;
}

export function lineItems(account: Account, session: string, page: Page) {
  return slice(account.lineItems.get(session) ?? [], page, `/v1/checkout/sessions/${session}/line_items`);
}

function position(items: readonly Item[], id: string, param: string): number {
  const at = items.findIndex((item) => item.id === id);
  if (at < 0) throw missing('object', id, param);
  return at;
}

function within(moment: number, { gt, gte, lt, lte }: Bounds): boolean {
  return (gt === undefined || moment > gt) && (gte === undefined || moment >= gte) &&
    (lt === undefined || moment < lt) && (lte === undefined || moment <= lte);
}

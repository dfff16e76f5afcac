/**
 * Size of the script that the platform loads in each location before the first response, with a
 * budget for each theme of the shop.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const wasm = readFileSync(join(import.meta.dirname, '../../build/index_bg.wasm'));
const isDev = WebAssembly.Module.customSections(new WebAssembly.Module(wasm), 'name').length > 0;

/** Maximum KB of the whole shop, whatever its themes add up to. */
const MOST_KB = 2_200;
/** Measured KB of the shop before the themes below, including strangers (20). */
const BEFORE_KB = 1_055;

/**
 * Maximum KB of gzip that a theme may add (1 KB is 1,000 bytes). The change that builds a theme
 * sets `isBuilt`.
 */
const THEMES: { theme: string; mostKb: number; isBuilt?: boolean }[] = [
  { theme: 'files and forms', mostKb: 40, isBuilt: true },
  { theme: 'groups, plain words, and a way in', mostKb: 10, isBuilt: true },
  { theme: 'order path', mostKb: 20 },
  { theme: 'accounts', mostKb: 90 },
  { theme: 'back office: orders and stock', mostKb: 130 },
  { theme: 'back office: catalog and settings', mostKb: 120 },
  { theme: 'search', mostKb: 60 },
  { theme: 'letters and privacy', mostKb: 130 },
  { theme: 'operations', mostKb: 80 },
  { theme: 'launch', mostKb: 50 },
  { theme: 'GraphQL and webhooks', mostKb: 200 },
  { theme: 'engagement', mostKb: 90 },
  { theme: 'reports', mostKb: 70 },
  { theme: 'payments', mostKb: 100 },
  { theme: 'channels', mostKb: 50 },
];

/** Returns the maximum KB of the shop with the themes built so far. */
function mostKb(themes: typeof THEMES): number {
  const built = themes.filter(({ isBuilt }) => isBuilt);
  return Math.min(MOST_KB, built.reduce((sum, { mostKb }) => sum + mostKb, BEFORE_KB));
}

test('the Worker is no larger on the wire than its themes may make it', { skip: isDev && 'a build without optimization' }, () => {
  const kb = gzipSync(wasm, { level: 9 }).length / 1000;
  const built = THEMES.filter(({ isBuilt }) => isBuilt).map(({ theme, mostKb }) => `${theme} ${mostKb}`);
  assert.ok(kb <= mostKb(THEMES), `${kb} KB, of ${mostKb(THEMES)}: ${[`before them ${BEFORE_KB}`, ...built].join(', ')}`);
});

test('a theme adds its budget once it is built, and all together may come to no more than the bound of the shop', () => {
  const search = (isBuilt: boolean) => [{ theme: 'search', mostKb: 60, isBuilt }];
  assert.deepEqual([mostKb([]), mostKb(search(false)), mostKb(search(true))], [BEFORE_KB, BEFORE_KB, BEFORE_KB + 60]);
  assert.equal(mostKb(THEMES.map((theme) => ({ ...theme, isBuilt: true }))), MOST_KB);
});

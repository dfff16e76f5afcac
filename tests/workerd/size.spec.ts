/** What the platform loads in each place before the first answer. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const wasm = readFileSync(join(import.meta.dirname, '../../build/index_bg.wasm'));
const isDev = WebAssembly.Module.customSections(new WebAssembly.Module(wasm), 'name').length > 0;

/** Of the 2.2 MB that the whole shop may come to. */
const MOST_BYTES = 1_300_000;

test('the Worker is 1.3 MB at most on the wire', { skip: isDev && 'a build without optimization' }, () => {
  const { length } = gzipSync(wasm, { level: 9 });
  assert.ok(length <= MOST_BYTES, `${length} bytes`);
});

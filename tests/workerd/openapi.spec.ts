/**
 * The API checked against its OpenAPI document by an independent tool, with thousands of generated
 * calls.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { schemathesis } from '../../tools/schemathesis.mjs';
import { csvOf } from './catalog.ts';
import { SECRETS, startShop, type Shop } from './shop.ts';

const DOCUMENT = join(import.meta.dirname, '../../assets/api/v1/openapi.json');
const CHECKS = 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance';
/** Number of calls generated for each operation, in addition to boundary values. */
const { OPENAPI_EXAMPLES: examples = '3' } = process.env;

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 5, price: '25.00' }));
});
after(() => shop?.close());

test('every answer is one that the document describes', async () => {
  const program = await schemathesis();
  const folder = await mkdtemp(join(tmpdir(), 'schemathesis-'));
  const args = [
    'run', DOCUMENT, '--url', shop.url, '--header', `Authorization: Bearer ${SECRETS.ADMIN_API_KEY}`, '--checks', CHECKS, '--phases', 'coverage,fuzzing',
    '--max-examples', examples, '--generation-deterministic', '--continue-on-failure', '--suppress-health-check', 'all', '--warnings', 'off', '--no-color',
  ];
  const { code, printed } = await run(program, args, folder).finally(() => rm(folder, { recursive: true }));
  assert.equal(code, 0, printed);
  assert.match(printed, /[1-9]\d* generated/);
});

/** Runs a program to its end, in a folder where it may leave files. */
function run(program: string, args: string[], cwd: string): Promise<{ code: number | null; printed: string }> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => void (printed += text));
  return new Promise((done, failed) => child.on('error', failed).on('close', (code) => done({ code, printed })));
}

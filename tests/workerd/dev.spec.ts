/**
 * `npm run dev` when it can't start: one line with the remedy, before anything is built or started.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { migrate } from '../../tools/dev.mjs';
import { freePort } from './port.ts';

const run = promisify(execFile);
const dev = (...args: string[]) => run(process.execPath, ['tools/dev.mjs', ...args]);

for (const host of ['127.0.0.1', '::1']) test(`a port that is taken at ${host} is named`, async (t) => {
  const port = await freePort();
  const other = createServer();
  const refused = await new Promise<string | undefined>((done) => {
    other.once('error', ({ code }: NodeJS.ErrnoException) => done(code)).listen(port, host, () => done(undefined));
  });
  if (refused) return t.skip(`this machine has no ${host}`);
  t.after(() => other.close());
  const cured = new RegExp(`^✗ port ${port} is in use: stop the program that uses it, or choose another port: \`npm run dev -- --port \\d+\`\n$`);
  await assert.rejects(dev('--port', String(port)), { code: 1, stdout: '', stderr: cured });
});

test('ports that can\'t be are refused', async () => {
  await assert.rejects(dev('--port', '8788'), { code: 1, stderr: /^✗ the shop and the payment sandbox can't share port 8788: set a different --port or --payment-port\n$/ });
  await assert.rejects(dev('--port', '70000'), { code: 1, stderr: /^✗ 70000 is not a valid port: give a number from 1 to 65535\n$/ });
  await assert.rejects(dev('--prot', '8787'), { code: 1, stderr: /npm run dev -- --help/ });
});

test('local data of an earlier version are told with their cure, and left alone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'storefront-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const sql = (command: string) => run('wrangler', ['d1', 'execute', 'DB', '--local', '--persist-to', folder, '--json', '--command', command]);
  await sql("CREATE TABLE products (id TEXT); INSERT INTO products VALUES ('of_before')");

  const cured = { message: 'the local data in .wrangler/ belongs to an earlier version: to start again with empty data, run `rm -r .wrangler`, then `npm run dev`' };
  await assert.rejects(migrate(process.env, folder), cured);
  assert.match((await sql('SELECT id FROM products')).stdout, /of_before/);

  await sql('DROP TABLE products');
  await migrate(process.env, folder);
  await migrate(process.env, folder);
});

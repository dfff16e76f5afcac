/**
 * A minute of chaos, judged by the invariants of the simulation; `npm run chaos -- --minutes 30`
 * runs longer.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runChaos } from './run.ts';

const ROOT = join(import.meta.dirname, '../..');
const SECONDS = 60;

test('a shop that is killed, frozen, locked out of its database and lied to loses, doubles and strands nothing', async (t) => {
  const { folder, database, evidence, summary } = await runChaos({ seconds: SECONDS, say: (line) => t.diagnostic(line) });
  const { status, stdout, stderr } = spawnSync('cargo', ['run', '--quiet', '--example', 'judge', '--', database, evidence], { cwd: ROOT, encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}${stderr}\nthe databases and the evidence are kept in ${folder}: ${JSON.stringify(summary)}`);
  await rm(folder, { recursive: true });
});

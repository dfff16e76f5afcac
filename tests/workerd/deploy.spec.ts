/**
 * Deploying: the resources created, their order, and repeated runs. Without a network: the account
 * is simulated in this process.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unstable_readConfig } from 'wrangler';
import { withEnvironments } from '../../tools/environments.mjs';
import { deploy, mustBeNamed, mustHaveSecrets, steps } from '../../tools/deploy.mjs';

const configOf = (env?: string) => unstable_readConfig({ config: 'wrangler.toml', env: env ?? '' }, { hideWarnings: true });
const ENVIRONMENTS = { production: configOf(), staging: configOf('staging') };

/** A simulated account; steps whose text contains `broken` fail. */
function account() {
  const made = new Set<string>();
  const done: string[] = [];
  return {
    made, done, broken: undefined as string | undefined,
    asks: ([kind, , name]: string[]) => (made.has(`${kind} ${name}`) ? 'found' : null),
    async does(args: string[], failure: string) {
      const line = args.join(' ');
      if (this.broken && line.includes(this.broken)) throw new Error(failure);
      if (args[1] === 'create') made.add(`${args[0]} ${args[2]}`);
      done.push(line);
    },
  };
}

for (const [environment, config] of Object.entries(ENVIRONMENTS)) test(`${environment} is made from an empty account: queues and their dead letters, the database, its tables, the Worker`, async () => {
  const empty = account();
  await deploy(environment, config, empty);
  const queues = (config.queues.consumers ?? []).map(({ queue }: { queue: string }) => `queues create ${queue}`);
  assert.ok(queues.some((line: string) => line.endsWith('-dead')));
  const [database, migrations, worker] = empty.done.slice(-3);
  assert.deepEqual(empty.done.slice(0, -3), queues);
  assert.equal(database, `d1 create ${config.d1_databases[0]!.database_name}`);
  assert.match(migrations!, /^d1 migrations apply DB --remote --env/);
  assert.match(worker!, /^deploy --env/);
  for (const line of [migrations!, worker!]) assert.equal(line.includes('staging'), environment === 'staging', line);
});

test('a second deploy makes nothing again', async () => {
  const used = account();
  await deploy('staging', ENVIRONMENTS.staging, used);
  used.done.length = 0;
  await deploy('staging', ENVIRONMENTS.staging, used);
  assert.deepEqual(used.done, ['d1 migrations apply DB --remote --env staging', 'deploy --env staging']);
});

test('a deploy that failed at any step deploys no Worker, and goes on from there', async () => {
  for (const { args, failure } of steps('staging', ENVIRONMENTS.staging)) {
    const flaky = account();
    flaky.broken = args.join(' ');
    await assert.rejects(deploy('staging', ENVIRONMENTS.staging, flaky), { message: failure });
    assert.ok(!flaky.done.includes('deploy --env staging'), failure);
    const before = [...flaky.done];
    flaky.broken = undefined;
    await deploy('staging', ENVIRONMENTS.staging, flaky);
    assert.equal(new Set(flaky.done).size, flaky.done.length - before.filter((line) => line.includes('migrations')).length, failure);
  }
});

test('a shop without a name of its own and one without its secrets are not deployed', () => {
  const named = (vars: Record<string, string>, pattern = 'myexample.com') => () => mustBeNamed({ vars: { SHOP_URL: 'https://myexample.com', ...vars }, routes: [{ pattern }] }, 'production');
  assert.throws(named({ SHOP_URL: 'https://shop.example.com' }), /replace it with your shop's host in `routes` and SHOP_URL/);
  assert.throws(named({ SHOP_URL: 'shop.acme.test' }), /must be an address/);
  assert.throws(named({}, 'shop.example.com'), /routes in wrangler\.toml name shop\.example\.com, but SHOP_URL names myexample\.com/);
  assert.throws(named({ MAIL_FROM: 'Shop <orders@example.com>' }), /MAIL_FROM .* is a placeholder/);
  assert.throws(named({ ENVIRONMENT: 'dev' }), /turned on in \.dev\.vars only/);
  named({ MAIL_FROM: 'orders@myexample.com', ENVIRONMENT: 'production' })();
  const secrets = (names: string[]) => ({ asks: ([kind]: string[]) => (kind === 'secret' ? JSON.stringify(names.map((name) => ({ name }))) : 'signed in') });
  assert.throws(() => mustHaveSecrets('staging', secrets(['ADMIN_API_KEY', 'MAIL_API_KEY', 'SIGNING_KEY', 'STRIPE_SECRET_KEY'])),
    { message: 'secrets are missing in staging: run `npx wrangler secret put STRIPE_WEBHOOK_SECRET --env staging`' });
  mustHaveSecrets('production', secrets(['ADMIN_API_KEY', 'MAIL_API_KEY', 'SIGNING_KEY', 'STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET']));
  assert.throws(() => mustHaveSecrets('production', { asks: () => 'You are not authenticated.' }), /npx wrangler login/);
});

test('another environment has nothing of production: no id, no key, no receiver', () => {
  const production = '[vars]\nENVIRONMENT = "production"\nSHOP_URL = "https://acme.test" # here\nMAIL_FROM = "Shop # 1 <orders@acme.test>" # a name\nTURNSTILE_SITE_KEY = "0x4"\n\n'
    + '[[d1_databases]]\nbinding = "DB"\ndatabase_name = "storefront"\ndatabase_id = "11111111-prod"\n\n[[kv_namespaces]]\nbinding = "CATALOG"\nid = "kv-prod"\n';
  const line = (name: string, rest = '') => `\n# ${name} {"limiters": 2, "vars": {"SHOP_URL": "https://staging.acme.test"}}${rest}\n`;
  const written = withEnvironments(`${production}${line('staging')}\n# generated\n`).split('\n# generated\n')[1]!;
  assert.ok(!/-prod|0x4/.test(written), written);
  assert.ok(written.includes('MAIL_FROM = "Shop # 1 <orders@acme.test>"\n') && written.includes('database_name = "storefront-staging"'), written);
  assert.ok(withEnvironments(`${production}${line('qa-2')}\n# generated\n`).includes('[env.qa-2]'));
  assert.throws(() => withEnvironments(`${production}${line('staging', ' # rehearsals')}\n# generated\n`), /# staging/);
  assert.throws(() => withEnvironments(`${production}${line('dev')}\n# generated\n`), /this name is reserved/);
});

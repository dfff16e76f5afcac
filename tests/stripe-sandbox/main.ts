/**
 * The sandbox from the command line. Prints its URL once it listens, and ends on SIGINT or SIGTERM.
 */
import { parseArgs } from 'node:util';
import { startSandbox } from './sandbox.ts';

const HELP = `Usage: node tests/stripe-sandbox/main.ts [--port 8788] [--webhook URL]

A stand-in for the parts of Stripe that a shop with hosted Checkout uses.

  --port PORT      where to listen on 127.0.0.1 (default 8788)
  --webhook URL    where events are posted; without it none are
  --help           this text

Environment:
  STRIPE_SECRET_KEY      the key the shop calls with, sk_test_…
  STRIPE_WEBHOOK_SECRET  the secret that signs events, whsec_…

Pay pages are under /c/pay/, the control is under /_sandbox/ (see README.md).
`;

await main().catch((error: Error) => {
  console.error(`stripe-sandbox: ${error.message}`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '8788' }, webhook: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return void process.stdout.write(HELP);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${values.port} is not a port`);
  if (values.webhook !== undefined && !URL.canParse(values.webhook)) throw new Error(`--webhook ${values.webhook} is not a URL`);
  const sandbox = await startSandbox({
    port,
    secretKey: required('STRIPE_SECRET_KEY'),
    webhookSecret: required('STRIPE_WEBHOOK_SECRET'),
    ...(values.webhook && { webhookUrl: values.webhook }),
  });
  console.log(`Stripe sandbox at ${sandbox.url}${values.webhook ? `, events go to ${values.webhook}` : ''}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sandbox.close());
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set (see --help)`);
  return value;
}

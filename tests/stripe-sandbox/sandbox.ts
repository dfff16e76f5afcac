/**
 * The complete sandbox: one HTTP server with Stripe's API under `/v1`, the payment page under `/c`
 * and the controls under `/_sandbox`, over one account in memory. The caller provides keys and
 * webhook secret; nothing outlives `close()`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Account } from './account.ts';
import { Api } from './api.ts';
import { Control, serveControl } from './control.ts';
import { Deliveries, type DeliveryOptions } from './deliveries.ts';
import { Faults } from './faults.ts';
import { errorAnswer, invalid, readText, send, type Answer } from './http.ts';
import { actOnPage, showPage, STYLE } from './page.ts';
import { expireDue } from './sessions.ts';

export type SandboxOptions = {
  port: number;
  host?: string;
  /** Begins with `sk_test_`. */
  secretKey: string;
  webhookSecret: string;
  webhookUrl?: string;
  /** Returns seconds since 1970; the machine's clock by default. */
  now?: () => number;
  /**
   * Returns seconds since 1970 by the clock of webhook receivers; the machine's clock by default.
   */
  receiversNow?: () => number;
} & Partial<Pick<DeliveryOptions, 'retryUnitMs' | 'maxAttempts' | 'timeoutMs'>>;

export type Sandbox = {
  url: string;
  port: number;
  account: Account;
  control: Control;
  deliveries: Deliveries;
  faults: Faults;
  server: Server;
  close(): Promise<void>;
};

const machineNow = () => Date.now() / 1000;

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  if (!options.secretKey.startsWith('sk_test_')) throw new Error('the sandbox takes only keys of test mode: sk_test_…');
  const host = options.host ?? '127.0.0.1';
  const account = new Account(options.now ?? machineNow);
  const faults = new Faults();
  const deliveries = new Deliveries(faults, {
    webhookUrl: options.webhookUrl,
    webhookSecret: options.webhookSecret,
    retryUnitMs: options.retryUnitMs ?? 1000,
    maxAttempts: options.maxAttempts ?? 16,
    timeoutMs: options.timeoutMs ?? 20_000,
    now: options.receiversNow ?? machineNow,
  });
  account.onEvent = (event) => deliveries.dispatch(event);
  const control = new Control(account, faults, deliveries);
  const api = new Api(account, faults, options.secretKey);

  const server = createServer((request, response) => void serve(request, response));
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const url = URL.parse(request.url ?? '/', origin);
    if (!url) return send(response, errorAnswer(invalid('Invalid request URL')));
    if (url.pathname.startsWith('/v1/')) return api.serve(request, response, url, origin);
    send(response, await other(account, control, request, url).catch(errorAnswer));
  };
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port, host, resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `http://${host}:${port}`;
  const timer = setInterval(() => expireDue(account), 1000).unref();

  return {
    url: origin, port, account, control, deliveries, faults, server,
    async close() {
      clearInterval(timer);
      server.closeAllConnections();
      await Promise.all([deliveries.close(), new Promise((resolve) => server.close(resolve))]);
    },
  };
}

async function other(account: Account, control: Control, request: IncomingMessage, url: URL): Promise<Answer> {
  if (url.pathname.startsWith('/_sandbox/')) return serveControl(control, request, url);
  if (url.pathname === '/c/style.css') return { status: 200, headers: { 'content-type': 'text/css' }, body: STYLE };
  const id = /^\/c\/pay\/(\w+)$/.exec(url.pathname)?.[1];
  if (id && (request.method === 'GET' || request.method === 'HEAD')) return showPage(account, id);
  if (id && request.method === 'POST') return actOnPage(account, id, await readText(request));
  throw invalid(`Unrecognized request URL (${request.method}: ${url.pathname}).`, undefined, undefined, 404);
}

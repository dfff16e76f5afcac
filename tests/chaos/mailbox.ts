/**
 * A mail provider that behaves like Resend's API: a repeated key sends nothing more. Occasionally
 * it answers slowly, refuses, or sends without confirming.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Sent = { key: string; to: string; subject: string };
export type Mailbox = Awaited<ReturnType<typeof startMailbox>>;

export async function startMailbox(random: () => number) {
  const sent = new Map<string, Sent>();
  const state = { faults: false };
  const server = createServer(async (request, response) => {
    const key = String(request.headers['idempotency-key']);
    const mail = JSON.parse(await text(request)) as { to: string[]; subject: string };
    const luck = state.faults ? random() : 1;
    if (luck < 0.05) return response.writeHead(429, { 'retry-after': '1' }).end('{}');
    if (luck < 0.1) return response.writeHead(500).end('{}');
    if (!sent.has(key)) sent.set(key, { key, to: mail.to[0]!, subject: mail.subject });
    if (luck < 0.15) return response.destroy();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ id: key }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    sent,
    state,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * A stand-in for Turnstile's `siteverify`. The part of a token before its first dash determines the
 * answer. Like Cloudflare's, it accepts a form, and accepts each token once, or again under the
 * same idempotency key.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Question = { response: string; secret: string; remoteip?: string; idempotency_key: string };

export async function startSiteverify({ secret, hostname }: { secret: string; hostname: string }) {
  const asked: Question[] = [];
  const uses = new Map<string, string>();

  const answer = (question: Question): object => {
    const refused = (code: string) => ({ 'success': false, 'error-codes': [code] });
    if (question.secret !== secret) return refused('invalid-input-secret');
    if (question.response.startsWith('bad-')) return refused('invalid-input-response');
    const use = uses.get(question.response) ?? question.idempotency_key;
    uses.set(question.response, use);
    if (use !== question.idempotency_key) return refused('timeout-or-duplicate');
    const solved = { 'success': true, 'error-codes': [], 'challenge_ts': new Date().toISOString(), hostname, 'action': 'checkout', 'cdata': '' };
    if (question.response.startsWith('elsewhere-')) return { ...solved, hostname: 'elsewhere.test' };
    if (question.response.startsWith('login-')) return { ...solved, action: 'login' };
    return solved;
  };

  const respond = (question: Question, response: ServerResponse): void => {
    if (question.response.startsWith('silent-')) return;
    if (question.response.startsWith('broken-')) return void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer(question)));
  };

  const server = createServer((request, response) => void (async () => {
    const form = request.method === 'POST' && request.url === '/turnstile/v0/siteverify' && request.headers['content-type'] === 'application/x-www-form-urlencoded';
    if (!form) return void response.writeHead(404).end();
    const question = Object.fromEntries(new URLSearchParams(await text(request))) as unknown as Question;
    asked.push(question);
    respond(question, response);
  })());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Requests received, in order. */
    asked,
    close: () => new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

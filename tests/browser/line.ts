/**
 * A proxy between a browser and the shop that a test can interrupt: `cut` refuses every connection,
 * `deaf` forwards requests but drops the responses. It can also serve a different service worker,
 * as after a deploy.
 */
import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type Line = Awaited<ReturnType<typeof openLine>>;

export async function openLine(shopUrl: string) {
  let state: 'open' | 'deaf' | 'cut' = 'open';
  let build = '';
  const sockets = new Set<Socket>();
  const server = createServer((asked, answer) => {
    if (state === 'cut') return asked.socket.destroy();
    const { host: _, ...headers } = asked.headers;
    const onward = request(new URL(asked.url!, shopUrl), { method: asked.method, headers: { ...headers, 'host': asked.headers.host!, 'accept-encoding': 'identity' } }, async (given) => {
      const body = Buffer.concat(await given.toArray());
      if (state !== 'open') return asked.socket.destroy();
      const isWorker = asked.url === '/service-worker.js';
      const { 'content-length': _, 'transfer-encoding': __, etag: ___, ...rest } = given.headers;
      answer.writeHead(given.statusCode!, isWorker ? rest : given.headers).end(isWorker ? Buffer.concat([body, Buffer.from(build)]) : body);
    });
    onward.on('error', () => asked.socket.destroy());
    asked.pipe(onward);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (_, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(next: typeof state) {
      state = next;
      if (next === 'cut') for (const socket of sockets) socket.destroy();
    },
    /** From now on, serves the service worker of another build. */
    deploy: () => (build += '\n// another build'),
    close: () => new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    }),
  };
}

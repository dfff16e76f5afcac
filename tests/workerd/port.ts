/**
 * A port for a server that must know its address before it listens. Chosen below the range that
 * systems assign by themselves (from 32768 on Linux, from 49152 by RFC 6335), so that it isn't
 * assigned to anyone in the meantime. Tests running at the same time see that it is claimed, by the
 * UDP port of the same number, until this process ends.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const FIRST = 20_000;
const LAST = 32_000;
const TRIES = 100;

export async function freePort(): Promise<number> {
  for (let left = TRIES; left > 0; left--) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if ((await claimed(port)) && (await isFree(port))) return port;
  }
  throw new Error(`of ${TRIES} ports between ${FIRST} and ${LAST} each is in use`);
}

function claimed(port: number): Promise<boolean> {
  const claim = createSocket('udp4').unref();
  return new Promise((resolve) => {
    claim.once('error', () => resolve(false));
    claim.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

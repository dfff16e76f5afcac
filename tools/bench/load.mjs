//! The load: a number of connections, each with one request at a time, until the time is up.
//! Promises: a response that is not 2xx stops the run. Speaks HTTP/1.1 on bare sockets, because a
//! full client would use more CPU than the servers it measures.

import { once } from "node:events";
import { connect } from "node:net";
import { Stop } from "../run.mjs";

const HEAD_END = Buffer.from("\r\n\r\n");
const CHUNKS_END = Buffer.from("0\r\n\r\n");

/** Returns the latencies in milliseconds of all answered requests, and the duration in seconds. */
export async function load({ host, port, connections, seconds, request }) {
  const latencies = [];
  const start = performance.now();
  const until = start + seconds * 1000;
  let next = 0;
  const run = async () => {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, "connect");
    try {
      while (performance.now() < until) {
        const sent = performance.now();
        const asked = encode(request(next++), `${host}:${port}`);
        const answer = await exchange(socket, asked);
        latencies.push(performance.now() - sent);
        if (!/^HTTP\/1\.1 2/.test(answer.toString("latin1", 0, 10))) throw new Stop(unexpected(asked, answer));
      }
    } finally {
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: connections }, run));
  return { latencies, elapsed: (performance.now() - start) / 1000 };
}

function encode({ method = "GET", path, headers = {}, body = "" }, host) {
  const length = body || method !== "GET" ? { "content-length": Buffer.byteLength(body) } : {};
  const lines = Object.entries({ host, ...headers, ...length }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

/** Sends one request and reads its whole response. */
export function exchange(socket, request) {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const done = (settle, value) => {
      socket.off("data", read).off("close", closed).off("error", failed);
      settle(value);
    };
    const read = (part) => {
      answer = answer.length === 0 ? part : Buffer.concat([answer, part]);
      if (isWhole(answer)) done(resolve, answer);
    };
    const closed = () => done(reject, new Stop(`the server closed the connection: ${unexpected(request, answer)}`));
    const failed = (error) => done(reject, error);
    if (socket.destroyed) return closed();
    socket.on("data", read).on("close", closed).on("error", failed);
    socket.write(request);
  });
}

function isWhole(answer) {
  const headEnd = answer.indexOf(HEAD_END);
  if (headEnd < 0) return false;
  const head = answer.toString("latin1", 0, headEnd).toLowerCase();
  const length = head.match(/\r\ncontent-length: (\d+)/);
  if (length) return answer.length >= headEnd + HEAD_END.length + Number(length[1]);
  if (head.includes("\r\ntransfer-encoding: chunked")) return answer.subarray(-CHUNKS_END.length).equals(CHUNKS_END);
  return true;
}

function unexpected(request, answer) {
  return `${request.split("\r\n", 1)[0]} was answered ${answer.toString("utf8", 0, 400)}`;
}

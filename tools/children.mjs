//! The programs that run as long as `npm run dev` does. Promises: when one of them dies, or the
//! terminal asks to stop, all are stopped, together with everything they started.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { root, Stop } from "./run.mjs";

const GRACE_MS = 5000;

export class Children {
  #running = new Map();
  #ended;
  #stopping = new AbortController();

  /** Aborted as soon as a stop is requested. */
  stopping = this.#stopping.signal;

  /**
   * Rejects when a program dies by itself; resolves when a stop was requested and all have ended.
   */
  ended = new Promise((resolve, reject) => (this.#ended = { resolve, reject }));

  constructor() {
    this.ended.catch(() => {});
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => this.stop());
  }

  /**
   * Starts a program in a process group of its own, so that the processes it starts are stopped
   * too.
   */
  start(name, command, args, env) {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"], detached: true });
    const gone = new Promise((done) => child.on("close", done).on("error", done));
    this.#running.set(child, gone);
    gone.then((code) => {
      this.#running.delete(child);
      this.stop(new Stop(`${name} ended (${code instanceof Error ? code.message : `exit code ${code}`}): see its error above`));
    });
  }

  async stop(reason) {
    const settle = reason ? () => this.#ended.reject(reason) : () => this.#ended.resolve();
    this.stop = async () => {};
    this.#stopping.abort();
    const children = [...this.#running];
    for (const [child] of children) signalGroup(child, "SIGTERM");
    const force = setTimeout(() => children.forEach(([child]) => signalGroup(child, "SIGKILL")), GRACE_MS);
    await Promise.all(children.map(([, gone]) => gone));
    clearTimeout(force);
    settle();
  }
}

/** Stops the tool if something listens at the port, at either of the addresses of `localhost`. */
export async function mustBeFree(port, cure) {
  for (const host of ["127.0.0.1", "::1"]) {
    if ((await listening(port, host)) === "EADDRINUSE") throw new Stop(`port ${port} is in use: stop the program that uses it, or ${cure}`);
  }
}

/** Returns the reason why nothing can listen there; undefined if something could. */
function listening(port, host) {
  return new Promise((done) => {
    const server = createServer().once("error", ({ code }) => done(code));
    server.listen(port, host, () => server.close(() => done()));
  });
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has already ended.
  }
}

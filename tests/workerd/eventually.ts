/** Waiting for a condition: asynchronous results are polled, never slept for. */
import { setTimeout } from 'node:timers/promises';

const PAUSE_MS = 20; // between two looks

/**
 * Runs `check` until it no longer throws, and returns its result; throws its last error after
 * `within` milliseconds.
 */
export async function eventually<T>(check: () => T | Promise<T>, { within = 60_000 } = {}): Promise<T> {
  const deadline = Date.now() + within;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await setTimeout(PAUSE_MS);
  }
}

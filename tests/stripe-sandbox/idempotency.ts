/**
 * Idempotency keys: the first response to a key is stored for 24 hours and replayed, whatever it
 * was; another request under the key is rejected; a second request while the first is in progress
 * is a conflict. A response is only stored once work began, so invalid parameters leave the key
 * free. Source: https://docs.stripe.com/api/idempotent_requests
 */
import { invalid, StripeError, type Answer } from './http.ts';

const KEPT_SECS = 24 * 3600;

type Entry = { fingerprint: string; path: string; at: number; answer: Answer | null };

export class Idempotency {
  readonly #entries = new Map<string, Entry>();

  /** Returns the response to replay, or null after marking the key as in progress. */
  begin(key: string, path: string, body: string, now: number): Answer | null {
    if (key.length > 255) throw invalid('Idempotency keys can be at most 255 characters long.');
    const known = this.#entries.get(key);
    if (!known || known.at + KEPT_SECS <= now) {
      this.#entries.set(key, { fingerprint: canonical(body), path, at: now, answer: null });
      return null;
    }
    if (known.path !== path) throw mismatch(`for the same endpoint they were first used for ('${known.path}' vs '${path}')`, key);
    if (known.fingerprint !== canonical(body)) throw mismatch('with the same parameters they were first used with', key);
    if (known.answer) return { ...known.answer, headers: { ...known.answer.headers, 'idempotent-replayed': 'true' } };
    throw invalid(
      `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
      undefined,
      'idempotency_key_in_use',
      409,
    );
  }

  keep(key: string, answer: Answer): void {
    const entry = this.#entries.get(key);
    if (entry) entry.answer = answer;
  }

  forget(key: string): void {
    if (this.#entries.get(key)?.answer === null) this.#entries.delete(key);
  }
}

function mismatch(rule: string, key: string): StripeError {
  const message = `Keys for idempotent requests can only be used ${rule}. Try using a key other than '${key}' if you meant to execute a different request.`;
  return new StripeError(400, 'idempotency_error', message);
}

/** Serializes parameters independently of their order. */
function canonical(body: string): string {
  return [...new URLSearchParams(body)].map((pair) => JSON.stringify(pair)).sort().join();
}

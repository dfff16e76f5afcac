/**
 * Faults on purpose. A fault waits for its API path or event type, happens as often as it was told
 * to, and is gone. Faults of one place are used in the order in which they were set.
 *
 * API, before the work: `error` (status; may say `Retry-After` and `Stripe-Should-Retry`),
 * `timeout` (no answer), `reset`, `delay`. After the work, whose answer the Idempotency-Key keeps:
 * `error_after`, `timeout_after`, `reset_after`. `error_saved` does no work and keeps its error
 * under the key, as Stripe does: https://docs.stripe.com/api/idempotent_requests Webhooks: `drop`,
 * `duplicate`, `delay`, `hold` (until released). Refunds: `pending` (until settled).
 */
import { invalid } from './http.ts';

type Counted = { times: number };
export type ApiFault = Counted & {
  on: 'api';
  method?: string;
  /** Prefix of the path, such as `/v1/refunds`. */
  path: string;
} & (
  | { kind: 'error'; status: number; retry_after?: number; should_retry?: boolean }
  | { kind: 'error_after' | 'error_saved'; status: number }
  | { kind: 'timeout' | 'timeout_after' | 'reset' | 'reset_after' }
  | { kind: 'delay'; delay_ms: number }
);
export type WebhookFault = Counted & {
  on: 'webhook';
  /** An event type, or `*`. */
  type: string;
} & ({ kind: 'drop' | 'hold' } | { kind: 'duplicate'; copies: number } | { kind: 'delay'; delay_ms: number });
export type RefundFault = Counted & { on: 'refund'; kind: 'pending' };
export type Fault = ApiFault | WebhookFault | RefundFault;

const KINDS: Readonly<Record<string, readonly string[]>> = {
  api: ['error', 'error_after', 'error_saved', 'timeout', 'timeout_after', 'reset', 'reset_after', 'delay'],
  webhook: ['drop', 'duplicate', 'delay', 'hold'],
  refund: ['pending'],
};

export class Faults {
  #faults: Fault[] = [];

  get list(): readonly Fault[] {
    return this.#faults;
  }

  /**
   * Accepts partial input, as from the control API: missing values get their defaults, and nonsense
   * is rejected.
   */
  add(given: unknown): Fault {
    const fault = complete(given);
    this.#faults.push(fault);
    return fault;
  }

  clear(): void {
    this.#faults = [];
  }

  takeApi(method: string, path: string): ApiFault | undefined {
    return this.#take((fault): fault is ApiFault =>
      fault.on === 'api' && (fault.method ?? method) === method && path.startsWith(fault.path));
  }

  takeWebhook(type: string): WebhookFault | undefined {
    return this.#take((fault): fault is WebhookFault =>
      fault.on === 'webhook' && (fault.type === '*' || fault.type === type));
  }

  takeRefund(): RefundFault | undefined {
    return this.#take((fault): fault is RefundFault => fault.on === 'refund');
  }

  #take<F extends Fault>(matches: (fault: Fault) => fault is F): F | undefined {
    const fault = this.#faults.find(matches);
    if (!fault) return undefined;
    fault.times -= 1;
    if (fault.times <= 0) this.#faults = this.#faults.filter((other) => other !== fault);
    return fault;
  }
}

function complete(given: unknown): Fault {
  if (typeof given !== 'object' || given === null) throw invalid('A fault is an object');
  const fault = { times: 1, path: '/v1/', type: '*', status: 500, copies: 1, delay_ms: 100, ...given } as Record<string, unknown>;
  const kinds = KINDS[String(fault['on'])];
  if (!kinds) throw invalid(`A fault is on ${Object.keys(KINDS).join(', ')}`, 'on');
  if (!kinds.includes(String(fault['kind']))) throw invalid(`A fault on ${fault['on']} is ${kinds.join(', ')}`, 'kind');
  for (const name of ['times', 'status', 'copies', 'delay_ms', ...('retry_after' in fault ? ['retry_after'] : [])]) {
    if (!Number.isInteger(fault[name]) || Number(fault[name]) < 0) throw invalid(`${name} is a count`, name);
  }
  if (Number(fault['status']) < 400 || Number(fault['status']) > 599) throw invalid('status is from 400 to 599', 'status');
  if (!['boolean', 'undefined'].includes(typeof fault['should_retry'])) throw invalid('should_retry is true or false', 'should_retry');
  return fault as Fault;
}

/**
 * Objects and KV that fail on request, by a module in front of the built Worker. An object fails
 * internally: its error is what the platform passes on to the caller.
 */

/**
 * `throws` and `resets`, before the object has done anything or after it has finished: the first is
 * an error in its code, the second also loses its memory.
 */
export type ObjectFailure = 'throws before' | 'throws after' | 'resets before' | 'resets after';

export type Failures = {
  /** Failures by class, with their number; all requests by default. */
  objects?: Record<string, { how: ObjectFailure; times?: number }>;
  /** True to make reads of KV fail. */
  kv?: boolean;
};

/** Path that failures are sent to. */
export const FAILURES_PATH = '/__failures';

/**
 * Returns the module in front of a Worker whose module is `./index.js` and whose objects have these
 * class names.
 */
export function failingModule(classes: readonly string[]): string {
  const objects = classes.map((name) => `export class ${name} extends shop.${name} {
  #state;
  constructor(state, env) {
    super(state, failing(env));
    this.#state = state;
  }
  async fetch(request) {
    const how = next('${name}');
    if (how?.endsWith('before')) fail(how, this.#state);
    const answer = await super.fetch(request);
    if (how?.endsWith('after')) fail(how, this.#state);
    return answer;
  }
}`);
  return `
import * as shop from './index.js';
let failures = {};

function next(name) {
  const failure = failures.objects?.[name];
  if (!failure || failure.times === 0) return undefined;
  if (failure.times) failure.times -= 1;
  return failure.how;
}

function fail(how, state) {
  if (how.startsWith('resets')) state.abort('it is reset');
  throw new Error('it throws');
}

function failing(env) {
  const CATALOG = new Proxy(env.CATALOG, {
    get(kv, name) {
      const value = Reflect.get(kv, name, kv);
      if (name !== 'get') return typeof value === 'function' ? value.bind(kv) : value;
      return async (...given) => {
        if (failures.kv) throw new Error('KV GET failed: 500 Internal Server Error');
        return kv.get(...given);
      };
    },
  });
  return { ...env, CATALOG };
}

${objects.join('\n')}
export default class extends shop.default {
  constructor(context, env) { super(context, failing(env)); }
  async fetch(request) {
    if (new URL(request.url).pathname !== ${JSON.stringify(FAILURES_PATH)}) return super.fetch(request);
    failures = await request.json();
    return new Response();
  }
}
`;
}

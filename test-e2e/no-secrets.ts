import { inspect } from 'node:util';

/**
 * How secrets look in tests: the prefixes that fixtures and the dev authority use, and JSON Web Tokens. The word alone,
 * as in `wrong-secret-TEST-`, is not enough: something has to follow.
 */
const SECRETS = /\b(?:rt|at|secret)-TEST-[\w.~+/=-]+|\beyJ[\w-]{10,}\.[\w-]{4,}/;
/** Enough to name the leak, too little to be one. */
const SHOWN = 12;

/** The beginning of the first secret in a text. */
export function secretIn(text: string): string | undefined {
  return SECRETS.exec(text)?.[0].slice(0, SHOWN);
}

/**
 * Fails when a secret can be read in `value` without asking for it: in what `inspect`, `JSON.stringify` or `String` make of
 * it, or in any own property, hidden ones and causes included.
 */
export function expectNoSecrets(value: unknown, what = 'The value'): void {
  for (const [where, text] of textsOf(value)) {
    const secret = secretIn(text);
    if (secret !== undefined) throw new Error(`${what} shows a secret (${secret}…) in ${where}.`);
  }
}

function* textsOf(value: unknown): Generator<readonly [where: string, text: string]> {
  yield ['inspect', inspect(value, { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null })];
  yield ['JSON', safely(() => JSON.stringify(value) ?? '')];
  yield ['String', safely(() => String(value))];
  yield* propertiesOf(value, 'value', new Set());
}

function* propertiesOf(value: unknown, path: string, seen: Set<unknown>): Generator<readonly [string, string]> {
  if (typeof value === 'string') yield [path, value];
  if (typeof value !== 'object' || value === null || seen.has(value) || seen.size > 5_000) return;
  seen.add(value);
  if (ArrayBuffer.isView(value))
    return yield [path, Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')];
  if (value instanceof Map || value instanceof Set) for (const item of value) yield* propertiesOf(item, `${path}[…]`, seen);
  for (const key of Reflect.ownKeys(value)) {
    const described = Object.getOwnPropertyDescriptor(value, key);
    if (described && 'value' in described) yield* propertiesOf(described.value, `${path}.${String(key)}`, seen);
  }
}

function safely(work: () => string): string {
  try {
    return work();
  } catch {
    return '';
  }
}

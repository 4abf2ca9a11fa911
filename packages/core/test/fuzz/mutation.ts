import { inspect } from 'node:util';
import { expect } from 'vitest';
import { secretIn } from '../../../../test-e2e/no-secrets.js';
import { TokenryError } from '../../src/errors.js';

/** Inputs per test: some thousands in every run, as many as wanted with `node test-e2e/fuzz.ts`. */
export const ROUNDS = Number(process.env.TOKENRY_FUZZ_ROUNDS ?? 3_000);
/** Long runs outlast the time limit of a test. */
export const FUZZ_TIMEOUT_MS = 60_000 + ROUNDS * 60;

// Mapping stacks to sources would take most of the time; one frame shows that frames hold nothing either.
Error.stackTraceLimit = 1;

/** The same mutations in every run (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(values: readonly T[], random: () => number): T {
  return values[Math.floor(random() * values.length)] as T;
}

/** Cuts and splices a text up to three times. */
export function mutateText(text: string, pieces: readonly string[], random: () => number): string {
  let result = text;
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    const at = Math.floor(random() * (result.length + 1));
    const length = Math.floor(random() * 12);
    const piece = random() < 0.5 ? pick(pieces, random) : '';
    result = result.slice(0, at) + piece + result.slice(at + (random() < 0.7 ? length : 0));
  }
  return result;
}

const ODD_VALUES: readonly unknown[] = [
  ...[null, 0, -1, 1e308, 1.5, true, '', ' ', 'x', '0', '-1', 'NaN', '99999999999999999999', '\u0000', '\ud800', 'é'.repeat(300)],
  ...[[], {}, [[]], { a: 1 }, ['x'], 'constructor', '__proto__', '..', 'a.b', 'A.B', 'login.windows.net'],
];
const ODD_NAMES = ['constructor', 'toString', 'secret', 'home_account_id', 'environment', 'expires_on', 'target', 'x', ''];

/** Replaces, removes, renames or adds one member of a JSON value somewhere inside. */
export function mutateJson(value: unknown, random: () => number): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.08) return pick(ODD_VALUES, random);
  const names = Object.keys(value);
  if (Array.isArray(value)) return value.map((item) => (random() < 0.5 ? mutateJson(item, random) : item));
  const copy: Record<string, unknown> = { ...value };
  if (names.length === 0 || random() < 0.1) return { ...copy, [pick(ODD_NAMES, random)]: pick(ODD_VALUES, random) };
  const name = pick(names, random);
  const how = random();
  if (how < 0.1) delete copy[name];
  else if (how < 0.15) copy[pick(ODD_NAMES, random)] = copy[name];
  else copy[name] = mutateJson(copy[name], random);
  return copy;
}

/** Fails unless `error` is one of ours, or a checked argument, and tells no secret. */
export function expectClean(error: unknown, input: unknown): void {
  const isArgument = error instanceof TypeError && 'code' in error && String(error.code).startsWith('TOKENRY_');
  if (!TokenryError.is(error) && !isArgument) expect.fail(`${inspect(error)} for ${inspect(input)}`);
  const secret = secretIn(`${(error as Error).message}${JSON.stringify(error)}${inspect(error)}`);
  if (secret !== undefined) expect.fail(`a secret (${secret}…) in ${String(error)}`);
}

import assert from 'node:assert/strict';

/** An error class of core: recognises its errors also when another installed copy of core threw them. */
export interface ErrorClass {
  readonly brand: string;
  is(error: unknown): boolean;
}
export type Operation = () => Promise<unknown>;

/** What `operation` rejects with. Fails when it resolves. */
export async function rejection(doing: string, operation: Operation): Promise<unknown> {
  let answer: unknown;
  try {
    answer = await operation();
  } catch (error) {
    return error;
  }
  assert.fail(`${doing} should reject, but answered ${shortly(answer)}`);
}

/** Fails unless `operation` rejects with an error of one of `classes`. Resolves to that error. */
export async function rejectsWith(classes: ErrorClass | readonly ErrorClass[], doing: string, operation: Operation) {
  const expected = [classes].flat();
  const error = await rejection(doing, operation);
  if (expected.some((type) => type.is(error))) return error;
  const names = expected.map(({ brand }) => brand).join(' or ');
  throw new assert.AssertionError({ message: `${doing} should reject with ${names}, but rejected with ${String(error)}` });
}

/** Fails unless `operation` rejects with an argument error: TypeError or RangeError with a `TOKENRY_` code. */
export async function rejectsArgument(doing: string, operation: Operation): Promise<void> {
  const error = await rejection(doing, operation);
  const isArgumentError = error instanceof TypeError || error instanceof RangeError;
  assert.ok(
    isArgumentError && hasCode(error),
    `${doing} should reject with a TypeError or RangeError that has a code, got ${String(error)}`,
  );
}

/** Whether `error` was thrown on purpose by something of this family. */
export function hasCode(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('TOKENRY_');
}

function shortly(answer: unknown): string {
  return typeof answer === 'object' && answer !== null ? 'an object' : String(answer);
}

/** Argument checks: bad arguments are `TypeError` or `RangeError` with a `code`, naming the nearest valid name. */

export type ArgumentErrorCode = 'TOKENRY_INVALID_ARGUMENT' | 'TOKENRY_UNKNOWN_OPTION' | 'TOKENRY_OUT_OF_RANGE';

/** A `TypeError` with code `TOKENRY_INVALID_ARGUMENT`. */
export function invalidArgument(message: string, code: ArgumentErrorCode = 'TOKENRY_INVALID_ARGUMENT'): TypeError {
  return Object.assign(new TypeError(message), { code });
}

/** A `RangeError` with code `TOKENRY_OUT_OF_RANGE`. */
export function outOfRange(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'TOKENRY_OUT_OF_RANGE' as const });
}

/** `value`, if it is a time limit: a number of milliseconds, from 1 to 600 000 (ten minutes). @throws RangeError */
export function checkTimeout(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 1 && value <= 600_000))
    throw outOfRange('timeoutMs must be a number of milliseconds between 1 and 600000.');
  return value;
}

/**
 * Returns a frozen shallow copy of `options` after checking that every name is one of `allowed`.
 * @throws TypeError (`TOKENRY_UNKNOWN_OPTION`) naming the nearest valid option.
 */
export function strictOptions<T extends object>(owner: string, options: T | undefined, allowed: readonly string[]): Readonly<T> {
  if (options === undefined) return Object.freeze({}) as Readonly<T>;
  checkNames(owner, options, allowed);
  return Object.freeze({ ...options });
}

/** As {@link strictOptions}, for options that are looked at once and not kept. */
export function checkNames(owner: string, options: object, allowed: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidArgument(`${owner}: options must be an object.`);
  for (const name of Object.keys(options)) {
    if (allowed.includes(name)) continue;
    const nearest = nearestName(name, allowed);
    throw invalidArgument(
      `${owner}: unknown option "${name}"${nearest ? `; did you mean "${nearest}"?` : `. Valid options: ${allowed.join(', ')}.`}`,
      'TOKENRY_UNKNOWN_OPTION',
    );
  }
}

/** The candidate closest to `name` by edit distance, if it is close enough to be a typing mistake. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

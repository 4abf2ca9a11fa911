import { invalidArgument } from './options.js';

/** `value` if it is a claims challenge that can be passed on: a JSON object, as text. */
export function claimsChallengeOf(value: unknown): string | undefined {
  try {
    const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : undefined;
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? (value as string) : undefined;
  } catch {
    return undefined;
  }
}

/** @throws TypeError unless `claims` is absent or a JSON object as text. The value is not quoted. */
export function checkClaims(claims: unknown): void {
  if (claims !== undefined && claimsChallengeOf(claims) === undefined)
    throw invalidArgument('claims must be a JSON object as text, such as the `claims` of an InteractionRequiredError.');
}

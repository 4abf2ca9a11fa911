import type { AccessTokenEntity } from './schema.js';
import { contains, normaliseScopes, type ScopeSet } from './scope-set.js';
import { seconds } from './token-times.js';

/**
 * A request that the server once answered with less than it asked for. Until the answer expires the same request gets
 * the same token: asking again would get the same again, on every call.
 */
export interface ShortAnswer {
  /** Epoch seconds. */
  readonly until: number;
  readonly asked: ScopeSet;
}

/** Scopes of an access token in normal form. */
export function grantedScopes(token: AccessTokenEntity): ScopeSet {
  return normaliseScopes(token.target ?? '');
}

/** The requests that this token answers although it grants less. */
export function shortAnswers(token: AccessTokenEntity): ShortAnswer[] {
  return (token.tokenry_answers ?? []).map((text) => {
    const [until = '', ...asked] = text.split(' ');
    return { until: seconds(until) ?? 0, asked: asked.filter((scope) => scope !== '') };
  });
}

/** The stored form of {@link shortAnswers}. */
export function answerTexts(answers: readonly ShortAnswer[]): readonly string[] {
  return Object.freeze(answers.map(({ until, asked }) => [String(until), ...asked].join(' ')));
}

/** Until when (epoch seconds) this token serves a request for `asked`; `undefined`: it does not. */
export function servesUntil(token: AccessTokenEntity, asked: ScopeSet): number | undefined {
  const expires = seconds(token.expires_on) ?? 0;
  if (contains(grantedScopes(token), asked)) return expires;
  const answers = shortAnswers(token).filter((answer) => sameScopes(answer.asked, asked));
  if (answers.length === 0) return undefined;
  return Math.min(expires, Math.max(...answers.map(({ until }) => until)));
}

/** Whether two scope sets in normal form are equal. */
export function sameScopes(a: ScopeSet, b: ScopeSet): boolean {
  return a.length === b.length && a.every((scope, index) => scope === b[index]);
}

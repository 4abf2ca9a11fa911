import { claimsChallengeOf } from '../claims-challenge.js';
import { AuthorizationDeniedError, StateMismatchError } from '../errors.js';
import { nodeCrypto } from '../node-crypto.js';
import { redact } from '../observability/redact.js';
import type { TokenProvider } from '../provider/token-provider.js';
import { refusalMessage } from './redeem.js';

/** Longer than any redirect; what is longer is not looked at. */
const MAX_LENGTH = 64 * 1_024;

/** The parameters of a redirect: of a URL's query or fragment, or of the body of a form post. */
export function redirectParameters(redirected: string | URL): URLSearchParams {
  const text = typeof redirected === 'string' ? redirected.trim() : String(redirected);
  if (text.length > MAX_LENGTH) throw new StateMismatchError('What should be the redirected URL is too long for one.');
  const url = text.includes('://') ? URL.parse(text) : null;
  if (!url) return new URLSearchParams(text.replace(/^[?#]/, ''));
  return new URLSearchParams(url.search.length > 1 ? url.search : url.hash.slice(1));
}

/**
 * The authorization code in a redirect that answers the flow `state`.
 * @throws StateMismatchError when it answers another flow, or is no redirect; AuthorizationDeniedError when it is a refusal.
 */
export function codeOf(parameters: URLSearchParams, state: string, provider: TokenProvider): string {
  const given = single(parameters, 'state');
  const error = single(parameters, 'error');
  if (given !== undefined && !isSame(given, state)) throw otherFlow();
  // A server that could not read the request may answer without its state; believing a refusal harms nobody.
  if (error !== undefined) throw denied(error, parameters, provider);
  if (given === undefined)
    throw new StateMismatchError(
      'The redirected URL has no state. Pass the whole address that the login page ended on, everything after the "?" included.',
    );
  const code = single(parameters, 'code');
  if (code === undefined || code === '') throw new StateMismatchError('The redirected URL has neither a code nor an error.');
  return code;
}

function denied(given: string, parameters: URLSearchParams, provider: TokenProvider): AuthorizationDeniedError {
  const description = redact((single(parameters, 'error_description') ?? '').slice(0, 1_000));
  const error = asCode(given) ?? 'unknown_error';
  const suberror = asCode(single(parameters, 'error_subcode') ?? single(parameters, 'suberror'));
  const errorCode = /AADSTS(\d{4,9})/.exec(description)?.[1];
  const { hint } = provider.classify({ error, description, status: 400, ...(suberror === undefined ? {} : { suberror }) });
  const claims = claimsChallengeOf(single(parameters, 'claims'));
  return new AuthorizationDeniedError(refusalMessage(error, { errorCode, hint }), { error, suberror, errorCode, hint, claims });
}

// RFC 6749 section 3.1: no parameter may come twice, and which of two codes is meant nobody can tell.
function single(parameters: URLSearchParams, name: string): string | undefined {
  const values = parameters.getAll(name);
  if (values.length > 1) throw new StateMismatchError(`The redirected URL has the parameter "${name}" more than once.`);
  return values[0];
}

// Error codes go into messages. In a mangled redirect anything may stand in their place, an authorization code too, so
// only what is spelt like the codes of RFC 6749 and Entra is repeated.
function asCode(value: string | undefined): string | undefined {
  return value !== undefined && value.length <= 40 && /^[a-z]+(?:_[a-z]+)*$/.test(value) ? value : undefined;
}

function isSame(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && nodeCrypto().timingSafeEqual(a, b);
}

function otherFlow(): StateMismatchError {
  return new StateMismatchError(
    'The redirected URL answers another sign-in than this one: its state is not the one that was sent.',
  );
}

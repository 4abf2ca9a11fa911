import type { Classification, Refusal } from '../provider/token-provider.js';
import { type AadstsCode, aadstsCodes, suberrors } from './aadsts-codes.js';
import { errorCodeOf } from './token-answer.js';

/** OAuth and OpenID Connect error codes (RFC 6749 section 5.2, OpenID Connect Core section 3.1.2.6), where no number says more. */
const ERRORS: Readonly<Record<string, AadstsCode>> = Object.freeze({
  interaction_required: { kind: 'request-refused', hint: 'The person must sign in interactively.' },
  login_required: { kind: 'request-refused', hint: 'The person must sign in interactively.' },
  consent_required: { kind: 'request-refused', hint: 'Consent is missing. Sign in interactively and accept.' },
  access_denied: { kind: 'request-refused', hint: 'The person, or a policy, refused the sign-in.' },
  invalid_client: {
    kind: 'configuration',
    hint: 'The application could not prove who it is. Check the client id and its secret or certificate.',
  },
  unauthorized_client: { kind: 'configuration', hint: 'The application may not use this flow. Check its registration.' },
  invalid_scope: { kind: 'configuration', hint: 'A scope is not valid.' },
  too_many_requests: { kind: 'throttled', hint: 'The server asks to slow down.' },
  temporarily_unavailable: { kind: 'transient', hint: 'The sign-in service is not available; try again in a minute.' },
  server_error: { kind: 'transient', hint: 'The sign-in service failed; try again in a minute.' },
});

/** The AADSTS number of a refusal, without its prefix. */
function numberOf(refusal: Refusal): string | undefined {
  const { errorCode } = refusal as { readonly errorCode?: string };
  return errorCode ?? errorCodeOf(undefined, refusal.description);
}

/**
 * What kind of refusal this is, and what to do about it. The number says most, then the suberror, then the error. A
 * misconfigured application is `request-refused`: the refresh token stays, and asking again does not help.
 */
export function classifyRefusal(refusal: Refusal): Classification {
  const number = numberOf(refusal);
  const coded = number === undefined ? undefined : lookUp(aadstsCodes, number);
  const sub = refusal.suberror === undefined ? undefined : lookUp(suberrors, refusal.suberror);
  const byError = lookUp(ERRORS, refusal.error);
  const hint = (coded ?? sub ?? byError)?.hint;
  return { kind: kindOf(refusal, { coded, sub, byError, number }), ...(hint === undefined ? {} : { hint }) };
}

interface Known {
  readonly number: string | undefined;
  readonly coded: AadstsCode | undefined;
  readonly sub: AadstsCode | undefined;
  readonly byError: AadstsCode | undefined;
}

function kindOf({ error, status, suberror }: Refusal, { number, coded, sub, byError }: Known): Classification['kind'] {
  if (coded?.kind === 'throttled' || status === 429) return 'throttled';
  if (sub?.kind === 'token-refused') return 'token-refused';
  const known = coded ?? sub ?? byError;
  if (known) return known.kind === 'configuration' ? 'request-refused' : known.kind;
  if (status >= 500) return 'transient';
  // A bare invalid_grant says that the grant is bad. With a number we do not know it may be about the request alone, and
  // a good refresh token must not be thrown away for it.
  const isBare = error === 'invalid_grant' && number === undefined && suberror === undefined;
  return isBare ? 'token-refused' : 'request-refused';
}

// Names come from the server: "constructor" must not find anything.
function lookUp(table: Readonly<Record<string, AadstsCode>>, name: string): AadstsCode | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

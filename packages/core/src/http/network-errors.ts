import { NotSentError } from '../provider/token-endpoint-error.js';

/** OpenSSL's names for "nobody I trust signed this" (Node.js: `tls`, X509 certificate error codes). */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** `NotSentError` naming origin and reason; its `cause` is the system's or undici's error, with its code. */
export function notSentError(error: unknown, target: string): NotSentError {
  const cause = codedError(error) ?? (error instanceof TypeError ? error.cause : undefined) ?? error;
  const code = networkCode(error);
  const advice =
    code !== undefined && UNTRUSTED.has(code) ? ' Its certificate is not trusted here: give its issuer in `ca`.' : '';
  const message = cause instanceof Error ? cause.message : 'no connection';
  // undici's code for a proxy that said no is the one of every abort; its message has the status.
  const reason = code === undefined || /\bproxy\b/i.test(message) ? message : code;
  return new NotSentError(`Nothing was sent to ${target}: ${reason.replace(/\.$/, '')}.${advice}`, { cause });
}

/** The system's or undici's code, from the error or from its causes. */
export function networkCode(error: unknown): string | undefined {
  return codedError(error)?.code;
}

/** The platform wraps once or twice ("fetch failed", "Request was cancelled"); this is what it wrapped. */
function codedError(error: unknown): (Error & { readonly code: string }) | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) if (hasCode(at)) return at;
  return undefined;
}

function hasCode(error: Error): error is Error & { readonly code: string } {
  return 'code' in error && typeof error.code === 'string' && error.code !== '';
}

/** A bad argument as the platform put it, without the values that it likes to quote (headers, URLs). */
export function withoutValues(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  const message = error.message.replace(/".*"/gs, '"…"').replace(/\bhttps?:\S+/gi, '…');
  return Object.assign(new TypeError(message), { code: 'TOKENRY_INVALID_ARGUMENT' });
}

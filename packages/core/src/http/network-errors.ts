import { NotSentError } from '../provider/token-endpoint-error.js';

/** OpenSSL's names for "nobody I trust signed this" (Node.js: `tls`, X509 certificate error codes). */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** `NotSentError` naming origin and reason; its `cause` is the system's error, where the platform puts it too. */
export function notSentError(error: unknown, target: string): NotSentError {
  const cause = error instanceof TypeError && error.cause !== undefined ? error.cause : error;
  const code = networkCode(error);
  const advice =
    code !== undefined && UNTRUSTED.has(code) ? ' Its certificate is not trusted here: give its issuer in `ca`.' : '';
  const reason = code ?? (cause instanceof Error ? cause.message : 'no connection');
  return new NotSentError(`Nothing was sent to ${target}: ${reason}.${advice}`, { cause });
}

/** The system's or undici's code, from the error or from its cause. */
export function networkCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++)
    if ('code' in at && typeof at.code === 'string' && at.code !== '') return at.code;
  return undefined;
}

/** A bad argument as the platform put it, without the values that it likes to quote (headers, URLs). */
export function withoutValues(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  const message = error.message.replace(/"[^"]*"/gs, '"…"').replace(/\bhttps?:\S+/gi, '…');
  return Object.assign(new TypeError(message), { code: 'TOKENRY_INVALID_ARGUMENT' });
}

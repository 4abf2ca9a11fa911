/** How an exchange with a server can end without an answer. */
export type FailureKind =
  | 'dns-failed'
  | 'unreachable'
  | 'tls-failed'
  | 'timeout'
  | 'too-large'
  | 'private-address'
  | 'bad-response';

/** No usable answer; `kind` is the outcome that the trace shows. */
export class TransportFailure extends Error {
  readonly kind: FailureKind;
  constructor(kind: FailureKind, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'TransportFailure';
    this.kind = kind;
  }
}

const DNS = new Set(['ENOTFOUND', 'ENODATA', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME', 'ESERVFAIL', 'EREFUSED', 'EBADNAME']);
const TLS = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|HOSTNAME_MISMATCH|EPROTO)/;

/** Translates what node:https throws. */
export function toTransportFailure(error: unknown): TransportFailure {
  if (error instanceof TransportFailure) return error;
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const cause = { cause: error };
  if (DNS.has(code)) return new TransportFailure('dns-failed', code, cause);
  if (TLS.test(code)) return new TransportFailure('tls-failed', code, cause);
  if (code.startsWith('HPE_') || code === 'ERR_STREAM_PREMATURE_CLOSE') return new TransportFailure('bad-response', code, cause);
  return new TransportFailure('unreachable', code || message.slice(0, 80), cause);
}

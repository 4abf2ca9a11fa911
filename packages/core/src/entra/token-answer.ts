import { claimsChallengeOf } from '../claims-challenge.js';
import { redact } from '../observability/redact.js';
import { TokenEndpointError } from '../provider/token-endpoint-error.js';

/** What the token endpoint answered, before anybody interpreted it. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Epoch milliseconds from the `Date` header. */
  readonly serverNow?: number;
}

/** Something answered that is no OAuth answer, or not the endpoint: whether that acted on the request is unknown. */
export class UnreadableAnswerError extends Error {
  override readonly name = 'UnreadableAnswerError';
}

const MAX_DESCRIPTION = 1_000;

/**
 * Reads an answer of the token endpoint.
 * @throws TokenEndpointError when it is a refusal; {@link UnreadableAnswerError} when it is neither that nor a success that can
 * be read.
 */
export async function readTokenAnswer(response: Response): Promise<TokenAnswer> {
  const answer = await readAnswer(response);
  const { status, body } = answer;
  if (typeof body.error === 'string' || status === 429 || status >= 500) throw refusalFrom(answer);
  // Every refusal names its error (RFC 6749 section 5.2). What names none comes from a proxy on the way, and must not send
  // anybody to the login page.
  if (!response.ok) throw new UnreadableAnswerError(`The token endpoint answered ${status} without an OAuth error.`);
  if (Object.keys(body).length === 0)
    throw new UnreadableAnswerError(`The token endpoint answered ${status} without a JSON object.`);
  return answer;
}

/** Reads an answer without judging it; the body is empty where it is no JSON object. */
export async function readAnswer(response: Response): Promise<TokenAnswer> {
  const serverNow = Date.parse(response.headers.get('date') ?? '');
  return {
    status: response.status,
    body: parseObject(await response.text()) ?? {},
    headers: Object.fromEntries(response.headers),
    ...(Number.isNaN(serverNow) ? {} : { serverNow }),
  };
}

/** The refusal in an answer. Free text is redacted; the `error` of a server that sent none is made from the status. */
export function refusalFrom({ status, body, headers, serverNow }: TokenAnswer): TokenEndpointError {
  const description = text(body.error_description);
  return new TokenEndpointError({
    status,
    error: token(body.error) ?? errorOfStatus(status),
    ...optional('suberror', token(body.suberror)),
    ...optional('description', description && redact(description.slice(0, MAX_DESCRIPTION))),
    errorCode: errorCodeOf(body.error_codes, description),
    claims: claimsChallengeOf(body.claims),
    correlationId: token(body.correlation_id) ?? token(headers['client-request-id']),
    retryAfterMs: retryAfterMs(headers['retry-after'], serverNow),
  });
}

/** AADSTS number without its prefix: `error_codes` first, then the description. */
export function errorCodeOf(codes: unknown, description: string | undefined): string | undefined {
  const [first] = Array.isArray(codes) ? codes : [];
  if (/^\d{4,9}$/.test(String(first))) return String(first);
  return /AADSTS(\d{4,9})/.exec(description ?? '')?.[1];
}

function retryAfterMs(header: string | undefined, serverNow: number | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) || serverNow === undefined ? undefined : Math.max(0, at - serverNow);
}

function errorOfStatus(status: number): string {
  if (status === 429) return 'too_many_requests';
  return status >= 500 ? 'temporarily_unavailable' : 'unknown_error';
}

function parseObject(source: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(source);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

// Error codes go into messages: what does not look like one is not repeated.
function token(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:-]{1,100}$/.test(value) ? value : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function optional<Name extends string>(name: Name, value: string | undefined): { readonly [key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: string };
}

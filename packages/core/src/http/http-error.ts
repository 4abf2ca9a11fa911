import { HttpError } from '../errors.js';
import { redact } from '../observability/redact.js';
import { retryAfterMs } from './retry-after.js';

/** No more of an error's body than this is read. */
const READ_BYTES = 65_536;
const EXCERPT_CHARS = 300;

/** What could be made of an error's body, whatever it is. */
interface ErrorBody {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly requestId?: string | undefined;
}

/**
 * The `HttpError` for an answer of 400 or more. It reads a copy of the body, so that `error.response` still has its own.
 * Any body will do: Graph's and OAuth's shapes are understood, everything else is quoted, shortened and redacted.
 */
export async function httpError(
  response: Response,
  request: { readonly method: string; readonly url: string; readonly now: number },
): Promise<HttpError> {
  const body = parseErrorBody(await excerpt(response.clone()));
  const { status, headers } = response;
  const { origin, pathname } = new URL(response.url || request.url);
  const said = [body.code, body.message].filter((part) => part !== undefined && part !== '').join(': ');
  const message = `${request.method} ${origin}${pathname} answered ${status}${said ? `: ${said}` : ''}`;
  return new HttpError(redact(message), {
    status,
    graphCode: body.code,
    requestId: headers.get('request-id') ?? headers.get('x-ms-request-id') ?? body.requestId,
    retryAfterMs: retryAfterMs(headers, request.now),
    response,
  });
}

async function excerpt(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    while (reader && text.length < READ_BYTES) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += decoder.decode(value, { stream: true });
    }
    // Not awaited: one half of a cloned body is cancelled only when the other half is, too.
    void reader?.cancel().catch(() => undefined);
  } catch {
    // Half an explanation is better than an error about the error.
  }
  return text;
}

/** Tolerates every shape: `{ error: { code, message } }`, `{ error: 'code', error_description }`, lists, text, HTML, nothing. */
export function parseErrorBody(text: string): ErrorBody {
  const parsed = parsedJson(text);
  if (!isObject(parsed)) return { message: shortened(typeof parsed === 'string' ? parsed : withoutTags(text)) };
  const { error } = parsed;
  if (typeof error === 'string') return { code: code(error), message: shortened(nonEmpty(parsed.error_description)) };
  const described = isObject(error) ? error : parsed;
  const inner = [described.innerError, described.innererror].find(isObject);
  return {
    code: code(described.code) ?? code(inner?.code),
    message: shortened(nonEmpty(described.message) ?? (isObject(error) ? undefined : text)),
    requestId: nonEmpty(inner?.['request-id']),
  };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Codes are short words; anything longer is a message in the wrong place. */
function code(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && /^[\w.:/-]{1,100}$/.test(value) ? value : undefined;
}

/** On the first pages only: these expressions take quadratic time on text made to annoy them. */
function withoutTags(text: string): string {
  return text
    .slice(0, 8_192)
    .replace(/<(script|style)\b.*?<\/\1\s*>/gis, ' ')
    .replace(/<[^>]*>/g, ' ');
}

function shortened(text: string | undefined): string | undefined {
  const line = text?.replace(/\s+/g, ' ').trim();
  return line && line.length > EXCERPT_CHARS ? `${line.slice(0, EXCERPT_CHARS)}…` : line;
}

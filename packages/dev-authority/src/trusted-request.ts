import { request } from 'node:https';
import { text } from 'node:stream/consumers';

/** An answer as the sign-in script needs it. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** What to send. */
export interface PlainRequest {
  readonly ca: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * One HTTPS request that trusts `ca`: global `fetch` cannot be told to trust a certificate authority for one call only.
 * Redirects are not followed.
 */
export function trustedRequest(url: string, { ca, form, headers, signal }: PlainRequest): Promise<PlainAnswer> {
  const body = form && new URLSearchParams(form).toString();
  const type = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  return new Promise((resolve, reject) => {
    const options = {
      ca,
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...headers, ...type },
      agent: false,
      ...(signal ? { signal } : {}),
    };
    const sent = request(url, options, (answer) => {
      text(answer)
        .then((received) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: received }))
        .catch(reject);
    });
    sent.once('error', reject).end(body);
  });
}

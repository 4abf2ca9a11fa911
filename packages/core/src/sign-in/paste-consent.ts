import { AuthorizationDeniedError } from '../errors.js';
import { strictOptions } from '../options.js';
import type { ConsentHandler, ConsentRequest } from './consent.js';
import { readLine } from './read-line.js';

export interface PasteConsentOptions {
  /** Where the pasted text comes from. @default the standard input stream */
  readonly input?: NodeJS.ReadableStream;
  /** Where the instructions go. @default the standard error stream */
  readonly output?: NodeJS.WritableStream;
}

/**
 * A consent handler that prints the login page's URL and reads the URL that it ended on, or the code in it alone. The
 * last resort: prefer `loopbackConsent()` or `deviceCodeConsent()`, which need no pasting.
 */
export function pasteConsent(options: PasteConsentOptions = {}): ConsentHandler {
  const { input = process.stdin, output = process.stderr } = strictOptions('pasteConsent', options, ['input', 'output']);
  return async ({ url, redirectUri, signal }: ConsentRequest): Promise<string> => {
    signal?.throwIfAborted();
    output.write(instructions(url, redirectUri));
    const pasted = (await readLine(input, signal)).trim();
    if (pasted !== '') return redirectedUrl(pasted, { url, redirectUri });
    throw new AuthorizationDeniedError('The sign-in was given up: nothing was pasted.', { error: 'access_denied' });
  };
}

function instructions(url: string, redirectUri: string): string {
  return `Open this page and sign in:\n\n${url}\n\nThe browser then goes to an address that starts with ${redirectUri}
(the page may fail to load; only its address counts). Paste that address here; it is not shown:\n`;
}

/**
 * A bare code gets the state that was sent: the person at this terminal is the one who started the sign-in, and PKCE
 * ties the code to it.
 */
function redirectedUrl(pasted: string, { url, redirectUri }: Pick<ConsentRequest, 'url' | 'redirectUri'>): string {
  if (pasted.includes('://') || /(?:^|[?#&])(?:code|error|state)=/.test(pasted)) return pasted;
  const redirected = new URL(redirectUri);
  redirected.searchParams.set('code', pasted);
  redirected.searchParams.set('state', new URL(url).searchParams.get('state') ?? '');
  return redirected.href;
}

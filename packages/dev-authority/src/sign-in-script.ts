import { type PlainAnswer, trustedRequest } from './trusted-request.js';

const MAX_HOPS = 20;

/** A browser without a window: cookies, redirects, and the answers to the authority's own pages. */
class ScriptedBrowser {
  readonly #cookies = new Map<string, string>();
  readonly #ca: string;
  readonly #signal: AbortSignal | undefined;

  constructor(ca: string, signal: AbortSignal | undefined) {
    this.#ca = ca;
    this.#signal = signal;
  }

  async visit(url: string, form?: Readonly<Record<string, string>>): Promise<PlainAnswer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await trustedRequest(url, {
      ca: this.#ca,
      headers: cookie === '' ? {} : { cookie },
      ...(form ? { form } : {}),
      ...(this.#signal ? { signal: this.#signal } : {}),
    });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) {
      const [name = '', ...value] = (line.split(';')[0] ?? '').split('=');
      this.#cookies.set(name, value.join('='));
    }
    return answer;
  }
}

/** What {@link signInAs} is asked for: what a consent handler gets. */
export interface SignInRequest {
  /** The authorization URL. */
  readonly url: string;
  readonly redirectUri: string;
  readonly signal?: AbortSignal;
}

/**
 * Signs `username` in at the authorization URL, agrees to everything, and resolves to the URL that the browser is sent
 * back to. Works in any process that has the authority's CA. A refusal resolves too: it is in the URL's `error`.
 * @throws Error when the authority shows an error page instead of redirecting
 */
export async function signInAs(username: string, request: SignInRequest & { readonly ca: string }): Promise<string> {
  const browser = new ScriptedBrowser(request.ca, request.signal);
  let url = request.url;
  let answer = await browser.visit(url);
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const location = answer.headers.location;
    if (typeof location === 'string') {
      url = new URL(location, url).href;
      if (isRedirectTo(request.redirectUri, url)) return url;
      answer = await browser.visit(url);
    } else if (/\/dev\/sign-in\//.test(url) && answer.status === 200) {
      answer = await browser.visit(
        url,
        answer.body.includes('name="username"') ? { username, consent: 'accept' } : { consent: 'accept' },
      );
    } else {
      return postedBack(answer, request);
    }
  }
  throw new Error('The authority kept redirecting.');
}

function isRedirectTo(redirectUri: string, url: string): boolean {
  const [target, current] = [new URL(redirectUri), new URL(url)];
  return target.protocol === current.protocol && target.host === current.host && target.pathname === current.pathname;
}

/** `response_mode=form_post`: the page would post these fields; they are handed back as a query. */
function postedBack(answer: PlainAnswer, { redirectUri }: SignInRequest): string {
  const fields = [...answer.body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
  if (fields.length === 0)
    throw new Error(`The authority answered ${answer.status} instead of redirecting: ${textOf(answer.body)}`);
  const target = new URL(redirectUri);
  for (const [, name = '', value = ''] of fields) target.searchParams.set(name, unescapeHtml(value));
  return target.href;
}

const unescapeHtml = (text: string) =>
  text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&');

const textOf = (html: string) =>
  html
    .replace(/<(style|script|title|footer)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);

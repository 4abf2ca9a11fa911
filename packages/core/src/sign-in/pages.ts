import { nodeCrypto } from '../node-crypto.js';

/** What the browser shows when a sign-in on this machine ended. Nothing is loaded from elsewhere, nothing secret is in it. */
export interface Page {
  readonly title: string;
  readonly text: string;
  readonly hint?: string | undefined;
  readonly good: boolean;
}

const STYLE = `:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;min-height:100vh;margin:0;display:grid;place-items:center;background:Canvas;color:CanvasText}
main{max-width:32rem;padding:2rem;text-align:center}
i{display:block;width:3.5rem;height:3.5rem;line-height:3.5rem;margin:0 auto 1rem;border-radius:50%;font-style:normal;font-size:1.75rem;color:#fff}
.good{background:#1a7f37}.bad{background:#b3261e}
h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:.25rem 0;overflow-wrap:anywhere}small{opacity:.7}`;

/** Takes the spent code out of the address bar and the history. */
const SCRIPT = `history.replaceState(null,'',location.pathname)`;

const hashOf = (source: string) => `'sha256-${nodeCrypto().createHash('sha256').update(source).digest('base64')}'`;

/** Headers of every page: no scripts or styles but ours, no referrer, no copy in any cache. */
export function pageHeaders(): Readonly<Record<string, string>> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'content-security-policy': `default-src 'none'; style-src ${hashOf(STYLE)}; script-src ${hashOf(SCRIPT)}; base-uri 'none'; frame-ancestors 'none'`,
    connection: 'close',
  };
}

/** Headers for pages that others wrote: their own styles and scripts work. */
export function customPageHeaders(): Readonly<Record<string, string>> {
  const { 'content-security-policy': _ours, ...others } = pageHeaders();
  return others;
}

/** The page as HTML; every text is escaped. */
export function renderPage({ title, text, hint, good }: Page): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main><i class="${good ? 'good' : 'bad'}" aria-hidden="true">${good ? '✓' : '!'}</i><h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>${
    hint === undefined ? '' : `<p><small>${escapeHtml(hint)}</small></p>`
  }</main><script>${SCRIPT}</script></body></html>
`;
}

/** `text` with everything that HTML would take for markup made harmless. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

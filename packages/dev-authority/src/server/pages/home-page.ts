import type { AuthorityState } from '../authority-state.js';
import { escapeHtml, page } from './page.js';

/** What somebody sees who opens the authority's address in a browser. */
export function homePage({ origin, settings, directory }: AuthorityState): string {
  const rows = [
    ['Authority', `${origin}/${settings.tenantId}`],
    ['Metadata', `${origin}/${settings.tenantId}/v2.0/.well-known/openid-configuration`],
    ['Device code page', `${origin}/common/oauth2/deviceauth`],
    ['Graph-like API', `${origin}/v1.0/me`],
  ] as const;
  const links = rows.map(([label, url]) => `<li>${label}: <a href="${escapeHtml(url)}"><code>${escapeHtml(url)}</code></a></li>`);
  const people = directory.list(20).map(({ username }) => `<li>${escapeHtml(username)}</li>`);
  return page(
    'Dev authority',
    `<p>It is running.</p><ul>${links.join('')}</ul><p>People who can sign in:</p><ul>${people.join('')}</ul>`,
  );
}

import type { Person } from '../directory.js';
import { escapeHtml, page } from './page.js';

const personButton = ({ username, name }: Person) =>
  `<button name="username" value="${escapeHtml(username)}">${escapeHtml(name)}<small>${escapeHtml(username)}</small></button>`;

/** "Pick an account": one button per person, and a field for anybody else. */
export function signInPage(people: readonly Person[], clientId: string, hint: string | undefined): string {
  return page(
    'Sign in',
    `<p>to continue to <code>${escapeHtml(clientId)}</code></p>
<form method="post">${people.map(personButton).join('')}</form>
<form method="post"><input name="username" type="email" required placeholder="someone@else.example" aria-label="User name" value="${escapeHtml(hint ?? '')}">
<button class="primary">Next</button></form>
<form method="post"><button name="cancel" value="yes">Cancel</button></form>`,
  );
}

/** "Permissions requested". */
export function consentPage(clientId: string, scopes: readonly string[]): string {
  return page(
    'Permissions requested',
    `<p><code>${escapeHtml(clientId)}</code> would like to:</p>
<ul>${scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join('')}</ul>
<form method="post"><button class="primary" name="consent" value="accept">Accept</button>
<button name="cancel" value="yes">Cancel</button></form>`,
  );
}

/** Where somebody types the code that a device shows. */
export function devicePage(people: readonly Person[], userCode: string): string {
  return page(
    'Enter code',
    `<p>Enter the code that is shown on your device or in your app, and who you are.</p>
<form method="post"><input name="user_code" required autocomplete="off" placeholder="Code" aria-label="Code" value="${escapeHtml(userCode)}">
${people.map(personButton).join('')}
<button name="decline" value="yes">Decline</button></form>`,
  );
}

export const messagePage = (title: string, message: string): string => page(title, `<p>${escapeHtml(message)}</p>`);

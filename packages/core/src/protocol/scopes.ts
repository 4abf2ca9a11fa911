import { invalidArgument, nearestName } from '../options.js';

/** Helper names, short or full scopes; one string may hold several, separated by spaces. */
export type Scopes = string | readonly string[];

/** What each helper name stands for. */
export type ScopeHelpers = Readonly<Record<string, readonly string[]>>;

/** OpenID Connect scopes: they belong to no API, so they never get a prefix. */
export const reservedScopes: readonly string[] = Object.freeze(['openid', 'profile', 'offline_access', 'email']);

/** Microsoft Graph permissions by the helper names of python-o365. */
export const graphScopeHelpers: ScopeHelpers = Object.freeze({
  basic: ['User.Read'],
  mailbox: ['Mail.Read'],
  mailbox_shared: ['Mail.Read.Shared'],
  mailbox_settings: ['MailboxSettings.ReadWrite'],
  message_send: ['Mail.Send'],
  message_send_shared: ['Mail.Send.Shared'],
  message_all: ['Mail.ReadWrite', 'Mail.Send'],
  message_all_shared: ['Mail.ReadWrite.Shared', 'Mail.Send.Shared'],
  address_book: ['Contacts.Read'],
  address_book_shared: ['Contacts.Read.Shared'],
  address_book_all: ['Contacts.ReadWrite'],
  address_book_all_shared: ['Contacts.ReadWrite.Shared'],
  calendar: ['Calendars.Read'],
  calendar_shared: ['Calendars.Read.Shared'],
  calendar_all: ['Calendars.ReadWrite'],
  calendar_shared_all: ['Calendars.ReadWrite.Shared'],
  users: ['User.ReadBasic.All'],
  onedrive: ['Files.Read.All'],
  onedrive_all: ['Files.ReadWrite.All'],
  sharepoint: ['Sites.Read.All'],
  sharepoint_all: ['Sites.ReadWrite.All'],
  // Renamed upstream in 2024; its documentation still teaches this name.
  sharepoint_dl: ['Sites.ReadWrite.All'],
  settings_all: ['MailboxSettings.ReadWrite'],
  tasks: ['Tasks.Read'],
  tasks_all: ['Tasks.ReadWrite'],
  presence: ['Presence.Read'],
});

/**
 * Dynamics 365 Business Central permissions. The Graph helpers mean nothing there, so it has its own.
 * Source: the API permissions of "Dynamics 365 Business Central" in Entra ID.
 */
export const businessCentralScopeHelpers: ScopeHelpers = Object.freeze({
  basic: ['user_impersonation'],
  user_impersonation: ['user_impersonation'],
  financials_all: ['Financials.ReadWrite.All'],
  api_all: ['API.ReadWrite.All'],
  automation_all: ['Automation.ReadWrite.All'],
  app_access: ['app_access'],
});

/**
 * Full scopes for helpers, short scopes and full scopes, in the order given, each once.
 *
 * Helpers expand; absolute URIs, `api://…` and `<application id>/…` stay as they are; reserved scopes stay without prefix;
 * everything else gets `prefix`.
 * @throws TypeError for anything but a string or a list of strings (there is no implicit "everything"), and for a
 * lower-case word that is no helper, naming the nearest one. A protocol without helpers lets any word pass.
 */
export function resolveScopes(scopes: Scopes, options: { readonly prefix: string; readonly helpers: ScopeHelpers }): string[] {
  const resolved = new Map<string, string>();
  for (const word of scopeWords(scopes)) {
    for (const scope of expand(word, options.helpers)) {
      const full = prefixedScope(scope, options.prefix);
      const identity = full.toLowerCase();
      if (!resolved.has(identity)) resolved.set(identity, full);
    }
  }
  return [...resolved.values()];
}

/** `scope` with `prefix`, unless it is absolute or reserved. */
export function prefixedScope(scope: string, prefix: string): string {
  return isReserved(scope) || isAbsolute(scope) ? scope : prefix + scope;
}

function scopeWords(scopes: Scopes): string[] {
  const list = typeof scopes === 'string' ? [scopes] : scopes;
  if (!Array.isArray(list) || !list.every((scope) => typeof scope === 'string'))
    throw invalidArgument(
      'Scopes must be a string or a list of strings: helper names such as "basic", or permissions such as "Mail.Read".',
    );
  return list.flatMap((scope) => scope.split(/\s+/).filter((word) => word !== ''));
}

function expand(word: string, helpers: ScopeHelpers): readonly string[] {
  if (Object.hasOwn(helpers, word)) return helpers[word] ?? [];
  const names = Object.keys(helpers);
  if (names.length > 0 && isBareWord(word) && !isReserved(word)) throw unknownScope(word, names);
  return [word];
}

function unknownScope(word: string, names: readonly string[]): TypeError {
  const nearest = nearestName(word, [...names, ...reservedScopes]);
  return invalidArgument(
    `Unknown scope "${word}"${nearest ? `; did you mean "${nearest}"?` : '.'} ` +
      'Use a helper name, a permission such as "Mail.Read", or a full scope such as "api://…/access_as_user".',
  );
}

function isReserved(scope: string): boolean {
  return reservedScopes.includes(scope.toLowerCase());
}

/** `https://host/x`, `api://app/x`, `urn:x`, or an application id as resource (`<GUID>/.default`). */
function isAbsolute(scope: string): boolean {
  return /^[a-z][a-z\d+.-]*:/i.test(scope) || /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\//i.test(scope);
}

/** Permissions are capitalised or dotted; a lower-case word can only be a helper, or a typing mistake. */
function isBareWord(scope: string): boolean {
  return /^[a-z][\w-]*$/.test(scope);
}

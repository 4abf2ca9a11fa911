import { expect, test } from 'vitest';
import { contains, isReservedScope, normaliseScopes, resourceOf, splitScopes } from '../../src/tokens/scope-set.js';

const serves = (granted: string, asked: string) => contains(normaliseScopes(granted), normaliseScopes(asked));

test('short scopes are those of Microsoft Graph, whatever their case', () => {
  expect(normaliseScopes('User.Read')).toEqual(normaliseScopes(['https://Graph.Microsoft.com/user.read']));
  expect(serves('User.Read Mail.Read', 'https://graph.microsoft.com/mail.read')).toBe(true);
  expect(serves('https://graph.microsoft.com/User.Read', 'User.Read')).toBe(true);
});

test('the Graph of every cloud is one resource, for a record keeps the clouds apart by environment', () => {
  for (const host of ['graph.microsoft.us', 'dod-graph.microsoft.us', 'microsoftgraph.chinacloudapi.cn'])
    expect(serves(`https://${host}/User.Read`, 'User.Read')).toBe(true);
});

test('reserved scopes are no permissions', () => {
  expect(normaliseScopes('openid profile offline_access EMAIL')).toEqual([]);
  expect(isReservedScope('Offline_Access')).toBe(true);
  expect(serves('User.Read', 'openid User.Read offline_access')).toBe(true);
});

test('repetitions and order do not matter', () => {
  expect(normaliseScopes(['b', 'A', 'a', 'B'])).toEqual(normaliseScopes('a b'));
  expect(splitScopes(' a  b\nc ')).toEqual(['a', 'b', 'c']);
});

test.each([
  ['User.Read', 'https://graph.microsoft.com'],
  ['https://outlook.office.com/IMAP.AccessAsUser.All', 'https://outlook.office.com'],
  ['https://management.azure.com//.default', 'https://management.azure.com'],
  ['api://AAAA-bbbb/access_as_user', 'api://aaaa-bbbb'],
  ['0000-guid/.default', '0000-guid'],
  ['00000003-0000-0000-c000-000000000000/.default', 'https://graph.microsoft.com'],
  ['https://www.googleapis.com/auth/analytics', 'https://www.googleapis.com/auth'],
])('%s is for %s', (scope, resource) => {
  expect(resourceOf(scope)).toBe(resource);
});

test('.default is served by any scope of its resource and of no other', () => {
  expect(serves('User.Read', 'https://graph.microsoft.com/.default')).toBe(true);
  expect(serves('https://outlook.office.com/Mail.Read', 'https://graph.microsoft.com/.default')).toBe(false);
  expect(serves('https://management.azure.com/user_impersonation', 'https://management.azure.com//.default')).toBe(true);
});

test('a token for another resource does not serve a request that names no permission', () => {
  expect(serves('https://contoso.sharepoint.com/AllSites.Read', 'openid profile')).toBe(false);
  expect(serves('User.Read', 'openid profile')).toBe(true);
  expect(serves('openid profile', 'openid')).toBe(true);
});

test('every scope has to be there', () => {
  expect(serves('User.Read Mail.Read', 'Mail.Read User.Read')).toBe(true);
  expect(serves('User.Read', 'Mail.Read User.Read')).toBe(false);
});

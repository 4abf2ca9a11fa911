import { expect, test } from 'vitest';
import { MSGraphProtocol } from '../../src/protocol/graph.js';
import { resourcePath } from '../../src/protocol/resource.js';

test.each([
  ['me', 'me'],
  ['', ''],
  ['user:ada@contoso.com', 'users/ada@contoso.com'],
  ['ada@contoso.com', 'users/ada@contoso.com'],
  ['user:42', 'users/42'],
  ['ada_x.com#EXT#@contoso.com', 'users/ada_x.com%23EXT%23@contoso.com'],
  ['group:1-2', 'groups/1-2'],
  ['site:contoso.sharepoint.com,1,2', 'sites/contoso.sharepoint.com,1,2'],
  ['site:contoso.sharepoint.com:/teams/hr', 'sites/contoso.sharepoint.com:/teams/hr'],
  ['user:a/../../beta?x=1#y', 'users/a%2F..%2F..%2Fbeta%3Fx%3D1%23y'],
  ['/users/ada@contoso.com/', 'users/ada@contoso.com'],
])('%s is %s', (resource, path) => {
  expect(resourcePath(resource)).toBe(path);
});

test.each(['..', 'users/..', 'user:..', 'site:a/../b', '.', 'user:', 'group:'])('%s is refused', (resource) => {
  expect(() => resourcePath(resource)).toThrow(TypeError);
});

test('a protocol puts resource and path behind its service URL', () => {
  const graph = new MSGraphProtocol();
  expect(graph.resourceUrl('/messages')).toBe('https://graph.microsoft.com/v1.0/me/messages');
  expect(graph.resourceUrl('messages', 'ada@contoso.com')).toBe(
    'https://graph.microsoft.com/v1.0/users/ada@contoso.com/messages',
  );
  expect(graph.resourceUrl('organization', '')).toBe('https://graph.microsoft.com/v1.0/organization');
  expect(new MSGraphProtocol({ defaultResource: 'site:root' }).resourceUrl()).toBe('https://graph.microsoft.com/v1.0/sites/root');
});

import { describe, expect, it } from 'vitest';
import { type Cloud, resolveCloud } from '../../src/entra/cloud.js';
import { endpointsOf } from '../../src/entra/endpoints.js';
import { environmentsOf } from '../../src/entra/environments.js';

const custom = { name: 'dev', authority: 'https://localhost:8443', graphHost: 'localhost:8443' };

describe('a cloud', () => {
  it('is the global one by default', () => {
    expect(resolveCloud(undefined).authority).toBe('https://login.microsoftonline.com');
  });

  it('names authority, Graph and Exchange together', () => {
    expect(resolveCloud('china')).toEqual({
      name: 'china',
      authority: 'https://login.partner.microsoftonline.cn',
      graphHost: 'microsoftgraph.chinacloudapi.cn',
      exchangeHost: 'partner.outlook.cn',
    });
    expect(resolveCloud('usgov').graphHost).toBe('graph.microsoft.us');
    expect(resolveCloud('usgov-dod').graphHost).toBe('dod-graph.microsoft.us');
  });

  it('can be custom', () => {
    expect(resolveCloud({ ...custom, authority: 'https://localhost:8443/' })).toEqual(custom);
  });

  it.each([
    ['an unknown name', 'usgv', 'did you mean "usgov"'],
    ['a plain http authority', { ...custom, authority: 'http://localhost:8443' }, 'https URL'],
    ['an authority with credentials', { ...custom, authority: 'https://a:b@localhost' }, 'https URL'],
    ['a Graph URL instead of a host', { ...custom, graphHost: 'https://graph.microsoft.com' }, 'without scheme'],
    ['a misspelt option', { ...custom, graphhost: 'x' }, 'did you mean "graphHost"'],
    ['no name', { ...custom, name: '' }, 'needs a name'],
  ])('refuses %s', (_name, cloud, message) => {
    expect(() => resolveCloud(cloud as Cloud)).toThrow(message);
  });

  it('has the environments that caches know it by, the canonical one first', () => {
    expect(environmentsOf(resolveCloud('global'))).toEqual([
      'login.windows.net',
      'login.microsoftonline.com',
      'login.microsoft.com',
      'sts.windows.net',
    ]);
    expect(environmentsOf(custom)).toEqual(['localhost:8443']);
  });

  it('has endpoints that need no discovery', () => {
    const { token, deviceCode, issuer } = endpointsOf(resolveCloud('global'), 'contoso.onmicrosoft.com');
    expect(token).toBe('https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token');
    expect(deviceCode).toBe('https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/devicecode');
    expect(issuer).toBe('https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0');
  });
});

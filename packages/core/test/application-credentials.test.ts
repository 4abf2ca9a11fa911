import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  type ApplicationCredentials,
  flowTypeOf,
  normaliseCredentials,
  SYSTEM_ASSIGNED_IDENTITY,
} from '../src/application-credentials.js';
import { certificate, privateKey } from './entra/certificates.js';

const pem = { privateKey, certificate };
const assertion = async () => 'eyJ.TEST';
const bad = (credentials: unknown) => () => normaliseCredentials(credentials as ApplicationCredentials);

describe('application credentials', () => {
  it('take python-o365 tuples and named forms', () => {
    const kinds = (
      [
        ['id'],
        ['id', 'secret-TEST-1'],
        { clientId: 'id' },
        { clientId: 'id', clientSecret: async () => 'secret-TEST-1' },
        { clientId: 'id', clientCertificate: pem },
        { clientId: 'id', clientAssertion: assertion },
        { managedIdentity: true },
        { managedIdentity: { clientId: 'id' } },
        { accessToken: async () => ({ token: 'at-TEST-1', expiresAt: 0 }) },
      ] as ApplicationCredentials[]
    ).map((credentials) => normaliseCredentials(credentials));
    expect(kinds.map(({ kind, clientId }) => [kind, clientId])).toEqual([
      ['public', 'id'],
      ['secret', 'id'],
      ['public', 'id'],
      ['secret', 'id'],
      ['certificate', 'id'],
      ['assertion', 'id'],
      ['managed-identity', SYSTEM_ASSIGNED_IDENTITY],
      ['managed-identity', 'id'],
      ['access-token', 'access-token'],
    ]);
  });

  it('are the same object when normalised twice', () => {
    const credentials = normaliseCredentials(['id']);
    expect(normaliseCredentials(credentials)).toBe(credentials);
  });

  it.each([
    ['an empty secret', ['id', ''], 'clientSecret is empty'],
    ['a blank client id', [' '], 'clientId must be'],
    ['a bare string', 'id', 'write [clientId]'],
    ['a certificate in a tuple', ['id', pem], 'clientCertificate: {'],
    ['a tuple of three', ['id', 'a', 'b'], 'a tuple is'],
    [
      'two proofs at once',
      { clientId: 'id', clientSecret: 'x', clientAssertion: assertion },
      'one of clientSecret, clientAssertion',
    ],
    ['a certificate that is no PEM', { clientId: 'id', clientCertificate: { privateKey: 'x', certificate: 'y' } }, 'as PEM text'],
    ['an empty PFX', { clientId: 'id', clientCertificate: { pfx: new Uint8Array() } }, 'PKCS#12'],
    ['a misspelt name', { clientId: 'id', clientSecert: 'x' }, 'did you mean "clientSecret"'],
    ['an assertion that is no function', { clientId: 'id', clientAssertion: 'eyJ' }, 'must be a function'],
    ['a client id beside a managed identity', { clientId: 'id', managedIdentity: true }, 'managedIdentity: { clientId }'],
  ])('refuse %s', (_name, credentials, message) => {
    expect(bad(credentials)).toThrow(TypeError);
    expect(bad(credentials)).toThrow(message);
  });

  it('show no secret in inspect, JSON or spread', () => {
    const credentials = normaliseCredentials(['id', 'secret-TEST-1']);
    const shown = `${inspect(credentials, { showHidden: true, depth: 9 })}${JSON.stringify(credentials)}${JSON.stringify({ ...credentials })}`;
    expect(shown).toContain('id');
    expect(shown).not.toContain('secret-TEST');
  });
});

describe('the flow', () => {
  const flowOf = (credentials: ApplicationCredentials, flow?: Parameters<typeof flowTypeOf>[1]) =>
    flowTypeOf(normaliseCredentials(credentials), flow);

  it('follows from the credentials', () => {
    expect(flowOf(['id'])).toBe('public');
    expect(flowOf(['id', 'secret-TEST-1'])).toBe('authorization');
    expect(flowOf({ clientId: 'id', clientCertificate: pem })).toBe('credentials');
    expect(flowOf({ clientId: 'id', clientAssertion: assertion })).toBe('credentials');
    expect(flowOf({ managedIdentity: true })).toBe('credentials');
  });

  it('can be chosen where the credentials allow it', () => {
    expect(flowOf(['id', 'secret-TEST-1'], 'credentials')).toBe('credentials');
    expect(flowOf({ clientId: 'id', clientCertificate: pem }, 'authorization')).toBe('authorization');
    expect(flowOf(['id'], 'password')).toBe('password');
  });

  it.each(['public', 'password'] as const)('%s refuses a secret', (flow) => {
    expect(() => flowOf(['id', 'secret-TEST-1'], flow)).toThrow('give the client id alone');
  });

  it.each(['authorization', 'credentials'] as const)('%s needs a proof of who the program is', (flow) => {
    expect(() => flowOf(['id'], flow)).toThrow('needs a client secret, certificate or assertion');
  });

  it('must be one of the four', () => {
    expect(() => flowOf(['id'], 'certificate' as 'public')).toThrow('unknown flow "certificate"');
  });
});

import { InProcessLeases } from '@tokenry/core/backend';
import { SecretsManagerTokenBackend, type SecretsManagerTokenBackendOptions } from '@tokenry/secrets-manager';
import { describe, expect, test } from 'vitest';

describe('options', () => {
  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['an unknown option', { secretname: 'a' }, /did you mean "secretName"/],
    ['a name that is none', { secretName: 'a b' }, /secretName must be the name/],
    ['a client and options for one', { client: {}, clientOptions: {} }, /exclude each other/],
    ['too short a window', { recoveryWindowInDays: 3 }, /7 to 30/],
    ['a window without recovery', { forceDeleteWithoutRecovery: true, recoveryWindowInDays: 7 }, /give one of them/],
    ['a negative interval', { minimumWriteIntervalMs: -1 }, /0 or more/],
    ['tags that are no strings', { tags: { a: 1 } }, /object of strings/],
    ['two default names', { secretName: 'a', defaultTokenKey: 'b' }, /give one of them/],
    ['a time-out of nothing', { timeoutMs: 0 }, /between 1 and 600000/],
    ['a client that is none', { client: {} }, /client must be a SecretsManagerClient/],
    ['options for a client that are text', { clientOptions: 'eu-west-1' }, /clientOptions must be an object/],
    ['options for a client that are null', { clientOptions: null }, /clientOptions must be an object/],
    ['an endpoint without a scheme', { clientOptions: { endpoint: 'localhost:4566' } }, /begins with http/],
    ['an endpoint as a URL object', { clientOptions: { endpoint: new URL('http://a') } }, /begins with http/],
    ['a deletion for ever that is text', { forceDeleteWithoutRecovery: 'false' }, /must be true or false/],
    ['tags that are text', { tags: 'team' }, /object of strings/],
    ['tags that are a list', { tags: ['team'] }, /object of strings/],
    ['a name too long', { prefix: 'p'.repeat(200), secretName: 's'.repeat(256), keyPrefix: 'K'.repeat(19) }, /513 characters/],
  ];
  test.each(wrong)('%s is refused', (_what, options, message) => {
    expect(() => new SecretsManagerTokenBackend(options as SecretsManagerTokenBackendOptions)).toThrow(message);
  });

  test('leases are in process only, which capabilities say; injected ones are what they are', () => {
    expect(new SecretsManagerTokenBackend().capabilities).toMatchObject({ leases: false, conditionalWrites: true });
    expect(new SecretsManagerTokenBackend({ leases: new InProcessLeases() }).capabilities).toMatchObject({ leases: true });
  });

  test('a warning says it once per process', async () => {
    const warnings: string[] = [];
    const listener = (warning: Error) => void warnings.push(warning.message);
    process.on('warning', listener);
    expect([new SecretsManagerTokenBackend().leases, new SecretsManagerTokenBackend().leases]).toHaveLength(2);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listener);
    expect(warnings).toEqual([expect.stringContaining('leases hold in this process only')]);
  });
});

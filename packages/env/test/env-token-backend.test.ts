import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RecordTooLargeError, VersionConflictError } from '@tokenry/core/backend';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { EnvTokenBackend } from '../src/index.js';
import { recordIn, variableOf } from '../src/variable-name.js';
import { decodeValue, encodeValue } from '../src/variable-value.js';

const NAME = 'TOKENRY_TEST_ENV';
const json = '{"AccessToken":{},"RefreshToken":{}}';
const bytes = (text: string) => Buffer.from(text);

afterEach(() => {
  for (const variable of Object.keys(process.env)) if (variable.startsWith(NAME)) delete process.env[variable];
});

describe('EnvTokenBackend', () => {
  it('takes the variable literally as its default record, as plain JSON text', async () => {
    const backend = new EnvTokenBackend({ tokenEnvName: NAME });
    await backend.records.write(NAME, bytes(json), { expect: 'absent' });
    expect(process.env[NAME]).toBe(json);
    expect(backend.defaultTokenKey).toBe(NAME);
  });

  it('uses O365TOKEN unless told otherwise', () => {
    expect(new EnvTokenBackend().defaultTokenKey).toBe('O365TOKEN');
  });

  it('keeps other keys in variables beside it', async () => {
    const backend = new EnvTokenBackend({ tokenEnvName: NAME });
    await backend.records.write('user-42', bytes(json), { expect: 'absent' });
    expect(process.env[`${NAME}__USER_2D42`]).toBe(json);
    process.env[`${NAME}_FILE`] = '/run/secrets/token';
    process.env[`${NAME}__not_a_name`] = 'x';
    const keys: string[] = [];
    for await (const key of backend.listKeys()) keys.push(key);
    expect(keys).toEqual(['user-42']);
  });

  it('reads what a deployment has put there, and takes an empty variable as absent', async () => {
    const backend = new EnvTokenBackend({ tokenEnvName: NAME });
    process.env[NAME] = json;
    expect(await backend.records.read(NAME)).toMatchObject({ data: bytes(json) });
    process.env[NAME] = '';
    expect(await backend.records.read(NAME)).toBeUndefined();
    await backend.records.write(NAME, bytes(json), { expect: 'absent' });
    expect(process.env[NAME]).toBe(json);
  });

  it('shares its records and leases with other instances of the process', async () => {
    const [one, other] = [new EnvTokenBackend({ tokenEnvName: NAME }), new EnvTokenBackend({ tokenEnvName: NAME })];
    expect(one.id).toBe(other.id);
    const version = await one.records.write('k', bytes('1'), { expect: 'absent' });
    await other.records.write('k', bytes('2'), { expect: { version } });
    await expect(one.records.write('k', bytes('3'), { expect: { version } })).rejects.toThrow(VersionConflictError);
    const request = { owner: 'a', ttlMs: 1_000 };
    expect(await one.leases.tryAcquire(NAME, request)).toEqual({ acquired: true });
    expect(await other.leases.tryAcquire(NAME, { ...request, owner: 'b' })).toMatchObject({ acquired: false, holder: 'a' });
    await one.leases.release(NAME, request);
  });

  it('refuses a record with which no program could be started any more', async () => {
    const backend = new EnvTokenBackend({ tokenEnvName: NAME });
    const { maxRecordBytes = 0 } = backend.capabilities;
    const binary = new Uint8Array(maxRecordBytes).fill(0xff);
    await backend.records.write('k'.repeat(190), binary, { expect: 'absent' });
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', 'console.log(1 + 1)']);
    expect(stdout).toBe('2\n');
    await expect(backend.records.write('k', new Uint8Array(maxRecordBytes + 1), { expect: 'absent' })).rejects.toThrow(
      RecordTooLargeError,
    );
  });

  it.each(['', '1TOKEN', 'A B', 'A=B', 'É'])('refuses the variable name %j', (tokenEnvName) => {
    expect(() => new EnvTokenBackend({ tokenEnvName })).toThrow(expect.objectContaining({ code: 'TOKENRY_INVALID_ARGUMENT' }));
  });

  it('refuses unknown options by name', () => {
    const options = { tokenEnvNmae: 'X' } as object;
    expect(() => new EnvTokenBackend(options)).toThrow(/did you mean "tokenEnvName"/);
  });
});

describe('variables', () => {
  it('have names that every shell takes, one per record, and say which', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_.=-]{1,60}$/), (name) => {
        const variable = variableOf(NAME, name);
        expect(variable).toMatch(/^[A-Z0-9_]+$/);
        expect(recordIn(NAME, variable)).toBe(name);
      }),
    );
  });

  it('return any bytes unchanged', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.constantFrom('', 'base64:', 'a\u0000b', 'ü').map(bytes)), (data) => {
        const value = encodeValue(data);
        expect(value === '' || value.includes('\u0000')).toBe(false);
        expect(Buffer.from(decodeValue(value))).toEqual(Buffer.from(data));
      }),
    );
  });
});

import { readFile } from 'node:fs/promises';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SecretsManagerTokenBackend, type SecretsManagerTokenBackendOptions } from '@tokenry/secrets-manager';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { signedIn } from '../../../test-support/signed-in.ts';
import { clientOptionsFor, describeOnMoto } from '../../s3/test/servers/aws.js';
import { collect, mendAfter, rejection } from '../../s3/test/servers/checks.js';
import type { GateRequest } from '../../s3/test/servers/gate.js';
import { policyIn, usersWithoutEachAction, userWithPolicy } from '../../s3/test/servers/iam.js';

const bytes = (text: string) => Buffer.from(text);
const actionOf = ({ headers }: GateRequest): string => String(headers['x-amz-target']).replace('secretsmanager.', '');

await describeOnMoto('on an emulator', ({ moto, gate }) => {
  const direct = new SecretsManagerClient(clientOptionsFor(moto));

  const open = (options: SecretsManagerTokenBackendOptions = {}): SecretsManagerTokenBackend => {
    const { client, clientOptions = {}, ...others } = options;
    const how = client ? { client } : { clientOptions: { ...clientOptionsFor(gate), ...clientOptions } };
    const backend = new SecretsManagerTokenBackend({ secretName: 'o365', ...others, ...how });
    onTestFinished(() => backend.close());
    return backend;
  };
  const describeSecret = (SecretId: string) => direct.send(new DescribeSecretCommand({ SecretId }));
  const textIn = async (SecretId: string) =>
    (await direct.send(new GetSecretValueCommand({ SecretId, VersionStage: 'AWSCURRENT' }))).SecretString;
  const actions = () => gate.seen.map(actionOf);

  beforeEach(() => moto.reset());

  test('a record that python-o365 wrote is read as is, and ours is text that it can read', async () => {
    const text = signedIn('ada').exportForPython();
    await direct.send(new CreateSecretCommand({ Name: 'o365', SecretString: text }));
    const backend = open();
    expect(await backend.records.read('o365')).toMatchObject({ data: bytes(text) });
    await backend.saveToken(signedIn('bob'));
    expect(Object.keys(JSON.parse((await textIn('o365')) ?? '').RefreshToken)).toHaveLength(2);
  });

  test('records lie behind the prefix, the default one where it was named', async () => {
    const backend = open({ prefix: 'prod/tokens/', kmsKeyId: 'alias/tokens', tags: { team: 'mail' } });
    await backend.records.write('o365', bytes('{"a":1}'), { expect: 'absent' });
    await backend.records.write('User 1', bytes('{"b":2}'), { expect: 'absent' });
    await direct.send(new CreateSecretCommand({ Name: 'o365-other', SecretString: '{}' }));
    expect([await textIn('o365'), await textIn('prod/tokens/=55ser=201')]).toEqual(['{"a":1}', '{"b":2}']);
    expect(await collect(backend.listKeys())).toEqual(['o365', 'User 1']);
    expect(await describeSecret('o365')).toMatchObject({ KmsKeyId: 'alias/tokens', Tags: [{ Key: 'team', Value: 'mail' }] });
  });

  test('after five minutes a record is read again in the background, while the old one serves', async () => {
    let passedMs = 0;
    const backend = open({ clock: { now: () => Date.now() + passedMs, monotonic: () => performance.now() + passedMs } });
    await backend.saveToken(signedIn('ada'));
    const before = gate.seen.length;
    const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
    gate.intercept = () => released;
    passedMs = 301_000;
    expect((await backend.loadToken())?.getAccounts()).toHaveLength(1);
    await expect.poll(() => gate.seen.length).toBe(before + 1);
    release(undefined);
  });

  test('a remover that stood still leaves the mark instead of deleting what may be new by then', async () => {
    const backend = open();
    await backend.saveToken(signedIn('ada'));
    let stoodStillMs = 0;
    const clock = performance.now.bind(performance);
    const spied = vi.spyOn(performance, 'now').mockImplementation(() => clock() + stoodStillMs);
    gate.intercept = (request) => {
      if (actionOf(request) === 'UpdateSecretVersionStage') stoodStillMs = 4_001;
      return undefined;
    };
    expect(await mendAfter(backend.deleteToken(), async () => spied.mockRestore())).toBe(true);
    expect(actions()).not.toContain('DeleteSecret');
    expect(await backend.loadToken({ fresh: true })).toBeUndefined();
    // Removing again finishes the work.
    expect(await backend.deleteToken()).toBe(false);
    expect((await describeSecret('o365')).DeletedDate).toBeInstanceOf(Date);
  });

  test('who waited long to make a record still leaves a remover the time to end', async () => {
    const [maker, remover] = [open(), open()];
    await maker.saveToken(signedIn('ada'));
    const [making, deleting] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    let makings = 0;
    gate.intercept = (request) => {
      if (actionOf(request) === 'CreateSecret' && ++makings === 1) return making.promise;
      return actionOf(request) === 'DeleteSecret' ? deleting.promise : undefined;
    };
    const made = maker.records.write('o365', bytes('{"b":2}'), { expect: 'absent' });
    await expect.poll(() => makings).toBe(1);
    const removed = remover.deleteToken();
    await expect.poll(actions).toContain('DeleteSecret');
    const clock = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => clock() + 6_000);
    onTestFinished(() => void vi.restoreAllMocks());
    making.resolve(undefined);
    await Promise.race([made, expect.poll(() => makings).toBeGreaterThan(2)]);
    deleting.resolve(undefined);
    await Promise.all([made, removed]);
    expect(await textIn('o365')).toBe('{"b":2}');
  });

  test('a deletion whose answer was lost is not sent again blindly: a new record may be there by then', async () => {
    const [remover, maker] = [open(), open()];
    await remover.saveToken(signedIn('ada'));
    const again = Promise.withResolvers<undefined>();
    let deletions = 0;
    gate.intercept = (request) => {
      if (actionOf(request) !== 'DeleteSecret') return undefined;
      return ++deletions === 1 ? 'lose-answer' : again.promise;
    };
    const removed = remover.deleteToken();
    await expect.poll(async () => (await describeSecret('o365')).DeletedDate).toBeInstanceOf(Date);
    await maker.records.write('o365', bytes('{"b":2}'), { expect: 'absent' });
    again.resolve(undefined);
    expect(await removed).toBe(true);
    expect(await textIn('o365')).toBe('{"b":2}');
  });

  test("who finishes another one's removal begins it anew, and the waiting maker of a record waits again", async () => {
    const [maker, remover] = [open(), open()];
    await maker.saveToken(signedIn('ada'));
    gate.intercept = (request) => (actionOf(request) === 'DeleteSecret' ? 'reset' : undefined);
    await maker.deleteToken();
    const mark = Object.entries((await describeSecret('o365')).VersionIdsToStages ?? {});
    const deleting = Promise.withResolvers<undefined>();
    let [makings, deletions] = [0, 0];
    gate.intercept = (request) => {
      if (actionOf(request) === 'CreateSecret') makings += 1;
      if (actionOf(request) !== 'DeleteSecret') return undefined;
      deletions += 1;
      return deleting.promise;
    };
    let laterMs = 0;
    const clock = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => clock() + laterMs);
    onTestFinished(() => void vi.restoreAllMocks());
    const made = maker.records.write('o365', bytes('{"b":2}'), { expect: 'absent' });
    await expect.poll(() => makings).toBeGreaterThan(1);
    laterMs = 2_500;
    const removed = remover.deleteToken();
    await expect.poll(() => deletions).toBe(1);
    expect(Object.entries((await describeSecret('o365')).VersionIdsToStages ?? {})).not.toEqual(mark);
    // Long enough for the first mark, not for the second.
    laterMs = 5_100;
    const until = makings + 3;
    await Promise.race([made, expect.poll(() => makings).toBeGreaterThan(until)]);
    deleting.resolve(undefined);
    expect(await removed).toBe(false);
    await made;
    expect(await textIn('o365')).toBe('{"b":2}');
  });

  test('a default secret behind the prefix is one record under one name', async () => {
    const backend = open({ secretName: 'prod/main', prefix: 'prod/' });
    await backend.records.write('main', bytes('{"a":1}'), { expect: 'absent' });
    expect([await textIn('prod/main'), backend.defaultTokenKey, await collect(backend.listKeys())]).toEqual([
      '{"a":1}',
      'main',
      ['main'],
    ]);
  });

  test('what is no text is kept as bytes', async () => {
    const backend = open();
    const data = new Uint8Array([0xff, 0xfe, 0x00]);
    await backend.records.write('a', data, { expect: 'absent' });
    expect(await backend.records.read('a')).toMatchObject({ data });
    expect(await rejection(backend.records.write('b', new Uint8Array(), { expect: 'absent' }))).toMatchObject({
      code: 'TOKENRY_CAPABILITY',
    });
  });

  test('a save is two requests, and leaves no more labelled versions than three', async () => {
    const backend = open();
    let version = await backend.records.write('a', bytes('0'), { expect: 'absent' });
    gate.seen.length = 0;
    for (const text of ['1', '2', '3', '4']) version = await backend.records.write('a', bytes(text), { expect: { version } });
    expect(actions()).toEqual(Array(4).fill(['PutSecretValue', 'UpdateSecretVersionStage']).flat());
    const { VersionIdsToStages = {} } = await describeSecret('o365/a');
    expect(
      Object.values(VersionIdsToStages)
        .filter(({ length }) => length > 0) // without labels, the service removes them
        .map((stages) => [...stages].sort())
        .sort(),
    ).toEqual([['AWSCURRENT', 'TOKENRY_PENDING'], ['AWSPREVIOUS']]);
  });

  test('who loses is told so, and the next writer takes the label away from the loser', async () => {
    const backend = open();
    const first = await backend.records.write('a', bytes('0'), { expect: 'absent' });
    const second = await backend.records.write('a', bytes('1'), { expect: { version: first } });
    const error = await rejection(backend.records.write('a', bytes('lost'), { expect: { version: first } }));
    expect([error, await textIn('o365/a')]).toMatchObject([{ code: 'TOKENRY_VERSION_CONFLICT' }, '1']);
    await backend.records.write('a', bytes('2'), { expect: { version: second } });
    const { VersionIdsToStages = {} } = await describeSecret('o365/a');
    expect(
      Object.values(VersionIdsToStages)
        .flat()
        .filter((stage) => stage === 'TOKENRY_PENDING'),
    ).toHaveLength(1);
  });

  test.each(['CreateSecret', 'PutSecretValue', 'UpdateSecretVersionStage'])(
    'a %s whose answer was lost is repeated, and recognised as done',
    async (action) => {
      const backend = open();
      let lost = 0;
      gate.intercept = (request) => (actionOf(request) === action && lost++ === 0 ? 'lose-answer' : undefined);
      const version = await backend.records.write('a', bytes('0'), { expect: 'absent' });
      const next = await backend.records.write('a', bytes('1'), { expect: { version } });
      expect(await backend.records.read('a')).toEqual({ data: bytes('1'), version: next });
      expect(lost).toBeGreaterThan(1);
    },
  );

  test('a deleted record is absent, can be recovered by hand, and a sign-in takes its place', async () => {
    const backend = open();
    await backend.saveToken(signedIn('ada'));
    expect([await backend.deleteToken(), await backend.deleteToken()]).toEqual([true, false]);
    const { DeletedDate, VersionIdsToStages = {} } = await describeSecret('o365');
    expect(DeletedDate).toBeInstanceOf(Date);
    expect(Object.values(VersionIdsToStages).flat()).toContain('AWSPREVIOUS');
    expect([await backend.loadToken({ fresh: true }), await collect(backend.listKeys())]).toEqual([undefined, []]);
    await backend.saveToken(signedIn('bob'));
    expect((await backend.loadToken({ fresh: true }))?.getAccounts().map(({ username }) => username)).toEqual([
      'bob@contoso.example',
    ]);
    expect(actions()).toContain('RestoreSecret');
  });

  test('between the restoration and the new record, the old one is not seen', async () => {
    const [backend, reader] = [open(), open()];
    await backend.saveToken(signedIn('ada'));
    await backend.deleteToken();
    const seen: unknown[] = [];
    gate.intercept = async (request) => {
      if (actionOf(request) === 'PutSecretValue') seen.push(await reader.loadToken({ fresh: true }));
      return undefined;
    };
    await backend.saveToken(signedIn('bob'));
    expect(seen).toEqual([undefined]);
  });

  test('a secret that somebody deleted by hand is restored by a sign-in', async () => {
    const backend = open();
    await backend.saveToken(signedIn('ada'));
    await direct.send(new DeleteSecretCommand({ SecretId: 'o365' }));
    expect(await backend.loadToken({ fresh: true })).toBeUndefined();
    await backend.saveToken(signedIn('bob'));
    expect((await backend.loadToken({ fresh: true }))?.getAccounts()).toHaveLength(1);
  });

  test('a removal that was cut off in the middle stays a removal, and a sign-in takes its place', async () => {
    const backend = open();
    await backend.saveToken(signedIn('ada'));
    gate.intercept = (request) => (actionOf(request) === 'DeleteSecret' ? 'reset' : undefined);
    expect(
      await rejection(
        open()
          .deleteToken()
          .then((removed) => Promise.reject(new Error(`${removed}`))),
      ),
    ).toMatchObject({ message: 'true' });
    gate.intercept = () => undefined;
    expect(await backend.loadToken({ fresh: true })).toBeUndefined();
    await backend.saveToken(signedIn('bob'));
    expect((await backend.loadToken({ fresh: true }))?.getAccounts()).toHaveLength(1);
  });

  test('a secret that was made without a value is an absent record', async () => {
    await direct.send(new CreateSecretCommand({ Name: 'o365' }));
    const backend = open();
    expect(await backend.loadToken()).toBeUndefined();
    await backend.saveToken(signedIn('ada'));
    expect((await open().loadToken())?.hasData).toBe(true);
  });

  test('forceDeleteWithoutRecovery removes for ever, and only if asked to', async () => {
    const backend = open({ forceDeleteWithoutRecovery: true });
    await backend.saveToken(signedIn('ada'));
    expect(await backend.deleteToken()).toBe(true);
    expect(await rejection(describeSecret('o365'))).toMatchObject({ name: 'ResourceNotFoundException' });
    await backend.saveToken(signedIn('bob'));
    expect((await backend.loadToken({ fresh: true }))?.getAccounts()).toHaveLength(1);
  });

  test('a silent service is an outage after timeoutMs, for a client with the time-outs of the vendor too', async () => {
    const client = new SecretsManagerClient({ ...clientOptionsFor(gate), maxAttempts: 1 });
    const [patient, backend] = [open({ client }), open({ client, timeoutMs: 400 })];
    await patient.records.write('a', bytes('{"a":1}'), { expect: 'absent' });
    gate.intercept = () => 'hang';
    const silent = [
      () => backend.records.read('a'),
      () => backend.records.write('a', bytes('{"a":2}'), { expect: 'anything' }),
      () => backend.records.remove('a', { expect: 'anything' }),
      () => collect(backend.listKeys()),
    ];
    for (const operation of silent) expect(await rejection(operation())).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
    // Also when it falls silent in the middle of an answer.
    gate.intercept = () => 'stall-answer';
    expect(await rejection(backend.records.read('a'))).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
    gate.intercept = () => undefined;
    expect(await patient.records.read('a')).toMatchObject({ data: bytes('{"a":1}') });
    client.destroy();
  });

  test('a stopped server is an outage, and refused keys are a denial', async () => {
    const backend = open();
    await backend.saveToken(signedIn('ada'));
    const reopen = await gate.shut();
    const down = await mendAfter(rejection(backend.loadToken({ fresh: true })), reopen);
    expect(down).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') });
    await moto.enforcePermissions(true);
    const denied = await mendAfter(rejection(backend.loadToken({ fresh: true })), () => moto.enforcePermissions(false));
    expect(denied).toMatchObject({ code: 'TOKENRY_BACKEND_ACCESS_DENIED' });
    expect((await backend.loadToken({ fresh: true }))?.hasData).toBe(true);
  });

  test('an injected client outlives the backend', async () => {
    const client = new SecretsManagerClient(clientOptionsFor(gate));
    const backend = open({ client });
    await backend.saveToken(signedIn('ada'));
    await backend.close();
    expect((await open({ client }).loadToken())?.hasData).toBe(true);
    client.destroy();
  });

  test('the policy in the README allows everything that is needed, and each of its actions is needed', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    // The emulator knows no resources of this service, only actions.
    const policy = policyIn(readme, { 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/o365-token*': '*' });
    const credentials = await userWithPolicy(moto.port, policy);
    const lesser = await usersWithoutEachAction(moto.port, policy);
    const useAll = async (keys: typeof credentials, name: string) => {
      const backend = open({ clientOptions: { credentials: keys, maxAttempts: 1 }, secretName: `o365-${name}` });
      const version = await backend.records.write('a', bytes('{}'), { expect: 'absent' });
      await backend.records.write('a', bytes('{"b":1}'), { expect: { version } });
      await collect(backend.listKeys());
      await backend.deleteToken({ tokenKey: 'a' });
      await backend.records.write('a', bytes('{}'), { expect: 'absent' });
      await backend.records.read('a');
    };
    await moto.enforcePermissions(true);
    try {
      await useAll(credentials, 'all');
      for (const [index, { left, credentials: keys }] of lesser.entries())
        expect(await rejection(useAll(keys, String(index))), left).toMatchObject({ code: 'TOKENRY_BACKEND_ACCESS_DENIED' });
    } finally {
      await moto.enforcePermissions(false);
    }
  });
});

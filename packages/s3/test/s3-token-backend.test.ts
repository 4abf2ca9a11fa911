import { readFile } from 'node:fs/promises';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { S3TokenBackend, type S3TokenBackendOptions } from '@tokenry/s3';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { signedIn } from '../../../test-support/signed-in.ts';
import { clientOptionsFor, describeOnMoto } from './servers/aws.js';
import { collect, mendAfter, rejection } from './servers/checks.js';
import type { Gate, GateRequest } from './servers/gate.js';
import { policyIn, usersWithoutEachAction, userWithPolicy } from './servers/iam.js';

const bytes = (text: string) => Buffer.from(text);
const isProbe = ({ url }: GateRequest) => url.includes('probe-');

/** The emulator computes signatures over decoded paths; S3 over encoded ones. */
function signingPlainly(gate: Gate, credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }): S3Client {
  const client = new S3Client({ ...clientOptionsFor(gate), forcePathStyle: true, maxAttempts: 1, credentials });
  for (const [relation, convert] of [
    ['before', decodeURI3986],
    ['after', encodeURI3986],
  ] as const)
    client.middlewareStack.addRelativeTo(
      ((next: (args: object) => unknown) => (args: { readonly request: { path: string } }) => {
        args.request.path = convert(args.request.path);
        return next(args);
      }) as never,
      { relation, toMiddleware: 'httpSigningMiddleware', name: `${relation}Signing` },
    );
  return client;
}
const decodeURI3986 = (path: string): string => decodeURIComponent(path);
const encodeURI3986 = (path: string): string => path.replaceAll('=', '%3D');

await describeOnMoto('on an emulator', ({ moto, gate }) => {
  const direct = new S3Client({ ...clientOptionsFor(moto), forcePathStyle: true });
  let bucketName: string;
  let count = 0;

  const open = (options: Partial<S3TokenBackendOptions> = {}): S3TokenBackend => {
    const { client, clientOptions = {}, ...others } = options;
    const how = client ? { client } : { clientOptions: { ...clientOptionsFor(gate), forcePathStyle: true, ...clientOptions } };
    const backend = new S3TokenBackend({ bucketName, ...others, ...how });
    onTestFinished(() => backend.close());
    return backend;
  };
  const put = (Key: string, Body: string) => direct.send(new PutObjectCommand({ Bucket: bucketName, Key, Body }));
  const textAt = async (Key: string) =>
    (await direct.send(new GetObjectCommand({ Bucket: bucketName, Key }))).Body?.transformToString();

  beforeEach(async () => {
    bucketName = `bucket-${++count}`;
    await direct.send(new CreateBucketCommand({ Bucket: bucketName }));
  });

  test('a record that another program wrote in the same place is read as is', async () => {
    const text = signedIn('ada').exportForPython();
    await put('mail/token.txt', text);
    const backend = open({ filename: 'mail/token.txt' });
    expect((await backend.loadToken())?.getAccounts().map(({ username }) => username)).toEqual(['ada@contoso.example']);
    expect(await backend.records.read('token.txt')).toMatchObject({ data: new Uint8Array(bytes(text)) });
  });

  test('what is stored is the record itself, beside the default one, without an ACL', async () => {
    const backend = open({ prefix: 'tokens/' });
    await backend.records.write('User 1', bytes('{"a":1}'), { expect: 'absent' });
    await backend.records.write('o365_token.txt', bytes('{"b":2}'), { expect: 'anything' });
    expect(await textAt('tokens/=55ser=201.token')).toBe('{"a":1}');
    expect(await textAt('tokens/o365_token.txt')).toBe('{"b":2}');
    expect(gate.seen.filter(({ headers }) => 'x-amz-acl' in headers)).toEqual([]);
  });

  test('encryption and the expected owner go with the requests', async () => {
    const backend = open({ serverSideEncryption: 'aws:kms', kmsKeyId: 'alias/tokens', expectedBucketOwner: '123456789012' });
    await backend.records.write('a', bytes('{}'), { expect: 'absent' });
    const puts = gate.seen.filter(({ method }) => method === 'PUT');
    expect(puts.length).toBeGreaterThan(0);
    for (const { headers } of puts)
      expect(headers).toMatchObject({
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': 'alias/tokens',
      });
    for (const { headers } of gate.seen) expect(headers['x-amz-expected-bucket-owner']).toBe('123456789012');
  });

  test('the store is probed once per client and bucket, before the first write that has a condition', async () => {
    const client = new S3Client({ ...clientOptionsFor(gate), forcePathStyle: true });
    const [ada, bob] = [open({ client }), open({ client })];
    await ada.loadToken();
    await ada.records.write('a', bytes('{}'), { expect: 'anything' });
    expect(gate.seen.filter(isProbe)).toEqual([]);
    await Promise.all([ada, bob].map((backend, i) => backend.records.write(`b${i}`, bytes('{}'), { expect: 'absent' })));
    await ada.saveToken(signedIn('ada'));
    expect(
      gate.seen
        .filter(isProbe)
        .map(({ method }) => method)
        .sort(),
    ).toEqual(['DELETE', 'DELETE', 'PUT', 'PUT', 'PUT']);
    expect(await collect(ada.listKeys())).toEqual(['a', 'b0', 'b1', 'o365_token.txt']);
    client.destroy();
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

  describe('a store that ignores conditions', () => {
    beforeEach(() => {
      gate.intercept = (request) => {
        for (const name of ['if-match', 'if-none-match']) delete request.headers[name];
        return undefined;
      };
    });

    test('is found out, and nothing is written to it under a condition', async () => {
      const backend = open();
      expect(backend.capabilities).toMatchObject({ conditionalWrites: true, leases: true });
      const error = await rejection(backend.saveToken(signedIn('ada')));
      expect(error).toMatchObject({ code: 'TOKENRY_CAPABILITY', message: expect.stringContaining('lastWriterWins: true') });
      expect(backend.capabilities).toMatchObject({ conditionalWrites: false, leases: false });
      expect(await collect(backend.listKeys())).toEqual([]);
    });

    test('is taken as it is by lastWriterWins, which its capabilities say', async () => {
      const backend = open({ lastWriterWins: true });
      expect(backend.capabilities).toMatchObject({ conditionalWrites: false, leases: false });
      await backend.saveToken(signedIn('ada'));
      await backend.updateToken((cache) => void cache.removeAccount({ username: 'ada@contoso.example' }));
      expect((await backend.loadToken({ fresh: true }))?.getAccounts()).toEqual([]);
      expect(gate.seen.filter(isProbe)).toEqual([]);
    });
  });

  test('an unchanged record is not sent again', async () => {
    const backend = open();
    await backend.saveToken(signedIn('ada'));
    await backend.loadToken({ fresh: true });
    gate.seen.length = 0;
    await backend.loadToken({ fresh: true });
    expect(gate.seen.map(({ headers }) => headers['if-none-match'])).toEqual([expect.stringMatching(/^"[0-9a-f]+"$/)]);
    const record = await backend.records.read('o365_token.txt');
    if (!record || record === 'not-modified') throw new Error('absent');
    expect(await backend.records.read('o365_token.txt', { ifNotVersion: record.version })).toBe('not-modified');
  });

  test('a write whose answer was lost is repeated, and recognised as done', async () => {
    const backend = open();
    await backend.records.write('warm-up', bytes('{}'), { expect: 'absent' });
    let lost = 0;
    gate.intercept = ({ method }) => (method === 'PUT' && lost++ === 0 ? 'lose-answer' : undefined);
    const version = await backend.records.write('a', bytes('{"a":1}'), { expect: 'absent' });
    expect(lost).toBe(2);
    lost = 0;
    const next = await backend.records.write('a', bytes('{"a":2}'), { expect: { version } });
    expect([lost, await backend.records.read('a')]).toEqual([2, { data: new Uint8Array(bytes('{"a":2}')), version: next }]);
  });

  test('a write whose answer was lost is recognised also when its repetition met 409, its own first attempt', async () => {
    const backend = open();
    await backend.records.write('warm-up', bytes('{}'), { expect: 'absent' });
    const underWay = { status: 409, body: '<Error><Code>ConditionalRequestConflict</Code></Error>' };
    let puts = 0;
    gate.intercept = ({ method }) => (method === 'PUT' ? (['lose-answer', underWay] as const)[puts++] : undefined);
    const version = await backend.records.write('a', bytes('{"a":1}'), { expect: 'absent' });
    expect([puts, await backend.records.read('a')]).toEqual([3, { data: new Uint8Array(bytes('{"a":1}')), version }]);
  });

  test('a write all of whose answers were lost is looked up', async () => {
    const backend = open();
    await backend.records.write('warm-up', bytes('{}'), { expect: 'absent' });
    gate.intercept = ({ method }) => (method === 'PUT' ? 'lose-answer' : undefined);
    const version = await backend.records.write('a', bytes('{"a":1}'), { expect: 'absent' });
    expect(await backend.records.read('a')).toMatchObject({ version });
  });

  test('a rival that came between a lost answer and its repetition is a conflict', async () => {
    const backend = open();
    await backend.records.write('warm-up', bytes('{}'), { expect: 'absent' });
    let puts = 0;
    gate.intercept = async ({ method, url }) => {
      if (method !== 'PUT' || !url.includes('a.token') || ++puts > 1) return undefined;
      await put('a.token', '{"rival":1}');
      return 'reset';
    };
    const error = await rejection(backend.records.write('a', bytes('{"a":1}'), { expect: 'absent' }));
    expect([error, puts]).toMatchObject([{ code: 'TOKENRY_VERSION_CONFLICT' }, 2]);
    expect(await textAt('a.token')).toBe('{"rival":1}');
  });

  test('an answer that breaks off is an outage, not an empty record', async () => {
    const backend = open({ clientOptions: { maxAttempts: 1 } });
    await put('o365_token.txt', signedIn('ada').serialize());
    gate.intercept = () => 'truncate-answer';
    expect(await rejection(backend.loadToken())).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE', retryable: true });
  });

  test('a silent store is an outage for a client with the time-outs of the vendor too, which has none', async () => {
    const client = new S3Client({ ...clientOptionsFor(gate), forcePathStyle: true, maxAttempts: 1 });
    const [patient, backend] = [open({ client }), open({ client, timeoutMs: 400 })];
    await patient.records.write('a', bytes('{"a":1}'), { expect: 'absent' });
    gate.intercept = () => 'hang';
    const silent = [
      () => backend.records.read('a'),
      () => backend.records.write('a', bytes('{"a":2}'), { expect: 'anything' }),
      () => backend.records.remove('a', { expect: 'anything' }),
      () => backend.leases.tryAcquire('l', { owner: 'o', ttlMs: 1_000 }),
      () => collect(backend.listKeys()),
    ];
    for (const operation of silent) expect(await rejection(operation())).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
    // Also when it falls silent in the middle of an answer.
    gate.intercept = () => 'stall-answer';
    expect(await rejection(backend.records.read('a'))).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
    gate.intercept = () => undefined;
    expect(await patient.records.read('a')).toMatchObject({ data: new Uint8Array(bytes('{"a":1}')) });
    client.destroy();
  });

  test('a stopped server, a missing bucket and refused keys are three different errors, none of them absence', async () => {
    const backend = open();
    await backend.saveToken(signedIn('ada'));
    const missing = open({ bucketName: 'nobody-made-this' });
    expect(await rejection(missing.loadToken())).toMatchObject({
      code: 'TOKENRY_BACKEND_UNAVAILABLE',
      message: expect.stringContaining('there is no bucket "nobody-made-this"'),
    });
    expect(await rejection(missing.deleteToken())).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
    await moto.enforcePermissions(true);
    const denied = await mendAfter(rejection(backend.loadToken({ fresh: true })), () => moto.enforcePermissions(false));
    expect(denied).toMatchObject({
      code: 'TOKENRY_BACKEND_ACCESS_DENIED',
      message: expect.stringContaining('InvalidAccessKeyId'),
    });
    const reopen = await gate.shut();
    const down = await mendAfter(rejection(backend.loadToken({ fresh: true })), reopen);
    expect(down).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') });
    expect((await backend.loadToken({ fresh: true }))?.hasData).toBe(true);
  });

  test('in a versioned bucket a removed record is absent, and can be made again', async () => {
    const versioning = { Status: 'Enabled' } as const;
    await direct.send(new PutBucketVersioningCommand({ Bucket: bucketName, VersioningConfiguration: versioning }));
    const backend = open();
    await backend.saveToken(signedIn('ada'));
    expect([await backend.deleteToken(), await backend.deleteToken()]).toEqual([true, false]);
    expect(await backend.loadToken({ fresh: true })).toBeUndefined();
    await backend.saveToken(signedIn('bob'));
    expect((await backend.loadToken({ fresh: true }))?.getAccounts()).toHaveLength(1);
    const { Versions = [] } = await direct.send(new ListObjectVersionsCommand({ Bucket: bucketName, Prefix: 'o365' }));
    expect(Versions.map(({ IsLatest }) => IsLatest)).toEqual([true, false]);
  });

  test('strangers in the folder, and folders in it, are not listed', async () => {
    const backend = open({ prefix: 'a b+c/' });
    await backend.records.write('Ädä', bytes('{}'), { expect: 'absent' });
    await Promise.all(['a b+c/photo.jpg', 'a b+c/deeper/x.token', 'x.token', 'a b+c/\u0001.token'].map((key) => put(key, '{}')));
    expect(await collect(backend.listKeys())).toEqual(['Ädä']);
  });

  test('an injected client outlives the backend', async () => {
    const client = new S3Client({ ...clientOptionsFor(gate), forcePathStyle: true });
    const backend = open({ client });
    await backend.saveToken(signedIn('ada'));
    await backend.close();
    expect((await open({ client }).loadToken())?.hasData).toBe(true);
    client.destroy();
  });

  test('the policy in the README allows what is done with records, and each of its actions is needed', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const policy = policyIn(readme, { 'my-tokens': bucketName });
    const credentials = await userWithPolicy(moto.port, policy);
    // Signatures of listings are beyond the emulator: their query holds slashes.
    const lesser = (await usersWithoutEachAction(moto.port, policy)).filter(({ left }) => left !== 's3:ListBucket');
    const useAll = async (backend: S3TokenBackend) => {
      await backend.saveToken(signedIn('ada'));
      await backend.saveToken(signedIn('bob'), { tokenKey: 'bob' });
      expect(await backend.leases.tryAcquire('l', { owner: 'o', ttlMs: 1_000 })).toEqual({ acquired: true });
      expect(await backend.deleteToken({ tokenKey: 'bob' })).toBe(true);
    };
    const withKeys = (keys: typeof credentials) => open({ prefix: 'tokens/', client: signingPlainly(gate, keys) });
    await moto.enforcePermissions(true);
    try {
      await useAll(withKeys(credentials));
      for (const { left, credentials: keys } of lesser)
        expect(await rejection(useAll(withKeys(keys))), left).toMatchObject({ code: 'TOKENRY_BACKEND_ACCESS_DENIED' });
    } finally {
      await moto.enforcePermissions(false);
    }
  });
});

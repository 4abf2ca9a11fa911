import { inspect } from 'node:util';
import { S3TokenBackend } from '@tokenry/s3';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { signedIn } from '../../../test-support/signed-in.ts';
import { clientOptionsFor } from './servers/aws.js';
import { collect, rejection } from './servers/checks.js';
import { Gate, type GateAnswer } from './servers/gate.js';

/** What no emulator answers, answered by a server of our own to the real SDK. */
const gate = await Gate.open();
/** For answers that never come; everything else has the time that a busy machine needs. */
const impatient = { requestTimeout: 300, throwOnRequestTimeout: true };
const backend = (maxAttempts = 1, requestHandler?: object) =>
  new S3TokenBackend({
    bucketName: 'b',
    clientOptions: {
      ...clientOptionsFor(gate),
      forcePathStyle: true,
      maxAttempts,
      ...(requestHandler ? { requestHandler } : {}),
    },
  });
const xml = (status: number, code: string, headers: GateAnswer['headers'] = {}): GateAnswer => ({
  status,
  headers: { 'content-type': 'application/xml', ...headers },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no. rt-TEST-echo</Message><RequestId>r</RequestId></Error>`,
});
const saved = { status: 200, headers: { etag: '"1"' } };

beforeEach(() => {
  gate.seen.length = 0;
});
afterAll(() => gate.close());

const cases: readonly (readonly [GateAnswer, object])[] = [
  [xml(403, 'AccessDenied'), { code: 'TOKENRY_BACKEND_ACCESS_DENIED', message: expect.stringContaining('s3:ListBucket') }],
  [xml(403, 'SignatureDoesNotMatch'), { code: 'TOKENRY_BACKEND_ACCESS_DENIED' }],
  [xml(400, 'ExpiredToken'), { code: 'TOKENRY_BACKEND_ACCESS_DENIED' }],
  [
    xml(400, 'KMS.DisabledException'),
    { code: 'TOKENRY_BACKEND_ACCESS_DENIED', message: expect.stringContaining('KMS key is disabled') },
  ],
  [xml(400, 'KMS.NotFoundException'), { code: 'TOKENRY_BACKEND_ACCESS_DENIED' }],
  [xml(403, 'SomethingNew'), { code: 'TOKENRY_BACKEND_ACCESS_DENIED' }],
  [xml(503, 'SlowDown', { 'retry-after': '7' }), { code: 'TOKENRY_BACKEND_THROTTLED', retryAfterMs: 7_000 }],
  [xml(503, 'SlowDown'), { code: 'TOKENRY_BACKEND_THROTTLED', retryable: true }],
  [xml(429, 'WhoKnows', { 'retry-after': '2' }), { code: 'TOKENRY_BACKEND_THROTTLED', retryAfterMs: 2_000 }],
  [xml(404, 'NoSuchBucket'), { code: 'TOKENRY_BACKEND_UNAVAILABLE' }],
  [xml(500, 'InternalError'), { code: 'TOKENRY_BACKEND_UNAVAILABLE' }],
  [xml(404, 'SomethingNew'), { code: 'TOKENRY_BACKEND_UNAVAILABLE' }],
  [
    xml(301, 'PermanentRedirect'),
    { code: 'TOKENRY_BACKEND_UNAVAILABLE', message: expect.stringContaining('clientOptions.region') },
  ],
  [xml(403, 'InvalidObjectState'), { code: 'TOKENRY_BACKEND_UNAVAILABLE', message: expect.stringContaining('Glacier') }],
  [xml(501, 'NotImplemented'), { code: 'TOKENRY_CAPABILITY' }],
  [xml(400, 'InvalidBucketName'), { code: 'TOKENRY_CAPABILITY' }],
  [{ status: 502, body: '<html>bad gateway</html>' }, { code: 'TOKENRY_BACKEND_UNAVAILABLE' }],
];

describe('an answer to a read', () => {
  test.each(
    cases.map(([answer, error]) => ({
      what: `${answer.status} ${/<Code>(.*)<\/Code>/.exec(String(answer.body))?.[1]}`,
      answer,
      error,
    })),
  )('$what says what it means', async ({ answer, error }) => {
    gate.intercept = () => answer;
    expect(await rejection(backend().loadToken())).toMatchObject(error);
  });

  test('NoSuchKey alone is absence', async () => {
    gate.intercept = () => xml(404, 'NoSuchKey');
    expect(await backend().loadToken()).toBeUndefined();
  });

  test('with a wrong checksum is trouble on the way', async () => {
    const headers = { etag: '"1"', 'x-amz-checksum-crc32': 'AAAAAA==' };
    gate.intercept = () => ({ status: 200, headers, body: signedIn('ada').serialize() });
    expect(await rejection(backend().loadToken())).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
  });

  test('that never comes ends with the time-out, or when the caller leaves', async () => {
    gate.intercept = () => 'hang';
    expect(await rejection(backend(1, impatient).loadToken())).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
    const controller = new AbortController();
    const reason = new Error('left');
    gate.intercept = () => {
      controller.abort(reason);
      return 'hang';
    };
    expect(await rejection(backend().records.read('a', { signal: controller.signal }))).toBe(reason);
  });

  test('credentials that never come are an outage, and a caller who leaves need not wait for them', async () => {
    const credentials = () => new Promise<never>(() => undefined);
    const clientOptions = { ...clientOptionsFor(gate), credentials };
    const waiting = new S3TokenBackend({ bucketName: 'b', timeoutMs: 200, clientOptions });
    expect(await rejection(waiting.loadToken())).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE', retryable: true });
    const controller = new AbortController();
    const reading = rejection(
      new S3TokenBackend({ bucketName: 'b', clientOptions }).records.read('a', { signal: controller.signal }),
    );
    const reason = new Error('left');
    controller.abort(reason);
    expect(await reading).toBe(reason);
  });

  test('without an ETag is refused: nothing could be compared', async () => {
    gate.intercept = () => ({ status: 200, body: '{}' });
    expect(await rejection(backend().records.read('a'))).toMatchObject({ code: 'TOKENRY_CAPABILITY' });
  });

  test('shows nothing of itself, nor of the keys, in the error', async () => {
    for (const [answer] of cases) {
      gate.intercept = () => answer;
      const error = await rejection(backend().loadToken());
      expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/TEST/);
    }
  });
});

/** What S3 answers repeats the request that it checked: all signed headers, or the token of the session. */
test.each([
  ['SignatureDoesNotMatch', 403, '<CanonicalRequest>GET\nx-amz-security-token:session-TEST-1\n</CanonicalRequest>'],
  ['InvalidToken', 400, '<Token-0>session-TEST-1</Token-0>'],
  ['ExpiredToken', 400, '<Token-0>session-TEST-1</Token-0>'],
  ['AuthorizationHeaderMalformed', 400, '<Detail>session-TEST-1</Detail>'],
  ['SomeNewRefusal', 403, '<CanonicalRequest>x-amz-security-token:session-TEST-1</CanonicalRequest>'],
])('what %s repeats of the credentials is nowhere in the error, but the id of the request is', async (code, status, echo) => {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no.</Message>${echo}</Error>`;
  gate.intercept = () => ({ status, headers: { 'content-type': 'application/xml', 'x-amz-request-id': 'request-1' }, body });
  const credentials = { ...clientOptionsFor(gate).credentials, sessionToken: 'session-TEST-1' };
  const options = { ...clientOptionsFor(gate), credentials, forcePathStyle: true, maxAttempts: 1 };
  const error = await rejection(new S3TokenBackend({ bucketName: 'b', clientOptions: options }).loadToken());
  expect(error).toMatchObject({ code: 'TOKENRY_BACKEND_ACCESS_DENIED', cause: { name: code } });
  const shown = inspect([error, error.cause], { depth: 9, showHidden: true });
  expect(shown).not.toMatch(/session-TEST/);
  expect(shown).toContain('request-1');
});

test.each([
  ['fails', () => Promise.reject(new Error('the vault is sealed'))],
  [
    'throws',
    () => {
      throw new Error('the vault is sealed');
    },
  ],
])('a source of credentials that %s is an outage, whose cause says why', async (_how, credentials) => {
  const clientOptions = { ...clientOptionsFor(gate), credentials: credentials as () => Promise<never> };
  expect(await rejection(new S3TokenBackend({ bucketName: 'b', clientOptions }).loadToken())).toMatchObject({
    code: 'TOKENRY_BACKEND_UNAVAILABLE',
    message: expect.stringContaining('clientOptions.credentials'),
    cause: { cause: { message: 'the vault is sealed' } },
  });
});

describe('what the SDK refuses before it sends anything says what to mend:', () => {
  test.each([
    ['credentials that are not whole', { credentials: { accessKeyId: 'a' } }, 'ACCESS_DENIED', 'clientOptions.credentials'],
    ['a region that is none', { region: 'us east' }, 'ACCESS_DENIED', 'clientOptions.region'],
    ['an endpoint in parts that is none', { endpoint: { protocol: 'x' } }, 'UNAVAILABLE', 'clientOptions.endpoint'],
  ])('%s', async (_what, wrong, code, advice) => {
    const clientOptions = { ...clientOptionsFor(gate), ...(wrong as object) };
    expect(await rejection(new S3TokenBackend({ bucketName: 'b', clientOptions }).loadToken())).toMatchObject({
      code: `TOKENRY_BACKEND_${code}`,
      message: expect.stringContaining(advice),
    });
  });

  test.each([true, false])('the ARN of a bucket instead of its name, forcePathStyle: %s', async (forcePathStyle) => {
    const clientOptions = { ...clientOptionsFor(gate), forcePathStyle };
    const wrong = new S3TokenBackend({ bucketName: 'arn:aws:s3:::b', clientOptions });
    expect(await rejection(wrong.loadToken())).toMatchObject({
      code: 'TOKENRY_BACKEND_UNAVAILABLE',
      message: expect.stringContaining('bucketName'),
    });
  });
});

describe('an answer to a write', () => {
  const write = () => backend().records.write('a', Buffer.from('{}'), { expect: 'anything' });

  test('409 is answered by sending the same again', async () => {
    let asked = 0;
    gate.intercept = () => (++asked <= 3 ? xml(409, asked === 2 ? 'OperationAborted' : 'ConditionalRequestConflict') : saved);
    expect([await write(), asked]).toEqual(['"1"', 4]);
  });

  test('409 without end is an outage, not a conflict: nobody knows who won', async () => {
    gate.intercept = ({ method }) => (method === 'PUT' ? xml(409, 'ConditionalRequestConflict') : xml(404, 'NoSuchKey'));
    expect(await rejection(write())).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
    expect(gate.seen.filter(({ method }) => method === 'PUT')).toHaveLength(8);
  });

  test.each(['QuotaExceeded', 'XMinioStorageFull'])('%s says that the store is full', async (code) => {
    gate.intercept = ({ method }) => (method === 'PUT' ? xml(507, code) : xml(404, 'NoSuchKey'));
    expect(await rejection(write())).toMatchObject({
      code: 'TOKENRY_BACKEND_UNAVAILABLE',
      message: expect.stringContaining('full'),
    });
  });

  test('a throttled write is tried again by the SDK, at most maxAttempts times', async () => {
    gate.intercept = ({ method }) => (method === 'PUT' ? xml(503, 'SlowDown') : xml(404, 'NoSuchKey'));
    const error = await rejection(backend(2).records.write('a', Buffer.from('{}'), { expect: 'anything' }));
    expect(error).toMatchObject({ code: 'TOKENRY_BACKEND_THROTTLED' });
    expect(gate.seen).toHaveLength(2);
  });
});

describe('a listing', () => {
  /** Ten pages of a thousand, each of which says where the next one begins. */
  const page = (from: number): GateAnswer => {
    const contents = Array.from({ length: 1_000 }, (_, i) => `<Contents><Key>user-${from + i}.token</Key></Contents>`).join('');
    const next =
      from < 9_000 ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${from + 1_000}</NextContinuationToken>` : '';
    return { status: 200, body: `<?xml version="1.0"?><ListBucketResult>${contents}${next}</ListBucketResult>` };
  };

  test('of 10 000 records comes in pages, each asked for when it is needed', async () => {
    gate.intercept = ({ url }) => page(Number(new URL(url, gate.endpoint).searchParams.get('continuation-token') ?? 0));
    const keys = new Set<string>();
    for await (const key of backend().listKeys()) {
      if (keys.size === 0) expect(gate.seen).toHaveLength(1);
      keys.add(key);
    }
    expect([keys.size, gate.seen.length, keys.has('user-9999')]).toEqual([10_000, 10, true]);
  });

  test('that breaks off in the middle is an error, not a short list', async () => {
    gate.intercept = ({ url }) => (url.includes('continuation-token') ? xml(500, 'InternalError') : page(0));
    expect(await rejection(collect(backend().listKeys()))).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
  });
});

test('missing credentials are a denial that says where to put them', async () => {
  const credentials = () => Promise.reject(Object.assign(new Error('none'), { name: 'CredentialsProviderError' }));
  const without = new S3TokenBackend({ bucketName: 'b', clientOptions: { ...clientOptionsFor(gate), credentials } });
  expect(await rejection(without.loadToken())).toMatchObject({
    code: 'TOKENRY_BACKEND_ACCESS_DENIED',
    message: expect.stringContaining('clientOptions.credentials'),
  });
});

test('a missing region is a denial that says where to put it', async () => {
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, undefined);
  for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/nowhere');
  try {
    const { region: _region, ...clientOptions } = clientOptionsFor(gate);
    const without = new S3TokenBackend({ bucketName: 'b', clientOptions });
    expect(await rejection(without.loadToken())).toMatchObject({
      code: 'TOKENRY_BACKEND_ACCESS_DENIED',
      message: expect.stringContaining('clientOptions.region'),
    });
  } finally {
    vi.unstubAllEnvs();
  }
});

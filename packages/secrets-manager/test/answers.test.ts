import { inspect } from 'node:util';
import { SecretsManagerTokenBackend } from '@tokenry/secrets-manager';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { clientOptionsFor } from '../../s3/test/servers/aws.js';
import { collect, rejection } from '../../s3/test/servers/checks.js';
import { Gate, type GateAnswer, type GateRequest } from '../../s3/test/servers/gate.js';

/** What no emulator answers, answered by a server of our own to the real SDK. */
const gate = await Gate.open();
/** For answers that never come; everything else has the time that a busy machine needs. */
const impatient = { requestTimeout: 300, throwOnRequestTimeout: true };
const backend = (maxAttempts = 1, requestHandler?: object) =>
  new SecretsManagerTokenBackend({
    clientOptions: { ...clientOptionsFor(gate), maxAttempts, ...(requestHandler ? { requestHandler } : {}) },
  });
const refusal = (status: number, name: string, headers: GateAnswer['headers'] = {}): GateAnswer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1', ...headers },
  body: JSON.stringify({ __type: `com.amazonaws.secretsmanager#${name}`, message: 'no. rt-TEST-echo' }),
});
const answer = (body: object): GateAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
});
const actionOf = ({ headers }: GateRequest): string => String(headers['x-amz-target']).replace('secretsmanager.', '');

beforeEach(() => {
  gate.seen.length = 0;
});
afterAll(() => gate.close());

const cases: readonly (readonly [number, string, object, GateAnswer['headers']?])[] = [
  [
    400,
    'AccessDeniedException',
    { code: 'TOKENRY_BACKEND_ACCESS_DENIED', message: expect.stringContaining('secretsmanager:GetSecretValue') },
  ],
  [400, 'UnrecognizedClientException', { code: 'TOKENRY_BACKEND_ACCESS_DENIED' }],
  [400, 'ExpiredTokenException', { code: 'TOKENRY_BACKEND_ACCESS_DENIED' }],
  [400, 'InvalidSignatureException', { code: 'TOKENRY_BACKEND_ACCESS_DENIED' }],
  [400, 'DecryptionFailure', { code: 'TOKENRY_BACKEND_ACCESS_DENIED', message: expect.stringContaining('KMS key') }],
  [403, 'SomethingNew', { code: 'TOKENRY_BACKEND_ACCESS_DENIED' }],
  [400, 'ThrottlingException', { code: 'TOKENRY_BACKEND_THROTTLED', retryAfterMs: 3_000 }, { 'retry-after': '3' }],
  [400, 'LimitExceededException', { code: 'TOKENRY_BACKEND_THROTTLED', message: expect.stringContaining('quota') }],
  [429, 'SomethingNew', { code: 'TOKENRY_BACKEND_THROTTLED' }],
  [500, 'InternalServiceError', { code: 'TOKENRY_BACKEND_UNAVAILABLE' }],
  [503, 'ServiceUnavailable', { code: 'TOKENRY_BACKEND_UNAVAILABLE' }],
  [404, 'SomethingNew', { code: 'TOKENRY_BACKEND_UNAVAILABLE' }],
  [400, 'InvalidParameterException', { code: 'TOKENRY_CAPABILITY' }],
];

/** The service's message repeats the request that it checked, with all signed headers. */
test.each([
  ['InvalidSignatureException', 400],
  ['IncompleteSignatureException', 400],
  ['ExpiredTokenException', 400],
  ['UnrecognizedClientException', 400],
  ['SomeNewRefusal', 403],
])('what %s repeats of the credentials is nowhere in the error, but the id of the request is', async (name, status) => {
  gate.intercept = () => ({
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'request-1' },
    body: JSON.stringify({ __type: name, message: "should have been 'POST\nx-amz-security-token:session-TEST-1\n'" }),
  });
  const credentials = { ...clientOptionsFor(gate).credentials, sessionToken: 'session-TEST-1' };
  const clientOptions = { ...clientOptionsFor(gate), credentials, maxAttempts: 1 };
  const error = await rejection(new SecretsManagerTokenBackend({ clientOptions }).loadToken());
  expect(error).toMatchObject({ code: 'TOKENRY_BACKEND_ACCESS_DENIED', cause: { name } });
  const shown = inspect([error, error.cause], { depth: 9, showHidden: true });
  expect(shown).not.toMatch(/session-TEST/);
  expect(shown).toContain('request-1');
});

test('a KMS key that does not exist is a denial that names the option, not an outage', async () => {
  gate.intercept = () => refusal(400, 'ResourceNotFoundException');
  const options = { secretName: 'a', kmsKeyId: 'alias/nobody', clientOptions: { ...clientOptionsFor(gate), maxAttempts: 1 } };
  const writing = new SecretsManagerTokenBackend(options).records.write('a', Buffer.from('{}'), { expect: 'absent' });
  expect(await rejection(writing)).toMatchObject({
    code: 'TOKENRY_BACKEND_ACCESS_DENIED',
    message: expect.stringContaining('kmsKeyId'),
  });
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
  expect(await rejection(new SecretsManagerTokenBackend({ clientOptions }).loadToken())).toMatchObject({
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
    expect(await rejection(new SecretsManagerTokenBackend({ clientOptions }).loadToken())).toMatchObject({
      code: `TOKENRY_BACKEND_${code}`,
      message: expect.stringContaining(advice),
    });
  });
});

describe('an answer to a read', () => {
  test.each(cases.map(([status, name, expected, headers]) => ({ status, name, expected, headers })))(
    '$status $name says what it means, and repeats nothing',
    async ({ status, name, expected, headers }) => {
      gate.intercept = () => refusal(status, name, headers);
      const error = await rejection(backend().loadToken());
      expect(error).toMatchObject(expected);
      expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/TEST/);
    },
  );

  test('ResourceNotFoundException alone is absence, whatever its status', async () => {
    gate.intercept = () => refusal(400, 'ResourceNotFoundException');
    expect(await backend().loadToken()).toBeUndefined();
  });

  test('InvalidRequestException is absence for a deleted secret only', async () => {
    gate.intercept = (request) =>
      actionOf(request) === 'GetSecretValue' ? refusal(400, 'InvalidRequestException') : answer({ DeletedDate: 1_700_000_000 });
    expect(await backend().loadToken()).toBeUndefined();
    gate.intercept = (request) =>
      actionOf(request) === 'GetSecretValue' ? refusal(400, 'InvalidRequestException') : answer({ Name: 'managed' });
    expect(await rejection(backend().loadToken())).toMatchObject({ code: 'TOKENRY_CAPABILITY' });
  });

  test('that is cut short is an outage, and its text is not in the error', async () => {
    gate.intercept = () => ({ status: 200, body: '{"SecretString":"rt-TEST-half' });
    const error = await rejection(backend().loadToken());
    expect(error).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
    expect([error.cause, String(error)]).toEqual([undefined, expect.not.stringContaining('TEST')]);
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
    const waiting = new SecretsManagerTokenBackend({ timeoutMs: 200, clientOptions });
    expect(await rejection(waiting.loadToken())).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE', retryable: true });
    const controller = new AbortController();
    const reading = rejection(new SecretsManagerTokenBackend({ clientOptions }).records.read('a', { signal: controller.signal }));
    const reason = new Error('left');
    controller.abort(reason);
    expect(await reading).toBe(reason);
  });
});

describe('an answer to a write', () => {
  test('a secret that takes no value although nothing else changed is no conflict', async () => {
    gate.intercept = (request) => {
      if (actionOf(request) === 'PutSecretValue') return refusal(400, 'InvalidRequestException');
      return answer({ VersionIdsToStages: { v1: ['AWSCURRENT'] } });
    };
    const error = await rejection(backend().records.write('a', Buffer.from('{}'), { expect: { version: 'v1' } }));
    expect(error).toMatchObject({ code: 'TOKENRY_CAPABILITY', message: expect.stringContaining('another service') });
  });

  test('a record of more than 64 KiB is refused before anything is sent', async () => {
    const error = await rejection(backend().records.write('a', Buffer.alloc(65_537, 'x'), { expect: 'absent' }));
    expect(error).toMatchObject({ code: 'TOKENRY_RECORD_TOO_LARGE', bytes: 65_537, maxRecordBytes: 65_536 });
    expect(gate.seen).toEqual([]);
  });
});

describe('a listing', () => {
  /** A hundred pages of a hundred, each of which says where the next one begins. */
  const page = (from: number): GateAnswer => {
    const SecretList = Array.from({ length: 100 }, (_, i) => ({ Name: `o365_token.txt/user-${from + i}` }));
    return answer({ SecretList, ...(from < 9_900 ? { NextToken: String(from + 100) } : {}) });
  };
  const tokenIn = ({ body }: GateRequest): number => Number(JSON.parse(body.toString()).NextToken ?? 0);

  test('of 10 000 records comes in pages, each asked for when it is needed', async () => {
    gate.intercept = (request) => page(tokenIn(request));
    const keys = new Set<string>();
    for await (const key of backend().listKeys()) {
      if (keys.size === 0) expect(gate.seen).toHaveLength(1);
      keys.add(key);
    }
    expect([keys.size, gate.seen.length, keys.has('user-9999')]).toEqual([10_000, 100, true]);
  });

  test('that breaks off in the middle is an error, not a short list', async () => {
    gate.intercept = (request) => (tokenIn(request) > 0 ? refusal(500, 'InternalServiceError') : page(0));
    expect(await rejection(collect(backend().listKeys()))).toMatchObject({ code: 'TOKENRY_BACKEND_UNAVAILABLE' });
  });
});

test('a missing region is a denial that says where to put it', async () => {
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, undefined);
  for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/nowhere');
  try {
    const { region: _region, ...clientOptions } = clientOptionsFor(gate);
    const without = new SecretsManagerTokenBackend({ clientOptions });
    expect(await rejection(without.loadToken())).toMatchObject({
      code: 'TOKENRY_BACKEND_ACCESS_DENIED',
      message: expect.stringContaining('clientOptions.region'),
    });
  } finally {
    vi.unstubAllEnvs();
  }
});

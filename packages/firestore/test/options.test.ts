import { FirestoreTokenBackend } from '@tokenry/firestore';
import { describe, expect, test } from 'vitest';

describe('options', () => {
  test.each([
    [{}, /collection is required/],
    [{ collection: 'a/b' }, /odd number of names/],
    [{ collection: 'a//b' }, /none of them empty/],
    [{ collection: '__a__' }, /__like_this__/],
    [{ collection: 'a', docId: 'a/b' }, /without "\/"/],
    [{ collection: 'a', docId: '..' }, /docId/],
    [{ collection: 'a', docId: '=lease-x' }, /reserved/],
    [{ collection: 'a', docId: 'a', defaultTokenKey: 'b' }, /give one of them/],
    [{ collection: 'a', fieldName: 'a.b' }, /fieldName/],
    [{ collection: 'a', fieldName: 'expiresAt' }, /is taken/],
    [{ collection: 'a', fieldName: 'constructor' }, /every JavaScript object/],
    [{ collection: 'a', fieldName: 'toString' }, /every JavaScript object/],
    [{ collection: 'a', fieldName: 'hasOwnProperty' }, /every JavaScript object/],
    [{ collection: 'a', fieldName: 'valueOf' }, /every JavaScript object/],
    [{ collection: 'a', timeoutMs: 0 }, /between 1 and 600000/],
    [{ collection: 'a', timeoutMs: 0.5 }, /between 1 and 600000/],
    [{ collection: 'a', timeoutMs: 600_000.5 }, /between 1 and 600000/],
    [{ collection: 'a', clientOptions: null }, /clientOptions must be an object/],
    [{ collection: 'a', clientOptions: 'demo' }, /clientOptions must be an object/],
    [{ collection: 'a', clientOptions: 5 }, /clientOptions must be an object/],
    [{ collection: 'a', clientOptions: [] }, /clientOptions must be an object/],
    [{ collection: 'a', clientOptions: { projectId: 5 } }, /clientOptions\.projectId must be a string/],
    [{ collection: 'a', clientOptions: { projectId: null } }, /clientOptions\.projectId must be a string/],
    [{ collection: 'a', clientOptions: { databaseId: ['d'] } }, /clientOptions\.databaseId must be a string/],
    [{ collection: 'a', clientOptions: { ssl: 'false' } }, /clientOptions\.ssl must be true or false/],
    [{ collection: 'a', client: {} }, /Firestore instance/],
    [{ collection: 'a', colection: 'b' }, /did you mean "collection"/],
    [undefined, /options must be an object/],
  ])('%o is refused with advice', (options, advice) => {
    expect(() => new FirestoreTokenBackend(options as never)).toThrow(advice);
  });

  test.each(['f'.repeat(1_401), 'é'.repeat(701)])('a field name that leaves no room in its path is refused', (fieldName) => {
    const make = () => new FirestoreTokenBackend({ collection: 'a', fieldName });
    expect(make).toThrow(expect.objectContaining({ name: 'TypeError', code: 'TOKENRY_INVALID_ARGUMENT' }));
    expect(make).toThrow(/fieldName is longer than 1400 bytes/);
  });

  test.each([
    { clientOptions: {} },
    { clientOptions: undefined },
    { clientOptions: { projectId: undefined, databaseId: undefined, ssl: undefined } },
    { clientOptions: { projectId: 'demo', databaseId: 'tokens', ssl: true, 'grpc.keepalive_time_ms': 1_000 } },
    { timeoutMs: 1 },
    { timeoutMs: 600_000 },
  ])('%o is taken', (options) => {
    expect(() => new FirestoreTokenBackend({ collection: 'a', ...options } as never)).not.toThrow();
  });

  test('a client and settings for another one exclude each other', () => {
    const client = { collection: () => ({}), getAll: async () => [] };
    expect(() => new FirestoreTokenBackend({ collection: 'a', client, clientOptions: {} })).toThrow(/exclude each other/);
  });

  test('what it claims', () => {
    const backend = new FirestoreTokenBackend({ collection: 'tenants/contoso/tokens' });
    expect(backend.capabilities).toEqual({
      conditionalWrites: true,
      leases: true,
      list: true,
      durable: true,
      shared: true,
      maxRecordBytes: 1_044_480,
    });
    expect([backend.id, backend.defaultTokenKey]).toEqual(['firestore:tenants/contoso/tokens', 'o365_token']);
  });
});

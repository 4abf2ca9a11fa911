import { S3TokenBackend, type S3TokenBackendOptions } from '@tokenry/s3';
import { describe, expect, test } from 'vitest';

describe('options', () => {
  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['a missing bucket', {}, /bucketName must be a string/],
    ['an unknown option', { bucketName: 'b', buket: 'c' }, /unknown option "buket"/],
    ['python-o365 spelling', { bucketName: 'b', file_name: 'c' }, /did you mean "filename"/],
    ['a client and options for one', { bucketName: 'b', client: {}, clientOptions: {} }, /exclude each other/],
    ['an unknown encryption', { bucketName: 'b', serverSideEncryption: 'AES' }, /AES256, aws:kms/],
    ['a key without KMS', { bucketName: 'b', kmsKeyId: 'alias/x' }, /kmsKeyId needs/],
    ['an owner that is no account', { bucketName: 'b', expectedBucketOwner: '12' }, /twelve digits/],
    ['a folder as filename', { bucketName: 'b', filename: 'tokens/' }, /names a folder/],
    ['two default names', { bucketName: 'b', filename: 'a', defaultTokenKey: 'b' }, /give one of them/],
    ['a prefix that climbs', { bucketName: 'b', prefix: '../' }, /not safe in URLs/],
    ['a time-out of nothing', { bucketName: 'b', timeoutMs: 0 }, /between 1 and 600000/],
    ['a client that is none', { bucketName: 'b', client: {} }, /client must be an S3Client/],
    ['options for a client that are text', { bucketName: 'b', clientOptions: 'eu-west-1' }, /clientOptions must be an object/],
    ['options for a client that are null', { bucketName: 'b', clientOptions: null }, /clientOptions must be an object/],
    ['an endpoint without a scheme', { bucketName: 'b', clientOptions: { endpoint: 'localhost:9000' } }, /begins with http/],
    ['an endpoint that is no URL', { bucketName: 'b', clientOptions: { endpoint: 'http://a b' } }, /begins with http/],
    ['an endpoint as a URL object', { bucketName: 'b', clientOptions: { endpoint: new URL('http://a') } }, /begins with http/],
    ['a switch that is text', { bucketName: 'b', lastWriterWins: 'true' }, /lastWriterWins must be true or false/],
    ['half a character in the prefix', { bucketName: 'b', prefix: '\ud800/' }, /half a character/],
    ['half a character in the filename', { bucketName: 'b', filename: 'a\ud800' }, /half a character/],
    ['a line end in the prefix', { bucketName: 'b', prefix: 'tokens\n/' }, /must not hold control characters/],
    ['NUL in the filename', { bucketName: 'b', filename: 'a\0' }, /must not hold control characters/],
    ['a default key too long', { bucketName: 'b', prefix: 'p'.repeat(800), filename: 'f'.repeat(225) }, /1025 bytes/],
    ['a key prefix too long', { bucketName: 'b', prefix: 'p'.repeat(257), keyPrefix: 'K'.repeat(256) }, /1039 bytes/],
  ];
  test.each(wrong)('%s is refused', (_what, options, message) => {
    expect(() => new S3TokenBackend(options as S3TokenBackendOptions)).toThrow(message);
  });

  const right: readonly (readonly [string, object])[] = [
    ['an endpoint of every form', { clientOptions: { endpoint: 'HTTPS://s3.example:9000/path' } }],
    ['an endpoint in parts', { clientOptions: { endpoint: { protocol: 'http:', hostname: 'a', path: '/' } } }],
    ['an endpoint that is asked for', { clientOptions: { endpoint: async () => ({ url: new URL('http://a') }) } }],
    ['the longest key', { prefix: 'p'.repeat(800), filename: 'f'.repeat(224) }],
    ['a client of any copy of the SDK', { client: { send: () => undefined, destroy: () => undefined } }],
  ];
  test.each(right)('%s is taken', (_what, options) => {
    expect(() => new S3TokenBackend({ bucketName: 'b', ...options } as S3TokenBackendOptions)).not.toThrow();
  });

  test('the default record has the name of python-o365, and the id names the place', () => {
    const backend = new S3TokenBackend({ bucketName: 'b', filename: 'mail/job.txt', prefix: 'p/' });
    expect([backend.defaultTokenKey, backend.id]).toEqual(['job.txt', 's3:b/p/mail/']);
    expect(new S3TokenBackend({ bucketName: 'b' }).defaultTokenKey).toBe('o365_token.txt');
  });
});

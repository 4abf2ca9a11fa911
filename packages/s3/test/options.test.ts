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
  ];
  test.each(wrong)('%s is refused', (_what, options, message) => {
    expect(() => new S3TokenBackend(options as S3TokenBackendOptions)).toThrow(message);
  });

  test('the default record has the name of python-o365, and the id names the place', () => {
    const backend = new S3TokenBackend({ bucketName: 'b', filename: 'mail/job.txt', prefix: 'p/' });
    expect([backend.defaultTokenKey, backend.id]).toEqual(['job.txt', 's3:b/p/mail/']);
    expect(new S3TokenBackend({ bucketName: 'b' }).defaultTokenKey).toBe('o365_token.txt');
  });
});

import { hash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { contentVersion } from '../src/content-version.js';

test('a version is the hash of the content', () => {
  for (const data of [Buffer.from('{}'), randomBytes(5_000), Buffer.from('{}')])
    expect(contentVersion(data)).toBe(hash('sha256', data, 'base64url'));
});

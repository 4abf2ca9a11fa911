import { hash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { contentVersion } from '../src/content-version.js';
import { sha256 } from '../src/sha256.js';

test('our SHA-256 is that of node:crypto, for every length around whole blocks and wherever the bytes lie', () => {
  for (let length = 0; length < 300; length++) {
    const data = randomBytes(length + 8).subarray(length % 8, length + (length % 8));
    expect(sha256(data).toString('hex')).toBe(hash('sha256', data, 'hex'));
  }
  const large = randomBytes(70_001);
  expect(sha256(large).toString('hex')).toBe(hash('sha256', large, 'hex'));
});

test('the first version and every later one are the hash of the content', () => {
  for (const data of [Buffer.from('{}'), randomBytes(5_000), Buffer.from('{}')])
    expect(contentVersion(data)).toBe(hash('sha256', data, 'base64url'));
});

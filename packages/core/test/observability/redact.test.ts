import { describe, expect, it } from 'vitest';
import { redact } from '../../src/observability/redact.js';

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJURVNUIn0.c2lnbmF0dXJl';
const opaque = `1.AXoAtest-TEST${'Zm9vYmFy'.repeat(20)}.refresh`;

describe('redact', () => {
  it.each([
    ['a JWT', `the token ${jwt} has expired`],
    ['a bearer header', `Authorization: Bearer ${opaque.slice(0, 20)}`],
    ['a parameter in form notation', `grant_type=refresh_token&refresh_token=rt-TEST-1&client_id=app`],
    ['a parameter in JSON', `{"error":"invalid_grant","refresh_token":"rt-TEST-1"}`],
    ['a parameter in single quotes', `code_verifier: 'rt-TEST-1'`],
    ['a password with a quotation mark in it', String.raw`{"password":"a\"rt-TEST-1","grant_type":"password"}`],
    ['a parameter whose end was cut off', `{"error":"invalid_grant","password":"correct horse rt-TEST-1`],
    ['a parameter in single quotes whose end was cut off', `client_secret: 'correct horse rt-TEST-1`],
    ['a parameter in JSON that is itself quoted', String.raw`"{\"error\":\"invalid_grant\",\"refresh_token\":\"rt-TEST-1\"}"`],
    ['a password with a quotation mark in JSON that is itself quoted', String.raw`"{\"password\":\"a\\\"rt-TEST-1\"}"`],
    ['a quotation inside a quotation', String.raw`{"message":"The password: \"correct horse rt-TEST-1\" is wrong"}`],
    ['an opaque token that nothing names', `cannot redeem ${opaque}: revoked`],
  ])('removes %s', (_, text) => {
    const clean = redact(text);
    expect(clean).toContain('[redacted]');
    for (const secret of [jwt, opaque, opaque.slice(0, 20), 'rt-TEST-1']) expect(clean).not.toContain(secret);
  });

  it('copes with texts of any length', () => {
    expect(redact('x'.repeat(20_000_000))).toBe('[redacted]');
    for (const piece of ['\\', 'password\\', 'password:\\"', 'code', '"'])
      expect(redact(piece.repeat(1_000_000)).length).toBeLessThanOrEqual(1_000_000);
  });

  it.each([
    'AADSTS70008: The provided authorization code or refresh token has expired due to inactivity. Trace ID: 6d3c1e30-1a2b-4c3d-8e4f-5a6b7c8d9e0f Timestamp: 2026-11-21 05:00:00Z',
    'connect ECONNREFUSED 127.0.0.1:6379',
    `sha256 ${'0123456789abcdef'.repeat(4)}`,
    `EACCES: permission denied, open '/var/lib/${'a-long-folder-name/'.repeat(8)}o365_token.txt'`,
  ])('leaves what people need: %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

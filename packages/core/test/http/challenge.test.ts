import { expect, test } from 'vitest';
import { claimsChallenge } from '../../src/http/challenge.js';

const claims = '{"access_token":{"xms_cc":{"values":["cp1"]}}}';
const base64 = Buffer.from(claims).toString('base64');

test.each([
  ['base64', `Bearer error="insufficient_claims", claims="${base64}"`],
  ['base64url without padding', `Bearer claims="${Buffer.from(claims).toString('base64url')}"`],
  ['an unquoted value', `Bearer claims=${base64.replace(/=+$/, '')}, error=insufficient_claims`],
  ['JSON with escaped quotes', `Bearer claims="${claims.replaceAll('"', '\\"')}"`],
  ['another scheme in front', `Basic realm="a, Bearer claims=x", Bearer realm="", claims="${base64}"`],
  ['another scheme behind', `Bearer claims="${base64}", PoP alg="ES256", claims="e30="`],
  ['odd case and spaces', `bearer   CLAIMS = "${base64}"`],
])('claims are found: %s', (_name, header) => {
  expect(claimsChallenge(header)).toBe(claims);
});

test.each([
  ['no header', null],
  ['no claims', 'Bearer error="invalid_token"'],
  ['claims of another scheme', `PoP claims="${base64}"`],
  ['claims that are not JSON', 'Bearer claims="bm90IGpzb24="'],
  ['claims that are no object', 'Bearer claims="WzFd"'],
  ['noise', '"""=,,= Bearer claims="'],
])('there are none: %s', (_name, header) => {
  expect(claimsChallenge(header)).toBeUndefined();
});

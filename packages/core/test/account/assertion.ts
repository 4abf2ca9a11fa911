import { createHash, createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';

/** Signs a client assertion as a program does that keeps its key elsewhere (RFC 7523 section 3, x5t#S256). */
export function clientAssertion(options: {
  readonly clientId: string;
  readonly tokenEndpoint: string;
  readonly privateKey: string;
  readonly certificate: string;
}): string {
  const thumbprint = createHash('sha256').update(new X509Certificate(options.certificate).raw).digest('base64url');
  const now = Math.floor(Date.now() / 1_000);
  const { clientId: iss, tokenEndpoint: aud } = options;
  const head = encode({ alg: 'RS256', typ: 'JWT', 'x5t#S256': thumbprint });
  const body = encode({ iss, sub: iss, aud, jti: randomUUID(), iat: now, nbf: now, exp: now + 600 });
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), createPrivateKey(options.privateKey));
  return `${head}.${body}.${signature.toString('base64url')}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

// Jobs that come and go, with one bucket in common: they speak for themselves and share one token, encrypted.
//
//   docker compose -f services/compose.yaml up moto --wait
//   curl -X PUT http://127.0.0.1:5000/tokens
//   node_modules/.bin/node examples/s3.ts --endpoint http://127.0.0.1:5000 --bucket tokens
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';
import { Account, JweCryptographyManager } from '@tokenry/core';
import { S3TokenBackend } from '@tokenry/s3';
import { localAuthority } from './dev.ts';

// Without an endpoint: Amazon's, with region and credentials from where the vendor's SDK always looks for them.
const { endpoint, bucket: bucketName } = parseArgs({
  options: { endpoint: { type: 'string' }, bucket: { type: 'string', default: 'tokens' } },
}).values;
const credentials = { accessKeyId: 'example', secretAccessKey: 'secret-TEST-example' };
const client = new S3Client(endpoint ? { endpoint, region: 'us-east-1', credentials, forcePathStyle: true } : {});
await using authority = await localAuthority({ clients: [{ clientId: 'nightly-report', clientSecret: 'secret-TEST-job' }] });

// In production the key comes from a vault, and an old one goes on reading while a new one writes.
const cryptographyManager = new JweCryptographyManager({ keys: { 'key-2026': randomBytes(32) }, activeKid: 'key-2026' });
const store = () => new S3TokenBackend({ client, bucketName, prefix: 'tokenry-example/', cryptographyManager });

/** One run of a job: starts, asks for data, ends. The store holds no process and no connection of ours. */
async function job(tokenKey: string): Promise<void> {
  await using account = new Account(['nightly-report', 'secret-TEST-job'], {
    ...authority.accountOptions,
    tokenBackend: store(),
    tokenKey,
    authFlowType: 'credentials',
  });
  const { status } = await account.connection.get('/users');
  console.log(`${tokenKey}: GET /users answers ${status}`);
}
await job('sales');
await job('sales'); // finds the token of the first run
await job('support');
console.log(`token calls of three runs: ${authority.calls({ grantType: 'client_credentials' }).length}`);

const tokenBackend = store();
const keys: string[] = [];
for await (const tokenKey of tokenBackend.listKeys()) keys.push(tokenKey);
console.log(`in the bucket: ${keys.join(', ')}`);
for (const tokenKey of keys) await tokenBackend.deleteToken({ tokenKey });
client.destroy(); // a client of yours is never closed by a backend

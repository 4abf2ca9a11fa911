// A program that speaks for itself: no person, no sign-in, a certificate instead of a secret, tokens encrypted on disk.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Account, JweCryptographyManager } from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { localAuthority } from './dev.ts';
import { makeCertificate } from './dev-certificate.ts';

// Stand-ins for the vault and for Entra ID.
const clientId = 'nightly-report';
const folder = '.tokenry/daemon';
const issued = await makeCertificate(clientId);
await mkdir(folder, { recursive: true, mode: 0o700 });
await writeFile(`${folder}/key.pem`, issued.privateKey, { mode: 0o600 });
await writeFile(`${folder}/certificate.pem`, issued.certificate);
await using authority = await localAuthority({ clients: [{ clientId, certificate: issued.certificate }] });

// A function, asked again when a new assertion must be signed: a rotated certificate needs no restart.
const clientCertificate = async () => ({
  privateKey: await readFile(`${folder}/key.pem`, 'utf8'),
  certificate: await readFile(`${folder}/certificate.pem`, 'utf8'),
});

const cryptographyManager = new JweCryptographyManager({ keys: { 'key-2026': randomBytes(32) }, activeKid: 'key-2026' });
const tokenBackend = new FileSystemTokenBackend({ tokenPath: folder, tokenFilename: 'daemon.token', cryptographyManager });
await using account = new Account({ clientId, clientCertificate }, { ...authority.accountOptions, tokenBackend });

// App-only accounts need no `authenticate`. There is no "me": name whom you mean.
const response = await account.connection.get('/users', { params: { $select: 'displayName' } });
const { value } = (await response.json()) as { value: { displayName: string }[] };
console.log(`GET /users: ${value.map((user) => user.displayName).join(', ')}`);

// A hundred callers, one request to the token endpoint.
await Promise.all(Array.from({ length: 100 }, () => account.getAccessToken({ minimumLifetimeMs: 600_000 })));
console.log(`token calls: ${authority.calls({ grantType: 'client_credentials' }).length}`);
console.log(`on disk: ${(await readFile(`${folder}/daemon.token`, 'utf8')).slice(0, 12)}… (encrypted)`);
await tokenBackend.deleteToken(); // the key of this example ends with it

// Continue with the tokens of a python-o365 2.1 program: open its token file in place, and leave it usable for Python.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Account, loopbackConsent } from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { MemoryTokenBackend } from '@tokenry/memory';
import { surroundings } from './dev.ts';

const { clientId, accountOptions, browser } = await surroundings('ada@contoso.example');
const folder = '.tokenry/python-project';
await writeTokenFileOfPython(`${folder}/o365_token.txt`);

// token_path='…', token_filename='o365_token.txt'
const tokenBackend = new FileSystemTokenBackend({ tokenPath: folder, tokenFilename: 'o365_token.txt' });
await using account = new Account([clientId], { ...accountOptions, tokenBackend, scopes: 'basic' });

console.log(`signed in already: ${await account.isAuthenticated()}`);
console.log(`as: ${(await account.getAuthenticatedUsernames()).join(', ')}`);
console.log(`GET /me: ${(await account.getCurrentUser()).displayName}`);

// A refresh replaces the tokens that Python wrote; it does not put a second set beside them.
await account.connection.refreshToken();
const record = JSON.parse(await readFile(`${folder}/o365_token.txt`, 'utf8'));
console.log(`refresh tokens in the file: ${Object.keys(record.RefreshToken).length}`);

// Back to Python: MSAL Python reads the file as it is; python-o365 also wants scopes on the refresh token.
const cache = await tokenBackend.loadToken();
await writeFile(`${folder}/for-python.txt`, cache?.exportForPython() ?? '', { mode: 0o600 });
const exported = JSON.parse(await readFile(`${folder}/for-python.txt`, 'utf8'));
console.log(`exported sections: ${Object.keys(exported).toSorted().join(', ')}`);

/** The stand-in for your Python program: signs in, and writes the file as python-o365 does. */
async function writeTokenFileOfPython(path: string): Promise<void> {
  const python = new MemoryTokenBackend();
  const user = new Account([clientId], { ...accountOptions, tokenBackend: python, scopes: 'basic' });
  await user.authenticate({ handleConsent: loopbackConsent(browser) });
  await mkdir(folder, { recursive: true });
  await writeFile(path, (await python.loadToken())?.exportForPython() ?? '', { mode: 0o600 });
  await user.close();
}

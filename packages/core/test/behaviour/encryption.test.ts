import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { expect, it } from 'vitest';
import type { CryptographyManager } from '../../src/crypto/cryptography-manager.js';
import { failure, openAccountStage } from '../account/stage.js';

it('B02: ciphertext may be any bytes; when encrypting fails the file stays intact and a later save writes', async () => {
  await using stage = await openAccountStage();
  const tokenPath = await mkdtemp(join(tmpdir(), 'tokenry-b02-'));
  const file = join(tokenPath, 'o365_token.txt');
  const key = randomBytes(64);
  const flip = (data: Uint8Array) => data.map((byte, at) => byte ^ (key[at % key.length] ?? 0));
  let broken = false;
  const cryptographyManager: CryptographyManager = {
    encrypt: (data) => {
      if (broken) throw new Error('the key store is down');
      return flip(data);
    },
    decrypt: flip,
  };
  try {
    const tokenBackend = new FileSystemTokenBackend({ tokenPath, cryptographyManager, clock: stage.clock });
    await stage.signedIn({ tokenBackend });
    const before = await readFile(file);
    expect(before.length).toBeGreaterThan(2_000);
    expect(before.toString('latin1')).not.toMatch(/RefreshToken|eyJ|rt-TEST-/);
    broken = true;
    const cache = await tokenBackend.loadToken();
    cache?.removeAccount({ username: 'ada@contoso.example' });
    expect(cache?.hasStateChanged).toBe(true);
    if (cache) await failure(tokenBackend.saveToken(cache));
    expect(cache?.hasStateChanged).toBe(true);
    expect(await readFile(file)).toEqual(before);
    broken = false;
    const other = stage.account(['web-1', 'secret-TEST-web'], {
      tokenBackend: new FileSystemTokenBackend({ tokenPath, cryptographyManager, clock: stage.clock }),
    });
    expect((await other.getCurrentUser()).userPrincipalName).toBe('ada@contoso.example');
    if (cache) await tokenBackend.saveToken(cache);
    expect(cache?.hasStateChanged).toBe(false);
    expect((await tokenBackend.loadToken({ fresh: true }))?.getAccounts()).toEqual([]);
  } finally {
    await rm(tokenPath, { recursive: true, force: true });
  }
});

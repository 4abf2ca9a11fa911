import { execFileSync } from 'node:child_process';
import { chmod, chown, link, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendAccessDeniedError, BackendUnavailableError, CapabilityError, type TokenryError } from '@tokenry/core/backend';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mapError } from '../src/map-error.js';
import { Child, scriptNamed } from './child.js';
import { collect, rejection, scratchFolder } from './scratch.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

/** Mounts something for one test; `false` where this user may not. */
function mounted(folder: string, args: readonly string[]): boolean {
  try {
    execFileSync('mount', args, { stdio: 'ignore' });
  } catch {
    return false;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', folder], { stdio: 'ignore' }));
  return true;
}

const skipUnlessMounted = (context: { skip(reason: string): never }, done: boolean): void => {
  if (!done) context.skip('mounting needs root: run these tests in a container as root to see them');
};

describe('hard cases', () => {
  test('a tokenPath that is a file is refused with advice, and the file stays', async () => {
    const path = join(await scratchFolder(), 'o365_token.txt');
    await writeFile(path, 'mine');
    const { records } = new FileSystemTokenBackend({ tokenPath: path });
    const works = [
      () => records.read('k'),
      () => records.write('k', bytes('1'), { expect: 'absent' }),
      () => collect(records.list()),
    ];
    for (const work of works) {
      const error = await rejection(work());
      expect(error).toMatchObject({ name: 'TypeError', code: 'TOKENRY_INVALID_ARGUMENT' });
      expect(error.message).toContain('Name the folder in tokenPath and the file in tokenFilename');
    }
    expect(await readFile(path, 'utf8')).toBe('mine');
  });

  test('a folder, a pipe or a circle of links in the place of a record is a CapabilityError', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'folder.token'));
    execFileSync('mkfifo', [join(folder, 'pipe.token')]);
    await symlink('circle.token', join(folder, 'circle.token'));
    const { records } = new FileSystemTokenBackend({ tokenPath: folder });
    for (const key of ['folder', 'pipe', 'circle']) {
      for (const work of [() => records.read(key), () => records.write(key, bytes('1'), { expect: 'anything' })]) {
        const error = await rejection(work());
        expect([key, CapabilityError.is(error), error.message]).toEqual([key, true, expect.stringContaining(`${key}.token`)]);
      }
    }
    expect((await readdir(folder)).sort()).toEqual(['circle.token', 'folder.token', 'pipe.token']);
  });

  test('a link to a disk that is not mounted is an outage, not an absent record', async () => {
    const folder = await scratchFolder();
    const [disk, away] = [join(folder, 'disk'), join(folder, 'away')];
    await mkdir(disk);
    await symlink(disk, join(folder, 'tokens'));
    const backend = new FileSystemTokenBackend({ tokenPath: join(folder, 'tokens', 'deep') });
    await backend.records.write('o365_token.txt', bytes('{}'), { expect: 'absent' });
    await rename(disk, away);
    const { records } = backend;
    const works = [
      () => records.read('o365_token.txt'),
      () => records.write('k', bytes('1'), { expect: 'absent' }),
      () => records.remove('k', { expect: 'anything' }),
      () => collect(records.list()),
    ];
    for (const work of works) expect(BackendUnavailableError.is(await rejection(work()))).toBe(true);
    await rename(away, disk);
    expect(await records.read('o365_token.txt')).toMatchObject({ data: Buffer.from('{}') });
  });

  test('a file name that no file system takes is refused', async () => {
    const { records } = new FileSystemTokenBackend({ tokenPath: await scratchFolder(), tokenFilename: 'n'.repeat(256) });
    expect(await rejection(records.write('n'.repeat(256), bytes('1'), { expect: 'absent' }))).toMatchObject({
      code: 'TOKENRY_INVALID_ARGUMENT',
    });
  });

  test('the longest file name works', async () => {
    const folder = await scratchFolder();
    const { records } = new FileSystemTokenBackend({ tokenPath: folder, tokenFilename: 'n'.repeat(255) });
    await records.write('n'.repeat(255), bytes('1'), { expect: 'absent' });
    expect(await readdir(folder)).toEqual(['n'.repeat(255)]);
  });

  test("another user's folder and file are AccessDenied, with advice", async () => {
    const folder = await scratchFolder();
    await writeFile(join(folder, 'o365_token.txt'), '{}', { mode: isRoot ? 0o600 : 0o000 });
    await chmod(folder, isRoot ? 0o755 : 0o500);
    const child = new Child(scriptNamed('report-errors'), [folder, isRoot ? NOBODY : undefined]);
    const said = await child.hear<Record<string, { readonly code: string; readonly message: string }>>();
    await chmod(folder, 0o700);
    for (const [attempt, { code, message }] of Object.entries(said)) {
      expect([attempt, code]).toEqual([attempt, 'TOKENRY_BACKEND_ACCESS_DENIED']);
      expect(message).toContain(folder);
      expect(message).toContain('choose a folder of its own with tokenPath');
    }
    expect(Object.keys(said).sort()).toEqual(['lease', 'read', 'remove', 'write']);
    expect(await readFile(join(folder, 'o365_token.txt'), 'utf8')).toBe('{}');
    expect(await readdir(folder)).toEqual(['o365_token.txt']);
  });

  test.runIf(isRoot)('a save by root leaves the file to its owner', async () => {
    const folder = await scratchFolder();
    const path = join(folder, 'o365_token.txt');
    await writeFile(path, '{}', { mode: 0o600 });
    await chown(path, NOBODY, NOBODY);
    await new FileSystemTokenBackend({ tokenPath: folder }).records.write('o365_token.txt', bytes('[]'), { expect: 'anything' });
    const { uid, gid, mode } = await stat(path);
    expect([uid, gid, (mode & 0o777).toString(8), await readFile(path, 'utf8')]).toEqual([NOBODY, NOBODY, '600', '[]']);
  });

  test('a second name of the file keeps the old content', async () => {
    const folder = await scratchFolder();
    await writeFile(join(folder, 'o365_token.txt'), 'old');
    await link(join(folder, 'o365_token.txt'), join(folder, 'backup'));
    await new FileSystemTokenBackend({ tokenPath: folder }).records.write('o365_token.txt', bytes('new'), { expect: 'anything' });
    expect([await readFile(join(folder, 'o365_token.txt'), 'utf8'), await readFile(join(folder, 'backup'), 'utf8')]).toEqual([
      'new',
      'old',
    ]);
  });

  test('a single mounted file is refused with advice, and stays as it is', async (context) => {
    const folder = await scratchFolder();
    const [outside, inside] = [join(folder, 'outside'), join(folder, 'o365_token.txt')];
    for (const path of [outside, inside]) await writeFile(path, 'old');
    skipUnlessMounted(context, mounted(inside, ['--bind', outside, inside]));
    const error = await rejection(
      new FileSystemTokenBackend({ tokenPath: folder }).records.write('o365_token.txt', bytes('new'), { expect: 'anything' }),
    );
    expect(CapabilityError.is(error)).toBe(true);
    expect(error.message).toContain(`mount its folder "${folder}" instead`);
    expect([await readFile(inside, 'utf8'), (await readdir(folder)).sort()]).toEqual(['old', ['o365_token.txt', 'outside']]);
  });

  test('a read-only file system is AccessDenied; reading works', async (context) => {
    const folder = await scratchFolder();
    await writeFile(join(folder, 'o365_token.txt'), 'old');
    skipUnlessMounted(context, mounted(folder, ['--bind', folder, folder]));
    execFileSync('mount', ['-o', 'remount,ro,bind', folder]);
    const { records } = new FileSystemTokenBackend({ tokenPath: folder });
    const error = await rejection(records.write('o365_token.txt', bytes('new'), { expect: 'anything' }));
    expect([BackendAccessDeniedError.is(error), error.message]).toEqual([true, expect.stringContaining('is read-only')]);
    expect(await records.read('o365_token.txt')).toMatchObject({ data: Buffer.from('old') });
  });

  test('a full disk leaves the old record and no temporary file; the save succeeds when there is room again', async (context) => {
    const folder = await scratchFolder();
    skipUnlessMounted(context, mounted(folder, ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]));
    const { records, leases } = new FileSystemTokenBackend({ tokenPath: folder });
    await records.write('o365_token.txt', bytes('old'), { expect: 'absent' });
    const large = Buffer.alloc(64 * 1024, 'x');
    const error = await rejection(records.write('o365_token.txt', large, { expect: 'anything' }));
    expect([BackendUnavailableError.is(error), error.message]).toEqual([true, expect.stringContaining('is full')]);
    expect([await readdir(folder), await readFile(join(folder, 'o365_token.txt'), 'utf8')]).toEqual([['o365_token.txt'], 'old']);
    await writeFile(join(folder, 'filler'), Buffer.alloc(56 * 1024)).catch(() => undefined);
    expect(await leases.tryAcquire('l', { owner: 'me', ttlMs: 1_000 })).toMatchObject({ acquired: expect.any(Boolean) });
    await leases.release('l', { owner: 'me', ttlMs: 1_000 });
    await writeFile(join(folder, 'filler'), '');
    await records.write('o365_token.txt', bytes('new'), { expect: 'anything' });
    expect(await readFile(join(folder, 'o365_token.txt'), 'utf8')).toBe('new');
  });
});

describe('errors of the file system', () => {
  const failure = (code: string): Error => Object.assign(new Error(`${code}: secret-TEST-path`), { code, syscall: 'open' });
  const attempt = { doing: 'read the record "/t/r"', folder: '/t' };

  test.each([
    ...['EACCES', 'EPERM', 'EROFS'].map((code) => [code, 'TOKENRY_BACKEND_ACCESS_DENIED', false] as const),
    ...['EISDIR', 'ELOOP', 'EBUSY', 'EXDEV', 'EFBIG', 'ENOTEMPTY'].map((code) => [code, 'TOKENRY_CAPABILITY', false] as const),
    ...['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EIO', 'ESTALE', 'ENOENT', 'ETIMEDOUT'].map(
      (code) => [code, 'TOKENRY_BACKEND_UNAVAILABLE', true] as const,
    ),
    ...['ENOTDIR', 'ENAMETOOLONG'].map((code) => [code, 'TOKENRY_INVALID_ARGUMENT', undefined] as const),
  ])('%s is %s', (system, code, retryable) => {
    const error = mapError(failure(system), attempt) as TokenryError;
    expect([error.code, error.retryable]).toEqual([code, retryable]);
    expect(error.message).toMatch(new RegExp(`^Could not read the record "/t/r" \\(${system}\\): .{20,}`));
    expect(error.message).not.toContain('secret-TEST');
  });

  test('what is no error of the file system passes through', () => {
    for (const error of [
      new Error('other'),
      new CapabilityError('known'),
      'text',
      Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' }),
    ])
      expect(mapError(error, attempt)).toBe(error);
  });
});

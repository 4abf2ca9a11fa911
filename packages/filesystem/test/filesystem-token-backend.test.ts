import { chmod, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RecordCorruptError, VersionConflictError } from '@tokenry/core/backend';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { describe, expect, test } from 'vitest';
import { signedIn } from '../../../test-support/signed-in.ts';
import { Child, scriptNamed } from './child.js';
import { collect, rejection, scratchFolder } from './scratch.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
const listed = async (backend: FileSystemTokenBackend): Promise<readonly string[]> =>
  [...(await collect(backend.listKeys()))].sort();

describe('where records lie', () => {
  test('the default key is the named file itself, other keys lie beside it with a suffix', async () => {
    const folder = await scratchFolder();
    const backend = new FileSystemTokenBackend({ tokenPath: folder, tokenFilename: 'Team Token.json' });
    await backend.records.write('Team Token.json', bytes('1'), { expect: 'absent' });
    await backend.records.write('user-42', bytes('2'), { expect: 'absent' });
    await backend.records.write('Ada@Contoso.example/..', bytes('3'), { expect: 'absent' });
    expect((await readdir(folder)).sort()).toEqual([
      '=41da=40=43ontoso.example=2f.=2e.token',
      'Team Token.json',
      'user-42.token',
    ]);
    expect(await readFile(join(folder, 'Team Token.json'), 'utf8')).toBe('1');
  });

  test('a listing names records and nothing else that lies in the folder', async () => {
    const folder = await scratchFolder();
    const backend = new FileSystemTokenBackend({ tokenPath: folder });
    for (const key of ['o365_token.txt', 'user-42', 'README.md', 'k'.repeat(256)])
      await backend.records.write(key, bytes('{}'), { expect: 'absent' });
    for (const stranger of ['README.md', '.DS_Store', '=tmp-0', '=lock-o365_token.txt'])
      await writeFile(join(folder, stranger), '');
    await mkdir(join(folder, 'folder.token'));
    await symlink('/nowhere/at/all', join(folder, 'broken.token'));
    expect(await listed(backend)).toEqual(['README.md', 'k'.repeat(256), 'o365_token.txt', 'user-42']);
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('');
  });

  test('without tokenPath they lie in the state folder of the user, never in the working directory', async () => {
    const said = await new Child(scriptNamed('save-in-home')).hear();
    const folder =
      process.platform === 'darwin'
        ? 'Library/Application Support/tokenry'
        : process.platform === 'win32'
          ? 'AppData/Local/tokenry'
          : '.local/state/tokenry';
    expect(said).toEqual({ files: ['o365_token.txt'], cwd: [], folder, mode: '700' });
  });

  test('a missing folder is absence to readers, and made for this user alone by the first save', async () => {
    const folder = join(await scratchFolder(), 'a', 'b');
    const backend = new FileSystemTokenBackend({ tokenPath: pathToFileURL(folder) });
    expect(await backend.records.read('o365_token.txt')).toBe(undefined);
    expect(await backend.records.remove('o365_token.txt', { expect: 'anything' })).toBe(false);
    expect(await listed(backend)).toEqual([]);
    expect(await readdir(dirname(dirname(folder)))).toEqual([]);
    await backend.records.write('o365_token.txt', bytes('{}'), { expect: 'absent' });
    expect([await modeOf(dirname(folder)), await modeOf(folder), await modeOf(join(folder, 'o365_token.txt'))]).toEqual([
      '700',
      '700',
      '600',
    ]);
  });

  test('an existing folder keeps its mode', async () => {
    const folder = join(await scratchFolder(), 'shared');
    await mkdir(folder, { mode: 0o755 });
    await new FileSystemTokenBackend({ tokenPath: folder }).records.write('o365_token.txt', bytes('{}'), { expect: 'absent' });
    expect(await modeOf(folder)).toBe('755');
  });
});

describe('options', () => {
  test.each([
    [{ tokenPth: '/x' }, /unknown option "tokenPth"; did you mean "tokenPath"/],
    [{ tokenFilename: 'a/b.txt' }, /name the folder in tokenPath/],
    [{ tokenFilename: '..' }, /is a path/],
    [{ tokenFilename: '' }, /name of a file/],
    [{ tokenFilename: '=lease-x' }, /reserved/],
    [{ tokenPath: '' }, /path of a folder/],
    [{ tokenPath: '~/tokens' }, /os\.homedir\(\)/],
    [{ tokenPath: 'file:///x' }, /new URL/],
    [{ tokenPath: new URL('https://x.example/') }, /file: URL/],
    [{ tokenFilename: 'a.txt', defaultTokenKey: 'b.txt' }, /give one of them/],
    [{ writeLock: { ttl: 1 } }, /did you mean "ttlMs"/],
    [{ writeLock: { ttlMs: 0 } }, /positive/],
  ])('%o is refused with advice', (options, advice) => {
    expect(() => new FileSystemTokenBackend(options as object)).toThrow(advice);
  });

  test('a path in the place of the options is refused', () => {
    expect(() => new FileSystemTokenBackend('/srv/tokens' as never)).toThrow(/options must be an object/);
  });

  test('what it claims', () => {
    const backend = new FileSystemTokenBackend({ tokenPath: '/nowhere' });
    expect(backend.capabilities).toEqual({ conditionalWrites: true, leases: true, list: true, durable: true, shared: true });
    expect([backend.id, backend.defaultTokenKey]).toEqual(['filesystem', 'o365_token.txt']);
  });
});

describe('saving', () => {
  test('compares with what is stored, whoever wrote it', async () => {
    const folder = await scratchFolder();
    const { records } = new FileSystemTokenBackend({ tokenPath: folder });
    const version = await records.write('k', bytes('1'), { expect: 'absent' });
    await writeFile(join(folder, 'k.token'), 'by hand');
    expect(VersionConflictError.is(await rejection(records.write('k', bytes('2'), { expect: { version } })))).toBe(true);
    expect(VersionConflictError.is(await rejection(records.write('k', bytes('2'), { expect: 'absent' })))).toBe(true);
    expect(VersionConflictError.is(await rejection(records.remove('k', { expect: { version } })))).toBe(true);
    expect(await readFile(join(folder, 'k.token'), 'utf8')).toBe('by hand');
    expect(await readdir(folder)).toEqual(['k.token']);
  });

  test('the mode of a file that strangers can read is tightened, a shared one stays shared', async () => {
    const folder = await scratchFolder();
    const { records } = new FileSystemTokenBackend({ tokenPath: folder });
    for (const [key, mode] of [
      ['careless', 0o644],
      ['group', 0o660],
      ['own', 0o600],
      ['odd', 0o750],
    ] as const)
      await writeFile(join(folder, `${key}.token`), '', { mode });
    await chmod(join(folder, 'group.token'), 0o660); // what the umask took away
    for (const key of ['careless', 'group', 'own', 'odd']) await records.write(key, bytes('{}'), { expect: 'anything' });
    const modes = await Promise.all(['careless', 'group', 'own', 'odd'].map((key) => modeOf(join(folder, `${key}.token`))));
    expect(modes).toEqual(['600', '660', '600', '640']);
  });

  test('goes where a link leads, also through several and to a file that is not there yet, and the link stays', async () => {
    const folder = await scratchFolder();
    const vault = join(folder, 'vault');
    await mkdir(vault);
    await symlink('second', join(folder, 'o365_token.txt'));
    await symlink(join('vault', 'real.txt'), join(folder, 'second'));
    const { records } = new FileSystemTokenBackend({ tokenPath: folder });
    expect(await records.read('o365_token.txt')).toBe(undefined);
    await records.write('o365_token.txt', bytes('1'), { expect: 'absent' });
    const read = await records.read('o365_token.txt');
    expect(read).toMatchObject({ data: Buffer.from('1') });
    await records.write('o365_token.txt', bytes('2'), { expect: 'anything' });
    expect([await readlink(join(folder, 'o365_token.txt')), await readdir(vault)]).toEqual(['second', ['real.txt']]);
    expect(await readFile(join(vault, 'real.txt'), 'utf8')).toBe('2');
    expect(await records.remove('o365_token.txt', { expect: 'anything' })).toBe(true);
    expect([await readlink(join(folder, 'o365_token.txt')), await readdir(vault)]).toEqual(['second', []]);
  });

  test('an aborted save writes nothing and leaves nothing', async () => {
    const folder = await scratchFolder();
    const { records } = new FileSystemTokenBackend({ tokenPath: folder });
    const controller = new AbortController();
    const work = rejection(records.write('k', bytes('1'), { expect: 'absent', signal: controller.signal }));
    controller.abort(new Error('enough'));
    expect((await work).message).toBe('enough');
    await expect.poll(() => readdir(folder)).toEqual([]);
  });

  test('removes what dead processes left, and nothing of live ones', async () => {
    const folder = await scratchFolder();
    const ended = new Child(scriptNamed('print-owner'));
    const dead = (await ended.hear<string>()).split('.').slice(0, 4).join('.');
    await ended.exited;
    const holder = await Child.started(scriptNamed('hold-lock'), [join(folder, '=lock-busy.token')]);
    const alive = `${(await readlink(join(folder, '=lock-busy.token'))).split('.').slice(0, 4).join('.')}`;
    const foreign = '0123456789abcdef.16.16.1';
    for (const owner of [dead, alive, foreign]) await writeFile(join(folder, `=tmp-${owner}.1`), 'secret-TEST-left');
    await symlink(`${dead}.aaaaaaaaaa@vm`, join(folder, '=lock-gone.token'));
    await symlink(`${dead}.bbbbbbbbbb@vm`, join(folder, '=take-0'));
    await new FileSystemTokenBackend({ tokenPath: folder }).records.write('k', bytes('1'), { expect: 'absent' });
    expect((await readdir(folder)).sort()).toEqual(
      [`=lock-busy.token`, `=tmp-${foreign}.1`, `=tmp-${alive}.1`, 'k.token'].sort(),
    );
    await holder.kill();
  });
});

describe('tokens', () => {
  test('B04: two instances that sign in different users keep both', async () => {
    const folder = await scratchFolder();
    const [a, b] = [new FileSystemTokenBackend({ tokenPath: folder }), new FileSystemTokenBackend({ tokenPath: folder })];
    await Promise.all([a.saveToken(signedIn('ada')), b.saveToken(signedIn('bob'))]);
    const names = (await a.loadToken({ fresh: true }))?.getAccounts().map((account) => account.username);
    expect(names?.sort()).toEqual(['ada@contoso.example', 'bob@contoso.example']);
  });

  test('an unencrypted record is a file that other MSAL programs read', async () => {
    const folder = await scratchFolder();
    await new FileSystemTokenBackend({ tokenPath: folder }).saveToken(signedIn('ada'));
    const file = JSON.parse(await readFile(join(folder, 'o365_token.txt'), 'utf8'));
    expect(Object.values<{ secret: string }>(file.RefreshToken).map(({ secret }) => secret)).toEqual(['rt-TEST-ada']);
  });

  test.each([
    ['empty', ''],
    ['truncated', '{"AccessToken": {"a'],
    ['a list', '[]'],
    ['no JSON', 'hello'],
    ['not text', Buffer.from([0xff, 0xfe, 0x00])],
  ])('B03: a record that is %s is an error on each read, and stays as it is', async (_, content) => {
    const folder = await scratchFolder();
    await writeFile(join(folder, 'o365_token.txt'), content);
    const backend = new FileSystemTokenBackend({ tokenPath: folder });
    for (let time = 0; time < 2; time++) expect(RecordCorruptError.is(await rejection(backend.loadToken()))).toBe(true);
    expect(RecordCorruptError.is(await rejection(backend.saveToken(signedIn('ada'))))).toBe(true);
    expect(await readFile(join(folder, 'o365_token.txt'))).toEqual(Buffer.from(content));
    expect(await readdir(folder)).toEqual(['o365_token.txt']);
  });

  test('a corrupt record is copied aside before a sign-in replaces it', async () => {
    const folder = await scratchFolder();
    await writeFile(join(folder, 'o365_token.txt'), '{"broken');
    const backend = new FileSystemTokenBackend({ tokenPath: folder });
    const theirs = signedIn('ada');
    await backend.updateToken((cache) => cache.applySignIn(theirs), { overwriteCorrupt: true });
    const aside = (await readdir(folder)).filter((name) => name.startsWith('=corrupt-'));
    expect(await Promise.all(aside.map((name) => readFile(join(folder, name), 'utf8')))).toEqual(['{"broken']);
    expect((await backend.loadToken({ fresh: true }))?.getAccounts()).toHaveLength(1);
    expect(await listed(backend)).toEqual(['o365_token.txt']);
  });

  test('B02, D-04: an encryption that fails leaves the old file alone', async () => {
    const folder = await scratchFolder();
    await new FileSystemTokenBackend({ tokenPath: folder }).saveToken(signedIn('ada'));
    const before = await readFile(join(folder, 'o365_token.txt'));
    const cryptographyManager = {
      encrypt: (): Uint8Array => {
        throw new Error('no key');
      },
      decrypt: (data: Uint8Array) => data,
    };
    const backend = new FileSystemTokenBackend({ tokenPath: folder, cryptographyManager });
    await expect(backend.saveToken(signedIn('bob'))).rejects.toThrow('no key');
    expect(await readFile(join(folder, 'o365_token.txt'))).toEqual(before);
    expect(await readdir(folder)).toEqual(['o365_token.txt']);
  });

  test('deleteToken removes the file', async () => {
    const folder = await scratchFolder();
    const backend = new FileSystemTokenBackend({ tokenPath: folder });
    await backend.saveToken(signedIn('ada'));
    expect([await backend.deleteToken(), await backend.deleteToken(), await readdir(folder)]).toEqual([true, false, []]);
    expect(await backend.loadToken()).toBe(undefined);
  });
});

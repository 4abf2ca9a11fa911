import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { hangUp, say } from '../../../../test-support/talk.ts';

/** Saves with no options at all, in a home folder of its own, and says which files appeared where. */
const home = mkdtempSync(join(tmpdir(), 'tokenry-home-'));
const cwd = mkdtempSync(join(tmpdir(), 'tokenry-cwd-'));
Object.assign(process.env, { HOME: home, USERPROFILE: home, XDG_STATE_HOME: cwd });
process.chdir(cwd);
await new FileSystemTokenBackend().records.write('o365_token.txt', Buffer.from('{}'), { expect: 'absent' });
const found = readdirSync(homedir(), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const folder = found[0]?.parentPath ?? '';
say({
  folder: folder.slice(home.length + 1).replaceAll('\\', '/'),
  files: found.map((entry) => entry.name),
  cwd: readdirSync(cwd),
  mode: (statSync(folder).mode & 0o777).toString(8),
});
process.chdir(tmpdir());
for (const made of [home, cwd]) rmSync(made, { recursive: true });
hangUp();

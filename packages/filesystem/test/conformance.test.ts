import { chmod, mkdir, mkdtemp, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreateStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, encodeName } from '@tokenry/core/backend';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { addConformanceTestsOf, combined } from '../../../test-support/conformance.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

/** A folder behind a link, as a mounted disk often is, so that it can be taken away. */
function storesWith(extra: BaseTokenBackendOptions): CreateStore {
  return async () => {
    const base = await realpath(await mkdtemp(join(tmpdir(), 'tokenry-conformance-')));
    const [disk, away, tokenPath] = [join(base, 'disk'), join(base, 'away'), join(base, 'tokens')];
    await mkdir(disk, { mode: 0o700 });
    await chmod(base, 0o755);
    await symlink(disk, tokenPath);
    const pathOf = (key: string): string => join(tokenPath, `${encodeName((extra.keyPrefix ?? '') + key)}.token`);
    return {
      open: async (options) => new FileSystemTokenBackend({ ...combined(extra, options), tokenPath }),
      readRaw: (key) => readFile(pathOf(key)).catch((error: NodeJS.ErrnoException) => absent(error)),
      faults: {
        unreachable: async () => {
          await rename(disk, away);
          return () => rename(away, disk);
        },
        denied: () => denyAccess(disk),
        corrupt: (key) => writeFile(pathOf(key), '{"AccessToken": {"half'),
      },
      destroy: () => rm(base, { recursive: true, force: true }),
    };
  };
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

/** Root passes every mode: it has to become somebody else for a while. */
async function denyAccess(folder: string): Promise<() => Promise<void>> {
  if (!isRoot) {
    await chmod(folder, 0);
    return () => chmod(folder, 0o700);
  }
  process.seteuid?.(NOBODY);
  return async () => process.seteuid?.(0);
}

await addConformanceTestsOf(storesWith);

import { open } from 'node:fs/promises';

/** File systems that keep no folder on a disk of ours, or do not let it be synced, answer with these. */
const NOT_SYNCABLE = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EISDIR', 'EBADF', 'EACCES', 'EPERM']);

/**
 * Waits until the folder's names are on the disk: a rename alone may be undone by a power cut (fsync(2), notes). Windows has
 * no such call; NTFS journals its names.
 */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!NOT_SYNCABLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

import { setTimeout as wait } from 'node:timers/promises';

const SHARED = new Set(['EPERM', 'EACCES', 'EBUSY']);

/**
 * On Windows a file that a virus scanner or a reader has open can for a moment neither be renamed nor removed: tries again for
 * up to one second. Elsewhere these answers are final, and the call is made once.
 */
export async function retryWhileShared<T>(action: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + (process.platform === 'win32' ? 1_000 : 0);
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!SHARED.has((error as NodeJS.ErrnoException).code ?? '') || performance.now() >= giveUpAt) throw error;
      await wait(5 + Math.random() * 20);
    }
  }
}

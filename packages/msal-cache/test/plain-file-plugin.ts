import { readFile, rename, writeFile } from 'node:fs/promises';
import type { ICachePlugin } from '@azure/msal-node';

let writes = 0;

/** The plugin that documentation shows, with a careful write: temporary file and rename, no lock. For comparison. */
export function plainFilePlugin(path: string): ICachePlugin {
  return {
    beforeCacheAccess: async ({ tokenCache }) => {
      const text = await readFile(path, 'utf8').catch(() => '');
      tokenCache.deserialize(text);
    },
    afterCacheAccess: async ({ cacheHasChanged, tokenCache }) => {
      if (!cacheHasChanged) return;
      const temporary = `${path}.${process.pid}.${++writes}.tmp`;
      await writeFile(temporary, tokenCache.serialize());
      await rename(temporary, path);
    },
  };
}

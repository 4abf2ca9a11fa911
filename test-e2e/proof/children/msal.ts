/** A program on msal-node alone, with one of three cache plugins. */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire, registerHooks } from 'node:module';
import { dirname } from 'node:path';
import { type ICachePlugin, PublicClientApplication, type TokenCacheContext } from '@azure/msal-node';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { createCachePlugin } from '@tokenry/msal-cache';
import { answerOrders } from './answer.ts';
import { CLIENT_ID } from './tasks.ts';

export type PluginName = 'plain file' | 'msal-node-extensions' | '@tokenry/msal-cache';

interface Open {
  readonly plugin: PluginName;
  /** The cache file. */
  readonly path: string;
  readonly authority: { readonly tenantId: string; readonly cloud: { readonly authority: string } };
  /** Folder in which msal-node-extensions is installed. */
  readonly extensions?: string;
}

let app: PublicClientApplication | undefined;
let leakedHandles = 0;

answerOrders({
  async open({ plugin, path, authority, extensions }: Open) {
    const { host } = new URL(authority.cloud.authority);
    app = new PublicClientApplication({
      auth: {
        clientId: CLIENT_ID,
        authority: `${authority.cloud.authority}/${authority.tenantId}`,
        knownAuthorities: [host],
      },
      cache: { cachePlugin: await pluginFor(plugin, path, extensions) },
    });
  },

  /** Each user name once per caller, all at the same time. */
  async storm({ usernames }: { readonly usernames: readonly string[] }) {
    const settled = await Promise.allSettled(usernames.map(tokenFor));
    return settled.flatMap((one) => (one.status === 'rejected' ? [codeOf(one.reason)] : []));
  },

  /** File handles that the plugin left to the garbage collector. */
  async leakedHandles(_none: object): Promise<number> {
    return leakedHandles;
  },
});

async function tokenFor(username: string): Promise<string> {
  if (!app) throw new Error('open first');
  const accounts = await app.getTokenCache().getAllAccounts();
  const account = accounts.find((one) => one.username === username);
  if (!account) throw Object.assign(new Error('no account'), { errorCode: 'account_is_gone' });
  const { accessToken } = await app.acquireTokenSilent({ account, scopes: ['User.Read'] });
  return accessToken;
}

async function pluginFor(name: PluginName, path: string, extensions: string | undefined): Promise<ICachePlugin> {
  if (name === '@tokenry/msal-cache') return createCachePlugin(new FileSystemTokenBackend({ tokenPath: dirname(path) }));
  return name === 'plain file' ? plainFile(path) : persistence(path, extensions ?? '');
}

/** As msal-node's documentation shows it. */
function plainFile(path: string): ICachePlugin {
  return {
    async beforeCacheAccess(context: TokenCacheContext) {
      context.tokenCache.deserialize(await readFile(path, 'utf8'));
    },
    async afterCacheAccess(context: TokenCacheContext) {
      if (context.cacheHasChanged) await writeFile(path, context.tokenCache.serialize());
    },
  };
}

async function persistence(path: string, folder: string): Promise<ICachePlugin> {
  // Its index loads native modules that a file needs nothing of, and that not every machine can build.
  const stub = { url: new URL('./no-native.cjs', import.meta.url).href, format: 'commonjs', shortCircuit: true };
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'keytar' || specifier === '@azure/msal-node-runtime' ? stub : next(specifier, context),
  });
  outliveLeaks();
  const { FilePersistence, PersistenceCachePlugin } = createRequire(`${folder}/`)('@azure/msal-node-extensions');
  return new PersistenceCachePlugin(await FilePersistence.create(path));
}

/** Node.js 26 ends a program whose file handle is garbage; it goes on here as it would on Node.js 24, so that all is compared. */
function outliveLeaks(): void {
  process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_INVALID_STATE' || !error.message.includes('garbage collection')) throw error;
    leakedHandles += 1;
  });
}

function codeOf(error: unknown): string {
  const { errorCode, message } = error as { readonly errorCode?: string; readonly message?: string };
  return errorCode ?? String(message).slice(0, 60);
}

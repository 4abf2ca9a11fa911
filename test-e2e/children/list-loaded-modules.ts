/** Gets a token from the file given, then reports which files were loaded on the way. */
import { once } from 'node:events';
import { registerHooks } from 'node:module';

const loaded = new Set<string>();
registerHooks({
  load(url, context, nextLoad) {
    loaded.add(url);
    return nextLoad(url, context);
  },
});

const [message] = await once(process, 'message');
const { tokenPath, clientId, accountOptions } = message as { tokenPath: string; clientId: string; accountOptions: object };
const { Account } = await import('@tokenry/core');
const { FileSystemTokenBackend } = await import('@tokenry/filesystem');
const account = new Account([clientId], {
  ...accountOptions,
  tokenBackend: new FileSystemTokenBackend({ tokenPath }),
  scopes: 'basic',
});
const { token } = await account.getAccessToken();
// Not in the documentation, and nowhere else: which parts of Node.js itself have been loaded.
const { moduleLoadList = [] } = process as { moduleLoadList?: readonly string[] };
const builtins = moduleLoadList.filter((name) => name.startsWith('NativeModule ')).map((name) => name.slice(13));
process.send?.({ hasToken: token.length > 0, loaded: [...loaded], builtins });
process.disconnect?.();

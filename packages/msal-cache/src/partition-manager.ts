import { invalidArgument, strictOptions } from '@tokenry/core/backend';
import type { PartitionManager } from './msal-types.js';
import { checkKey } from './options.js';

export interface PartitionManagerOptions {
  /** The partition of whom the current call is for; empty while nobody is signed in. */
  readonly getKey: () => string | Promise<string>;
  /** The partition of an account: the same function that the cache client has. @default the account's homeAccountId */
  readonly partitionKey?: (homeAccountId: string) => string;
}

/**
 * An `IPartitionManager` for msal-node's `DistributedCachePlugin`, to go with `createCacheClient`.
 *
 * @throws TypeError (`TOKENRY_INVALID_ARGUMENT`, `TOKENRY_UNKNOWN_OPTION`) for wrong arguments.
 */
export function createPartitionManager(options: PartitionManagerOptions): PartitionManager {
  const checked = strictOptions('createPartitionManager', options, ['getKey', 'partitionKey']);
  const { getKey, partitionKey = (home: string) => home } = checked;
  if (typeof getKey !== 'function') throw invalidArgument('createPartitionManager: getKey must be a function.');
  return {
    getKey: async () => checkKey('createPartitionManager: getKey', await getKey()),
    extractKey: async ({ homeAccountId }) => checkKey('createPartitionManager: partitionKey', partitionKey(homeAccountId)),
  };
}

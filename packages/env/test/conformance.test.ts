import { randomUUID } from 'node:crypto';
import { type CreateStore, conformanceTests, describeStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, encodeName, JweCryptographyManager } from '@tokenry/core/backend';
import { EnvTokenBackend } from '@tokenry/env';
import { describe, test } from 'vitest';
import { variableOf } from '../src/variable-name.js';
import { decodeValue } from '../src/variable-value.js';

function storesWith(extra: BaseTokenBackendOptions): CreateStore {
  return async () => {
    const tokenEnvName = `TOKENRY_${randomUUID().replaceAll('-', '')}`;
    const variable = (key: string) => variableOf(tokenEnvName, encodeName((extra.keyPrefix ?? '') + key));
    return {
      open: async (options) => {
        const keyPrefix = (extra.keyPrefix ?? '') + (options.keyPrefix ?? '');
        return new EnvTokenBackend({ ...extra, ...options, keyPrefix, tokenEnvName });
      },
      readRaw: async (key) => {
        const value = process.env[variable(key)];
        return value === undefined ? undefined : decodeValue(value);
      },
      faults: {
        corrupt: async (key) => {
          process.env[variable(key)] = '{"AccessToken": {"half';
        },
      },
      destroy: async () => {
        for (const name of Object.keys(process.env)) if (name.startsWith(tokenEnvName)) delete process.env[name];
      },
    };
  };
}

const stores: Readonly<Record<string, BaseTokenBackendOptions>> = {
  plain: {},
  encrypted: { cryptographyManager: new JweCryptographyManager({ keys: { k1: new Uint8Array(32).fill(7) }, activeKid: 'k1' }) },
  'under a key prefix': { keyPrefix: 'Team A/' },
};

for (const [name, extra] of Object.entries(stores)) {
  const createStore = storesWith(extra);
  const store = await describeStore(createStore);
  describe(`conformance, ${name}`, () => {
    for (const { group, name: sentence, skip, run } of conformanceTests(createStore, { store }))
      test(`${group}: ${sentence}`, { skip: skip !== undefined }, run);
  });
}

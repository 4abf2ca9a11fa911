import { randomUUID } from 'node:crypto';
import type { CreateStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, encodeName } from '@tokenry/core/backend';
import { EnvTokenBackend } from '@tokenry/env';
import { addConformanceTestsOf, combined } from '../../../test-support/conformance.ts';
import { variableOf } from '../src/variable-name.js';
import { decodeValue } from '../src/variable-value.js';

function storesWith(extra: BaseTokenBackendOptions): CreateStore {
  return async () => {
    const tokenEnvName = `TOKENRY_${randomUUID().replaceAll('-', '')}`;
    const variable = (key: string) => variableOf(tokenEnvName, encodeName((extra.keyPrefix ?? '') + key));
    return {
      open: async (options) => new EnvTokenBackend({ ...combined(extra, options), tokenEnvName }),
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

await addConformanceTestsOf(storesWith);

import type { CreateStore } from '@tokenry/conformance';
import { type BaseTokenBackendOptions, encodeName } from '@tokenry/core/backend';
import { MemoryTokenBackend } from '@tokenry/memory';
import { addConformanceTestsOf, combined } from '../../../test-support/conformance.ts';

/** Lets the kit see, and damage, what is really kept. */
class OpenedMemory extends MemoryTokenBackend {
  async raw(name: string): Promise<Uint8Array | undefined> {
    return (await this.readRecord(name))?.data;
  }
  async damage(name: string): Promise<void> {
    await this.writeRecord(name, Buffer.from('{"AccessToken": {"half'));
  }
}

function storesWith(extra: BaseTokenBackendOptions): CreateStore {
  return async () => {
    const opened: OpenedMemory[] = [];
    const nameOf = (key: string) => encodeName((extra.keyPrefix ?? '') + key);
    return {
      open: async (options) => {
        const backend = new OpenedMemory(combined(extra, options));
        opened.push(backend);
        return backend;
      },
      readRaw: async (key) => opened.at(-1)?.raw(nameOf(key)),
      faults: { corrupt: async (key) => opened.at(-1)?.damage(nameOf(key)) },
      destroy: async () => {},
    };
  };
}

await addConformanceTestsOf(storesWith);

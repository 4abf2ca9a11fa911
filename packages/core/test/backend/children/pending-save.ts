// A program that saves once while its store is down for a second, and then has nothing more to do.
import { BackendUnavailableError, BaseTokenBackend, type WriteOptions } from '@tokenry/core/backend';

class LateBackend extends BaseTokenBackend {
  readonly #openAt = performance.now() + Number(process.argv[2]);
  constructor() {
    super({ capabilities: { conditionalWrites: true, leases: true, list: false, durable: true, shared: false } });
  }
  protected async readRecord() {
    return undefined;
  }
  protected async writeRecord(name: string, data: Uint8Array, _options: WriteOptions) {
    if (performance.now() < this.#openAt) throw new BackendUnavailableError('down');
    console.log('saved', name, data.byteLength > 0);
    return 'v';
  }
  protected async removeRecord() {
    return false;
  }
}

const backend = new LateBackend();
const access = (
  backend as unknown as Record<
    symbol,
    { commit(key: string, change: (cache: { add(event: object): void }) => void): Promise<object> }
  >
)[Symbol.for('tokenry.recordAccess')];
const response = { token_type: 'Bearer', access_token: 'at-TEST-1', expires_in: 3600, scope: 'a' };
await access?.commit('key', (cache) =>
  cache.add({ response, environment: 'login.example', clientId: 'c', tenantId: 't', scopes: ['a'] }),
);
await backend.leases.tryAcquire('idle', { owner: 'me', ttlMs: 60_000 });
console.log('done');

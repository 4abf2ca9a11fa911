// A whole backend on SQLite, leases included. It passes the conformance kit: custom-token-backend.test.ts.
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { BaseTokenBackendOptions, RemoveOptions, WriteOptions } from '@tokenry/core/backend';
import { BackendUnavailableError, BaseTokenBackend, VersionConflictError } from '@tokenry/core/backend';

const capabilities = { conditionalWrites: true, leases: true, list: true, durable: true, shared: true };
const TABLE = 'CREATE TABLE IF NOT EXISTS tokens (data BLOB NOT NULL, version TEXT NOT NULL, name TEXT PRIMARY KEY)';
const UPDATE = 'UPDATE tokens SET data = ?, version = ? WHERE name = ? AND version = ?';

export class SqliteTokenBackend extends BaseTokenBackend {
  readonly #path: string;
  #database: DatabaseSync | undefined;

  constructor({ path, ...options }: BaseTokenBackendOptions & { readonly path: string }) {
    super({ capabilities, id: `sqlite:${path}` }, options); // the same id wherever the same store is opened
    this.#path = path;
  }

  protected async readRecord(name: string) {
    const row = this.#use((db) => db.prepare('SELECT data, version FROM tokens WHERE name = ?').get(name));
    return row && { data: row.data as Uint8Array, version: row.version as string }; // undefined: absent, and only that
  }

  protected async writeRecord(name: string, data: Uint8Array, { expect }: WriteOptions) {
    const version = randomUUID();
    const { changes } = this.#use((db) => {
      if (expect === 'anything') return db.prepare('REPLACE INTO tokens VALUES (?, ?, ?)').run(data, version, name);
      if (expect === 'absent') return db.prepare('INSERT OR IGNORE INTO tokens VALUES (?, ?, ?)').run(data, version, name);
      return db.prepare(UPDATE).run(data, version, name, expect.version);
    });
    if (changes === 0) throw new VersionConflictError(name);
    return version;
  }

  protected async removeRecord(name: string, { expect }: RemoveOptions) {
    const version = expect === 'anything' ? '%' : expect.version;
    const { changes } = this.#use((db) => db.prepare('DELETE FROM tokens WHERE name = ? AND version LIKE ?').run(name, version));
    if (changes === 0 && (await this.readRecord(name))) throw new VersionConflictError(name);
    return changes > 0;
  }

  protected override async *listRecords() {
    for (const { name } of this.#use((db) => db.prepare('SELECT name FROM tokens').all())) yield name as string;
  }

  protected override async closeResources() {
    this.#database?.close();
  }

  #use<T>(work: (database: DatabaseSync) => T): T {
    try {
      this.#database ??= new DatabaseSync(this.#path, { timeout: 5_000 }); // opened on first use; waits for other writers
      this.#database.exec(TABLE);
      return work(this.#database);
    } catch (cause) {
      throw new BackendUnavailableError('The token database does not answer.', { cause }); // an outage is never "absent"
    }
  }
}

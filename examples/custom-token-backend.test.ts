import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type CreateStore, conformanceTests, describeStore } from '@tokenry/conformance';
import { describe, test } from 'vitest';
import { SqliteTokenBackend } from './custom-token-backend.js';

const createStore: CreateStore = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tokenry-sqlite-'));
  const path = join(folder, 'tokens.db');
  const sql = (work: (database: DatabaseSync) => unknown) => {
    const database = new DatabaseSync(path, { timeout: 5_000 });
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  return {
    open: async (options) => new SqliteTokenBackend({ ...options, path }),
    readRaw: async (key) =>
      sql((db) => db.prepare('SELECT data FROM tokens WHERE name = ?').get(key)?.data) as Uint8Array | undefined,
    faults: {
      corrupt: async (key) =>
        void sql((db) => db.prepare("UPDATE tokens SET data = x'7b', version = 'torn' WHERE name = ?").run(key)),
      unreachable: async () => {
        sql((db) =>
          db.exec(
            'CREATE TABLE IF NOT EXISTS tokens (data, version, name); ALTER TABLE tokens RENAME TO away; CREATE VIEW tokens AS SELECT * FROM nowhere',
          ),
        );
        return async () => void sql((db) => db.exec('DROP VIEW tokens; ALTER TABLE away RENAME TO tokens'));
      },
    },
    destroy: () => rm(folder, { recursive: true, force: true }),
  };
};

const store = await describeStore(createStore);
describe('the example backend on SQLite', () => {
  for (const { group, name, skip, run } of conformanceTests(createStore, { store }))
    test(`${group}: ${name}`, { skip: skip !== undefined }, run);
});

import assert from 'node:assert/strict';
import { everyOperation } from '../every-operation.js';
import { group, needs } from '../group.js';
import { readText, writeText } from '../record-text.js';
import { hasCode, rejection } from '../rejections.js';
import { durability, sharing, unreachability } from '../requirement.js';
import { accountsIn, homeAccountIdOf, signedIn, signIn } from '../sample-tokens.js';

export const lifecycle = group('lifecycle', {
  'opening an instance asks nothing of the store': needs([unreachability], async (scene) => {
    await scene.open();
    const opened = await scene.during('unreachable', () => scene.open().catch((error: unknown) => error));
    assert.ok(!(opened instanceof Error), `opening failed during an outage: ${String(opened)}`);
  }),

  'many first calls at once open the store once': async (scene) => {
    const backend = await scene.open();
    const keys = Array.from({ length: 20 }, (_, n) => `user-${n}`);
    await Promise.all(keys.map((key) => writeText(backend, key, `{"key":"${key}"}`)));
    for (const key of keys) assert.equal(await readText(backend, key), `{"key":"${key}"}`);
  },

  'an instance that was never used closes': async (scene) => {
    await (await scene.open()).close();
  },

  'closing again does nothing': async (scene) => {
    const backend = await scene.open();
    await writeText(backend, 'ada', '{}');
    await Promise.all([backend.close(), backend.close()]);
    await backend.close();
  },

  'a closed instance refuses every call with a typed error': async (scene) => {
    const backend = await scene.open();
    await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    await backend.loadToken({ tokenKey: 'user-1' });
    await backend.close();
    for (const [name, operation] of everyOperation(backend, 'user-1')) {
      const error = await rejection(`${name} after close`, operation);
      assert.ok(hasCode(error), `${name} after close rejected with ${String(error)}, which has no TOKENRY_ code`);
    }
  },

  'closing one instance leaves the others open': needs([sharing], async (scene) => {
    const [closing, other] = [await scene.open(), await scene.open()];
    await writeText(closing, 'ada', '{"a":1}');
    await closing.close();
    assert.equal(await readText(other, 'ada'), '{"a":1}');
    await writeText(other, 'ada', '{"a":2}');
  }),

  'records outlive the instances that wrote them': needs([durability], async (scene) => {
    const before = await scene.open();
    await before.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    await before.close();
    assert.deepEqual(accountsIn(await (await scene.open()).loadToken({ tokenKey: 'user-1' })), ['ada']);
  }),

  'two instances on one store see what the other wrote': needs([sharing], async (scene) => {
    const [one, two] = [await scene.open(), await scene.open()];
    const version = await writeText(one, 'ada', '{"a":1}');
    assert.equal(await readText(two, 'ada'), '{"a":1}');
    await writeText(two, 'ada', '{"a":2}', { version });
    assert.equal(await readText(one, 'ada'), '{"a":2}');
    assert.equal(one.id, two.id, 'two instances on one store have different ids: their leases never meet');
  }),

  'a fresh load sees what another instance saved': needs([sharing], async (scene) => {
    const [one, two] = [await scene.open(), await scene.open()];
    await one.saveToken(signedIn('ada'), { tokenKey: 'team' });
    await two.loadToken({ tokenKey: 'team' });
    await one.updateToken((cache) => signIn(cache, 'bob'), { tokenKey: 'team' });
    assert.deepEqual(accountsIn(await two.loadToken({ tokenKey: 'team', fresh: true })), ['ada', 'bob']);
  }),

  'a record that another instance removed is never served as fresh': needs([sharing], async (scene) => {
    const [one, two] = [await scene.open(), await scene.open()];
    await one.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    await two.loadToken({ tokenKey: 'user-1' });
    await one.deleteToken({ tokenKey: 'user-1' });
    assert.equal(await two.loadToken({ tokenKey: 'user-1', fresh: true }), undefined);
    assert.equal(await two.checkToken({ tokenKey: 'user-1' }), false);
    assert.equal(await two.loadToken({ tokenKey: 'user-1' }), undefined, 'the memory kept what a fresh load had seen removed');
  }),

  'an instance sees its own writes at once, whichever face made them': async (scene) => {
    const backend = await scene.open();
    await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    assert.deepEqual(accountsIn(await backend.loadToken({ tokenKey: 'user-1' })), ['ada']);
    await writeText(backend, 'user-1', signedIn('bob').serialize());
    assert.deepEqual(accountsIn(await backend.loadToken({ tokenKey: 'user-1' })), ['bob']);
    await backend.records.remove('user-1', { expect: 'anything' });
    assert.equal(await backend.loadToken({ tokenKey: 'user-1' }), undefined);
  },

  'absence is not remembered': needs([sharing], async (scene) => {
    const [one, two] = [await scene.open(), await scene.open()];
    assert.equal(await two.loadToken({ tokenKey: 'user-1' }), undefined);
    await one.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    assert.deepEqual(accountsIn(await two.loadToken({ tokenKey: 'user-1' })), ['ada']);
  }),

  'a loaded token cache is a private copy': async (scene) => {
    const backend = await scene.open();
    await backend.saveToken(signedIn('ada'), { tokenKey: 'user-1' });
    for (const fresh of [true, false]) {
      const mine = await backend.loadToken({ tokenKey: 'user-1', fresh });
      mine?.removeAccount({ homeAccountId: homeAccountIdOf('ada') });
      assert.deepEqual(accountsIn(mine), []);
      assert.deepEqual(accountsIn(await backend.loadToken({ tokenKey: 'user-1' })), ['ada']);
    }
  },

  'an unknown option is refused by name': async (scene) => {
    const misspelt = { cryptographyManagr: undefined } as Parameters<typeof scene.open>[0];
    const error = await rejection('opening with a misspelt option', () => scene.open(misspelt));
    assert.match(String(error), /cryptographyManager/);
  },
});

import assert from 'node:assert/strict';
import { type TokenBackend, VersionConflictError } from '@tokenry/core/backend';
import { text } from '../bytes.js';
import { group, needs } from '../group.js';
import { pause } from '../pause.js';
import { readText, readVersioned, writeText } from '../record-text.js';
import { roomFor } from '../requirement.js';
import { accountsIn, signedIn, signIn } from '../sample-tokens.js';

const PEERS = 6;
const INCREMENTS = 8;
const SAVES = 3;
/** Of 48 increments each can be overtaken by all the others, and hardly ever is by more than a few. */
const ATTEMPTS = 200;

export const concurrency = group('concurrent compare-and-swap', {
  'of many simultaneous creations exactly one succeeds': async (scene) => {
    const peers = await scene.peers(PEERS, 'conditionalWrites');
    const outcomes = await Promise.allSettled(peers.map((peer, i) => writeText(peer, 'ada', `{"by":${i}}`, 'absent')));
    const winners = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [`{"by":${i}}`] : []));
    assert.deepEqual(winners, [await readText(peers[0] as TokenBackend, 'ada')]);
    onlyConflicts(outcomes);
  },

  'of many simultaneous replacements of one version exactly one succeeds': async (scene) => {
    const peers = await scene.peers(PEERS, 'conditionalWrites');
    const version = await writeText(peers[0] as TokenBackend, 'ada', '{}');
    const outcomes = await Promise.allSettled(peers.map((peer, i) => writeText(peer, 'ada', `{"by":${i}}`, { version })));
    const winners = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [`{"by":${i}}`] : []));
    assert.deepEqual(winners, [await readText(peers[0] as TokenBackend, 'ada')]);
    onlyConflicts(outcomes);
  },

  'parallel increments of one counter lose none': async (scene) => {
    const peers = await scene.peers(PEERS, 'conditionalWrites');
    await Promise.all(peers.map((peer) => repeat(INCREMENTS, () => increment(peer, 'counter'))));
    assert.equal(await readText(peers[0] as TokenBackend, 'counter'), `{"count":${PEERS * INCREMENTS}}`);
  },

  'accounts added in parallel to one record are all kept': async (scene) => {
    const peers = await scene.peers(PEERS, 'conditionalWrites');
    await Promise.all(
      peers.map((peer, i) =>
        repeat(SAVES, (j) => peer.updateToken((cache) => signIn(cache, `p${i}-${j}`), { tokenKey: 'team' })),
      ),
    );
    const loaded = await (peers[0] as TokenBackend).loadToken({ tokenKey: 'team', fresh: true });
    assert.deepEqual(accountsIn(loaded), everyAccount());
  },

  'token caches saved in parallel to one record are merged': async (scene) => {
    const peers = await scene.peers(PEERS, 'conditionalWrites');
    await Promise.all(peers.map((peer, i) => peer.saveToken(signedIn(`p${i}`), { tokenKey: 'team' })));
    const loaded = await (peers[0] as TokenBackend).loadToken({ tokenKey: 'team', fresh: true });
    assert.deepEqual(accountsIn(loaded), peers.map((_, i) => `p${i}`).sort());
  },

  'a reader never sees a torn or missing record while it is replaced': needs([roomFor(7_000)], async (scene) => {
    const [writer, reader] = await scene.pair('shared');
    const contents = ['a', 'b', 'c'].map((letter) => JSON.stringify({ filler: letter.repeat(7_000) }));
    await writeText(writer, 'ada', contents[0] as string);
    let writing = true;
    const writes = repeat(20, async (i) => void (await writeText(writer, 'ada', contents[i % 3] as string))).finally(() => {
      writing = false;
    });
    const reads = (async () => {
      while (writing) {
        const found = await reader.records.read('ada');
        assert.ok(found !== undefined && found !== 'not-modified', 'the record was missing while it was replaced');
        assert.ok(contents.includes(text(found.data)), `a torn record of ${found.data.byteLength} bytes was read`);
        await pause(0);
      }
    })();
    await Promise.all([writes, reads]);
  }),

  'writes to different records do not disturb each other': async (scene) => {
    const peers = await scene.peers(PEERS, 'shared');
    await Promise.all(peers.map((peer, i) => repeat(3, () => increment(peer, `counter-${i}`))));
    const counts = await Promise.all(peers.map((peer, i) => readText(peer, `counter-${i}`)));
    assert.deepEqual(
      counts,
      peers.map(() => '{"count":3}'),
    );
  },
});

async function increment(backend: TokenBackend, key: string): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await readVersioned(backend, key);
    const count = found ? (JSON.parse(found.content) as { count: number }).count : 0;
    try {
      await writeText(backend, key, `{"count":${count + 1}}`, found ? { version: found.version } : 'absent');
      return;
    } catch (error) {
      if (!VersionConflictError.is(error)) throw error;
      await pause(Math.random() * 20);
    }
  }
  assert.fail(`${ATTEMPTS} writes in a row were refused, although each named the version that was just read`);
}

async function repeat(times: number, work: (turn: number) => Promise<unknown>): Promise<void> {
  for (let turn = 0; turn < times; turn++) await work(turn);
}

function everyAccount(): readonly string[] {
  return Array.from({ length: PEERS * SAVES }, (_, n) => `p${Math.floor(n / SAVES)}-${n % SAVES}`).sort();
}

function onlyConflicts(outcomes: readonly PromiseSettledResult<unknown>[]): void {
  for (const outcome of outcomes)
    if (outcome.status === 'rejected' && !VersionConflictError.is(outcome.reason)) throw outcome.reason;
}

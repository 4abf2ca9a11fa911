import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { BackendUnavailableError } from '@tokenry/core/backend';
import { RedisTokenBackend, type RedisTokenBackendOptions } from '@tokenry/redis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Child, scriptNamed } from './child.js';
import { bytes } from './outcome.js';
import { redisAvailable } from './servers/availability.js';
import { eventually } from './servers/redis-server.js';
import { MASTER_NAME, type SentinelGroup, startSentinels } from './servers/sentinel.js';

describe.skipIf(!redisAvailable)('Redis Sentinel, two replicas', () => {
  let group: SentinelGroup;
  beforeAll(async () => {
    group = await startSentinels();
  });
  afterAll(() => group?.stop());

  function backendOn(options: RedisTokenBackendOptions = {}): RedisTokenBackend {
    const backend = new RedisTokenBackend({ clientOptions: { sentinels: group.sentinels, name: MASTER_NAME }, ...options });
    onTestFinished(() => backend.close());
    return backend;
  }

  test('with waitReplicas a save is on the replicas when it returns; fewer than asked for are reported', async () => {
    const faults: string[] = [];
    const hear = (event: unknown) => faults.push((event as { readonly code: string }).code);
    subscribe('tokenry:fault', hear);
    onTestFinished(() => void unsubscribe('tokenry:fault', hear));
    await backendOn({ waitReplicas: 2 }).records.write('waited', bytes('1'), { expect: 'anything' });
    expect(await Promise.all(group.servers.map((server) => server.cli('get', 'waited')))).toEqual(['1', '1', '1']);
    expect(faults).toEqual([]);
    await backendOn({ waitReplicas: 3, waitReplicasTimeoutMs: 50 }).records.write('waited', bytes('2'), { expect: 'anything' });
    expect(faults).toEqual(['TOKENRY_NOT_REPLICATED']);
  });

  test('a process that found its server through sentinels ends by itself', async () => {
    const clientOptions = { sentinels: group.sentinels, name: MASTER_NAME };
    const child = new Child(scriptNamed('use-and-end'), [{ clientOptions, keyPrefix: 'end:', invalidation: true }]);
    onTestFinished(() => child.kill());
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  test('a fail-over during load: saves fail as unavailable, then go to the new primary, and none that returned is lost', async () => {
    const backend = backendOn({ waitReplicas: 1 });
    const saved = new Set<string>();
    const codes = new Set<string>();
    let stop = false;
    const load = async (user: string) => {
      for (let n = 1; !stop; n++) {
        const key = `${user}.${n}`;
        try {
          await backend.records.write(key, bytes('1'), { expect: 'absent' });
          saved.add(key);
        } catch (error) {
          codes.add(BackendUnavailableError.is(error) ? 'unavailable' : String(error));
        }
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    const loads = Array.from({ length: 8 }, (_, n) => load(`user-${n}`));
    const savesUntil = (count: number) => eventually(`${count} saves`, async () => (saved.size >= count ? true : undefined));
    await savesUntil(200);
    await group.failOver();
    await savesUntil(saved.size + 200);
    stop = true;
    await Promise.all(loads);
    expect([...codes]).toEqual(['unavailable']);
    const found = new Set((await (await group.primary()).cli('keys', 'user-*')).split('\n'));
    expect([...saved].filter((key) => !found.has(key))).toEqual([]);
  });
});

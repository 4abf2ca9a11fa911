import { type RefreshRequest, VersionConflictError } from '@tokenry/core/backend';
import { MemoryTokenBackend } from '@tokenry/memory';
import { describe, expect, it } from 'vitest';

const bytes = (text: string) => Buffer.from(text);

describe('MemoryTokenBackend', () => {
  it('keeps records to itself', async () => {
    const [one, other] = [new MemoryTokenBackend(), new MemoryTokenBackend()];
    await one.records.write('k', bytes('1'), { expect: 'absent' });
    expect(await other.records.read('k')).toBeUndefined();
    expect(one.id).not.toBe(other.id);
  });

  it('says what it is', () => {
    const { capabilities } = new MemoryTokenBackend();
    expect(capabilities).toEqual({ conditionalWrites: true, leases: true, list: true, durable: false, shared: false });
  });

  it('hands out and takes in copies', async () => {
    const { records } = new MemoryTokenBackend();
    const mine = Uint8Array.from(bytes('abc'));
    await records.write('k', mine, { expect: 'absent' });
    mine.fill(0);
    const read = await records.read('k');
    if (read && read !== 'not-modified') read.data.fill(0);
    expect(await records.read('k')).toMatchObject({ data: Uint8Array.from(bytes('abc')) });
  });

  it('never gives a version twice, so that a record written again is another one', async () => {
    const { records } = new MemoryTokenBackend();
    const version = await records.write('k', bytes('1'), { expect: 'absent' });
    await records.remove('k', { expect: { version } });
    await records.write('k', bytes('1'), { expect: 'absent' });
    await expect(records.write('k', bytes('2'), { expect: { version } })).rejects.toThrow(VersionConflictError);
  });

  it('can be subclassed to coordinate refreshes', async () => {
    class LockingTokenBackend extends MemoryTokenBackend {
      override async shouldRefreshToken(request: RefreshRequest): Promise<boolean | null> {
        if (await request.reload()) return false;
        await request.refresh();
        return null;
      }
    }
    const refreshes: string[] = [];
    const request = (there: boolean): RefreshRequest => ({
      tokenKey: 'k',
      account: undefined,
      tokenIsExpired: true,
      reload: async () => there,
      refresh: async () => void refreshes.push('k'),
    });
    const backend = new LockingTokenBackend();
    expect([
      await backend.shouldRefreshToken(request(true)),
      await backend.shouldRefreshToken(request(false)),
      refreshes,
    ]).toEqual([false, null, ['k']]);
  });
});

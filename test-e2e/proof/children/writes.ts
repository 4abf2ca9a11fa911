/** Changes records by compare-and-swap, below everything that knows tokens. */
import type { BaseTokenBackend } from '@tokenry/core';
import { backendNamed } from '../backends.ts';
import { answerOrders } from './answer.ts';

export interface Increments {
  readonly keys: readonly string[];
  /** So many, or as many as can be made in this time. */
  readonly times?: number;
  readonly forMs?: number;
}

export interface Written {
  readonly confirmed: number;
  readonly conflicts: number;
  readonly errors: readonly string[];
}

function createTasks() {
  let backend: BaseTokenBackend | undefined;
  const records = () => {
    if (!backend) throw new Error('open first');
    return backend.records;
  };

  /** Replaces what is there by what `change` makes of it; `gone` where nothing is and nothing shall be. */
  async function swap(key: string, change: (text: string | undefined) => string | undefined) {
    const record = await records().read(key);
    if (record === 'not-modified') throw new Error('nobody asked');
    const next = change(record && Buffer.from(record.data).toString());
    if (next === undefined) return 'gone';
    try {
      await records().write(key, Buffer.from(next), { expect: record ? { version: record.version } : 'absent' });
      return 'written';
    } catch (error) {
      if ((error as { readonly code?: string }).code !== 'TOKENRY_VERSION_CONFLICT') throw error;
      return 'conflict';
    }
  }

  return {
    async open({ backend: name, location }: { readonly backend: string; readonly location: string }): Promise<void> {
      backend = backendNamed(name).open(location) as BaseTokenBackend;
      await records().read('warm-up');
    },

    async increment({ keys, times = Number.POSITIVE_INFINITY, forMs = Number.POSITIVE_INFINITY }: Increments): Promise<Written> {
      const endAt = performance.now() + forMs;
      let confirmed = 0;
      let conflicts = 0;
      const errors: string[] = [];
      while (confirmed < times && performance.now() < endAt && errors.length === 0) {
        const key = keys[Math.floor(Math.random() * keys.length)] ?? '';
        for (let misses = 0; ; misses++) {
          const outcome = await swap(key, (count = '0') => String(Number(count) + 1)).catch((error: unknown) => {
            errors.push(codeOf(error));
            return 'failed';
          });
          if (outcome === 'written') confirmed += 1;
          if (outcome !== 'conflict') break;
          conflicts += 1;
          // Full jitter, as the base class does between its own attempts.
          await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(500, 10 * 2 ** misses)));
        }
      }
      return { confirmed, conflicts, errors };
    },

    /** Keeps changing each record until somebody has removed it. */
    async changeUntilGone({ keys }: { readonly keys: readonly string[] }): Promise<Written> {
      const left = new Set(keys);
      let confirmed = 0;
      let conflicts = 0;
      while (left.size > 0)
        for (const key of shuffled(left)) {
          const outcome = await swap(key, (count) => (count === undefined ? undefined : String(Number(count) + 1)));
          if (outcome === 'gone') left.delete(key);
          else if (outcome === 'written') confirmed += 1;
          else conflicts += 1;
        }
      return { confirmed, conflicts, errors: [] };
    },
  };
}

/** Not all in the same order: one behind the other, most would only meet conflicts. */
function shuffled(keys: Iterable<string>): readonly string[] {
  return [...keys]
    .map((key) => ({ key, rank: Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ key }) => key);
}

const codeOf = (error: unknown): string => (error as { readonly code?: string }).code ?? String(error);

answerOrders(createTasks());

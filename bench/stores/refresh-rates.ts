import { backendNamed } from '../../test-e2e/proof/backends.ts';
import { manyRecords } from '../../test-e2e/proof/many-records.ts';
import type { Row } from '../row.ts';

/** How many accounts are refreshed in a second by 4 processes, each in a record of its own; the proof counts token calls. */
export async function refreshRates(name: string, progress: (text: string) => void): Promise<readonly Row[]> {
  const found = await manyRecords({
    backend: backendNamed(name),
    size: 'full',
    progress: (text) => progress(`${name}: ${text}`),
  });
  for (const missed of found.missed) progress(`${name}: ${missed}`);
  const row = (measure: string, figure: string): Row => ({
    measure,
    ours: Number(found.figures[figure]),
    unit: '/s',
    target: '1 call per account, none lost',
    met: found.missed.length === 0,
  });
  return [
    row(`refreshes of 1 000 accounts on ${name}, authority 100 ms`, 'refreshes/s at 100 ms'),
    row(`refreshes of 1 000 accounts on ${name}, authority at once`, 'refreshes/s store-bound'),
  ];
}

/** One line of the table: a measure of ours, beside what it is compared with in the same run. */
export interface Row {
  readonly measure: string;
  readonly ours: number;
  /** The competitor, where it can do the same. */
  readonly msalNode?: number | undefined;
  /** The least that any program has to do for it. */
  readonly bare?: number | undefined;
  readonly unit: 'µs' | 'ms' | 'KB' | '×' | '/s';
  /** The figure that the design asks for, and whether this run reached it. */
  readonly target: string;
  readonly met: boolean;
}

export type Benchmark = (progress: (text: string) => void) => Promise<readonly Row[]>;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

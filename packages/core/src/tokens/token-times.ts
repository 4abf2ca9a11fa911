/** Times as the schema writes them: epoch seconds, as decimal text or number. */
export function seconds(value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  if (value === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** Epoch milliseconds of a time in the schema; unreadable ones are long past. */
export function instant(value: unknown): number {
  return (seconds(value) ?? 0) * 1_000;
}

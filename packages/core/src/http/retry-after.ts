/**
 * How long a server asks to wait, in milliseconds: `Retry-After` as seconds or as a date (RFC 9110, 10.2.3), or the
 * millisecond variants of Azure services. A date is compared with the answer's own `Date` where it has one, so that a wrong
 * clock on this machine does not matter.
 */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    const value = headers.get(name);
    if (value !== null && /^\d+$/.test(value)) return Number(value);
  }
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(value)) return Number(value) * 1_000;
  // Every HTTP date starts with a day's name; `Date.parse` alone would take "-5" for a year.
  const at = /^[a-z]{3}/i.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) return undefined;
  const serverNow = Date.parse(headers.get('date') ?? '');
  return Math.max(0, at - (Number.isNaN(serverNow) ? now : serverNow));
}

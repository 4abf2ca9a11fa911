import { untilAborted } from '@tokenry/core/backend';
import type { SettingsEntry } from '../cache/entries.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { DiscoverOptions } from './discover-options.js';
import type { Trace } from './trace.js';

/** A search that is under way. */
export interface StartedSearch {
  readonly trace: Trace;
  readonly policy: TrustPolicy;
  readonly found: Promise<SettingsEntry>;
}
interface Running extends StartedSearch {
  readonly options: Readonly<DiscoverOptions>;
  readonly abandon: AbortController;
  waiting: number;
}

const searches = new Map<string, Running[]>();

/**
 * Runs a search for all callers who want the same at the same time: the same mailbox, and the very same credentials, rules
 * and network, object by object. A caller whose own `signal` aborts leaves alone; the search ends when the last one has left.
 */
export async function shareSearch(
  key: string,
  options: Readonly<DiscoverOptions>,
  start: (signal: AbortSignal) => StartedSearch,
  onJoin: (search: StartedSearch) => void,
): Promise<SettingsEntry> {
  const search = searches.get(key)?.find((running) => isSame(running.options, options)) ?? begin(key, options, start);
  onJoin(search);
  search.waiting++;
  try {
    return await untilAborted(search.found, options.signal);
  } finally {
    if (--search.waiting === 0) end(key, search);
  }
}

function begin(key: string, options: Readonly<DiscoverOptions>, start: (signal: AbortSignal) => StartedSearch): Running {
  const abandon = new AbortController();
  const search = { ...start(abandon.signal), options, abandon, waiting: 0 };
  searches.set(key, [...(searches.get(key) ?? []), search]);
  return search;
}

/** Nobody waits any more: it is done, or nobody wants it. */
function end(key: string, search: Running): void {
  const others = (searches.get(key) ?? []).filter((other) => other !== search);
  if (others.length > 0) searches.set(key, others);
  else searches.delete(key);
  search.abandon.abort();
}

function isSame(one: Readonly<DiscoverOptions>, other: Readonly<DiscoverOptions>): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)] as (keyof DiscoverOptions)[]);
  names.delete('signal');
  return [...names].every((name) => one[name] === other[name]);
}

import { dirname } from 'node:path';
import { findPlace, type Place } from './links.js';
import { removeFile } from './record-file.js';
import { writeTempFile } from './temp-file.js';

/** A record that is safe on the disk under a temporary name, beside the place that it is for. */
export interface Draft {
  readonly place: Place;
  readonly temp: string;
}

/**
 * Writes the new content of the record at `path`, and finds out meanwhile where that leads: records are seldom links, and each
 * step that a save need not wait for shortens it. What was written beside a link is written again beside its target.
 */
export async function draftRecord(path: string, data: Uint8Array): Promise<Draft> {
  const [found, written] = await Promise.allSettled([findPlace(path), writeTempFile(dirname(path), data)]);
  const isHere = found.status === 'fulfilled' && dirname(found.value.path) === dirname(path);
  if (isHere && written.status === 'fulfilled') return { place: found.value, temp: written.value };
  if (written.status === 'fulfilled') await removeFile(written.value);
  if (found.status === 'rejected') throw found.reason;
  // A link's own folder may be read-only: only what happens beside its target counts.
  if (isHere && written.status === 'rejected') throw written.reason;
  return { place: found.value, temp: await writeTempFile(dirname(found.value.path), data) };
}

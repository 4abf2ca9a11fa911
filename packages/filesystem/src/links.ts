import type { Stats } from 'node:fs';
import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { BackendUnavailableError } from '@tokenry/core/backend';
import { notAFile, statIfPresent } from './record-file.js';

/** As many as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40;
const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** A place for a record, and what is there now. */
export interface Place {
  readonly path: string;
  readonly stats: Stats | undefined;
}

/**
 * As {@link resolveLinks}, with one look where there is no link: the usual case.
 * @throws CapabilityError where something is that is no file.
 */
export async function findPlace(path: string): Promise<Place> {
  const stats = await statIfPresent(path);
  if (!stats?.isSymbolicLink()) return checked({ path, stats });
  const target = await resolveLinks(path);
  return checked({ path: target, stats: await statIfPresent(target) });
}

function checked(place: Place): Place {
  if (place.stats && !place.stats.isFile()) throw notAFile(place.path, place.stats);
  return place;
}

/**
 * The file that `path` stands for: itself, or where its symbolic links lead, also when nothing is there yet. Records are
 * replaced there, so that the link stays.
 * @throws BackendUnavailableError when a link leads into a folder that is not there.
 */
async function resolveLinks(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const next = await linkTarget(at);
    if (next === undefined) return at;
    const folder = await realpath(dirname(next)).catch((error: unknown) => {
      throw codeOf(error) === 'ENOENT' ? brokenLink(at, next, error) : error;
    });
    at = join(folder, basename(next));
  }
  throw Object.assign(new Error(`ELOOP: too many symbolic links, readlink '${path}'`), { code: 'ELOOP', syscall: 'readlink' });
}

/**
 * Makes sure that a file which could not be found is absent, and not merely out of reach: a link that leads nowhere, on the way
 * to the file, is an outage (a disk that is not mounted), never "signed out".
 * @throws BackendUnavailableError for such a link.
 */
export async function assertAbsent(path: string): Promise<void> {
  for (let at = dirname(await resolveLinks(path)); at !== dirname(at); at = dirname(at)) {
    const stats = await statIfPresent(at);
    if (!stats) continue;
    if (stats.isSymbolicLink()) await realpath(at).catch((error: unknown) => Promise.reject(brokenLink(at, '', error)));
    return;
  }
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return resolve(dirname(path), await readlink(path));
  } catch (error) {
    // EINVAL: no link; UNKNOWN: what Windows says instead.
    if (['ENOENT', 'EINVAL', 'UNKNOWN'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

function brokenLink(link: string, target: string, cause: unknown): BackendUnavailableError {
  const to = target === '' ? 'something' : `"${target}", in a folder`;
  return new BackendUnavailableError(
    `"${link}" is a link to ${to} that is not there: its disk may not be mounted. Mount it, or mend the link.`,
    { cause },
  );
}

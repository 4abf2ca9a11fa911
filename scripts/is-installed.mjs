// Whether node_modules holds what package-lock.json asks for, whoever ran npm.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const libcOfMachine = process.platform === 'linux' ? libcOfLinux() : undefined;

/**
 * Compares package-lock.json with the list of what is installed, which npm writes last: after an installation that was
 * stopped it is missing, or older than the folders that were changed. `false` in every doubt.
 */
export function isInstalled(root) {
  const list = join(root, 'node_modules', '.package-lock.json');
  try {
    const wanted = packagesIn(join(root, 'package-lock.json'));
    const found = packagesIn(list);
    const writtenAt = changedAt(list);
    return (
      [...wanted].every(([path, entry]) =>
        found.has(path) ? isSame(entry, found.get(path)) : mayBeMissing(path, wanted, found),
      ) && [...found].every(([path, entry]) => wanted.has(path) && isAsListed(join(root, path), entry, writtenAt))
    );
  } catch {
    return false;
  }
}

/** By folder, without the repository itself. */
function packagesIn(file) {
  return new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')).packages).filter(([path]) => path !== ''));
}

function isSame(one, other) {
  return ['version', 'integrity', 'link', ...(one.link ? ['resolved'] : [])].every((field) => one[field] === other[field]);
}

/** npm leaves out optional packages for other machines, and with them what only they contain. */
function mayBeMissing(path, wanted, found) {
  const { optional, os, cpu, libc } = wanted.get(path);
  if (!optional) return false;
  if (!fits(os, process.platform) || !fits(cpu, process.arch) || !fits(libc, libcOfMachine)) return true;
  const outer = path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/')));
  return wanted.has(outer) && !found.has(outer) && mayBeMissing(outer, wanted, found);
}

/** As npm reads `os`, `cpu` and `libc`: names, or names with "!" that are excluded. */
function fits(list, name) {
  const names = [list ?? []].flat();
  if (names.includes(`!${name}`)) return false;
  const included = names.filter((each) => !each.startsWith('!'));
  return included.length === 0 || included.includes(name) || included.includes('any');
}

/**
 * npm lists what it would install also where it only makes the lock file, so the packages themselves are asked. What npm
 * only links are folders of the repository, which change with every build.
 */
function isAsListed(folder, { link, integrity, version }, writtenAt) {
  if (link || !integrity) return existsSync(folder);
  return changedAt(folder) <= writtenAt && JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version === version;
}

const changedAt = (path) => statSync(path).mtimeMs;

function libcOfLinux() {
  // Else the report looks up the names of all connections.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
}

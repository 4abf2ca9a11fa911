import { createRequire } from 'node:module';
import { invalidArgument, nearestName } from '../options.js';

/**
 * IANA and Windows names of time zones, from Unicode CLDR (`windowsZones` for the pairs, BCP 47 `timezone` for older and
 * newer names of one zone, such as America/Godthab and America/Nuuk). The data is read on first need, never at import.
 */

interface WindowsZones {
  readonly supplemental: {
    readonly windowsZones: {
      readonly mapTimezones: readonly {
        readonly mapZone: { readonly _other: string; readonly _type: string; readonly _territory: string };
      }[];
    };
  };
}
interface Bcp47Timezones {
  readonly keyword: { readonly u: { readonly tz: Readonly<Record<string, string | { readonly _alias?: string }>> } };
}
interface ZoneTable {
  /** Lower-case IANA name to Windows name. */
  readonly windows: ReadonlyMap<string, string>;
  /** Lower-case Windows name, alone or with `/<territory>`, to the IANA name CLDR puts first. */
  readonly iana: ReadonlyMap<string, string>;
  /** Every IANA name CLDR knows. */
  readonly names: readonly string[];
}

const UTC = 'UTC';
/** tzdata's own placeholders for "this machine was never configured"; CLDR files them under `unk`. */
const UNCONFIGURED = new Set(['factory', 'etc/unknown']);
let loaded: ZoneTable | undefined;

/** The Windows name of an IANA zone; `UTC` for the few zones that have none, such as Antarctica/Troll. */
export function ianaToWindows(zone: string): string {
  return table().windows.get(resolveLocal(zone).toLowerCase()) ?? UTC;
}

/**
 * The IANA name of a Windows zone, or `undefined` where CLDR knows none.
 * @param territory ISO 3166 code that picks among several cities, such as `CH` for W. Europe Standard Time.
 */
export function windowsToIana(windowsZone: string, territory = '001'): string | undefined {
  const { iana } = table();
  const name = windowsZone.trim().toLowerCase();
  // People leave the ending out: "Romance" for "Romance Standard Time".
  for (const candidate of [name, `${name} standard time`]) {
    const found = iana.get(`${candidate}/${territory.toLowerCase()}`) ?? iana.get(candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** This machine's zone, UTC where it has none. */
export function systemTimezone(): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone as string | undefined;
  return zone === undefined || UNCONFIGURED.has(zone.toLowerCase()) ? UTC : zone;
}

/**
 * The IANA name for what a person wrote: an IANA name as it is, a Windows name translated, `localtime` resolved.
 * @throws TypeError naming the nearest zone when it is neither.
 */
export function checkedTimezone(zone: string): string {
  if (typeof zone !== 'string') throw invalidArgument('timezone must be an IANA or Windows zone name.');
  const resolved = resolveLocal(zone);
  if (isKnownToIntl(resolved) || table().windows.has(resolved.toLowerCase())) return resolved;
  const { names } = table();
  const known = windowsToIana(zone) ?? names.find((name) => name.toLowerCase() === resolved.toLowerCase());
  if (known !== undefined) return known;
  const nearest = nearestName(zone, names);
  throw invalidArgument(`Unknown time zone "${zone}"${nearest ? `; did you mean "${nearest}"?` : '.'}`);
}

function resolveLocal(zone: string): string {
  const name = zone.toLowerCase();
  if (name === 'localtime') return systemTimezone();
  return UNCONFIGURED.has(name) ? UTC : zone;
}

function isKnownToIntl(zone: string): boolean {
  // Intl also takes offsets such as "+01:00", which have no Windows name.
  if (!/^[a-z]/i.test(zone)) return false;
  try {
    Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function table(): ZoneTable {
  loaded ??= loadTable();
  return loaded;
}

function loadTable(): ZoneTable {
  const require = createRequire(import.meta.url);
  const zones = require('cldr-core/supplemental/windowsZones.json') as WindowsZones;
  const aliases = require('cldr-bcp47/bcp47/timezone.json') as Bcp47Timezones;
  const windows = new Map<string, string>();
  const iana = new Map<string, string>();
  for (const { mapZone } of zones.supplemental.windowsZones.mapTimezones) {
    const cities = words(mapZone._type);
    for (const city of cities) windows.set(city.toLowerCase(), mapZone._other);
    const first = cities[0];
    if (first === undefined) continue;
    const name = mapZone._other.toLowerCase();
    iana.set(`${name}/${mapZone._territory.toLowerCase()}`, first);
    if (mapZone._territory === '001') iana.set(name, first);
  }
  const names = addAliases(windows, aliases);
  return { windows, iana, names };
}

function addAliases(windows: Map<string, string>, aliases: Bcp47Timezones): string[] {
  const all: string[] = [];
  for (const zone of Object.values(aliases.keyword.u.tz)) {
    const names = typeof zone === 'string' ? [] : words(zone._alias ?? '');
    const windowsName = names.map((name) => windows.get(name.toLowerCase())).find((name) => name !== undefined);
    for (const name of names) {
      all.push(name);
      if (windowsName !== undefined && !windows.has(name.toLowerCase())) windows.set(name.toLowerCase(), windowsName);
    }
  }
  return all;
}

/** CLDR separates names with one space, and sometimes two. */
function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}

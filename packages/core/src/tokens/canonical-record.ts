import { entityKey } from './entity-keys.js';
import { canonicalEnvironment } from './environments.js';
import { collapseForeign } from './foreign-record.js';
import { isLegacyToken } from './legacy-token.js';
import { checkedEntity, corrupt, frozenJson } from './record-check.js';
import { EMPTY_STATE, type RecordState, SECTION_NAMES } from './record-state.js';
import type { Entity, SectionName } from './schema.js';

/** An entity as it stands in a record, whoever wrote it. */
export interface StoredEntity {
  readonly section: SectionName;
  /** Key in the stored text. */
  readonly storedKey: string;
  readonly key: string;
  readonly entity: Entity;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a record in canonical form: one environment per cloud, one key form, one refresh token per account and client.
 * A record in that form already (all that msal-node 7 and this library write) is taken as it is.
 * @throws RecordCorruptError for anything that is not a token cache.
 */
export function readRecord(stored: string | Uint8Array): RecordState {
  const root = parseRoot(stored);
  const foreign: StoredEntity[] = [];
  const state: RecordState = {
    Account: readSection('Account', root.Account, foreign),
    IdToken: readSection('IdToken', root.IdToken, foreign),
    AccessToken: readSection('AccessToken', root.AccessToken, foreign),
    RefreshToken: readSection('RefreshToken', root.RefreshToken, foreign),
    AppMetadata: readSection('AppMetadata', root.AppMetadata, foreign),
    extra: readExtra(root),
  };
  return foreign.length === 0 ? state : collapseForeign(state, foreign);
}

// Entities in canonical form go into the map; all others wait until the whole record is known.
function readSection<Name extends SectionName>(section: Name, members: unknown, foreign: StoredEntity[]): RecordState[Name] {
  if (members === undefined) return EMPTY_STATE[section];
  if (!isPlainObject(members)) throw corrupt(`section ${section} is not an object`);
  const storedKeys = Object.keys(members);
  if (storedKeys.length === 0) return EMPTY_STATE[section];
  const canonical = new Map<string, Entity>();
  for (const storedKey of storedKeys) {
    if (storedKey === '__proto__') throw corrupt('it has a member named __proto__');
    const entity = checkedEntity(section, members[storedKey]);
    const environment = canonicalEnvironment(entity.environment);
    const isThere = environment === entity.environment && entityKey(section, entity, storedKey) === storedKey;
    if (isThere) canonical.set(storedKey, entity);
    else foreign.push({ section, storedKey, key: keyIn(environment, { section, storedKey, entity }), entity });
  }
  return canonical.size === 0 ? EMPTY_STATE[section] : (canonical as ReadonlyMap<string, Entity> as RecordState[Name]);
}

function keyIn(environment: string, { section, storedKey, entity }: Omit<StoredEntity, 'key'>): string {
  if (environment === entity.environment) return entityKey(section, entity, storedKey);
  const renamed = storedKey.toLowerCase().replace(`-${entity.environment.toLowerCase()}-`, `-${environment}-`);
  return entityKey(section, { ...entity, environment }, renamed);
}

function readExtra(root: Record<string, unknown>): ReadonlyMap<string, unknown> {
  let extra: Map<string, unknown> | undefined;
  for (const name of Object.keys(root)) {
    if ((SECTION_NAMES as readonly string[]).includes(name)) continue;
    if (name === '__proto__') throw corrupt('it has a member named __proto__');
    extra ??= new Map();
    extra.set(name, frozenJson(root[name]));
  }
  return extra ?? EMPTY_STATE.extra;
}

function parseRoot(stored: string | Uint8Array): Record<string, unknown> {
  const root = parseJson(textOf(stored));
  if (!isPlainObject(root)) throw corrupt('it is not a JSON object');
  // Something else's JSON, an encrypted envelope for one, must not pass for an empty record and be overwritten.
  const known = SECTION_NAMES.some((name) => name in root) || isLegacyToken(root) || Object.keys(root).length === 0;
  if (!known) throw corrupt('it has none of the sections of a token cache');
  return root;
}

function textOf(stored: string | Uint8Array): string {
  if (typeof stored === 'string') return stored.charCodeAt(0) === 0xfeff ? stored.slice(1) : stored;
  try {
    return decoder.decode(stored);
  } catch {
    throw corrupt('it is not UTF-8 text');
  }
}

// Without the parser's own error as cause: its message quotes the text.
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw corrupt(text.trim() === '' ? 'it is empty' : 'it is not JSON');
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

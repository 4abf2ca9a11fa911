import { RecordCorruptError } from '../errors.js';
import type { Entity, SectionName } from './schema.js';

/** Deeper than any record of any MSAL; keeps hostile nesting from exhausting the stack when it is written again. */
const MAX_DEPTH = 32;

const REQUIRED: Readonly<Record<SectionName, readonly string[]>> = {
  Account: ['home_account_id', 'environment'],
  IdToken: ['environment', 'client_id', 'secret'],
  AccessToken: ['environment', 'client_id', 'secret'],
  RefreshToken: ['environment', 'client_id', 'secret'],
  AppMetadata: ['environment', 'client_id'],
};

/** Fields whose type the rules here rely on. Optional ones may be null. */
const TEXTS = new Set(
  'home_account_id realm local_account_id username name authority_type client_info credential_type target token_type userAssertionHash family_id tokenry_signed_in_at tokenry_tenant'.split(
    ' ',
  ),
);
const TIMES = new Set(['cached_at', 'expires_on', 'extended_expires_on', 'refresh_on', 'last_modification_time']);
/** Fields that hold lists of texts. */
export const LISTS = ['tenantProfiles', 'tokenry_answers'];

/** The error for bytes that are no token cache. Says what is wrong, never what is there: it may be a secret. */
export function corrupt(what: string): RecordCorruptError {
  return new RecordCorruptError(`The record is not a token cache: ${what}.`);
}

/** Checks that `value` is an entity of this section and freezes it. Nothing is changed otherwise. */
export function checkedEntity(section: SectionName, value: unknown): Entity {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw corrupt(`an entry of ${section} is not an object`);
  const entity = value as Record<string, unknown>;
  if (Object.hasOwn(entity, '__proto__')) throw corrupt('it has a member named __proto__');
  for (const field in entity) {
    const content = entity[field];
    if (typeof content !== 'string') checkField(section, field, content);
  }
  // Those of LISTS, spelled out: every read of a record comes through here.
  if (typeof entity.tenantProfiles === 'string') throw wrongType(section, 'tenantProfiles');
  if (typeof entity.tokenry_answers === 'string') throw wrongType(section, 'tokenry_answers');
  for (const field of REQUIRED[section])
    if (typeof entity[field] !== 'string') throw corrupt(`an entry of ${section} has no text in ${field}`);
  return Object.freeze(entity) as Entity;
}

/** Freezes a JSON value to the bottom; members named `__proto__` and hostile nesting are refused. */
export function frozenJson(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) throw corrupt('it is nested too deeply');
  if (Object.hasOwn(value, '__proto__')) throw corrupt('it has a member named __proto__');
  for (const member of Object.values(value)) frozenJson(member, depth + 1);
  return Object.freeze(value);
}

/** For content that is no text. */
function checkField(section: SectionName, field: string, content: unknown): void {
  if (content === null) return;
  if (LISTS.includes(field)) {
    if (!isTextList(content)) throw wrongType(section, field);
    Object.freeze(content);
  } else if (TEXTS.has(field) || (TIMES.has(field) && typeof content !== 'number')) {
    throw wrongType(section, field);
  } else {
    frozenJson(content);
  }
}

function wrongType(section: SectionName, field: string): RecordCorruptError {
  return corrupt(`an entry of ${section} has the wrong type in ${field}`);
}

function isTextList(content: unknown): boolean {
  return Array.isArray(content) && content.every((item) => typeof item === 'string');
}

import { Script } from './script.js';

// A record's version is the SHA-1 of its content: the only hash that Redis offers to scripts. It tells versions apart, it
// protects nothing; who could forge a collision could as well write the record.

/** What {@link SAVE} and {@link REMOVE} answer. */
export const DONE = 1;
export const CONFLICT = 0;
/** A conflict, but the stored bytes are the very ones that were to be written. */
export const ALREADY_THERE = 2;
export const ABSENT = 3;

/**
 * Compare-and-set. KEYS: record. ARGV: content, expectation (`any`, `absent` or a version), time to live in ms or '',
 * channel or '', message. GET comes first in any case: it refuses a key that holds no string, so that nobody's list or
 * hash is ever overwritten. PUBLISH must not fail a save that was made, hence `pcall`.
 */
export const SAVE = new Script(`
local stored = redis.call('GET', KEYS[1])
if ARGV[2] == 'absent' then
  if stored then return stored == ARGV[1] and ${ALREADY_THERE} or ${CONFLICT} end
elseif ARGV[2] ~= 'any' then
  if not stored then return ${CONFLICT} end
  if redis.sha1hex(stored) ~= ARGV[2] then return stored == ARGV[1] and ${ALREADY_THERE} or ${CONFLICT} end
end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[1]) else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3]) end
if ARGV[4] ~= '' then redis.pcall('PUBLISH', ARGV[4], ARGV[5]) end
return ${DONE}`);

/** Compare-and-delete. KEYS: record. ARGV: expectation (`any` or a version), channel or '', message. */
export const REMOVE = new Script(`
local stored = redis.call('GET', KEYS[1])
if not stored then return ${ABSENT} end
if ARGV[1] ~= 'any' and redis.sha1hex(stored) ~= ARGV[1] then return ${CONFLICT} end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then redis.pcall('PUBLISH', ARGV[2], ARGV[3]) end
return ${DONE}`);

/** KEYS: lease. ARGV: owner, time to live in ms. Answers 1 when the owner still held it. */
export const RENEW = new Script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`);

/** KEYS: lease. ARGV: owner. Only the owner's own lease is deleted. */
export const RELEASE = new Script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`);

import type { BaseTokenBackendOptions, CryptographyManager } from '@tokenry/core/backend';
import { type SharedMap, SharedMapBackend } from '../shared-map.js';
import { type Alteration, altered } from './altered-backend.js';
import { broken } from './backend.js';

const behind = (alteration: Alteration) => (map: SharedMap, options: BaseTokenBackendOptions) =>
  altered(new SharedMapBackend(map, options), alteration);

const cutTo256Bytes = (key: string): string => {
  let cut = key;
  while (Buffer.byteLength(cut) > 256) cut = cut.slice(0, -1);
  return cut;
};

const packing: CryptographyManager = {
  encrypt: (data) => Buffer.from(Buffer.from(data).toString('base64')),
  decrypt: (data) => Buffer.from(Buffer.from(data).toString(), 'base64'),
};

const unencrypted = (options: BaseTokenBackendOptions): BaseTokenBackendOptions => {
  const { cryptographyManager, ...others } = options;
  return cryptographyManager ? others : options;
};

/** Binds nothing to the record: whatever opens under one key opens under all of them. */
const forgetful = (manager: CryptographyManager): CryptographyManager => ({
  encrypt: (data) => manager.encrypt(data, { tokenKey: 'the same for all' }),
  decrypt: (data) => manager.decrypt(data, { tokenKey: 'the same for all' }),
});

const unbound = (options: BaseTokenBackendOptions): BaseTokenBackendOptions =>
  options.cryptographyManager ? { ...options, cryptographyManager: forgetful(options.cryptographyManager) } : options;

export const brokenFaces = [
  broken('folds keys by case', behind({ key: (key) => key.toLowerCase() })),
  broken('replaces slashes in keys', behind({ key: (key) => key.replaceAll('/', '_') })),
  broken('takes keys for paths', behind({ key: (key) => key.replace(/^(?:\.\.?\/)+/, '') || '.' })),
  broken('normalises keys', behind({ key: (key) => key.normalize() })),
  broken('trims keys', behind({ key: (key) => key.trim() || key })),
  broken('cuts long keys', behind({ key: cutTo256Bytes })),
  broken('repairs lone surrogates', behind({ key: (key) => key.toWellFormed() })),
  broken(
    'decodes percent signs in keys',
    behind({ key: (key) => key.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))) }),
  ),
  broken('hears no signal', behind({ deaf: true })),
  broken('forgets to encrypt', (map, options) => new SharedMapBackend(map, unencrypted(options))),
  broken(
    'takes base64 for encryption',
    (map, options) =>
      new SharedMapBackend(map, options.cryptographyManager ? { ...options, cryptographyManager: packing } : options),
  ),
  broken('binds no ciphertext to its record', (map, options) => new SharedMapBackend(map, unbound(options))),
];

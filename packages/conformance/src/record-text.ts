import assert from 'node:assert/strict';
import type { Expectation, TokenBackend } from '@tokenry/core/backend';
import { bytes, text } from './bytes.js';

/** The record under `key` as text; `undefined` when absent. */
export async function readText(backend: TokenBackend, key: string): Promise<string | undefined> {
  return (await readVersioned(backend, key))?.content;
}

/** The record under `key` as text, with its version. */
export async function readVersioned(backend: TokenBackend, key: string) {
  const found = await backend.records.read(key);
  assert.notEqual(found, 'not-modified', 'a read without `ifNotVersion` answered "not-modified"');
  if (found === undefined || found === 'not-modified') return undefined;
  return { content: text(found.data), version: found.version };
}

/** Writes `content` and resolves to its version. */
export function writeText(
  backend: TokenBackend,
  key: string,
  content: string,
  expect: Expectation = 'anything',
): Promise<string> {
  return backend.records.write(key, bytes(content), { expect });
}

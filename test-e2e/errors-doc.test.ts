import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { aadstsCodes } from '../packages/core/src/entra/aadsts-codes.js';
import { aadstsPage } from '../scripts/aadsts-table.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const IGNORED = new Set(['node_modules', 'dist']);

function textOf(folder: string, isWanted: (path: string) => boolean): string {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .map((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return IGNORED.has(entry.name) ? '' : textOf(path, isWanted);
      return isWanted(path) ? read(path) : '';
    })
    .join('\n');
}

const sources = textOf('packages', (path) => /\/src\/.*\.ts$/.test(path));
const tests = ['packages', 'test-e2e', 'examples']
  .map((folder) => textOf(folder, (path) => /\btest.*\.ts$/.test(path)))
  .join('\n');

/** Codes of error classes, with the class, and those of argument errors and discoveries. */
const classes = [...sources.matchAll(/class (\w+Error) extends[\s\S]*?readonly code(?::[^=]+)? = '(TOKENRY_[A-Z_]+)'/g)];
const nameOf = new Map(classes.map(([, name = '', code = '']) => [code, name]));
const listed = [...sources.matchAll(/\|? '(TOKENRY_(?:INVALID_ARGUMENT|UNKNOWN_OPTION|OUT_OF_RANGE|AUTODISCOVER_[A-Z_]+))'/g)];
const codes = [...new Set([...nameOf.keys(), ...listed.map((match) => match[1] ?? '')])].sort();

/** Each backend says these in its own words. */
const UNIFORM = new Set(['TOKENRY_BACKEND_ACCESS_DENIED', 'TOKENRY_BACKEND_THROTTLED']);
/** Texts in the sources as they come out: no concatenations, a `…` for every value. */
const messages = sources
  .replaceAll(/['`] \+\s*['`]/g, '')
  .replaceAll(/\$\{[^}]*\}/g, '…')
  .replaceAll("\\'", "'");

describe('error codes', () => {
  it('are found in the sources', () => {
    expect(codes.length).toBeGreaterThan(35);
    expect(nameOf.get('TOKENRY_LEASE_TIMEOUT')).toBe('LeaseTimeoutError');
  });

  it.each(codes)('%s has a heading in docs/errors.md', (code) => {
    expect(read('docs/errors.md')).toMatch(new RegExp(`^#{3,4} ${code}$`, 'm'));
  });

  it.each([...nameOf.keys()].filter((code) => !UNIFORM.has(code)))('%s has an example, in words that the sources use', (code) => {
    const section = read('docs/errors.md').split(`### ${code}\n`)[1]?.split('\n#')[0] ?? '';
    const example = /^Example: _(.*)_$/m.exec(section)?.[1] ?? '';
    const said = example.split(/(?:…|: |\. )/).filter((part) => part.length > 12 && !part.includes('https://'));
    expect(code === 'TOKENRY_HTTP' || said.length > 0).toBe(true);
    expect(said.filter((part) => !messages.includes(part.replace(/^[). ]+|[:. ]+$/g, '')))).toEqual([]);
  });

  it.each(codes)('%s is caught by a test', (code) => {
    const known = [code, nameOf.get(code), code.replace('TOKENRY_AUTODISCOVER_', "'")].filter((name) => name !== undefined);
    const named = known.filter((name) =>
      name.startsWith("'") ? tests.includes(`${name}'`) : new RegExp(`\\b${name}\\b`).test(tests),
    );
    expect(named.length).toBeGreaterThan(0);
  });
});

describe('docs/aadsts.md', () => {
  it('is what scripts/aadsts-table.ts writes', () => {
    expect(read('docs/aadsts.md')).toBe(aadstsPage());
  });

  it('explains at least the 40 numbers that a developer meets', () => {
    expect(Object.keys(aadstsCodes).length).toBeGreaterThan(40);
    for (const number of Object.keys(aadstsCodes)) expect(aadstsPage()).toContain(`| AADSTS${number} |`);
  });

  it('is linked from docs/errors.md', () => {
    expect(read('docs/errors.md')).toContain('](aadsts.md)');
  });
});

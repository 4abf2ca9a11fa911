import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FirestoreTokenBackend } from '@tokenry/firestore';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Child, scriptNamed } from './child.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenry-firestore-'));
  await writeFile(join(folder, 'broken.json'), '{ "private_key": -----BEGIN rt-TEST-KEY');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Google's own hosts must not be asked. */
const ALONE = {
  METADATA_SERVER_DETECTION: 'none',
  FIRESTORE_EMULATOR_HOST: '',
  GOOGLE_APPLICATION_CREDENTIALS: '',
  GOOGLE_CLOUD_PROJECT: '',
};

describe('credentials that cannot be used are a denial, and end no process', () => {
  test.each<[string, () => Record<string, unknown>, (() => Record<string, string>)?]>([
    ['none', () => ({ projectId: 'demo' })],
    [
      'none, for an emulator that is spoken to over REST',
      () => ({ projectId: 'demo', host: '127.0.0.1:1', ssl: false, preferRest: true }),
    ],
    ['neither they nor a project', () => ({})],
    ['a file that is missing', () => ({ projectId: 'demo', keyFilename: join(folder, 'missing.json') })],
    ['a folder', () => ({ projectId: 'demo', keyFilename: folder })],
    [
      'a file that is no JSON',
      () => ({ projectId: 'demo' }),
      () => ({ GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'broken.json') }),
    ],
    ['an object with nothing in it', () => ({ projectId: 'demo', credentials: {} })],
  ])('%s', async (_what, settings, environment) => {
    const child = new Child(scriptNamed('without-credentials'), [settings()], { ...ALONE, ...environment?.() });
    const { codes, texts } = await child.hear<{ codes: string[]; texts: string[] }>();
    expect(await child.exited).toMatchObject({ code: 0 });
    expect(new Set(codes)).toEqual(new Set(['TOKENRY_BACKEND_ACCESS_DENIED']));
    expect(texts.join()).not.toContain('rt-TEST');
  });
});

test('a client that cannot be made says why', async () => {
  const backend = new FirestoreTokenBackend({ collection: 'tokens', clientOptions: { projectId: 'demo', host: 'http://a/b?c' } });
  await expect(backend.records.read('user')).rejects.toMatchObject({
    code: 'TOKENRY_CAPABILITY',
    message: expect.stringContaining('settings.host'),
  });
});

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import {
  AutodiscoverCache,
  type AutodiscoverCacheOptions,
  closeConnections,
  type DiscoverOptions,
  discover,
  UsernamePasswordCredentials,
} from '@tokenry/autodiscover';
import type { RecordStore } from '@tokenry/core';
import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultCacheFolder } from '../src/cache/folder-store.js';
import { ewsSettings } from './fixtures/answers.js';
import { exchange, redirectTo, status } from './lab/exchange.js';
import { type Lab, startLab } from './lab/lab.js';

let lab: Lab;
let root: string;
let folder: string;
beforeAll(async () => {
  lab = await startLab();
  root = await mkdtemp(join(tmpdir(), 'autodiscover-cache-'));
});
beforeEach(() => {
  folder = join(root, crypto.randomUUID());
});
afterEach(() => {
  closeConnections();
  lab.reset();
});
afterAll(async () => {
  await lab.close();
  await rm(root, { recursive: true, force: true });
});

const HOUR_MS = 3_600_000;
const ADA = 'ada@corp.example';
const HOST = 'autodiscover.corp.example';
const EWS = 'https://mail.corp.example/EWS/Exchange.asmx';
const credentials = new UsernamePasswordCredentials('CORP\\ada', 'secret-TEST-password');
const server = () => exchange({ offers: 'Basic', soap: (address) => ewsSettings('mail.corp.example', address) });
const find = (cache: AutodiscoverCache, more: DiscoverOptions = {}, address = ADA) =>
  discover(address, lab.options({ askMicrosoft: false, credentials, allowBasic: true, cache, ...more }));
const onDisk = (more: AutodiscoverCacheOptions = {}) => new AutodiscoverCache({ folder, ...more });
const code = (name: string) => ({ code: `TOKENRY_AUTODISCOVER_${name}` });
/** A clock that stands still until it is moved. */
function testClock(start = Date.now()) {
  let at = start;
  const advance = (ms: number) => {
    at += ms;
  };
  return { now: () => at, monotonic: () => at, advance };
}

describe('the cache folder', () => {
  it('is found by another process of the user: neither server nor DNS is asked again', async () => {
    lab.host(HOST, server());
    await find(onDisk());
    const [requests, queries] = [lab.requests.length, lab.dns.queries.length];
    const found = await find(onDisk());
    expect(found).toMatchObject({
      address: ADA,
      source: 'store',
      services: { ews: { externalUrl: EWS } },
      trace: [{ step: 'cache', outcome: 'store' }],
    });
    expect([lab.requests.length, lab.dns.queries.length]).toEqual([requests, queries]);
  });

  it('4.2.30 has 0700, files have 0600, names carry the format version and nobody’s name', async () => {
    lab.host(HOST, server());
    await find(onDisk());
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const files = await readdir(folder);
    expect(files.map((file) => file.replace(/[0-9a-f]{64}/, '#')).sort()).toEqual(['endpoint-#.v1.json', 'settings-#.v1.json']);
    for (const file of files) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    expect(defaultCacheFolder().startsWith(homedir())).toBe(true);
  });

  it('holds no secret, nor does the printed cache', async () => {
    lab.host(HOST, server());
    const cache = onDisk();
    await find(cache);
    const contents = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8')));
    expect([...contents, inspect(cache, { depth: 9, showHidden: true })].join('')).not.toMatch(/secret-TEST|Basic /);
  });

  it.each(['garbage', '', '{}', 'null', '[]', '{"key":1,"entry":{}}'])(
    '4.2.9 %j in its files is as if there were none',
    async (text) => {
      lab.host(HOST, server());
      await find(onDisk());
      for (const file of await readdir(folder)) await writeFile(join(folder, file), text);
      expect((await find(onDisk())).source).toBe('network');
      expect((await find(onDisk())).source).toBe('store');
    },
  );

  it('an entry in the place of another, from the future, or with other types is discarded', async () => {
    lab.host(HOST, server());
    await find(onDisk());
    await find(onDisk(), {}, 'bob@corp.example');
    const settings = (await readdir(folder)).filter((file) => file.startsWith('settings'));
    const [one = '', two = ''] = settings.map((file) => join(folder, file));
    const [first, second] = await Promise.all([one, two].map((file) => readFile(file, 'utf8')));
    await writeFile(one, second ?? '');
    await writeFile(two, first ?? '');
    expect((await find(onDisk())).source).toBe('network');
    await rm(folder, { recursive: true });
    await find(onDisk());
    const file = (await readdir(folder)).map((name) => join(folder, name)).find((name) => name.includes('settings-')) ?? '';
    const good = JSON.parse(await readFile(file, 'utf8'));
    const changes: ((entry: Record<string, unknown>) => void)[] = [
      (entry) => (entry.storedAt = Date.now() + HOUR_MS),
      (entry) => (entry.storedAt = '1'),
      (entry) => (entry.finding = 'x'),
      (entry) => (entry.redirectedFrom = [1]),
      (entry) => ((entry.finding as Record<string, unknown>).endpoint = 'http://autodiscover.corp.example/'),
      (entry) => ((entry.finding as Record<string, unknown>).ews = { externalUrl: 1 }),
      (entry) => ((entry.finding as Record<string, unknown>).imap = [{}]),
      (entry) => ((entry.finding as Record<string, unknown>).settings = { x: { value: 1 } }),
      (entry) => (entry.tenant = { tenantId: 1 }),
    ];
    for (const change of changes) {
      const bad = structuredClone(good);
      change(bad.entry);
      await writeFile(file, JSON.stringify(bad));
      const address = bad.entry.address;
      expect((await find(onDisk(), {}, address)).source).toBe('network');
    }
  });

  it('what is read is put to the trust rules again', async () => {
    lab.host(HOST, redirectTo('https://hoster.example/autodiscover/autodiscover.svc'));
    lab.host('hoster.example', server());
    await find(onDisk(), { trustedHosts: ['hoster.example'] });
    const before = lab.to('hoster.example').length;
    await expect(find(onDisk())).rejects.toMatchObject(code('REDIRECT_BLOCKED'));
    expect(lab.to('hoster.example')).toHaveLength(before);
    expect((await find(onDisk(), { onRedirect: ({ host }) => host === 'hoster.example' })).source).toBe('store');
  });

  it('a folder that cannot be made or written leaves the memory', async () => {
    lab.host(HOST, server());
    await writeFile(folder, 'a file');
    const cache = onDisk();
    expect((await find(cache)).source).toBe('network');
    expect((await find(cache)).source).toBe('memory');
  });

  it('a folder that others may write to, or a link, is not used', async () => {
    lab.host(HOST, server());
    await mkdir(folder);
    await chmod(folder, 0o777);
    await find(onDisk());
    expect(await readdir(folder)).toEqual([]);
    const link = `${folder}-link`;
    const target = `${folder}-target`;
    await mkdir(target, { mode: 0o700 });
    await symlink(target, link);
    await find(new AutodiscoverCache({ folder: link }));
    expect(await readdir(target)).toEqual([]);
  });

  it('clear() forgets memory and files, and leaves strangers alone', async () => {
    lab.host(HOST, server());
    const cache = onDisk();
    await find(cache);
    await writeFile(join(folder, 'notes.txt'), 'mine');
    await cache.clear();
    expect(await readdir(folder)).toEqual(['notes.txt']);
    expect((await find(cache)).source).toBe('network');
  });

  it('temporary files of processes that were killed are swept away', async () => {
    lab.host(HOST, server());
    await mkdir(folder, { mode: 0o700 });
    const left = join(folder, `.settings-${'0'.repeat(64)}.1.x.tmp`);
    await writeFile(left, 'half');
    await utimes(left, 1, 1);
    await find(onDisk());
    expect((await readdir(folder)).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });
});

describe('the cache of discoveries that are given none', () => {
  const WORKER = fileURLToPath(new URL('processes/default-cache-worker.ts', import.meta.url));
  const start = async (home: string, then: string): Promise<unknown> => {
    const port = String(lab.options().connectTo?.({ hostname: HOST, port: 443 }).port);
    const env = { ...process.env, HOME: home, USERPROFILE: home };
    const { stdout } = await promisify(execFile)(process.execPath, [WORKER, lab.ca, port, then], { env });
    return JSON.parse(stdout);
  };

  it('is in the user’s cache folder, for this user alone; clearCache() empties memory and folder', async () => {
    const v2 = (protocol: string) => ({ body: JSON.stringify({ Protocol: protocol, Url: EWS }) });
    lab.host(HOST, exchange({ v2 }));
    const home = join(root, 'home');
    await mkdir(home);
    expect(await start(home, 'nothing')).toEqual(['network', 'memory']);
    const cache = join(home, relative(homedir(), defaultCacheFolder()));
    expect((await stat(cache)).mode & 0o777).toBe(0o700);
    expect((await readdir(cache)).map((file) => file.replace(/[0-9a-f]{64}/, '#'))).toEqual(['settings-#.v1.json']);
    // A new process, then one that forgets: memory first, the folder too.
    expect(await start(home, 'nothing')).toEqual(['store', 'memory']);
    expect(await start(home, 'clear')).toEqual(['store', 'network']);
    expect(await readdir(cache)).toEqual([]);
  });

  it('is of no use where the folder cannot be had, and in nobody’s way', async () => {
    const home = join(root, 'no-home');
    await writeFile(home, 'a file');
    lab.host(HOST, exchange({ v2: (protocol) => ({ body: JSON.stringify({ Protocol: protocol, Url: EWS }) }) }));
    expect(await start(home, 'nothing')).toEqual(['network', 'memory']);
    expect(await start(home, 'clear')).toEqual(['network', 'network']);
  });
});

describe('what is remembered, and how long', () => {
  it('settings for a week; then they are looked up again', async () => {
    lab.host(HOST, server());
    const clock = testClock();
    const cache = new AutodiscoverCache({ memoryOnly: true, clock });
    await find(cache, { clock });
    clock.advance(6 * 24 * HOUR_MS);
    expect((await find(cache, { clock })).source).toBe('memory');
    clock.advance(2 * 24 * HOUR_MS);
    expect((await find(cache, { clock })).source).toBe('network');
    expect((await find(cache, { clock })).source).toBe('memory');
  });

  it('old values stay when the renewal fails, but not when the mailbox is gone', async () => {
    lab.host(HOST, server());
    const clock = testClock();
    const cache = new AutodiscoverCache({ memoryOnly: true, clock });
    await find(cache, { clock });
    clock.advance(8 * 24 * HOUR_MS);
    lab.host(HOST, status(500));
    const stale = await find(cache, { clock });
    expect(stale).toMatchObject({ source: 'stale', address: ADA, services: { ews: { externalUrl: EWS } } });
    expect(stale.trace.at(-1)).toMatchObject({ step: 'cache', outcome: 'stale' });
    lab.host(HOST, exchange({ offers: 'Basic', soap: () => ({ code: 'InvalidUser', message: 'Gone.' }) }));
    await expect(find(cache, { clock })).rejects.toMatchObject(code('MAILBOX_NOT_FOUND'));
  });

  it('an EWS server that does not answer makes settings older than an hour be looked up again', async () => {
    lab.host(HOST, server());
    const clock = testClock();
    const cache = new AutodiscoverCache({ memoryOnly: true, clock });
    const found = await find(cache, { clock });
    const call = () => found.services.ews?.fetch(EWS, { method: 'POST', body: '<x/>' });
    await expect(call()).rejects.toThrow(TypeError);
    expect((await find(cache, { clock })).source).toBe('memory');
    clock.advance(HOUR_MS + 1);
    await expect(call()).rejects.toThrow(TypeError);
    expect((await find(cache, { clock })).source).toBe('network');
  });

  it('so does an EWS server that answers 503', async () => {
    lab.host(HOST, server());
    lab.host('mail.corp.example', ({ headers }) =>
      headers.authorization ? { status: 503 } : { status: 401, headers: { 'www-authenticate': 'Basic' } },
    );
    const clock = testClock();
    const cache = new AutodiscoverCache({ memoryOnly: true, clock });
    const found = await find(cache, { clock });
    clock.advance(HOUR_MS + 1);
    expect((await found.services.ews?.fetch(EWS, { method: 'POST', body: '<x/>' }))?.status).toBe(503);
    expect((await find(cache, { clock })).source).toBe('network');
  });

  const ewsAnswer = (code: string) =>
    `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><m:GetFolderResponseMessage xmlns:m="m"><m:ResponseCode>${code}</m:ResponseCode></m:GetFolderResponseMessage></s:Body></s:Envelope>`;
  it.each<[string, number, string, number, 'network' | 'memory']>([
    ['a mailbox on the move', 200, ewsAnswer('ErrorMailboxMoveInProgress'), 10_000, 'network'],
    ['a failed connection behind it, in a fault', 500, ewsAnswer('ErrorConnectionFailed'), 10_000, 'network'],
    ['a code that arrives letter by letter', 200, ewsAnswer('ErrorMailboxMoveInProgress'), 1, 'network'],
    ['a missing item', 200, ewsAnswer('ErrorItemNotFound'), 10_000, 'memory'],
    ['a mail that is about such errors', 200, '<m:Subject>ErrorMailboxMoveInProgress</m:Subject>', 10_000, 'memory'],
  ])('so does, or does not, an EWS answer with %s', async (_name, status, text, pieces, source) => {
    lab.host(HOST, server());
    lab.host('mail.corp.example', async ({ headers }, response) => {
      if (!headers.authorization) return { status: 401, headers: { 'www-authenticate': 'Basic' } };
      response.writeHead(status, { 'content-type': 'text/xml; charset=utf-8' });
      for (let at = 0; at < text.length; at += pieces) {
        response.write(text.slice(at, at + pieces));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
      return undefined;
    });
    const clock = testClock();
    const cache = new AutodiscoverCache({ memoryOnly: true, clock });
    const found = await find(cache, { clock });
    const call = async () => (await found.services.ews?.fetch(EWS, { method: 'POST', body: '<x/>' }))?.text();
    expect(await call()).toBe(text);
    expect((await find(cache, { clock })).source).toBe('memory');
    clock.advance(HOUR_MS + 1);
    expect(await call()).toBe(text);
    expect((await find(cache, { clock })).source).toBe(source);
  });

  it('failures for five minutes, in memory only', async () => {
    const clock = testClock();
    const cache = onDisk({ clock });
    await expect(find(cache, { clock })).rejects.toMatchObject(code('NOT_FOUND'));
    const asked = lab.dns.queries.length;
    const again = await find(cache, { clock }).catch((thrown: unknown) => thrown);
    expect(again).toMatchObject(code('NOT_FOUND'));
    expect(lab.dns.queries.length).toBe(asked);
    expect(await readdir(folder).catch(() => [])).toEqual([]);
    lab.host(HOST, server());
    clock.advance(5 * 60_000 + 1);
    expect((await find(cache, { clock })).source).toBe('network');
  });

  it('refused credentials are not remembered: the next try may have the right password', async () => {
    const cache = new AutodiscoverCache({ memoryOnly: true });
    lab.host(HOST, exchange({ offers: 'Basic', accepts: 'Basic other', soap: () => ewsSettings('x.example') }));
    await expect(find(cache)).rejects.toMatchObject(code('AUTH_FAILED'));
    lab.host(HOST, server());
    expect((await find(cache)).source).toBe('network');
  });

  it('other credentials, settings or endpoints are other entries', async () => {
    lab.host(HOST, server());
    const cache = new AutodiscoverCache({ memoryOnly: true });
    await find(cache);
    const others: DiscoverOptions[] = [
      { credentials: new UsernamePasswordCredentials('CORP\\bob', 'secret-TEST-x') },
      { settings: 'all' },
      { endpoint: `https://${HOST}/autodiscover/autodiscover.svc` },
      { refresh: true },
      { cache: false },
    ];
    for (const more of others) expect((await find(cache, more)).source).toBe('network');
    expect((await find(cache, { credentials: new UsernamePasswordCredentials('corp\\ADA', 'secret-TEST-new') })).source).toBe(
      'memory',
    );
  });

  it('is bounded: what was used longest ago goes first', async () => {
    lab.host(HOST, server());
    const cache = new AutodiscoverCache({ memoryOnly: true, maxEntries: 2 });
    for (const name of ['a', 'b', 'a', 'c']) await find(cache, {}, `${name}@corp.example`);
    expect(cache.size).toBe(2);
    expect((await find(cache, {}, 'a@corp.example')).source).toBe('memory');
    expect((await find(cache, {}, 'b@corp.example')).source).toBe('network');
  });
});

describe('a token backend as cache', () => {
  it('keeps entries beside the tokens, in a name space of its own', async () => {
    lab.host(HOST, server());
    const backend = new MemoryTokenBackend();
    const records = () => new AutodiscoverCache({ records: backend.records });
    await backend.records.write('o365_token.txt', new TextEncoder().encode('{}'), { expect: 'anything' });
    await find(records());
    expect((await find(records())).source).toBe('store');
    const keys: string[] = [];
    for await (const key of backend.records.list()) keys.push(key.replace(/[0-9a-f]{64}/, '#'));
    expect(keys.sort()).toEqual(['autodiscover/v1/endpoint-#', 'autodiscover/v1/settings-#', 'o365_token.txt']);
    await records().clear();
    expect((await find(records())).source).toBe('network');
    expect(await backend.records.read('o365_token.txt')).toBeDefined();
  });

  it('that is out of order is an empty one', async () => {
    lab.host(HOST, server());
    const fail = async () => {
      throw new Error('the store is down');
    };
    const records: RecordStore = {
      read: fail,
      write: fail,
      remove: fail,
      list: () => {
        throw new Error('the store is down');
      },
    };
    const cache = new AutodiscoverCache({ records });
    expect((await find(cache)).source).toBe('network');
    expect((await find(cache)).source).toBe('memory');
    await cache.clear();
  });

  it('goes with neither a folder nor memoryOnly', () => {
    const { records } = new MemoryTokenBackend();
    expect(() => new AutodiscoverCache({ records, folder })).toThrow('give one of records, folder and memoryOnly');
    expect(() => new AutodiscoverCache({ folderr: 'x' } as object)).toThrow('did you mean "folder"?');
  });
});

import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { signInAs, startDevAuthority } from '@tokenry/dev-authority';
import { describe, expect, it, vi } from 'vitest';
import { reachableFrom } from '../../../test-support/reachable-from.ts';
import { ADA, authorizationRequest, callApi, signIn, tokenRequest, trust } from './fetch-client.js';

const isOpen = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
const portOf = (url: string) => Number(new URL(url).port);

describe('an authority', () => {
  it('listens on 127.0.0.1 only', async () => {
    await using authority = await startDevAuthority();
    expect([await isOpen(portOf(authority.url)), await reachableFrom(portOf(authority.url))]).toEqual([true, []]);
  });

  it('frees its port when it is closed, and can be closed twice', async () => {
    const authority = await startDevAuthority();
    const port = portOf(authority.url);
    expect(await isOpen(port)).toBe(true);
    await Promise.all([authority.close(), authority.close()]);
    expect(await isOpen(port)).toBe(false);
    await using again = await startDevAuthority({ port });
    expect(again.url).toBe(`https://localhost:${port}`);
  });

  it('drops those who are still connected when it is closed', async () => {
    const authority = await startDevAuthority();
    trust(authority);
    authority.faults.add({ endpoint: 'token', delayMs: 60_000 });
    const waiting = tokenRequest(authority, { grant_type: 'password', client_id: 'client-id' });
    await expect.poll(() => authority.calls().length, { interval: 5 }).toBe(1);
    await Promise.all([authority.close(), expect(waiting).rejects.toThrow('fetch failed')]);
  });

  it('says so when its port is taken, and leaves nothing behind', async () => {
    await using authority = await startDevAuthority();
    const port = portOf(authority.url);
    await expect(startDevAuthority({ port })).rejects.toThrow('EADDRINUSE');
    expect(await isOpen(port)).toBe(true);
  });

  it('still tells what happened after it was closed', async () => {
    const authority = await startDevAuthority();
    trust(authority);
    const fault = authority.faults.add({ endpoint: 'token', error: 'invalid_grant' });
    await tokenRequest(authority, { grant_type: 'password', client_id: 'client-id' });
    await authority.close();
    expect([fault.hits, authority.calls().length]).toEqual([1, 1]);
  });

  it('starts fresh every time: another authority’s people, consents and tokens are unknown', async () => {
    const first = await startDevAuthority();
    trust(first);
    const { body } = await signIn(first);
    await first.close();
    await using second = await startDevAuthority();
    trust(second);
    const refused = await tokenRequest(second, {
      grant_type: 'refresh_token',
      client_id: 'client-id',
      refresh_token: body.refresh_token,
    });
    expect([refused.body.error, second.calls().length]).toEqual(['invalid_grant', 1]);
    expect(second.accountOptions.ca).not.toBe(first.accountOptions.ca);
  });

  it('answers while the thread that started it is blocked', async () => {
    await using authority = await startDevAuthority();
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const source = `
      const { workerData } = require('node:worker_threads');
      require('node:https').get(workerData.url, { ca: workerData.ca, agent: false }, (answer) => {
        Atomics.store(workerData.flag, 0, answer.statusCode);
        Atomics.notify(workerData.flag, 0);
        answer.resume();
      });`;
    const { ca } = authority.accountOptions;
    const worker = new Worker(source, {
      eval: true,
      workerData: { url: `${authority.url}/common/discovery/instance`, ca, flag },
    });
    expect(Atomics.wait(flag, 0, 0, 20_000)).not.toBe('timed-out');
    expect(flag[0]).toBe(200);
    await worker.terminate();
  });

  it('can be started and trusted while the clock of its caller is a fake one', async () => {
    vi.useFakeTimers({ now: 0, toFake: ['Date'] });
    try {
      await using authority = await startDevAuthority();
      trust(authority);
      expect((await signIn(authority)).status).toBe(200);
      expect(authority.calls()[0]?.at).toBeGreaterThan(1_700_000_000_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is reached from other processes with what accountOptions holds as JSON', async () => {
    await using authority = await startDevAuthority();
    const { ca, cloud, tenantId } = JSON.parse(JSON.stringify(authority.accountOptions)) as typeof authority.accountOptions;
    expect([cloud.authority, cloud.graphHost, tenantId]).toEqual([
      authority.url,
      new URL(authority.url).host,
      authority.accountOptions.tenantId,
    ]);
    const request = authorizationRequest(authority, 'openid User.Read');
    expect(new URL(await signInAs(ADA, { ...request, ca })).searchParams.has('code')).toBe(true);
  });

  it('does not keep a process alive that forgot to close it', async () => {
    const source = `
      import { startDevAuthority } from '@tokenry/dev-authority';
      const authority = await startDevAuthority();
      console.log(authority.url);`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', source], {
      cwd: import.meta.dirname,
      timeout: 30_000,
    });
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^https:\/\/localhost:\d+\n$/), '']);
  });

  it('signs with ES256 when told to', async () => {
    await using authority = await startDevAuthority({ signingAlgorithm: 'ES256' });
    trust(authority);
    const { body } = await signIn(authority);
    const algorithms = [body.access_token, body.id_token].map(
      (jwt) => (JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()) as { alg: string }).alg,
    );
    expect(algorithms).toEqual(['ES256', 'ES256']);
    expect((await callApi(authority, '/v1.0/me', body.access_token)).status).toBe(200);
  });

  it('refuses options that it does not know or that make no sense', async () => {
    // @ts-expect-error: misspelt
    await expect(startDevAuthority({ refreshToken: 'one-time' })).rejects.toThrow('Unknown option "refreshToken"');
    await expect(startDevAuthority({ accessTokenSeconds: 0 })).rejects.toThrow('accessTokenSeconds');
    // @ts-expect-error: no such mode
    await expect(startDevAuthority({ refreshTokens: 'never' })).rejects.toThrow('refreshTokens');
  });
});

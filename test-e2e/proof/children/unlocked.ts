/** What a program without Tokenry does at best: read, call, write to a temporary file, sync, rename, sync the folder. */
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transport } from '@tokenry/core/http';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { CLIENT_ID } from './tasks.ts';

interface Instructions {
  readonly copyFrom?: string;
  readonly folder?: string;
  readonly authority?: { readonly ca: string; readonly tenantId: string; readonly cloud: { readonly authority: string } };
  readonly keys?: readonly string[];
  readonly inFlight?: number;
}

let folder = '';
let keys: readonly string[] = [];
let endpoint = '';
let transport = new Transport({});

process.on('message', (message) => void obey(message as Instructions));

async function obey(message: Instructions): Promise<void> {
  try {
    const cpuBefore = process.cpuUsage();
    await (message.inFlight === undefined ? prepare(message) : refreshAll(message.inFlight));
    const { user, system } = process.cpuUsage(cpuBefore);
    process.send?.({ cpuMs: (user + system) / 1000 });
  } catch (error) {
    process.send?.({ error: String(error) });
  }
}

async function prepare({ copyFrom, authority, ...more }: Instructions): Promise<void> {
  folder = more.folder ?? '';
  keys = more.keys ?? [];
  endpoint = `${authority?.cloud.authority}/${authority?.tenantId}/oauth2/v2.0/token`;
  transport = new Transport({ ca: authority?.ca ?? '' });
  const backend = new FileSystemTokenBackend({ tokenPath: copyFrom ?? '' });
  for (const tokenKey of keys) {
    const found = await backend.records.read(tokenKey);
    if (found && found !== 'not-modified') await writeFile(join(folder, tokenKey), found.data, { mode: 0o600 });
  }
}

async function refreshAll(inFlight: number): Promise<void> {
  const waiting = [...keys];
  const lane = async () => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) await refresh(join(folder, key));
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

async function refresh(path: string): Promise<void> {
  const record = JSON.parse(await readFile(path, 'utf8'));
  const [refreshToken] = Object.values<{ secret: string }>(record.RefreshToken);
  const [accessToken] = Object.values<{ secret: string }>(record.AccessToken);
  const body = new URLSearchParams({
    client_id: CLIENT_ID,
    grant_type: 'refresh_token',
    refresh_token: refreshToken?.secret ?? '',
    scope: 'https://graph.microsoft.com/User.Read offline_access openid profile',
  });
  const response = await transport.fetch(endpoint, { method: 'POST', body });
  const answer = (await response.json()) as { readonly access_token?: string; readonly refresh_token?: string };
  if (!response.ok || !refreshToken || !accessToken) throw new Error(`refused: ${response.status}`);
  refreshToken.secret = answer.refresh_token ?? '';
  accessToken.secret = answer.access_token ?? '';
  const temp = `${path}.${process.pid}`;
  const file = await open(temp, 'w', 0o600);
  await file.writeFile(JSON.stringify(record));
  await file.sync();
  await file.close();
  await rename(temp, path);
  const directory = await open(folder, 'r');
  await directory.sync();
  await directory.close();
}

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DevAuthority } from '@tokenry/dev-authority';
import type { PluginName } from '../children/msal.ts';
import { Script } from './script.ts';
import { sha256 } from './stage.ts';

const EXTENSIONS = '@azure/msal-node-extensions@5.6.0';

/** Processes on msal-node alone that share one cache file. */
export class MsalPrograms implements AsyncDisposable {
  readonly #folder: string;
  readonly #path: string;
  readonly #scripts: readonly Script[];

  private constructor(folder: string, scripts: readonly Script[]) {
    this.#folder = folder;
    this.#path = join(folder, 'o365_token.txt');
    this.#scripts = scripts;
  }

  static async start(
    plugin: PluginName,
    options: {
      readonly count: number;
      readonly authority: DevAuthority;
      readonly record: Uint8Array;
      readonly extensions?: string | undefined;
    },
  ): Promise<MsalPrograms> {
    const folder = await mkdtemp(join(tmpdir(), 'tokenry-msal-'));
    const { accountOptions } = options.authority;
    await writeFile(join(folder, 'ca.pem'), accountOptions.ca);
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') };
    const scripts = Array.from({ length: options.count }, () => new Script('msal', { env }));
    const programs = new MsalPrograms(folder, scripts);
    await writeFile(programs.#path, options.record, { mode: 0o600 });
    const path = programs.#path;
    await Promise.all(
      scripts.map((script) => script.call('open', { plugin, path, authority: accountOptions, extensions: options.extensions })),
    );
    return programs;
  }

  /** Ends every access token in the file, as an hour would. */
  async expire(): Promise<void> {
    const record = await this.#record();
    if (!record) return;
    for (const token of Object.values(record.AccessToken ?? {}))
      Object.assign(token, { expires_on: '1000', extended_expires_on: '1000' });
    await writeFile(`${this.#path}.edit`, JSON.stringify(record), { mode: 0o600 });
    await rename(`${this.#path}.edit`, this.#path);
  }

  /** Resolves to what went wrong, call by call. */
  async storm(usernamesOf: (program: number) => readonly string[]): Promise<readonly string[]> {
    const errors = await Promise.all(
      this.#scripts.map((script, index) => script.call('storm', { usernames: usernamesOf(index) })),
    );
    return (errors as string[][]).flat();
  }

  /** File handles that the plugins of all programs left to the garbage collector so far. */
  async leakedHandles(): Promise<number> {
    const counts = await Promise.all(this.#scripts.map((script) => script.call('leakedHandles', {})));
    return (counts as number[]).reduce((sum, count) => sum + count, 0);
  }

  /** SHA-256 of every refresh token in the file; `undefined` when it can no longer be read. */
  async stored(): Promise<ReadonlySet<string> | undefined> {
    const record = await this.#record();
    return record && new Set(Object.values(record.RefreshToken ?? {}).map(({ secret }) => sha256(secret)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#scripts.map((script) => script.end()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #record(): Promise<Record<string, Record<string, { secret: string }>> | undefined> {
    try {
      return JSON.parse(await readFile(this.#path, 'utf8'));
    } catch {
      return undefined;
    }
  }
}

/** Where msal-node-extensions can be loaded from; it is downloaded when it is first asked for. A failure is the reason. */
export async function installExtensions(): Promise<{ readonly folder: string } | { readonly reason: string }> {
  // Not below node_modules: npm would install it into the project around that.
  const folder = join(tmpdir(), 'tokenry-msal-node-extensions-5.6.0');
  if (existsSync(join(folder, 'node_modules/@azure/msal-node-extensions'))) return { folder };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"private":true}');
  try {
    // Without its scripts: they build native code that a plain file does not need.
    await promisify(execFile)('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', EXTENSIONS], {
      cwd: folder,
      timeout: 180_000,
      shell: process.platform === 'win32',
    });
    return { folder };
  } catch (error) {
    return { reason: `${EXTENSIONS} could not be installed: ${String((error as Error).message).split('\n')[0]}` };
  }
}

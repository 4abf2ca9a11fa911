import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { neededServer } from '../../../test-support/needed-server.ts';

/** Google's own emulator, started for one test file. */
export interface Emulator {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Of the process group, to stop and continue it. */
  readonly pid: number;
  /** Removes all documents of a project. */
  clear(projectId: string): Promise<void>;
  /** Lets users of a project do everything or nothing; programs without a user's token may always do everything. */
  allowUsers(projectId: string, allowed: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** Google's client library would otherwise ask a metadata server that exists only in Google's cloud. */
process.env.METADATA_SERVER_DETECTION = 'none';

export const emulatorProgram = neededServer({
  name: "Google's Firestore emulator",
  howToGet:
    'Java 17 or newer, the Google Cloud CLI, and "gcloud components install cloud-firestore-emulator" ' +
    '(Debian: google-cloud-cli and google-cloud-cli-firestore-emulator from https://packages.cloud.google.com/apt)',
  works() {
    const works = (command: string, args: readonly string[]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
    return works('java', ['-version']) && works('gcloud', ['emulators', 'firestore', '--help']);
  },
});

/** How to get an emulator where there is none. With `CI=true` that is a failure. */
export const missingEmulator = (): string | undefined => (emulatorProgram.isHere() ? undefined : emulatorProgram.howToGet);

/** Starts the emulator on a free port of this machine. */
export async function startEmulator(): Promise<Emulator> {
  const host = `127.0.0.1:${await freePort()}`;
  // A group of its own: gcloud starts a shell, which starts Java, and neither passes signals on.
  const child = spawn('gcloud', ['emulators', 'firestore', 'start', `--host-port=${host}`], { detached: true, stdio: 'ignore' });
  const kill = () => end(child);
  process.once('exit', kill);
  await answering(host, child);
  const ask = async (method: string, path: string, body?: string) => {
    const answer = await fetch(`http://${host}/emulator/v1/projects/${path}`, { method, ...(body ? { body } : {}) });
    if (!answer.ok) throw new Error(`the emulator answered ${answer.status} to ${method} ${path}`);
  };
  return {
    host,
    pid: child.pid ?? 0,
    clear: (projectId) => ask('DELETE', `${projectId}/databases/(default)/documents`),
    allowUsers: (projectId, allowed) => ask('PUT', `${projectId}:securityRules`, rules(allowed)),
    stop: async () => {
      process.removeListener('exit', kill);
      const exited = once(child, 'exit');
      kill();
      await exited;
    },
  };
}

/** A user's token as the emulator takes it: unsigned. With it a client is under the security rules. */
export function userToken(projectId: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'ada', user_id: 'ada', aud: projectId, iss: `https://securetoken.google.com/${projectId}` };
  return `${part({ alg: 'none', typ: 'JWT' })}.${part({ ...claims, iat: 1, exp: 9_999_999_999 })}.`;
}

function rules(allowed: boolean): string {
  const content = `rules_version = '2';
    service cloud.firestore { match /databases/{d}/documents { match /{x=**} { allow read, write: if ${allowed}; } } }`;
  return JSON.stringify({ rules: { files: [{ name: 'firestore.rules', content }] } });
}

async function answering(host: string, child: ChildProcess): Promise<void> {
  const giveUpAt = performance.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the Firestore emulator ended with ${child.exitCode}`);
    if (await fetch(`http://${host}/`).catch(() => undefined)) return;
    if (performance.now() > giveUpAt) {
      end(child);
      throw new Error('the Firestore emulator did not start within a minute');
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function end(child: ChildProcess): void {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}

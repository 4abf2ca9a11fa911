import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenBackend } from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { MemoryTokenBackend } from '@tokenry/memory';
import { s3, secretsManager } from './stores/aws.ts';
import { firestore } from './stores/firestore.ts';
import { redis } from './stores/redis.ts';

/** How the proofs open one kind of store, in their own process and in those that they start. */
export interface ProofBackend {
  readonly name: string;
  /** What the figures were found on, as it is said above them. */
  readonly title: string;
  /** False: the store lives in one process, so "processes" become accounts of their own in this one. */
  readonly processes: boolean;
  /** The store is a folder, whose permissions and space can be taken away. */
  readonly folder: boolean;
  /** Steps on `tokenry:save-step` at which a process can be killed in the middle of a save. */
  readonly saveSteps: readonly string[];
  /** Set for a store behind a network. */
  readonly network?: StoreNetwork;
  /** A stand-in for the real service that takes its time: what only repeats is repeated less often. */
  readonly emulated?: boolean;
  /** A new, empty store. `location` is JSON. */
  prepare(): Promise<PreparedStore>;
  open(location: string): TokenBackend;
  /** Ends the server that all stores of this process share, which else ends with the process; a test's may be killed. */
  end?(): Promise<void>;
}

export interface PreparedStore {
  readonly location: string;
  /** A server that can be killed and started again with its data. */
  readonly server?: { kill(): Promise<void>; resume(): Promise<void> };
  destroy(): Promise<void>;
}

/** How a proxy gets between a store and a process. */
export interface StoreNetwork {
  portOf(location: string): number;
  /** The same store, reached through another port of this machine. */
  through(location: string, port: number): string;
  /** The requests that save a changed record, in order: what each is called, and what only it holds. */
  readonly saveRequests: readonly { readonly name: string; readonly holds: string }[];
  /** Whether these bytes of the server begin an answer. */
  beginsAnswer(data: Buffer): boolean;
}

const inMemory = new Map<string, TokenBackend>();

/** Every backend that `npm run proof -- --backend <name>` knows. */
export const backends: Readonly<Record<string, ProofBackend>> = {
  filesystem: {
    name: 'filesystem',
    title: 'files',
    processes: true,
    folder: true,
    saveSteps: ['temp-written', 'before-rename', 'after-rename', 'save-durable'],
    async prepare() {
      const location = await mkdtemp(join(tmpdir(), 'tokenry-proof-'));
      return { location, destroy: () => rm(location, { recursive: true, force: true }) };
    },
    open: (location) => new FileSystemTokenBackend({ tokenPath: location }),
  },
  memory: {
    name: 'memory',
    title: 'the memory of one process',
    processes: false,
    folder: false,
    saveSteps: [],
    async prepare() {
      const location = `memory-${inMemory.size}`;
      inMemory.set(location, new MemoryTokenBackend());
      return { location, destroy: async () => {} };
    },
    open(location) {
      const backend = inMemory.get(location);
      if (!backend) throw new Error(`no store in memory is called ${location}`);
      return backend;
    },
  },
  redis,
  s3,
  'secrets-manager': secretsManager,
  firestore,
};

/** @throws Error naming the backends that there are */
export function backendNamed(name: string): ProofBackend {
  const backend = backends[name];
  if (!backend) throw new Error(`There is no backend "${name}"; there are ${Object.keys(backends).join(', ')}.`);
  return backend;
}

import type { BaseTokenBackendOptions, TokenBackend } from '@tokenry/core';

/** A record as the store's own SDK hands it out. */
export interface BareRecord {
  readonly text: string;
  /** What a conditional write compares. */
  readonly version: string;
}

/** The least that a program without any library has to send for the same guarantees. */
export interface BareStore {
  read(tokenKey: string): Promise<BareRecord>;
  /** Saves if `version` is still the stored one; throws otherwise. */
  save(tokenKey: string, text: string, version: string): Promise<void>;
}

/** A server that was started for the benchmarks. */
export interface StartedStore {
  /** Our backend, on the client that `bare` uses. */
  open(recordCache?: BaseTokenBackendOptions['recordCache']): TokenBackend;
  readonly bare: BareStore;
  stop(): Promise<void>;
}

export interface BenchStore {
  /** As in `npm run proof -- --backend <name>`. */
  readonly name: string;
  /** Whether this machine has the server; if not, says how to get it. */
  isHere(): boolean;
  start(): Promise<StartedStore>;
  /** How often records are read, and saved, after as many rounds of `warmUp`. Emulators take their time. */
  readonly rounds: number;
  readonly warmUp: number;
}

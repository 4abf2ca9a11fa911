import type { BaseTokenBackend } from '@tokenry/core';
import { onTestFinished } from 'vitest';
import { Stage } from '../proof/harness/stage.js';
import type { FaultyStore } from './stores.js';
import { TcpFaultProxy } from './tcp-fault-proxy.js';

export interface Opened {
  readonly proxy: TcpFaultProxy;
  /** Through the proxy. */
  readonly backend: () => BaseTokenBackend;
  /** Past it. */
  readonly direct: Stage['backend'];
}

/** A store of its own behind a proxy of its own, for one test. */
export async function behindProxy(store: FaultyStore) {
  const stage = await Stage.open(store.proof, { refreshTokens: 'one-time-revoking' });
  onTestFinished(() => stage[Symbol.asyncDispose]());
  const proxy = await TcpFaultProxy.before(store.portOf(stage.location));
  onTestFinished(() => proxy.close());
  const backend = () => {
    const opened = store.openThrough(proxy.port, stage.location);
    onTestFinished(() => opened.close());
    return opened;
  };
  const open: Opened = { proxy, backend, direct: stage.backend };
  return { stage, proxy, open };
}

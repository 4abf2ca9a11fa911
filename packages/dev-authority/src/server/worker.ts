import { parentPort } from 'node:worker_threads';
import type { ThreadReply, ThreadRequest } from '../messages.js';
import { AuthorityServer, type ThreadResources } from './authority-server.js';
import { installShiftedClock } from './shifted-clock.js';
import { SigningKeys } from './signing-key.js';

// oidc-provider prints notices about its runtime and about parsed bodies; this server is quiet.
console.info = console.warn = () => {};

const resources: ThreadResources = {
  clock: installShiftedClock(),
  signingKeys: new SigningKeys(),
  makeFront: import('./make-front.js').then(({ makeFront }) => makeFront),
};
let server: AuthorityServer | undefined;

async function answer(request: ThreadRequest): Promise<ThreadReply> {
  if (request.type === 'stop') {
    await server?.stop();
    return { type: 'stopped' };
  }
  try {
    server = await AuthorityServer.start(request.data, resources);
    return { type: 'started', port: server.port };
  } catch (error) {
    return { type: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (request: ThreadRequest) => {
  void answer(request).then((reply) => parentPort?.postMessage(reply));
});

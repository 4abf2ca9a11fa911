import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Command, Ready, ServerData } from '../messages.js';
import type { AuthorityState } from './authority-state.js';
import { ClientRegistry } from './client-registry.js';
import { Directory } from './directory.js';
import { Faults } from './faults.js';
import { PollTimes } from './poll-times.js';
import { Recorder } from './recorder.js';
import { installShiftedClock } from './shifted-clock.js';
import { makeSigningKey } from './signing-key.js';
import { Store } from './store.js';

const { settings, tls, port } = workerData as ServerData;
const moveClock = installShiftedClock();
// oidc-provider prints notices about its runtime and about parsed bodies; this server is quiet.
console.info = console.warn = () => {};

const recorder = new Recorder((event) => port.postMessage(event));
const faults = new Faults(recorder);
const directory = new Directory(settings.tenantId, settings.users);
const clients = new ClientRegistry(settings.clients, settings.unknownClients);
const store = new Store();
const signingKey = makeSigningKey();

function obey(command: Command): void {
  if (command.type === 'add-fault') faults.add(command.id, command.fault);
  else if (command.type === 'remove-fault') faults.remove(command.id);
  else if (command.type === 'advance-clock') moveClock(command.ms);
  else if (command.type === 'register-client') clients.register(command.client);
  else if (command.type === 'register-user') directory.add(command.user);
  else if (command.type === 'token-lifetime') state.accessTokenSeconds = command.seconds;
  else
    for (const model of ['RefreshToken', 'Grant', 'Session'])
      store.shelf(model).removeAccount(directory.byUsername(command.username).accountId);
}

/** What the caller's thread said before it sent a request must be in force for that request: looked at synchronously. */
function catchUp(): void {
  for (let received = receiveMessageOnPort(port); received; received = receiveMessageOnPort(port))
    obey(received.message as Command);
}

const server = createServer({ key: tls.key, cert: tls.cert });
await new Promise<void>((resolve, reject) => server.once('error', reject).listen(settings.port, '127.0.0.1', resolve));
const listening = (server.address() as AddressInfo).port;
const state: AuthorityState = {
  origin: `https://localhost:${listening}`,
  settings,
  directory,
  clients,
  faults,
  recorder,
  store,
  polls: new PollTimes(),
  signingKey,
  consents: new Set(),
  accessTokenSeconds: settings.accessTokenSeconds,
};

// The heavy modules are loaded while the caller already goes on.
const front = import('./make-front.js').then(({ makeFront }) => makeFront(state));
server.on('request', (request, response) => {
  catchUp();
  front
    .then((ready) => ready.handle(request, response))
    .catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(error instanceof RangeError ? 400 : 500, { 'content-type': 'text/plain' }).end(String(error));
    });
});
parentPort?.postMessage({ port: listening } satisfies Ready);

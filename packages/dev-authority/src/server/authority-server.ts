import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { receiveMessageOnPort } from 'node:worker_threads';
import type { Command, ServerData } from '../messages.js';
import type { AuthorityState } from './authority-state.js';
import { ClientRegistry } from './client-registry.js';
import { Directory } from './directory.js';
import { Faults } from './faults.js';
import type { Front } from './front.js';
import { Mailboxes } from './graph/mailbox.js';
import { PollTimes } from './poll-times.js';
import { Recorder } from './recorder.js';
import type { ShiftedClock } from './shifted-clock.js';
import type { SigningKeys } from './signing-key.js';
import { Store } from './store.js';

/** What the thread keeps between authorities. */
export interface ThreadResources {
  readonly clock: ShiftedClock;
  readonly signingKeys: SigningKeys;
  /** The heavy modules: loaded while the caller already goes on. */
  readonly makeFront: Promise<(state: AuthorityState) => Front>;
}

/** One authority: a TLS server on loopback and everything behind it. */
export class AuthorityServer {
  readonly #server: Server;
  readonly #data: ServerData;
  readonly #clock: ShiftedClock;
  readonly #state: AuthorityState;

  private constructor(server: Server, data: ServerData, resources: ThreadResources) {
    this.#server = server;
    this.#data = data;
    this.#clock = resources.clock;
    this.#clock.reset();
    this.#state = makeState(`https://localhost:${this.port}`, data, resources.signingKeys);
    const front = resources.makeFront.then((makeFront) => makeFront(this.#state));
    // Whoever waits for it hears of a failure; nobody may be waiting when the authority is closed early.
    front.catch(() => {});
    this.#serve(front);
  }

  /** @throws when the port is taken */
  static async start(data: ServerData, resources: ThreadResources): Promise<AuthorityServer> {
    const server = createServer({ key: data.tls.key, cert: data.tls.cert });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(data.settings.port, '127.0.0.1', resolve));
    return new AuthorityServer(server, data, resources);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Frees the port and drops whoever is still connected. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(front: Promise<Front>): void {
    this.#server.on('request', (request, response) => {
      this.#catchUp();
      front
        .then((ready) => ready.handle(request, response))
        .catch((error: unknown) => {
          if (response.headersSent) response.destroy();
          else response.writeHead(error instanceof RangeError ? 400 : 500, { 'content-type': 'text/plain' }).end(String(error));
        });
    });
  }

  /** What the caller's thread said before a request was sent must be in force for it: looked at synchronously. */
  #catchUp(): void {
    const { port } = this.#data;
    for (let received = receiveMessageOnPort(port); received; received = receiveMessageOnPort(port))
      this.#obey(received.message as Command);
  }

  #obey(command: Command): void {
    const { faults, clients, directory, store } = this.#state;
    if (command.type === 'add-fault') faults.add(command.id, command.fault);
    else if (command.type === 'remove-fault') faults.remove(command.id);
    else if (command.type === 'advance-clock') this.#clock.advance(command.ms);
    else if (command.type === 'register-client') clients.register(command.client);
    else if (command.type === 'register-user') directory.add(command.user);
    else if (command.type === 'token-lifetime') this.#state.accessTokenSeconds = command.seconds;
    else {
      const person = directory.find(command.username);
      if (person) store.removeAccount(person.accountId);
    }
  }
}

function makeState(origin: string, { settings, port }: ServerData, keys: SigningKeys): AuthorityState {
  const recorder = new Recorder((event) => port.postMessage(event));
  return {
    origin,
    settings,
    recorder,
    faults: new Faults(recorder),
    directory: new Directory(settings.tenantId, settings.users),
    clients: new ClientRegistry(settings),
    store: new Store(),
    mailboxes: new Mailboxes(),
    polls: new PollTimes(),
    signingKey: keys.key(settings.signingAlgorithm),
    consents: new Set(),
    accessTokenSeconds: settings.accessTokenSeconds,
  };
}

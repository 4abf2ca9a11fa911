import { CapabilityError, emit, sleep, systemClock } from '@tokenry/core/backend';
import { Deadlines, LateAnswer } from './deadlines.js';
import { type Attempt, mapError } from './map-error.js';
import type { ResolvedConnectionOptions } from './options.js';
import { CONNECT_TIMEOUT_MS, openClient } from './own-client.js';
import { duplicateOf, optionsOf, primariesOf, type RedisClient, socketsOf } from './redis-client.js';

/** After a failed connection the next one waits this long, so that an outage is not answered with a storm of attempts. */
const CONNECT_GAP_MS = 50;

export interface Command extends Attempt {
  readonly signal?: AbortSignal | undefined;
  /** How long the server itself may take on purpose, on top of the deadline. */
  readonly blocksMs?: number;
}

/** What a command learns about the connection on which it was sent. */
export interface Sent<T> {
  readonly answer: T;
  /** The connection of an injected client broke meanwhile: it may have sent the command twice. Ours never do. */
  readonly disturbed: boolean;
}

/**
 * The way to Redis: an injected client, or one of our own that is made on first use and again after its connection was
 * lost. Every command has a deadline and honours its signal. While no command is under way, sockets of ours do not keep
 * the process alive.
 */
export class RedisConnection {
  readonly #options: ResolvedConnectionOptions;
  #client: RedisClient | undefined;
  #opening: Promise<RedisClient> | undefined;
  #connectionError: Error | undefined;
  #openedAt = Number.NEGATIVE_INFINITY;
  #losses = 0;
  readonly #deadlines = new Deadlines();
  readonly #onReturn: (() => Promise<void>) | undefined;
  /** So many losses were followed by a look at what they cost. */
  #lookedInto = 0;
  #isLooking = false;
  #underWay = 0;
  #closed = false;
  readonly #onLoss = () => void this.#losses++;

  /** `onReturn` is called with the first answer after a loss; where it rejects, with a later one again. */
  constructor(options: ResolvedConnectionOptions, onReturn?: () => Promise<void>) {
    this.#options = options;
    this.#onReturn = onReturn;
    this.#client = options.client;
    options.client?.on(lossEvent(options.client), this.#onLoss);
  }

  /** Runs `send` with a client. Everything that it rejects with is told apart by {@link mapError}. */
  async run<T>(command: Command, send: (client: RedisClient) => Promise<T>): Promise<Sent<T>> {
    const { signal, blocksMs = 0 } = command;
    signal?.throwIfAborted();
    if (this.#underWay++ === 0) this.#hold(true);
    let client: RedisClient | undefined;
    try {
      client = this.#usable() ?? (await this.#open());
      signal?.throwIfAborted(); // maybe while it was opened
      const losses = this.#losses;
      const answer = await this.#deadlines.inTime(send(client), { ms: blocksMs + this.#deadlineMs(client), signal });
      if (this.#losses !== this.#lookedInto) this.#returned();
      return { answer, disturbed: this.#options.client !== undefined && losses !== this.#losses };
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      if (error instanceof LateAnswer) this.#abandon(client);
      throw mapError(error, {
        doing: command.doing,
        connectionError: error instanceof LateAnswer ? undefined : this.#connectionError,
      });
    } finally {
      if (--this.#underWay === 0) this.#hold(false);
    }
  }

  /** As {@link run}; when the answer says that something was `made`, it also waits for the replicas that were asked for. */
  async write<T>(
    command: Command,
    send: (client: RedisClient) => Promise<T>,
    made: (answer: T) => boolean = () => true,
  ): Promise<Sent<T>> {
    const { waitReplicas, waitReplicasTimeoutMs } = this.#options;
    if (waitReplicas === 0) return this.run(command, send);
    return this.run({ ...command, blocksMs: waitReplicasTimeoutMs }, async (client) => {
      const losses = this.#losses;
      const answer = await send(client);
      if (made(answer) && ((await this.#confirmations(client)) < waitReplicas || losses !== this.#losses))
        emit('fault', () => ({ operation: 'write', code: 'TOKENRY_NOT_REPLICATED' }));
      return answer;
    });
  }

  /** Closes a client of ours; an injected one stays as it is. */
  close(): void {
    this.#closed = true;
    const client = this.#client;
    this.#client = undefined;
    if (this.#options.client) client?.off(lossEvent(client), this.#onLoss);
    else client?.disconnect();
  }

  /** A second client for pub/sub; it is the caller's to close. */
  async openSubscriber(): Promise<RedisClient> {
    const { client, clientOptions } = this.#options;
    if (!client) return openClient(clientOptions);
    const subscriber = duplicateOf(client);
    subscriber.on('error', () => undefined);
    return subscriber;
  }

  #usable(): RedisClient | undefined {
    if (this.#closed) throw new CapabilityError('This connection to Redis is closed.');
    const client = this.#client;
    return client && (this.#options.client || client.status !== 'end') ? client : undefined;
  }

  #open(): Promise<RedisClient> {
    this.#opening ??= this.#openAnother().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openAnother(): Promise<RedisClient> {
    const restMs = this.#openedAt + CONNECT_GAP_MS - performance.now();
    if (restMs > 0) await sleep(systemClock, restMs, { hold: true });
    this.#openedAt = performance.now();
    const client = await openClient(this.#options.clientOptions);
    if (this.#closed) {
      client.disconnect();
      throw new CapabilityError('This connection to Redis is closed.');
    }
    this.#connectionError = undefined;
    client.on('error', (error) => {
      if (error instanceof Error) this.#connectionError = error;
    });
    client.on(lossEvent(client), this.#onLoss);
    for (const event of ['ready', '+node', '-node']) client.on(event, () => setImmediate(() => this.#hold(this.#underWay > 0)));
    this.#client = client;
    return client;
  }

  #returned(): void {
    if (this.#isLooking || !this.#onReturn) return;
    this.#isLooking = true;
    const losses = this.#losses;
    const ended = () => {
      this.#isLooking = false;
    };
    void this.#onReturn()
      .then(() => {
        this.#lookedInto = losses;
      })
      .then(ended, ended);
  }

  #deadlineMs(client: RedisClient): number {
    if (client.status === 'ready') return this.#options.commandTimeoutMs;
    const { connectTimeout, redisOptions } = optionsOf(client);
    return this.#options.commandTimeoutMs + (redisOptions?.connectTimeout ?? connectTimeout ?? CONNECT_TIMEOUT_MS);
  }

  /** Answers come in order: where one is missing, no later one will come either. */
  #abandon(client: RedisClient | undefined): void {
    if (this.#options.client || !client || client !== this.#client) return;
    this.#client = undefined;
    client.disconnect();
  }

  #hold(hold: boolean): void {
    if (this.#options.client || !this.#client) return;
    for (const socket of socketsOf(this.#client)) {
      if (hold) socket.ref?.();
      else socket.unref?.();
    }
  }

  /**
   * WAIT counts the replicas that have every earlier write of this very connection; a new one would know of none. In a
   * cluster each primary is asked: those that were sent nothing answer at once.
   */
  async #confirmations(client: RedisClient): Promise<number> {
    const { waitReplicas, waitReplicasTimeoutMs } = this.#options;
    const counts = await Promise.all(
      primariesOf(client).map((primary) => primary.call('wait', [waitReplicas, waitReplicasTimeoutMs])),
    );
    return Math.min(...counts.map(Number));
  }
}

function lossEvent(client: RedisClient): string {
  return client.isCluster ? '-node' : 'close';
}

import { randomUUID } from 'node:crypto';
import { emit, sleep, systemClock, TokenryError } from '@tokenry/core/backend';
import type { RedisConnection } from './connection.js';
import { mapError } from './map-error.js';
import { type RedisClient, socketsOf } from './redis-client.js';

const RECONNECT = { firstMs: 200, maxMs: 10_000 };

export interface InvalidationOptions {
  readonly connection: RedisConnection;
  readonly channel: string;
  /** Called with the name of a record that another instance changed. */
  readonly changed: (name: string) => void;
}

/**
 * Hears of changes that other instances made, on a connection of its own. It reconnects by itself, and neither its socket
 * nor its timers keep the process alive. Messages that come while it is away are lost: what is in memory is then as old
 * as `recordCache.revalidateAfterMs` allows, as without it.
 */
export class Invalidation {
  readonly channel: string;
  readonly #options: InvalidationOptions;
  readonly #id = randomUUID();
  #started = false;
  #subscriber: RedisClient | undefined;
  #closed = false;

  constructor(options: InvalidationOptions) {
    this.#options = options;
    this.channel = options.channel;
  }

  /** What to publish when this instance changed a record. */
  messageFor(name: string): string {
    return `${this.#id} ${name}`;
  }

  /** Begins to listen, once. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#listen();
  }

  close(): void {
    this.#closed = true;
    this.#subscriber?.disconnect();
  }

  async #listen(): Promise<void> {
    for (let waitMs = RECONNECT.firstMs; !this.#closed; waitMs = Math.min(2 * waitMs, RECONNECT.maxMs)) {
      const subscribed = await this.#subscribeUntilEnd().catch(reportFault);
      if (subscribed) waitMs = RECONNECT.firstMs;
      if (!this.#closed) await sleep(systemClock, waitMs * (0.5 + Math.random()));
    }
  }

  /** Resolves when the connection has ended, to whether it ever listened. */
  async #subscribeUntilEnd(): Promise<boolean> {
    const subscriber = await this.#options.connection.openSubscriber();
    if (this.#closed) return subscriber.disconnect() ?? false;
    this.#subscriber = subscriber;
    let subscribed = false;
    const ended = new Promise<void>((resolve) => subscriber.on('end', () => resolve()));
    const letGo = () => setImmediate(() => socketsOf(subscriber).forEach((socket) => void socket.unref?.()));
    for (const event of ['connect', 'ready', '+node', '-node']) subscriber.on(event, letGo);
    subscriber.on('message', (_channel, message) => this.#heard(String(message)));
    try {
      await subscriber.subscribe(this.channel);
      subscribed = true;
      letGo();
      await ended;
    } finally {
      subscriber.disconnect();
    }
    return subscribed;
  }

  #heard(message: string): void {
    const space = message.indexOf(' ');
    if (message.slice(0, space) !== this.#id) this.#options.changed(message.slice(space + 1));
  }
}

/** Nobody waits for a subscription, so nobody catches its error. */
function reportFault(error: unknown): false {
  const mapped = mapError(error, { doing: 'listen to changes' });
  emit('fault', () => ({ operation: 'read', code: TokenryError.is(mapped) ? mapped.code : 'TOKENRY_UNKNOWN' }));
  return false;
}

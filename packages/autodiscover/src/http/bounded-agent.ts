import type { ClientRequest } from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';

/** Idle connections over all hosts together: a program that visits thousands of them must not run out of files. */
const MAX_IDLE_SOCKETS = 64;

/** An agent that keeps connections for a next request, but no more than a few: beyond, the one idle for longest is closed. */
export class BoundedAgent extends https.Agent {
  readonly #idle = new Set<Duplex>();
  readonly #watched = new WeakSet<Duplex>();
  #retired = false;

  /** Closes idle connections, and each of the others as soon as its request is done. */
  retire(): void {
    this.#retired = true;
    for (const socket of this.#idle) socket.destroy();
    this.#idle.clear();
  }

  /** @internal Called by node:https when a request is done. */
  override keepSocketAlive(socket: Duplex): boolean {
    if (this.#retired) return false;
    // Declared as void, but what it returns decides.
    if ((super.keepSocketAlive(socket) as unknown) === false) return false;
    if (!this.#watched.has(socket)) {
      this.#watched.add(socket);
      socket.once('close', () => this.#idle.delete(socket));
    }
    this.#idle.add(socket);
    if (this.#idle.size > MAX_IDLE_SOCKETS) this.#closeOldest();
    return true;
  }

  /** @internal Called by node:https when a kept connection gets its next request. */
  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    this.#idle.delete(socket);
    super.reuseSocket(socket, request);
  }

  #closeOldest(): void {
    for (const socket of this.#idle) {
      this.#idle.delete(socket);
      socket.destroy();
      return;
    }
  }
}

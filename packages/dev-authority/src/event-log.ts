import type { ApiCall, TokenCall } from './calls.js';
import type { ServerEvent } from './messages.js';

/** What the server thread has reported, brought up to date whenever somebody looks. */
export class EventLog {
  readonly #drain: () => Iterable<ServerEvent>;
  #calls: TokenCall[] = [];
  #apiCalls: ApiCall[] = [];
  /** Id of the first call that is still remembered. */
  #first = 0;
  readonly #hits = new Map<number, number>();

  constructor(drain: () => Iterable<ServerEvent>) {
    this.#drain = drain;
  }

  calls(): readonly TokenCall[] {
    this.catchUp();
    return this.#calls;
  }

  apiCalls(): readonly ApiCall[] {
    this.catchUp();
    return [...this.#apiCalls];
  }

  hits(fault: number): number {
    this.catchUp();
    return this.#hits.get(fault) ?? 0;
  }

  /** Reads what has been reported since the last look. */
  catchUp(): void {
    for (const event of this.#drain()) {
      if (event.type === 'call') this.#remember(event.id, event.call);
      else if (event.type === 'api-call') this.#apiCalls.push(event.call);
      else this.#hits.set(event.id, (this.#hits.get(event.id) ?? 0) + 1);
    }
  }

  /** Forgets the calls so far, also how those end that are still on their way. */
  forget(): void {
    this.catchUp();
    this.#first += this.#calls.length;
    this.#calls = [];
    this.#apiCalls = [];
  }

  #remember(id: number, call: TokenCall): void {
    if (id >= this.#first) this.#calls[id - this.#first] = call;
  }
}

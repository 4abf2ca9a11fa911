import { createHash } from 'node:crypto';
import type { ApiCall, TokenCall } from '../calls.js';
import type { ServerEvent } from '../messages.js';

/** SHA-256 in hex: enough to tell tokens apart, useless to anybody else. */
export const sha256Hex = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** One token request while it is worked on. */
export interface RecordedCall {
  end(changes: Partial<TokenCall>): void;
}

/** Tells the caller's thread what happened, always before the answer leaves. */
export class Recorder {
  readonly #post: (event: ServerEvent) => void;
  #calls = 0;

  constructor(post: (event: ServerEvent) => void) {
    this.#post = post;
  }

  begin(call: TokenCall): RecordedCall {
    const id = this.#calls++;
    this.#post({ type: 'call', id, call });
    return { end: (changes) => this.#post({ type: 'call', id, call: { ...call, ...changes } }) };
  }

  api(call: ApiCall): void {
    this.#post({ type: 'api-call', call });
  }

  hit(id: number): void {
    this.#post({ type: 'hit', id });
  }
}

import type { MessagePort } from 'node:worker_threads';
import type { ApiCall, TokenCall } from './calls.js';
import type { Fault } from './fault.js';
import type { DevClient, DevUser, Settings } from './options.js';

/** What an authority is started with. */
export interface ServerData {
  readonly settings: Settings;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly port: MessagePort;
}

/** From the caller's thread; in force for every request that is sent afterwards. */
export type Command =
  | { readonly type: 'add-fault'; readonly id: number; readonly fault: Fault }
  | { readonly type: 'remove-fault'; readonly id: number }
  | { readonly type: 'advance-clock'; readonly ms: number }
  | { readonly type: 'register-client'; readonly client: DevClient }
  | { readonly type: 'register-user'; readonly user: DevUser }
  | { readonly type: 'revoke-sessions'; readonly username: string }
  | { readonly type: 'token-lifetime'; readonly seconds: number };

/** From the server thread; posted before the answer it belongs to leaves. */
export type ServerEvent =
  | { readonly type: 'call'; readonly id: number; readonly call: TokenCall }
  | { readonly type: 'api-call'; readonly call: ApiCall }
  | { readonly type: 'hit'; readonly id: number };

/** From the caller's thread to the server thread, one at a time. */
export type ThreadRequest = { readonly type: 'start'; readonly data: ServerData } | { readonly type: 'stop' };

/** The answer to a {@link ThreadRequest}. */
export type ThreadReply =
  | { readonly type: 'started'; readonly port: number }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stopped' };

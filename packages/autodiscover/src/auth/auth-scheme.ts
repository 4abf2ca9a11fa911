import type { AuthChallenge } from './challenges.js';

export interface AuthorizeRequest {
  readonly url: URL;
  /** What the server offered for this scheme; absent when a scheme that needs no offer goes first. */
  readonly challenge?: AuthChallenge | undefined;
  /** 1 for the first attempt; 2 and 3 after a 401 that named the scheme again. */
  readonly round: number;
  /** The server's certificate (DER), with `bindsConnection`: for tokens that are bound to the TLS channel (Extended Protection). */
  readonly serverCertificate?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A way of signing requests in. The caller of a discovery picks one; a server can decline it, never swap it. Bearer and
 * Basic are built in; NTLM, Negotiate and others plug in here.
 *
 * @example
 * ```ts
 * const ntlm: AuthScheme = {
 *   name: 'NTLM',
 *   bindsConnection: true,
 *   accepts: (url) => url.hostname.endsWith('.corp.example'),
 *   authorize: async ({ challenge, round }) => `NTLM ${round === 1 ? negotiate() : answer(challenge?.token ?? '')}`,
 * };
 * ```
 */
export interface AuthScheme {
  /** Name in `WWW-Authenticate`, compared without regard to case. */
  readonly name: string;
  /** All rounds, and the request itself, run on one connection. */
  readonly bindsConnection?: boolean;
  /** Goes to hosts that answered 401 even if they did not offer it. For schemes whose secret is bound to its audience. */
  readonly needsNoOffer?: boolean;
  /** A header value without any secret that makes servers offer this scheme. */
  readonly probe?: string;
  /** Whether its secret may go there. Asked after the trust rules, which hold for every scheme. */
  accepts(url: URL): boolean;
  /** The `Authorization` header, or `undefined` to give up. */
  authorize(request: AuthorizeRequest): Promise<string | undefined>;
}

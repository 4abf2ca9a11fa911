import type { HttpClient, HttpRequest } from '../http/http-client.js';
import type { AuthScheme } from './auth-scheme.js';
import { type AuthChallenge, parseChallenges } from './challenges.js';

const MAX_ROUNDS = 3;

/**
 * Sends a request signed in by `scheme`, in as many rounds as the scheme needs, and gives the last answer. The caller has
 * checked that the secret may go there.
 */
export async function authorizedExchange<T extends { readonly status: number }>(
  send: (request: HttpRequest) => Promise<T>,
  request: HttpRequest,
  options: {
    readonly client: HttpClient;
    readonly scheme: AuthScheme;
    readonly challenges: readonly AuthChallenge[];
    readonly challengesOf: (answer: T) => readonly AuthChallenge[];
    readonly certificateOf: (answer: T) => Uint8Array | undefined;
    /** Called with each answer that another round replaces. */
    readonly discard?: (answer: T) => void;
  },
): Promise<T | undefined> {
  const { client, scheme, challengesOf } = options;
  const connection = scheme.bindsConnection ? client.ownConnection() : undefined;
  let challenge = offered(options.challenges, scheme);
  let last: T | undefined;
  try {
    let serverCertificate: Uint8Array | undefined;
    if (connection) {
      // Tokens can be bound to the channel from the first one on: the connection is there before anything is authorised.
      const { url, signal, timeoutMs } = request;
      const look = await send({ method: 'GET', url, signal, timeoutMs, connection });
      serverCertificate = options.certificateOf(look);
      challenge = offered(challengesOf(look), scheme) ?? challenge;
      options.discard?.(look);
    }
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const { url, signal } = request;
      const authorization = await scheme.authorize({ url, challenge, round, serverCertificate, signal });
      if (authorization === undefined) break;
      if (last !== undefined) options.discard?.(last);
      last = await send({ ...request, headers: { ...request.headers, authorization }, connection });
      if (last.status !== 401) break;
      challenge = offered(challengesOf(last), scheme);
    }
    return last;
  } finally {
    // An answer that is still being read keeps its connection until then.
    connection?.retire();
  }
}

/** What the server offered for this scheme, if it did. */
export function offered(challenges: readonly AuthChallenge[], scheme: AuthScheme): AuthChallenge | undefined {
  return challenges.find((challenge) => challenge.scheme.toLowerCase() === scheme.name.toLowerCase());
}

/** The challenges of an answer. */
export function challengesOf(answer: { readonly distinct: NodeJS.Dict<string[]> }): readonly AuthChallenge[] {
  return parseChallenges(answer.distinct['www-authenticate']);
}

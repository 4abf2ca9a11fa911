import { strictOptions } from '@tokenry/core/backend';
import { exchangeHostsOf, type MicrosoftCloud, resolveCloud } from '../cloud/clouds.js';
import type { AuthScheme } from './auth-scheme.js';

/** Anything that hands out access tokens: an `Account`, OAuth 2 credentials, a few lines of your own. */
export interface TokenSource {
  getAccessToken(options?: {
    readonly scopes?: readonly string[];
    readonly forceRefresh?: boolean;
    readonly claims?: string;
    readonly signal?: AbortSignal;
  }): Promise<{ readonly token: string }>;
}

export interface BearerAuthOptions {
  /** @default the global cloud */
  readonly cloud?: MicrosoftCloud | undefined;
  /** @default `https://<exchange host of the cloud>/.default` */
  readonly scopes?: readonly string[] | undefined;
  /** Hosts of an Exchange server of your own that takes these tokens (hybrid modern authentication). */
  readonly audienceHosts?: readonly string[] | undefined;
}

/** OAuth access tokens, sent only to hosts of their audience: the cloud's Exchange, the host in the scopes, `audienceHosts`. */
export function bearerAuth(source: TokenSource, options: BearerAuthOptions = {}): AuthScheme {
  const checked = strictOptions('bearerAuth', options, ['cloud', 'scopes', 'audienceHosts']);
  const cloud = resolveCloud(checked.cloud);
  const scopes = checked.scopes ?? [`https://${cloud.exchangeHost}/.default`];
  const audience = audienceOf(scopes, cloud, checked.audienceHosts ?? []);
  let refused: string | undefined;
  return Object.freeze({
    name: 'Bearer',
    needsNoOffer: true,
    probe: 'Bearer',
    accepts: (url: URL) => url.protocol === 'https:' && audience.has(url.hostname),
    async authorize({ challenge, round, signal }: Parameters<AuthScheme['authorize']>[0]) {
      if (round > 2) return undefined;
      const claims = round === 2 ? decodeClaims(challenge?.parameters.claims) : undefined;
      const { token } = await source.getAccessToken({
        scopes,
        ...(round === 2 ? { forceRefresh: true } : {}),
        ...(claims === undefined ? {} : { claims }),
        ...(signal ? { signal } : {}),
      });
      if (round === 2 && token === refused) return undefined;
      refused = token;
      return `Bearer ${token}`;
    },
  });
}

function audienceOf(scopes: readonly string[], cloud: MicrosoftCloud, more: readonly string[]): ReadonlySet<string> {
  const named = scopes.flatMap((scope) => (URL.canParse(scope) ? [new URL(scope).hostname] : []));
  const ofCloud = exchangeHostsOf(cloud);
  // A token for Graph or for a server of your own is nothing for Exchange Online.
  const forCloud = named.length === 0 || named.some((host) => ofCloud.includes(host));
  return new Set([...named, ...more.map((host) => host.toLowerCase()), ...(forCloud ? ofCloud : [])]);
}

/** The claims of a challenge arrive in base64. */
function decodeClaims(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const text = value.trimStart().startsWith('{') ? value : Buffer.from(value, 'base64').toString('utf8');
  return text.startsWith('{') ? text : undefined;
}

import type { ICachePlugin, INetworkModule } from '@azure/msal-node';
import * as msal7 from '@azure/msal-node';
import * as msal3 from 'msal-node-3';
import * as msal5 from 'msal-node-5';
import * as msal6 from 'msal-node-6';
import { AUTHORITY, CLIENT } from './stub-network.ts';

type Msal = Pick<
  typeof msal7,
  'PublicClientApplication' | 'ConfidentialClientApplication' | 'DistributedCachePlugin' | 'version'
>;

/** Every major version of the peer range, side by side in one process. */
export const msalVersions = ([msal3, msal5, msal6, msal7] as unknown as Msal[]).map((msal) => [msal.version, msal] as const);

interface AppOptions {
  readonly network: INetworkModule;
  readonly cachePlugin?: ICachePlugin;
  readonly msal?: Msal;
}

export function publicApp({ network, cachePlugin, msal = msal7 }: AppOptions): msal7.PublicClientApplication {
  return new msal.PublicClientApplication({
    auth: { clientId: CLIENT, authority: AUTHORITY },
    system: { networkClient: network },
    ...(cachePlugin ? { cache: { cachePlugin } } : {}),
  });
}

export function confidentialApp({ network, cachePlugin, msal = msal7 }: AppOptions): msal7.ConfidentialClientApplication {
  return new msal.ConfidentialClientApplication({
    auth: { clientId: CLIENT, authority: AUTHORITY, clientSecret: 'secret-TEST-1' },
    system: { networkClient: network },
    ...(cachePlugin ? { cache: { cachePlugin } } : {}),
  });
}

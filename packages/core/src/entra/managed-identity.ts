import { AsyncLocalStorage } from 'node:async_hooks';
import type { INetworkModule } from '@azure/msal-node';
import type { NormalisedCredentials } from '../application-credentials.js';
import { TokenEndpointError } from '../provider/token-endpoint-error.js';
import type { ProviderContext } from '../provider/token-provider.js';
import { loadMsal } from './msal-client.js';
import { CapturingNetworkClient } from './network-client.js';
import { readAnswer, refusalFrom } from './token-answer.js';

/**
 * msal-node keeps the first network client that any managed identity of the process was made with, for all later ones.
 * Ours therefore looks up whose call it is serving.
 */
const current = new AsyncLocalStorage<CapturingNetworkClient>();

const dispatcher: INetworkModule = {
  sendGetRequestAsync: (url, options) => serving().sendGetRequestAsync(url, options),
  sendPostRequestAsync: (url, options) => serving().sendPostRequestAsync(url, options),
};

function serving(): CapturingNetworkClient {
  const client = current.getStore();
  if (!client) throw new Error('A managed identity sent a request outside a token call.');
  return client;
}

/**
 * Obtains a token for the identity that Azure gave this machine, app service, function, cluster or Arc host; msal-node
 * finds out which. Returns an RFC 6749 answer. Its retries stay on: the endpoint is local and nothing is spent.
 */
export async function managedIdentityToken(
  credentials: NormalisedCredentials,
  context: Pick<ProviderContext, 'scopes' | 'claims' | 'fetch'>,
): Promise<Readonly<Record<string, unknown>>> {
  const { ManagedIdentityApplication } = loadMsal();
  const proof = credentials.proof();
  const userAssigned = proof.kind === 'managed-identity' && proof.userAssigned;
  const application = new ManagedIdentityApplication({
    ...(userAssigned ? { managedIdentityIdParams: { userAssignedClientId: credentials.clientId } } : {}),
    system: { networkClient: dispatcher },
  });
  // Refusals are answers here: Azure Arc asks for proof with a 401, and msal-node decides by status what to repeat.
  const client = new CapturingNetworkClient(context.fetch, readAnswer);
  const { claims } = context;
  const resource = resourceOf(context.scopes);
  // With claims, msal-node looks at the token they are about and then asks the network by itself.
  const request = claims === undefined ? { resource, forceRefresh: true } : { resource, claims };
  try {
    const result = await current.run(client, () => application.acquireToken(request));
    return answerOf(result);
  } catch (error) {
    throw failureOf(client, error);
  }
}

interface Result {
  readonly accessToken: string;
  readonly expiresOn: Date | null;
  readonly refreshOn?: Date | undefined;
}

// msal-node computed these instants on the machine's clock, so that is what takes them back to durations.
function answerOf({ accessToken, expiresOn, refreshOn }: Result): Readonly<Record<string, unknown>> {
  const secondsUntil = (at: Date) => Math.max(0, Math.floor((at.getTime() - Date.now()) / 1_000));
  return {
    token_type: 'Bearer',
    access_token: accessToken,
    expires_in: expiresOn ? secondsUntil(expiresOn) : 0,
    ...(refreshOn ? { refresh_in: secondsUntil(refreshOn) } : {}),
  };
}

function failureOf(client: CapturingNetworkClient, error: unknown): unknown {
  if (client.answer && client.answer.status >= 400) return refusalFrom(client.answer);
  if (client.failure) return client.failure.error;
  const code = error instanceof Error && 'errorCode' in error ? String(error.errorCode) : 'managed_identity_failed';
  return new TokenEndpointError({ error: code, status: client.answer?.status ?? 500 });
}

/** Managed identities are asked for a resource, not for scopes: all scopes of one resource are `.default`. */
function resourceOf(scopes: readonly string[]): string {
  return (scopes[0] ?? '').replace(/\/\.default$/, '');
}

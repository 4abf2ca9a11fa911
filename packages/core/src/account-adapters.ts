import { type AbortSignalLike, platformSignal } from './abort-signal-like.js';
import type { AccessTokenOptions, AccessTokenResult } from './access-token.js';
import { defined } from './defined.js';
import type { Scopes } from './protocol/scopes.js';

/** The shape that Azure SDKs take (`TokenCredential` of @azure/core-auth). */
export interface AccountTokenCredential {
  getToken(
    scopes: string | string[],
    options?: {
      readonly abortSignal?: AbortSignalLike | undefined;
      readonly claims?: string | undefined;
      readonly tenantId?: string | undefined;
    },
  ): Promise<{ token: string; expiresOnTimestamp: number; refreshAfterTimestamp?: number }>;
}

/** The shape that the Microsoft Graph client takes (`AuthenticationProvider`). */
export interface AccountGraphAuthProvider {
  getAccessToken(options?: { scopes?: string[] }): Promise<string>;
}

interface Tokens {
  getAccessToken(options?: AccessTokenOptions): Promise<AccessTokenResult>;
}

/** `tokens` in the shape of an Azure SDK's credential. */
export function tokenCredential(tokens: Tokens): AccountTokenCredential {
  return {
    async getToken(scopes, { abortSignal, claims, tenantId } = {}) {
      const signal = platformSignal(abortSignal);
      const result = await tokens.getAccessToken({ scopes: scopes as Scopes, ...defined({ signal, claims, tenantId }) });
      return {
        token: result.token,
        expiresOnTimestamp: result.expiresAt,
        ...defined({ refreshAfterTimestamp: result.refreshAt }),
      };
    },
  };
}

/** `tokens` in the shape of the Graph client's authentication provider. */
export function graphAuthProvider(tokens: Tokens): AccountGraphAuthProvider {
  return {
    async getAccessToken({ scopes } = {}) {
      const result = await tokens.getAccessToken(scopes && scopes.length > 0 ? { scopes } : undefined);
      return result.token;
    },
  };
}

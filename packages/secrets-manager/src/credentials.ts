import type { SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';

/** A source of credentials that the caller gave failed; its own error is the cause. */
class CredentialsFailedError extends Error {
  override readonly name = 'CredentialsFailed';
}

/**
 * The same options, but a function that gives credentials fails with an error that can be told from a mistake in this
 * package, so that it is an outage like any other. The SDK's own functions fail with names that are known already.
 */
export function withNamedFailure(options: SecretsManagerClientConfig): SecretsManagerClientConfig {
  const { credentials } = options;
  if (typeof credentials !== 'function') return options;
  const named = async (...args: Parameters<typeof credentials>) => {
    try {
      return await credentials(...args);
    } catch (error) {
      throw isPlain(error) ? new CredentialsFailedError('No credentials were given.', { cause: error }) : error;
    }
  };
  // Marks by which the SDK knows functions that remember, or come from itself.
  return { ...options, credentials: Object.assign(named, credentials) };
}

const isPlain = (error: unknown): boolean => !(error instanceof Error) || error.name === 'Error' || error instanceof TypeError;

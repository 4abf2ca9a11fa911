import { registerHooks } from 'node:module';
import { SecretsManagerTokenBackend } from '@tokenry/secrets-manager';
import { hangUp, say } from '../../../../test-support/talk.ts';

/** As where nobody installed it: the vendor's package is not found. */
registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier === '@aws-sdk/client-secrets-manager' ? '@aws-sdk/client-that-nobody-has' : specifier, context),
});
const error: unknown = await new SecretsManagerTokenBackend().loadToken().catch((reason: unknown) => reason);
const { code, message, retryable } = error as { readonly code?: string; readonly message?: string; readonly retryable?: boolean };
say({ code, message, retryable });
hangUp();

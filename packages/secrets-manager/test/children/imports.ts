import { registerHooks } from 'node:module';

/** Says which packages were loaded by importing and constructing, and which by the first read. */
const loaded: string[] = [];
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('@aws-sdk/client-')) loaded.push(specifier);
    return next(specifier, context);
  },
});
const { SecretsManagerTokenBackend } = await import('@tokenry/secrets-manager');
const clientOptions = {
  endpoint: 'http://127.0.0.1:1',
  region: 'us-east-1',
  maxAttempts: 1,
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
};
const backend = new SecretsManagerTokenBackend({ clientOptions });
const before = [...loaded];
await backend.loadToken().catch(() => undefined);
await backend.close();
process.send?.({ before, after: loaded.slice(0, 1) });
process.disconnect?.();

export type { SecretsManagerTokenBackendOptions } from './options.js';
export { SecretsManagerTokenBackend } from './secrets-manager-token-backend.js';

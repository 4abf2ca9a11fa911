export { EnvTokenBackend, type EnvTokenBackendOptions } from './env-token-backend.js';

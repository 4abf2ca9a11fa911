export type { S3TokenBackendOptions } from './options.js';
export { S3TokenBackend } from './s3-token-backend.js';

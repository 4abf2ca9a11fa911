export { FileSystemLeases, type FileSystemLeasesOptions } from './file-system-leases.js';
export { FileSystemTokenBackend } from './filesystem-token-backend.js';
export type { FileSystemTokenBackendOptions, FolderOptions } from './options.js';
export type { WriteLockOptions } from './write-lock.js';

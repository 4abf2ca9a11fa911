export { FirestoreTokenBackend } from './firestore-token-backend.js';
export type { FirestoreTokenBackendOptions, InjectedFirestore } from './options.js';

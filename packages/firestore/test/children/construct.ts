import { createRequire } from 'node:module';
import { FirestoreTokenBackend } from '@tokenry/firestore';
import { hangUp, say } from '../../../../test-support/talk.ts';

/** Makes a backend and asks nothing of it: says which modules of the SDK were loaded. */
new FirestoreTokenBackend({ collection: 'tokens' });
const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('@google-cloud'));
say({ loaded });
hangUp();

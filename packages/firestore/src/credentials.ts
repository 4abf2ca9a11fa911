import type { Firestore, Settings } from '@google-cloud/firestore';
import { BackendAccessDeniedError } from '@tokenry/core/backend';

/** What the SDK's `v1` has; not in its types under this name. */
export interface LowLevelClients {
  readonly FirestoreClient?: new (settings: Settings) => { readonly auth: { getClient(): Promise<unknown> } };
}

/** What reading a file fails with. */
const FILE_ERRORS: ReadonlySet<unknown> = new Set(['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR', 'ELOOP']);

/** What the SDK's class has but does not show: its settings, completed by what it found in the environment. */
interface Inside {
  readonly _settings?: Settings;
}

/**
 * Loads the credentials as the client will. Where that fails inside of it, a second promise rejects where nobody can catch it, and
 * ends the process. The emulator asks for none, but over REST the SDK does all the same.
 * @throws BackendAccessDeniedError when there are none, or they cannot be used; the SDK's own error for a failed network.
 */
export async function checkCredentials(client: Firestore, clients: LowLevelClients | undefined): Promise<void> {
  const { _settings: settings } = client as unknown as Inside;
  if (!settings || !clients?.FirestoreClient || (settings.ssl === false && !settings.preferRest)) return;
  try {
    await new clients.FirestoreClient(settings).auth.getClient();
  } catch (error) {
    throw denial(error);
  }
}

function denial(error: unknown): unknown {
  const { code } = error as { readonly code?: unknown };
  if (!(error instanceof Error) || (code !== undefined && !FILE_ERRORS.has(code))) return error;
  const advice = 'Give clientOptions, or set GOOGLE_APPLICATION_CREDENTIALS and GOOGLE_CLOUD_PROJECT.';
  // A parser quotes what it could not read, and that may be a private key.
  if (error.name === 'SyntaxError')
    return new BackendAccessDeniedError(`The file with Google's credentials is no JSON. ${advice}`);
  const why = code === undefined ? 'none were found, or what was given lacks something' : `their file cannot be read (${code})`;
  return new BackendAccessDeniedError(`Google's credentials cannot be loaded: ${why}. ${advice}`, { cause: error });
}

import {
  BackendAccessDeniedError,
  BackendUnavailableError,
  CapabilityError,
  invalidArgument,
  TokenryError,
} from '@tokenry/core/backend';

/** What was tried, for the message: `read the record "…/o365_token.txt"`. */
export interface Attempt {
  readonly doing: string;
  readonly folder: string;
}

type Advice = (attempt: Attempt) => string;

/** The operating system refuses, and will refuse again until somebody changes something. */
const DENIED: Readonly<Record<string, Advice>> = {
  EACCES: ({ folder }) =>
    `this user may not. Give it read, write and search permission on the folder "${folder}" and on its files, or choose a folder of its own with tokenPath.`,
  EPERM: ({ folder }) =>
    `the system forbids it. A file or the folder "${folder}" may belong to another user (a folder with the sticky bit), or be immutable.`,
  EROFS: ({ folder }) =>
    `the file system of "${folder}" is read-only. Mount it writable, or choose another folder with tokenPath.`,
};

/** What is there can hold no record, whoever asks. */
const UNSUITABLE: Readonly<Record<string, Advice>> = {
  EISDIR: () => 'there is a folder in the place of the file. Move it away, or choose another tokenFilename.',
  ENOTEMPTY: () => 'there is a folder in the place of the file. Move it away.',
  ELOOP: () => 'symbolic links lead in a circle, or there are too many of them. Mend the link.',
  EBUSY: ({ folder }) =>
    `the file is a mount point of its own (a single file mounted into a container). It cannot be replaced in one step: mount its folder "${folder}" instead.`,
  EXDEV: ({ folder }) =>
    `the file lies on another file system than its folder "${folder}" (a single file mounted into a container). It cannot be replaced in one step: mount the folder instead.`,
  EFBIG: () => 'the file would be larger than this process may write (ulimit -f) or the file system holds.',
};

/** Says nothing about whether a token exists; the same call may succeed later. */
const UNAVAILABLE: Readonly<Record<string, Advice>> = {
  ENOSPC: ({ folder }) => `the disk of "${folder}" is full. The record is as it was; free some space.`,
  EDQUOT: ({ folder }) => `the disk quota of this user for "${folder}" is used up. The record is as it was; free some space.`,
  EMFILE: () => 'this process has too many open files (ulimit -n).',
  ENFILE: () => 'the system has too many open files.',
  ESTALE: () => 'the network file system lost the file. Reading again usually helps.',
  EIO: () => 'the disk or the network file system failed.',
  ENOENT: ({ folder }) => `the folder "${folder}" disappeared meanwhile.`,
};

/**
 * Turns an error of the file system into one that says what it means for a token, and what to do. Errors that are not
 * the file system's pass through. Absence is never an error here: who can read ENOENT as "absent" does so before.
 */
export function mapError(error: unknown, attempt: Attempt): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const message = (advice: Advice) => `Could not ${attempt.doing} (${code}): ${advice(attempt)}`;
  const cause = { cause: error };
  if (DENIED[code]) return new BackendAccessDeniedError(message(DENIED[code]), cause);
  if (UNSUITABLE[code]) return new CapabilityError(message(UNSUITABLE[code]), cause);
  if (code === 'ENOTDIR' || code === 'EEXIST') return invalidArgument(message(notAFolder));
  if (code === 'ENAMETOOLONG') return invalidArgument(message(() => 'the file name is too long for this file system.'));
  return new BackendUnavailableError(message(UNAVAILABLE[code] ?? (() => 'the file system failed.')), cause);
}

const notAFolder: Advice = ({ folder }) =>
  `tokenPath "${folder}" is not a folder, or leads through a file. Name the folder in tokenPath and the file in tokenFilename.`;

function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || TokenryError.is(error)) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && typeof syscall === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

import { nodeCrypto } from './node-crypto.js';

/**
 * Who holds a lock, a lease or a temporary file: one thread of one process. It fits into a file name and into a short
 * symbolic link.
 *
 * On Linux `machine` stands for the boot id, the pid namespace and the time namespace, and `startedAt` is the thread's start
 * in clock ticks since boot (proc_pid_stat(5), field 22): together they are never given to anybody else. A container with
 * a pid namespace of its own is a machine of its own: its pids mean nothing outside. Elsewhere the identity is weaker: host
 * name, an estimate of the boot time, and a pid that the system may have given away again.
 */
export interface Owner {
  readonly machine: string;
  readonly pid: number;
  readonly tid: number;
  readonly startedAt: number;
}

/** `unknown`: on another machine, or nothing that this program wrote. */
export type OwnerState = 'alive' | 'dead' | 'unknown';

/** Machines known by host name and boot time alone carry this mark, so that they never equal a machine known exactly. */
const WEAK = 'w';
/** How far two estimates of one boot time lie apart at most; beyond that the clock was set or the machine was restarted. */
const BOOT_TOLERANCE_SECONDS = 120;

// Loaded on first need: a process that only reads a record claims nothing.
const fs = () => process.getBuiltinModule('node:fs');
const os = () => process.getBuiltinModule('node:os');

let self: { readonly owner: Owner; readonly text: string } | undefined;

/** The thread that runs this. */
export const currentOwner = (): Owner => identity().owner;

/** {@link formatOwner} of the thread that runs this. */
export const currentOwnerText = (): string => identity().text;

function identity(): { readonly owner: Owner; readonly text: string } {
  // A start-up snapshot carries module state into another process: the pid tells.
  if (self?.owner.pid === process.pid) return self;
  const owner = (process.platform === 'linux' && linuxOwner()) || weakOwner();
  self = { owner, text: formatOwner(owner) };
  return self;
}

function linuxOwner(): Owner | undefined {
  try {
    // A synchronous call runs on the thread that asks; proc(5): <pid>/task/<tid>.
    const [pid, , tid] = fs().readlinkSync('/proc/thread-self').split('/').map(Number);
    const stat = readStat('/proc/thread-self/stat');
    // Another pid means a /proc of another namespace, which cannot tell us who is alive.
    if (pid !== process.pid || tid === undefined || typeof stat !== 'object') return undefined;
    const boot = fs().readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const machine = digest(`${boot} ${fs().readlinkSync('/proc/self/ns/pid')} ${timeNamespace()}`);
    return { machine, pid, tid, startedAt: stat.startedAt };
  } catch {
    return undefined;
  }
}

/** Start times are told relative to the time namespace's boot (time_namespaces(7)); kernels before 5.6 have none. */
function timeNamespace(): string {
  try {
    return fs().readlinkSync('/proc/self/ns/time');
  } catch {
    return '';
  }
}

function weakOwner(): Owner {
  // Linux without a usable /proc: two containers may share host name and pid, so everybody else has to count as remote.
  const machine = process.platform === 'linux' ? nodeCrypto().randomBytes(8).toString('hex') : digest(os().hostname());
  const bootAt = Math.round(Date.now() / 1000 - os().uptime());
  return {
    machine: WEAK + machine.slice(1),
    pid: process.pid,
    tid: process.getBuiltinModule('node:worker_threads').threadId,
    startedAt: bootAt,
  };
}

const digest = (text: string): string => nodeCrypto().hash('sha256', text, 'hex').slice(0, 16);

/** The owner as text of at most 36 characters, safe in file names. */
export function formatOwner(owner: Owner): string {
  return [owner.machine, ...[owner.pid, owner.tid, owner.startedAt].map((part) => part.toString(36))].join('.');
}

/** What {@link formatOwner} wrote; `undefined` for anything else. */
export function parseOwner(text: string): Owner | undefined {
  const parts = /^([0-9a-fw][0-9a-f]{15})\.([0-9a-z]{1,9})\.([0-9a-z]{1,9})\.([0-9a-z]{1,11})$/.exec(text);
  if (!parts) return undefined;
  const [, machine = '', pid = '', tid = '', startedAt = ''] = parts;
  return { machine, pid: parseInt(pid, 36), tid: parseInt(tid, 36), startedAt: parseInt(startedAt, 36) };
}

/**
 * Whether that thread still runs. Certain where it says `dead`: nothing that the thread started before is still on its way
 * to the disk. A stopped process is alive.
 */
export function ownerState(owner: Owner | undefined): OwnerState {
  const own = currentOwner();
  if (owner === undefined || owner.machine !== own.machine) return 'unknown';
  if (own.machine.startsWith(WEAK)) {
    if (Math.abs(owner.startedAt - own.startedAt) > BOOT_TOLERANCE_SECONDS) return 'unknown';
    return processExists(owner.pid) ? 'alive' : 'dead';
  }
  return processExists(owner.pid) ? linuxThreadState(owner) : 'dead';
}

function processExists(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false; // kill(2) gives 0 and negative pids another meaning
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // EPERM: it exists and belongs to somebody else
  }
}

function linuxThreadState(owner: Owner): OwnerState {
  const leader = readStat(`/proc/${owner.pid}/stat`);
  if (typeof leader !== 'object') return 'alive'; // hidden from us (hidepid), or out of file descriptors: nothing is proven
  if (leader.defunct) return 'dead';
  const thread = owner.tid === owner.pid ? leader : readStat(`/proc/${owner.pid}/task/${owner.tid}/stat`);
  if (thread === 'gone') return 'dead';
  return thread === 'hidden' || thread.startedAt === owner.startedAt ? 'alive' : 'dead';
}

interface Stat {
  readonly startedAt: number;
  /** Ended and not yet collected by its parent, with no thread left that could finish a system call. */
  readonly defunct: boolean;
}

function readStat(path: string): Stat | 'gone' | 'hidden' {
  try {
    const stat = fs().readFileSync(path, 'latin1');
    // The second field is the program's name in brackets and may itself hold blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state = '', threads, startedAt] = [fields[0], Number(fields[17]), Number(fields[19])];
    return { startedAt, defunct: 'ZX'.includes(state) && threads <= 1 };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ESRCH' ? 'gone' : 'hidden';
  }
}

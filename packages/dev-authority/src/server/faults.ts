import type { Fault } from '../fault.js';
import type { Recorder } from './recorder.js';

/** What a request looks like to a fault. */
export interface FaultTarget {
  readonly endpoint: Fault['endpoint'];
  readonly path: string;
  readonly grantType?: string | undefined;
  readonly clientId?: string | undefined;
}

interface ActiveFault {
  readonly id: number;
  readonly fault: Fault;
  skipped: number;
  hits: number;
}

/** The faults in force, in the order they were added. */
export class Faults {
  readonly #recorder: Recorder;
  readonly #active = new Map<number, ActiveFault>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  add(id: number, fault: Fault): void {
    this.#active.set(id, { id, fault, skipped: 0, hits: 0 });
  }

  remove(id: number): void {
    this.#active.delete(id);
  }

  /** The fault for this request, counted as a hit. */
  take(target: FaultTarget): Fault | undefined {
    for (const active of this.#active.values()) {
      if (!matches(active.fault, target)) continue;
      if (active.skipped < (active.fault.skip ?? 0)) {
        active.skipped++;
        continue;
      }
      active.hits++;
      if (active.hits >= (active.fault.times ?? Number.POSITIVE_INFINITY)) this.#active.delete(active.id);
      this.#recorder.hit(active.id);
      return active.fault;
    }
    return undefined;
  }
}

function matches(fault: Fault, target: FaultTarget): boolean {
  if (fault.endpoint !== target.endpoint) return false;
  if (fault.grantType !== undefined && fault.grantType !== target.grantType) return false;
  if (fault.clientId !== undefined && fault.clientId !== target.clientId) return false;
  return fault.path === undefined || target.path.includes(fault.path);
}

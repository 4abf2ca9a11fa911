import { type Clock, InProcessLeases, type LeaseProvider } from '@tokenry/core/backend';

const MACHINE_CLOCK = {};
const byClock = new WeakMap<object, Map<string, LeaseProvider>>();

/** The leases of one variable: it belongs to the process, so all instances that open it share them. */
export function leasesOf(variable: string, clock: Clock | undefined): LeaseProvider {
  const byVariable = byClock.get(clock ?? MACHINE_CLOCK) ?? new Map<string, LeaseProvider>();
  byClock.set(clock ?? MACHINE_CLOCK, byVariable);
  const leases = byVariable.get(variable) ?? new InProcessLeases(clock ? { clock } : {});
  byVariable.set(variable, leases);
  return leases;
}

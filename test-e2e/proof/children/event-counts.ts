import { channels, type FaultEvent, type LeaseEvent, type RefreshEvent, type SaveEvent } from '@tokenry/core';

/** Counts of this process's events since they were last taken. */
class EventCounts {
  #counts: Record<string, number> = {};

  constructor() {
    channels.lease.subscribe((event) => this.#add(`lease ${(event as LeaseEvent).action}`));
    channels.save.subscribe((event) => this.#add(`save ${(event as SaveEvent).outcome}`));
    channels.refresh.subscribe((event) => this.#add(`refresh ${(event as RefreshEvent).outcome}`));
    channels.conflict.subscribe(() => this.#add('conflict'));
    channels.fault.subscribe((event) => this.#add(`fault ${(event as FaultEvent).operation}`));
  }

  take(): Record<string, number> {
    const taken = this.#counts;
    this.#counts = {};
    return taken;
  }

  #add(name: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }
}

export const eventCounts = new EventCounts();

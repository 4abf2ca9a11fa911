import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { TokenryEvents } from '@tokenry/core';

export type EventHandlers = { readonly [Name in keyof TokenryEvents]?: (event: TokenryEvents[Name]) => void };

/** Subscribes to core's channels; the function it returns ends that. All installed copies of core publish on them. */
export function subscribeAll(handlers: EventHandlers): () => void {
  const subscriptions = Object.entries(handlers).map(([name, handle]) => {
    const listener = (event: unknown) => (handle as (event: unknown) => void)(event);
    subscribe(`tokenry:${name}`, listener);
    return () => unsubscribe(`tokenry:${name}`, listener);
  });
  return () => {
    for (const end of subscriptions) end();
  };
}

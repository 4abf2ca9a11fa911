import { channel } from 'node:diagnostics_channel';

/** The named moments of a save, in order. */
export type SaveStep = 'temp-written' | 'before-rename' | 'after-rename' | 'save-durable';

const stepChannel = channel('tokenry:save-step');

/** Publishes each step as it is reached, for crash tests of whole processes; silent when nobody listens. */
export function reached(step: SaveStep, path: string): void {
  if (stepChannel.hasSubscribers) stepChannel.publish({ step, path });
}

import { channel } from 'node:diagnostics_channel';

/** The named moments of a refresh, in order. */
export type RefreshStep = 'before-lease' | 'lease-held' | 'before-send' | 'answered' | 'saved' | 'before-release' | 'released';

/** Publishes each step as it is reached, for crash and race tests of whole processes; silent when nobody listens. */
export const stepChannel = channel('tokenry:refresh-step');

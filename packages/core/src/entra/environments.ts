import { environmentNames } from '../tokens/environments.js';
import type { Cloud } from './cloud.js';

/** Names of a cloud's authorization server in token caches, the canonical one first. */
export function environmentsOf(cloud: Cloud): readonly string[] {
  return Object.freeze(environmentNames(new URL(cloud.authority).host));
}

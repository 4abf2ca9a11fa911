import type { BaseTokenBackendOptions, TokenBackend } from '@tokenry/core/backend';
import type { CreateStore } from '../../src/index.js';
import { mapStore, type SharedMap } from '../shared-map.js';

/** A backend with one defect. */
export interface BrokenBackend {
  /** What is wrong with it; `verdicts` says which tests must find out. */
  readonly defect: string;
  readonly createStore: CreateStore;
}

export function broken(defect: string, open: (map: SharedMap, options: BaseTokenBackendOptions) => TokenBackend): BrokenBackend {
  return { defect, createStore: async () => mapStore(open) };
}

export {
  type ConformanceOptions,
  type ConformanceTest,
  conformanceTests,
  type SkippedTest,
} from './conformance-tests.js';
export { describeStore, type StoreDescription } from './describe-store.js';
export type { CreateStore, TestStore } from './test-store.js';

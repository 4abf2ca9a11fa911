import type { Classification, Refusal } from '../provider/token-provider.js';

export function classifyRefusal(_refusal: Refusal): Classification {
  return { kind: 'request-refused' };
}

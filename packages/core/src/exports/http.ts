/** HTTP as Tokenry does it, for programs that want the parts: `@tokenry/core/http`. */

export { type AuthorizedFetchOptions, authorizedFetch, type TokenForRequestOptions } from '../http/authorized-fetch.js';
export type { Fetch } from '../http/fetch.js';
export { proxiesOfEnvironment } from '../http/network.js';
export { type EnvironmentProxies, type ProxyOptions, proxyUrl } from '../http/proxy.js';
export { type RetryPolicy, retryingFetch } from '../http/retry.js';
export { Transport, type TransportOptions } from '../http/transport.js';
export { NotSentError } from '../provider/token-endpoint-error.js';

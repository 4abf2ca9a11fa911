/** The platform's `fetch`: what every layer here takes and gives. */
export type Fetch = typeof globalThis.fetch;
export type FetchInput = Parameters<Fetch>[0];
export type FetchBody = NonNullable<RequestInit['body']>;

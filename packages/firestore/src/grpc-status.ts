/** gRPC status codes as the SDK reports them in `error.code` (grpc.io/docs/guides/status-codes). */
export const STATUS = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type StatusName = keyof typeof STATUS;

const NAMES = new Map<unknown, StatusName>(Object.entries(STATUS).map(([name, code]) => [code, name as StatusName]));

/** The name of the gRPC status that the error carries; `undefined` when it carries none. */
export function statusOf(error: unknown): StatusName | undefined {
  return error instanceof Error ? NAMES.get((error as { readonly code?: unknown }).code) : undefined;
}

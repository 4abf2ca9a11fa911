import { invalidArgument, nearestName } from '@tokenry/core/backend';

/** On whose behalf requests run: as the mailbox owner, or as the signed-in user with rights on the mailbox. */
export type AccessType = 'impersonation' | 'delegate';
export const ACCESS_TYPES: readonly AccessType[] = Object.freeze(['impersonation', 'delegate']);

/** Returns `value` if it is an access type. @throws TypeError listing the choices. */
export function checkAccessType(value: unknown): AccessType {
  const found = ACCESS_TYPES.find((type) => type === value);
  if (found) return found;
  const nearest = typeof value === 'string' ? nearestName(value, ACCESS_TYPES) : undefined;
  throw invalidArgument(
    `"accessType" must be one of ${ACCESS_TYPES.join(', ')}${nearest ? `; did you mean "${nearest}"?` : '.'}`,
  );
}

import { type MailAddress, parseMailAddress } from '../address/mail-address.js';
import { AutodiscoverError } from '../errors.js';
import { failed, type VisitOutcome } from './visit-outcome.js';

/** A redirect to another address of the same mailbox; an address that may not be discovered ends the visit. */
export function attemptAddress(address: string, from: URL): VisitOutcome {
  return readAddress(address)
    ? { kind: 'redirect-address', address, from: from.href }
    : failed('blocked', { message: 'The new address is not valid.' });
}

/** The address, or nothing. */
export function readAddress(address: string): MailAddress | undefined {
  try {
    return parseMailAddress(address);
  } catch (error) {
    if (AutodiscoverError.is(error)) return undefined;
    throw error;
  }
}

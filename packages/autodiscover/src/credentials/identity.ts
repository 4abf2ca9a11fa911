import { strictOptions } from '@tokenry/core/backend';
import type { IdentityDescriptor } from './base-credentials.js';

const FIELDS = ['sid', 'upn', 'smtpAddress', 'primarySmtpAddress'] as const;

/**
 * The mailbox owner that a service account acts for. A SID or UPN spares Exchange a directory look-up per request.
 *
 * @example
 * ```ts
 * const identity = new Identity({ primarySmtpAddress: 'ada@corp.example' });
 * ```
 */
export class Identity {
  readonly sid: string | undefined;
  readonly upn: string | undefined;
  readonly smtpAddress: string | undefined;
  readonly primarySmtpAddress: string | undefined;

  constructor(options: IdentityDescriptor) {
    const { sid, upn, smtpAddress, primarySmtpAddress } = strictOptions('Identity', options, FIELDS);
    this.sid = sid;
    this.upn = upn;
    this.smtpAddress = smtpAddress;
    this.primarySmtpAddress = primarySmtpAddress;
    Object.freeze(this);
  }

  /** The name to impersonate by, in Exchange's order of preference, with the element that carries it. */
  get connectingSid(): { readonly element: string; readonly value: string } | undefined {
    if (this.sid) return { element: 'SID', value: this.sid };
    if (this.upn) return { element: 'PrincipalName', value: this.upn };
    if (this.smtpAddress) return { element: 'SmtpAddress', value: this.smtpAddress };
    return this.primarySmtpAddress ? { element: 'PrimarySmtpAddress', value: this.primarySmtpAddress } : undefined;
  }

  equals(other: unknown): boolean {
    return other instanceof Identity && FIELDS.every((field) => this[field] === other[field]);
  }

  toJSON(): IdentityDescriptor {
    return Object.fromEntries(FIELDS.flatMap((field) => (this[field] === undefined ? [] : [[field, this[field]]])));
  }

  toString(): string {
    return `Identity(${this.connectingSid?.value ?? ''})`;
  }
}

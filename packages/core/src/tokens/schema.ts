/** The MSAL unified cache schema, as python-o365, MSAL Python and msal-node write it. Pure types. */

/** An identity that tokens speak for; `homeAccountId` identifies it, user names do not. */
export interface AccountInfo {
  readonly homeAccountId: string;
  readonly username: string;
  readonly tenantId: string;
  readonly name?: string;
}

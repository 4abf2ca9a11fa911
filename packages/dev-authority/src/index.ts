export type { ApiCall, TokenCall } from './calls.js';
export { type DevAuthority, startDevAuthority } from './dev-authority.js';
export type { Fault, FaultHandle } from './fault.js';
export type { DevAuthorityOptions, DevClient, DevUser, RefreshTokenMode } from './options.js';
export { type SignInRequest, signInAs } from './sign-in-script.js';

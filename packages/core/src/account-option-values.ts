import type { AccountOptions } from './account-options.js';
import { invalidArgument } from './options.js';
import { FlowSeal } from './sign-in/flow-seal.js';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const has = (value: unknown, members: Readonly<Record<string, string>>): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(members).every(([name, type]) => typeof (value as Record<string, unknown>)[name] === type);

/** Under no name at all, what a provider brings is never found again. */
function hasNames(provider: unknown): boolean {
  const { environments } = provider as { readonly environments?: unknown };
  return isTexts(environments) && (environments as readonly unknown[]).length > 0;
}

/** What a program without types, or with a setting that is missing, gets wrong without noticing. */
const EXPECTED = {
  homeAccountId: [isText, 'a home account id, or left out'],
  username: [isText, 'a user name, or left out'],
  password: [isText, 'a password, or left out'],
  scopes: [
    (value) => [value].flat().every((scope) => typeof scope === 'string'),
    'a string or a list of strings, such as "basic" or ["Mail.Read"]',
  ],
  redirectUri: [isText, 'an absolute URL that is registered for the application'],
  protocol: [
    (value) => has(value, { serviceUrl: 'string', prefixScope: 'function' }),
    'an instance of a protocol, such as new MSGraphProtocol()',
  ],
  provider: [
    (value) =>
      has(value, { issuer: 'string', clientId: 'string', exchange: 'function', classify: 'function' }) && hasNames(value),
    'a provider: issuer, clientId, environments, exchange() and classify()',
  ],
  clientCapabilities: [isTexts, "a list of capabilities, such as ['cp1']"],
  allowedHosts: [isTexts, "a list of hosts, such as ['contoso.sharepoint.com']"],
  // "false" as text, from an environment variable, is true.
  backgroundRefresh: [isBoolean, 'true or false'],
  refreshWithoutLease: [isBoolean, 'true or false'],
  raiseHttpErrors: [isBoolean, 'true or false'],
  retryUnsafe: [isBoolean, 'true or false'],
  verifyTls: [isBoolean, 'true or false'],
  defaultHeaders: [(value) => has(value, {}), 'an object of header names and values'],
  jsonReplacer: [(value) => typeof value === 'function', 'a function, as for JSON.stringify'],
  clock: [(value) => has(value, { now: 'function', monotonic: 'function' }), 'a clock: now() and monotonic()'],
} as const satisfies Partial<Record<keyof AccountOptions, readonly [Check, string]>>;

/** @throws TypeError for a value of the wrong kind, naming the option and never the value. */
export function checkAccountOptionValues(options: Readonly<AccountOptions>): void {
  for (const [name, [isFine, expected]] of Object.entries(EXPECTED)) {
    const value = options[name as keyof typeof EXPECTED];
    if (value !== undefined && !isFine(value)) throw invalidArgument(`Account: ${name} must be ${expected}.`);
  }
  const { flowKeys } = options;
  if (flowKeys === undefined) return;
  // A list of keys that were not found would leave flows unencrypted, in a cookie perhaps.
  if (flowKeys.length === 0) throw invalidArgument('Account: flowKeys holds no key; leave it out to keep flows on the server.');
  new FlowSeal(flowKeys);
}

/** @throws TypeError unless `value` is absent or can name an account: an empty name would choose nobody. */
export function checkAccountName(name: 'homeAccountId' | 'username', value: unknown): void {
  if (value !== undefined && !isText(value)) throw invalidArgument(`${name} must be ${EXPECTED[name][1]}.`);
}

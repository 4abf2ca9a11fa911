/**
 * What Entra's error numbers mean for a program, and what to do about each, in our own words.
 * Sources: https://learn.microsoft.com/entra/identity-platform/reference-error-codes (meaning of each number),
 * https://learn.microsoft.com/entra/msal/dotnet/advanced/exceptions/msal-error-handling (which need a person), and for
 * 50194, 700025, 7000215, 9002327 the issues people opened about them (O365/python-o365 184, 407, 808, 846).
 *
 * - `throttled`: asked too often; nothing is wrong with any token.
 * - `request-refused`: this request needs a person; the refresh token stays good for others.
 * - `token-refused`: the refresh token (or code) itself is spent, expired or revoked.
 * - `transient`: try again later.
 * - `configuration`: the application or its registration has to be changed; no person can sign it away.
 */
export type AadstsKind = 'throttled' | 'request-refused' | 'token-refused' | 'transient' | 'configuration';

export interface AadstsCode {
  readonly kind: AadstsKind;
  readonly hint: string;
}

const throttled = (hint: string): AadstsCode => ({ kind: 'throttled', hint });
const person = (hint: string): AadstsCode => ({ kind: 'request-refused', hint });
const spent = (hint: string): AadstsCode => ({ kind: 'token-refused', hint });
const transient = (hint: string): AadstsCode => ({ kind: 'transient', hint });
const configuration = (hint: string): AadstsCode => ({ kind: 'configuration', hint });

const SIGN_IN_AGAIN = 'The person must sign in again.';
const TRY_LATER = 'A passing fault of the sign-in service; try again in a minute.';

export const aadstsCodes: Readonly<Record<string, AadstsCode>> = Object.freeze({
  // ── asked too often ───────────────────────────────────────────────────────────────────────────────────────────────
  50196: throttled(
    'The same request was repeated too often in a short time. Share one token store between the processes and wait a few minutes.',
  ),
  90055: throttled('The tenant sends too many requests. Wait, and spread the work over time.'),
  50088: throttled('Too many phone calls or messages for the second factor. Wait a few minutes, or use an authenticator app.'),
  50166: throttled('An external claims provider was asked too often. Wait a few minutes.'),

  // ── a person has to do something ──────────────────────────────────────────────────────────────────────────────────
  16000: person('Several accounts are signed in, and none was chosen. Sign in with prompt "select_account" or a loginHint.'),
  50058: person(`Nobody is signed in in that browser. ${SIGN_IN_AGAIN}`),
  50072: person('The person must register a second factor. Sign in interactively.'),
  50074: person('A second factor is required and was not given. Sign in interactively.'),
  50076: person('A policy asks for a second factor. Sign in interactively; the password flow cannot do this.'),
  50078: person('The second factor was given too long ago. Sign in interactively.'),
  50079: person('A policy asks the person to register a second factor. Sign in interactively.'),
  50097: person('A policy asks for a device that the organisation knows. Sign in on such a device.'),
  50105: person(
    'The person is not assigned to this application. An administrator assigns them under Enterprise applications > Users and groups.',
  ),
  50125: person('A password reset or registration interrupts the sign-in. Finish it in the browser.'),
  50126: person('User name or password is wrong. For federated accounts the password flow never works; sign in interactively.'),
  50127: person('A policy asks for a broker application on the device.'),
  50129: person('A policy asks for a device that is joined to the organisation.'),
  50131: person('A Conditional Access policy refused the sign-in. The sign-in log of the tenant names the policy.'),
  50135: person('The password must be changed because the account is at risk. Sign in interactively.'),
  50140: person('The question "Stay signed in?" interrupted the sign-in. Answer it in the browser.'),
  50144: person('The on-premises password has expired. The person must change it.'),
  50055: person('The password has expired. The person must change it.'),
  50053: person(
    'The account is locked after too many failed sign-ins, or the address is blocked. Wait, or ask an administrator.',
  ),
  50057: person('The account is disabled. An administrator can enable it.'),
  50020: person(
    'The account is of another tenant and no guest here. Invite it, or sign in with an account of this tenant (prompt "select_account").',
  ),
  50034: person('There is no such account in this tenant. Check the user name and the tenantId.'),
  50158: person("An external security challenge (a partner's second factor) is open. Sign in interactively."),
  51004: person('The account is not in this tenant. Check the tenantId, or invite the account as a guest.'),
  53000: person('A policy asks for a compliant device. Enrol the device, or sign in on another.'),
  53001: person('A policy asks for a domain-joined device.'),
  53003: person('A Conditional Access policy blocks this. An administrator sees which one in the sign-in log.'),
  53004: person('The person must register a second factor first.'),
  65001: person(
    'Nobody has consented to these permissions. Sign in interactively and accept; for application permissions an administrator grants consent.',
  ),
  65004: person('The person declined the consent. Start the sign-in again, and explain what the permissions are for.'),
  90072: person('The account is not in this tenant. Invite it as a guest, or sign in with another account.'),
  90094: person(
    "These permissions need an administrator's consent. Send an administrator to the sign-in, or have them grant it in the portal.",
  ),
  500212: person("The person's own organisation does not allow access to this tenant (outbound cross-tenant policy)."),
  500213: person("This tenant does not let the person's organisation in (inbound cross-tenant policy)."),
  530035: person('Security defaults of the tenant block this kind of sign-in. Use an interactive flow instead of a password.'),

  // ── the refresh token or code itself is no good any more ──────────────────────────────────────────────────────────
  50085: spent(`The account signs in elsewhere, and that sign-in has ended. ${SIGN_IN_AGAIN}`),
  50089: spent(`The session or code has expired. ${SIGN_IN_AGAIN}`),
  50132: spent(`The session ended with a password change or expiry. ${SIGN_IN_AGAIN}`),
  50133: spent(`The session ended with a password change or expiry. ${SIGN_IN_AGAIN}`),
  50139: spent(`The session of the personal account has ended. ${SIGN_IN_AGAIN}`),
  50173: spent(
    `The tokens of this account were revoked, for instance by a password change or an administrator. ${SIGN_IN_AGAIN}`,
  ),
  54005: spent(
    'The authorization code was used before. Each redirect can be redeemed once: check for a page that is loaded twice.',
  ),
  70000: spent(`The refresh token or code is not valid. ${SIGN_IN_AGAIN}`),
  70008: spent(`The refresh token or code has expired. ${SIGN_IN_AGAIN}`),
  70043: spent(`A policy limits how long a sign-in lasts (sign-in frequency), and that time is over. ${SIGN_IN_AGAIN}`),
  700082: spent(`The refresh token was not used for too long (90 days as a rule). ${SIGN_IN_AGAIN} keepAlive() prevents this.`),
  700084: spent(
    'The refresh token was issued to a single-page application and lives 24 hours. Register the redirect URI as "Web" or "Mobile and desktop" instead.',
  ),

  // ── passing faults ────────────────────────────────────────────────────────────────────────────────────────────────
  50000: transient(TRY_LATER),
  50033: transient(TRY_LATER),
  50087: transient(TRY_LATER),
  70012: transient(TRY_LATER),
  80002: transient('The on-premises password check timed out; try again, and check its agents.'),
  90006: transient(TRY_LATER),
  90012: transient(TRY_LATER),
  90024: transient(TRY_LATER),
  90033: transient(TRY_LATER),
  90090: transient(TRY_LATER),

  // ── the application or its registration is wrong ──────────────────────────────────────────────────────────────────
  50001: configuration("The resource in the scopes is disabled or unknown here. Check the scope's first part, and the cloud."),
  50011: configuration(
    'The redirectUri is not registered. Add exactly this one under Authentication in the app registration: scheme, host, port and path count.',
  ),
  50012: configuration(
    'The client assertion or certificate is not accepted. Is this certificate uploaded to the app registration?',
  ),
  50013: configuration("The assertion is not valid: wrong audience, expired, or not a user's access token for this application."),
  50059: configuration('No tenant could be found in the request. Set tenantId.'),
  50128: configuration('No tenant could be found in the request. Set tenantId, or check the domain of the user name.'),
  50194: configuration(
    'The application is registered for one tenant, so the tenantId "common" does not work. Set your own tenantId, or make the registration multi-tenant.',
  ),
  65002: configuration('This client id belongs to Microsoft and may not ask for that API. Register an application of your own.'),
  65005: configuration('The application asks for a resource that its registration does not list. Add it under API permissions.'),
  70001: configuration('The application is not known in this tenant or is disabled. Check client id, tenantId and cloud.'),
  70002: configuration("The client secret is wrong. Copy the secret's value anew."),
  70003: configuration('The grant type is not supported for this application.'),
  70005: configuration('The response type is not enabled for this application.'),
  70011: configuration(
    "A scope is not valid. Ask for scopes of one resource per request, spelled as in the API's documentation.",
  ),
  90002: configuration('There is no such tenant. Check the tenantId, and the cloud it lives in.'),
  90009: configuration('The application asks for a token for itself; name it by its client id (GUID), not by its URI.'),
  90014: configuration('A required field is missing in the request.'),
  90019: configuration('No tenant could be found in the request. Set tenantId.'),
  90023: configuration('The request is not valid.'),
  90038: configuration('The tenant lives in another cloud. Set the cloud option to usgov, usgov-dod or china.'),
  500011: configuration(
    'The resource has no service principal in this tenant. Check the scope, or have an administrator add that API to the tenant.',
  ),
  500133: configuration('The assertion of the on-behalf-of call has expired. Ask the caller for a fresh token.'),
  501481: configuration('The PKCE verifier does not fit: redirect and flow belong to different sign-ins.'),
  650052: configuration('The organisation has not subscribed to, or not enabled, the service behind this scope.'),
  650056: configuration('The registration lists no permissions for this API, or nobody consented. Check API permissions.'),
  650057: configuration('The registration does not list this API. Add it under API permissions.'),
  700016: configuration(
    'The application is not known in this tenant. Check client id and tenantId; a multi-tenant application needs consent there first.',
  ),
  700024: configuration('The client assertion is outside its time range. Check the clock of this machine.'),
  700025: configuration(
    'The application is registered as a public client, so it must not send a secret. Use credentials [clientId], or register a "Web" platform.',
  ),
  700027: configuration(
    'The certificate is not the registered one. Upload its public part to the app registration, or configure the right one.',
  ),
  700030: configuration('The subject of the certificate is not authorised for this application.'),
  900144: configuration('A required parameter is missing in the request.'),
  900432: configuration("A confidential application cannot be used across clouds. Set the cloud option to the tenant's."),
  7000112: configuration('The application is disabled in this tenant. An administrator can enable it.'),
  7000215: configuration("The client secret is wrong. A common slip: the secret's id was copied instead of its value."),
  7000218: configuration(
    'The application must prove who it is. Give a secret or certificate, or switch on "Allow public client flows".',
  ),
  7000222: configuration('The client secret has expired. Create a new one in the app registration.'),
  9001023: configuration('This flow does not work with the tenantId "common" or "consumers". Set your own tenantId.'),
  9002313: configuration('The request is malformed.'),
  9002326: configuration(
    'The redirect URI is registered for single-page applications. Register it as "Web" or "Mobile and desktop".',
  ),
  9002327: configuration(
    'The redirect URI is registered for single-page applications, whose codes only browsers may redeem. Register it as "Web" or "Mobile and desktop".',
  ),
  9002332: configuration('The application is for work and school accounts only. Do not use the tenantId "consumers".'),

  // ── device code ───────────────────────────────────────────────────────────────────────────────────────────────────
  50134: person('The code was entered in another region than it was made in. Start the sign-in again.'),
  70016: person('The code was not entered yet.'),
  70018: person('A wrong code was entered. Start the sign-in again.'),
  70019: person('The code has expired. Start the sign-in again.'),
});

/**
 * What `suberror` says. Sources: RFC-like list in MSAL ("InvalidGrant classification"),
 * https://learn.microsoft.com/entra/identity-platform/msal-error-handling-dotnet#msaluirequiredexception, and Intune's
 * protection policy errors, https://learn.microsoft.com/entra/identity-platform/app-protection-policy
 */
export const suberrors: Readonly<Record<string, AadstsCode>> = Object.freeze({
  bad_token: spent(`The refresh token is not valid. ${SIGN_IN_AGAIN}`),
  token_expired: spent(`The refresh token has expired. ${SIGN_IN_AGAIN}`),
  basic_action: person('The person can resolve this in an ordinary sign-in.'),
  additional_action: person('The person must do something outside the sign-in, such as enrolling a device, and then sign in.'),
  message_only: person('The person is shown a message that explains why there is no access; signing in shows it.'),
  consent_required: person('Consent is missing or was withdrawn. Sign in interactively and accept.'),
  user_password_expired: person('The password has expired. Signing in lets the person change it.'),
  interrupted_user: person('The sign-in was interrupted. Sign in interactively.'),
  ui_not_allowed: person('A policy forbids signing in without a person. Sign in interactively.'),
  client_mismatch: configuration(
    'The refresh token belongs to another application of the same family. Check the client id, and do not share records between applications.',
  ),
  protection_policy_required: person('A policy asks for an application that is managed by Intune app protection.'),
  protection_policies_required: person('A policy asks for an application that is managed by Intune app protection.'),
  device_authentication_failed: person('A policy asks for a device that the organisation knows. Sign in on such a device.'),
});

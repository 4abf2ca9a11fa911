/**
 * Names of user settings: those that Microsoft Learn lists for GetUserSettings, then those that Microsoft's own clients
 * know besides. Source: learn.microsoft.com "UserSettings (SOAP)", EWS Managed API `UserSettingName`.
 */

const URLS = ['EcpUrl', 'EcpVoicemailUrl', 'EcpEmailSubscriptionsUrl', 'EcpTextMessagingUrl', 'EcpDeliveryReportUrl'] as const;
const MORE_URLS = ['EcpRetentionPolicyTagsUrl', 'EcpPublishingUrl', 'EwsUrl', 'OABUrl', 'UMUrl'] as const;
const LATER_URLS = ['EcpPhotoUrl', 'EcpConnectUrl', 'EcpTeamMailboxUrl', 'EcpTeamMailboxCreatingUrl'] as const;
const LATEST_URLS = ['EcpTeamMailboxEditingUrl', 'EcpTeamMailboxHidingUrl', 'EcpExtensionInstallationUrl'] as const;
const OTHER_URLS = ['EmwsUrl', 'PhotosUrl', 'OutlookServiceUrl'] as const;
type SideUrl = (typeof URLS | typeof MORE_URLS | typeof LATER_URLS | typeof LATEST_URLS | typeof OTHER_URLS)[number];
type Side = 'Internal' | 'External';

const bothSides = <Name extends string>(names: readonly Name[]): `${Side}${Name}`[] =>
  names.flatMap((name): `${Side}${Name}`[] => [`Internal${name}`, `External${name}`]);

const TEXTS = [
  'UserDisplayName',
  'UserDN',
  'UserDeploymentId',
  'InternalMailboxServer',
  'InternalMailboxServerDN',
  'InternalRpcClientServer',
  'MailboxDN',
  'PublicFolderServer',
  'PublicFolderInformation',
  'ActiveDirectoryServer',
  'ExternalMailboxServer',
  'ExternalMailboxServerAuthenticationMethods',
  'EcpVoicemailUrlFragment',
  'EcpEmailSubscriptionsUrlFragment',
  'EcpTextMessagingUrlFragment',
  'EcpDeliveryReportUrlFragment',
  'EcpRetentionPolicyTagsUrlFragment',
  'EcpPublishingUrlFragment',
  'EcpPhotoUrlFragment',
  'EcpConnectUrlFragment',
  'EcpTeamMailboxUrlFragment',
  'EcpTeamMailboxCreatingUrlFragment',
  'EcpTeamMailboxEditingUrlFragment',
  'EcpExtensionInstallationUrlFragment',
  'CasVersion',
  'MailboxVersion',
  'ExchangeRpcUrl',
  'AutoDiscoverSMTPAddress',
  'InteropExternalEwsUrl',
  'ExternalEwsVersion',
  'InteropExternalEwsVersion',
  'EwsPartnerUrl',
  'MobileMailboxPolicy',
  'MobileMailboxPolicyInterop',
  'GroupingInformation',
  'SPMySiteHostURL',
  'SiteMailboxCreationURL',
  'CertPrincipalName',
  'RedirectUrl',
] as const;

/** Settings that are on or off. */
export const BOOLEAN_SETTINGS = [
  'ExternalMailboxServerRequiresSSL',
  'CrossOrganizationSharingEnabled',
  'InternalServerExclusiveConnect',
  'ExternalServerExclusiveConnect',
  'ShowGalAsDefaultView',
  'UserMSOnline',
  'MapiHttpEnabled',
] as const;
/** Settings that hold several values separated by commas. */
export const LIST_SETTINGS = ['EwsSupportedSchemas'] as const;
export const WEB_CLIENT_SETTINGS = ['InternalWebClientUrls', 'ExternalWebClientUrls'] as const;
export const CONNECTION_SETTINGS = [
  'InternalPop3Connections',
  'ExternalPop3Connections',
  'InternalImap4Connections',
  'ExternalImap4Connections',
  'InternalSmtpConnections',
  'ExternalSmtpConnections',
] as const;
export const MAILBOX_SETTINGS = ['AlternateMailboxes'] as const;
export const SHARING_SETTINGS = ['DocumentSharingLocations'] as const;

export type TextSetting = (typeof TEXTS)[number] | `${Side}${SideUrl}`;
export type BooleanSetting = (typeof BOOLEAN_SETTINGS)[number];
export type SettingName =
  | TextSetting
  | BooleanSetting
  | (typeof LIST_SETTINGS)[number]
  | (typeof WEB_CLIENT_SETTINGS)[number]
  | (typeof CONNECTION_SETTINGS)[number]
  | (typeof MAILBOX_SETTINGS)[number]
  | (typeof SHARING_SETTINGS)[number];

/** Every setting with a known name. */
export const ALL_SETTINGS: readonly SettingName[] = Object.freeze([
  ...TEXTS,
  ...bothSides([...URLS, ...MORE_URLS, ...LATER_URLS, ...LATEST_URLS, ...OTHER_URLS]),
  ...BOOLEAN_SETTINGS,
  ...LIST_SETTINGS,
  ...WEB_CLIENT_SETTINGS,
  ...CONNECTION_SETTINGS,
  ...MAILBOX_SETTINGS,
  ...SHARING_SETTINGS,
]);

/** What a discovery asks for unless told otherwise: what its result shows, and no more. */
export const DEFAULT_SETTINGS: readonly SettingName[] = Object.freeze([
  'AutoDiscoverSMTPAddress',
  'UserDisplayName',
  'UserDeploymentId',
  'ExternalEwsUrl',
  'InternalEwsUrl',
  'EwsSupportedSchemas',
  'ExternalEwsVersion',
  'CasVersion',
  'UserMSOnline',
  'MapiHttpEnabled',
  'GroupingInformation',
  'AlternateMailboxes',
  ...WEB_CLIENT_SETTINGS,
  ...CONNECTION_SETTINGS,
]);

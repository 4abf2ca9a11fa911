import { serverText } from '../discovery/server-text.js';
import { AutodiscoverError } from '../errors.js';
import type { XmlElement } from '../xml/element.js';
import { parseXml } from '../xml/parse.js';
import { readUserSettings, type UserSettings } from './user-settings.js';

export interface ServerVersion {
  readonly major: number;
  readonly minor: number;
  readonly majorBuild: number;
  readonly minorBuild: number;
  /** Such as `Exchange2015`. */
  readonly name?: string;
}
export interface SettingError {
  readonly setting: string;
  readonly code: string;
  readonly message: string;
}
/** The answer for one mailbox. `code` is an open list: `NoError`, `InvalidUser`, `RedirectAddress`, … */
export interface UserResponse {
  readonly code: string;
  readonly message: string;
  readonly redirectTarget?: string;
  /** Settings that this server could not give, each with its reason; the others stand. */
  readonly settingErrors: readonly SettingError[];
  readonly settings: UserSettings;
}
/** The answer to GetUserSettings: an error of the whole request, or one answer per mailbox in the order asked. */
export interface GetUserSettingsResponse {
  readonly code: string;
  readonly message: string;
  readonly serverVersion?: ServerVersion;
  readonly users: readonly UserResponse[];
}

/**
 * Reads a SOAP answer.
 * @throws AutodiscoverError `MALFORMED_RESPONSE` when it is not one, `SERVER_ERROR` with `serverCode` for a SOAP fault
 */
export function readGetUserSettingsResponse(text: string): GetUserSettingsResponse {
  const envelope = parseXml(text);
  if (envelope.local !== 'Envelope') throw malformed(`the root element is "${envelope.local.slice(0, 40)}"`);
  const fault = envelope.at('Body', 'Fault');
  if (fault) throw soapFault(fault);
  const response = envelope.at('Body', 'GetUserSettingsResponseMessage', 'Response');
  if (!response) throw malformed('there is no GetUserSettings response in it');
  const serverVersion = readServerVersion(envelope.at('Header', 'ServerVersionInfo'));
  return {
    code: response.textOf('ErrorCode') ?? 'NoError',
    message: response.textOf('ErrorMessage') ?? '',
    ...(serverVersion ? { serverVersion } : {}),
    users: (response.child('UserResponses')?.all('UserResponse') ?? []).map(readUser),
  };
}

function readUser(user: XmlElement): UserResponse {
  const redirectTarget = user.textOf('RedirectTarget');
  return {
    code: user.textOf('ErrorCode') ?? 'NoError',
    message: user.textOf('ErrorMessage') ?? '',
    ...(redirectTarget === undefined ? {} : { redirectTarget }),
    settingErrors: (user.child('UserSettingErrors')?.all('UserSettingError') ?? []).map((error) => ({
      setting: error.textOf('SettingName') ?? '',
      code: error.textOf('ErrorCode') ?? '',
      message: error.textOf('ErrorMessage') ?? '',
    })),
    settings: readUserSettings(user.child('UserSettings')?.all('UserSetting') ?? []),
  };
}

function readServerVersion(info: XmlElement | undefined): ServerVersion | undefined {
  if (!info) return undefined;
  const number = (name: string) => {
    const value = Number(info.textOf(name) ?? '0');
    return Number.isSafeInteger(value) && value >= 0 ? value : 0;
  };
  const name = info.textOf('Version');
  return {
    major: number('MajorVersion'),
    minor: number('MinorVersion'),
    majorBuild: number('MajorBuildNumber'),
    minorBuild: number('MinorBuildNumber'),
    ...(name === undefined ? {} : { name }),
  };
}

function soapFault(fault: XmlElement): AutodiscoverError {
  const code = fault.textOf('faultcode') ?? fault.at('Code')?.textOf('Value') ?? 'Fault';
  const message = fault.textOf('faultstring') ?? fault.at('Reason')?.textOf('Text') ?? '';
  return new AutodiscoverError(`The server answered with a SOAP fault: ${serverText(message)}`, {
    code: 'SERVER_ERROR',
    serverCode: code,
  });
}

function malformed(why: string): AutodiscoverError {
  return new AutodiscoverError(`The answer is not a SOAP envelope: ${why}.`, { code: 'MALFORMED_RESPONSE' });
}

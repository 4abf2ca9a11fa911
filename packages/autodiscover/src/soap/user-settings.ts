import type { XmlElement } from '../xml/element.js';
import {
  ALL_SETTINGS,
  BOOLEAN_SETTINGS,
  type BooleanSetting,
  type CONNECTION_SETTINGS,
  LIST_SETTINGS,
  type MAILBOX_SETTINGS,
  type SHARING_SETTINGS,
  type TextSetting,
  type WEB_CLIENT_SETTINGS,
} from './setting-names.js';

export interface WebClientUrl {
  readonly AuthenticationMethods?: string;
  readonly Url?: string;
}
export interface ProtocolConnection {
  readonly EncryptionMethod?: string;
  readonly Hostname?: string;
  /** As the server wrote it. */
  readonly Port?: string;
}
export interface AlternateMailbox {
  readonly Type?: string;
  readonly DisplayName?: string;
  readonly LegacyDN?: string;
  readonly Server?: string;
  readonly SmtpAddress?: string;
  readonly OwnerSmtpAddress?: string;
}
export interface DocumentSharingLocation {
  readonly ServiceUrl?: string;
  readonly LocationUrl?: string;
  readonly DisplayName?: string;
}

/** A setting as the server sent it; collections as lists of their members. */
export interface RawSetting {
  /** `StringSetting`, `WebClientUrlCollectionSetting`, … or a type of tomorrow. */
  readonly type: string;
  readonly value: string | readonly Readonly<Record<string, string>>[];
}

/** Known settings under the protocol's own names, converted to what they mean. */
export type KnownSettings = Readonly<
  Partial<
    Record<TextSetting, string> &
      Record<BooleanSetting, boolean> &
      Record<(typeof LIST_SETTINGS)[number], readonly string[]> &
      Record<(typeof WEB_CLIENT_SETTINGS)[number], readonly WebClientUrl[]> &
      Record<(typeof CONNECTION_SETTINGS)[number], readonly ProtocolConnection[]> &
      Record<(typeof MAILBOX_SETTINGS)[number], readonly AlternateMailbox[]> &
      Record<(typeof SHARING_SETTINGS)[number], readonly DocumentSharingLocation[]>
  >
>;

export interface UserSettings {
  readonly known: KnownSettings;
  /** All of them, unknown names included. */
  readonly raw: Readonly<Record<string, RawSetting>>;
}

const KNOWN: ReadonlySet<string> = new Set(ALL_SETTINGS);
const BOOLEANS: ReadonlySet<string> = new Set(BOOLEAN_SETTINGS);
const LISTS: ReadonlySet<string> = new Set(LIST_SETTINGS);

/** Reads the `UserSetting` elements of one user. Never fails on a name or type it does not know. */
export function readUserSettings(elements: readonly XmlElement[]): UserSettings {
  const raw: Record<string, RawSetting> = Object.create(null);
  for (const element of elements) {
    const name = element.textOf('Name');
    if (name !== undefined) raw[name] = readSetting(element);
  }
  return settingsFrom(raw);
}

/** The typed view of raw settings. */
export function settingsFrom(raw: Readonly<Record<string, RawSetting>>): UserSettings {
  const known = Object.entries(raw).flatMap(([name, { value }]) => (KNOWN.has(name) ? [[name, typed(name, value)]] : []));
  return Object.freeze({ known: Object.freeze(Object.fromEntries(known) as KnownSettings), raw: Object.freeze(raw) });
}

function readSetting(element: XmlElement): RawSetting {
  const type = (element.attribute('type') ?? 'StringSetting').replace(/^.*:/, '');
  const collection = element.children.find(({ local }) => local !== 'Name' && local !== 'Value');
  if (collection === undefined) return { type, value: element.textOf('Value') ?? '' };
  return { type, value: collection.children.map(readMember) };
}

function readMember(member: XmlElement): Readonly<Record<string, string>> {
  return Object.fromEntries(member.children.flatMap((field) => (field.isNil ? [] : [[field.local, field.text]])));
}

function typed(name: string, value: RawSetting['value']): unknown {
  if (typeof value !== 'string') return value;
  if (BOOLEANS.has(name)) return /^(true|on|1|yes)$/i.test(value);
  return LISTS.has(name)
    ? value
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean)
    : value;
}

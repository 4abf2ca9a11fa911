import { encodeName } from '@tokenry/core/backend';

export interface DistributionFound {
  readonly keys: number;
  /** Keys of the fullest Redis Cluster slot, over the mean. */
  readonly fullestSlot: number;
  /** Share of all keys whose names begin with the most frequent two characters: a range of S3 or Firestore. */
  readonly fullestRange: number;
  /** Share of the newest thousandth of the keys that falls into one such range: where new accounts are written. */
  readonly newestInOneRange: number;
}

const SLOTS = 16_384;

/** How token keys spread over Redis' slots and over the ranges of stores that keep names in order. */
export function distributionOf(keys: number, tokenKeyOf: (account: number) => string): DistributionFound {
  const slots = new Uint32Array(SLOTS);
  const [ranges, newest] = [new Map<string, number>(), new Map<string, number>()];
  const newestFrom = keys - Math.ceil(keys / 1_000);
  for (let account = 0; account < keys; account++) {
    const tokenKey = tokenKeyOf(account);
    const slot = crc16(tokenKey) % SLOTS;
    slots[slot] = (slots[slot] ?? 0) + 1;
    // What S3 and Firestore are given. Redis takes token keys as they are.
    const range = encodeName(tokenKey).slice(0, 2);
    ranges.set(range, (ranges.get(range) ?? 0) + 1);
    if (account >= newestFrom) newest.set(range, (newest.get(range) ?? 0) + 1);
  }
  return {
    keys,
    fullestSlot: slots.reduce((most, count) => Math.max(most, count), 0) / (keys / SLOTS),
    fullestRange: Math.max(...ranges.values()) / keys,
    newestInOneRange: Math.max(...newest.values()) / (keys - newestFrom),
  };
}

/** A home account id, as Entra ID makes them: two GUIDs; a thousand tenants. */
export function homeAccountId(account: number): string {
  return `${guid(account)}.${guid(0x40000000 + (account % 1_000))}`;
}

function guid(seed: number): string {
  const word = (nth: number) => {
    let mixed = Math.imul(seed + Math.imul(nth, 0x9e3779b9), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0).toString(16).padStart(8, '0');
  };
  const [a, b, c, d] = [word(1), word(2), word(3), word(4)];
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`;
}

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

/** CRC16-XMODEM, which is what Redis Cluster chooses slots by (redis.io, cluster specification). */
export function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >>> 8) ^ byte] ?? 0);
  return crc;
}

import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

export interface TestSrv {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}
interface Zone {
  a?: readonly string[] | (() => readonly string[]);
  aaaa?: readonly string[];
  srv?: readonly TestSrv[];
  /** Answers with this RCODE, or `silent` never. */
  fail?: number | 'silent';
}
const TYPES = { 1: 'a', 28: 'aaaa', 33: 'srv' } as const;

/** A small authoritative DNS server: A, AAAA and SRV over UDP, NXDOMAIN for everything else. */
export interface TestDns {
  readonly server: string;
  readonly queries: readonly { readonly name: string; readonly type: string }[];
  set(name: string, zone: Zone): void;
  /** Forgets all names and queries. */
  clear(): void;
  close(): Promise<void>;
}

export async function startDnsServer(): Promise<TestDns> {
  const zones = new Map<string, Zone>();
  const queries: { name: string; type: string }[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, client) => {
    const { name, end, type } = readQuestion(query);
    const kind = TYPES[type as keyof typeof TYPES];
    queries.push({ name, type: kind ?? String(type) });
    const zone = zones.get(name);
    if (zone?.fail === 'silent') return;
    const answers = zone && kind ? records(zone, kind) : [];
    const rcode = zone ? (typeof zone.fail === 'number' ? zone.fail : 0) : 3;
    socket.send(answer(query, { end, type, rcode, answers: rcode === 0 ? answers : [] }), client.port, client.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    server: `127.0.0.1:${(socket.address() as AddressInfo).port}`,
    queries,
    set: (name, zone) => void zones.set(name.toLowerCase(), zone),
    clear: () => {
      zones.clear();
      queries.length = 0;
    },
    close: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

function readQuestion(packet: Buffer): { name: string; end: number; type: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = packet[at] ?? 0; length > 0; length = packet[at] ?? 0) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5, type: packet.readUInt16BE(at + 1) };
}

function records(zone: Zone, kind: 'a' | 'aaaa' | 'srv'): Buffer[] {
  if (kind === 'a')
    return (typeof zone.a === 'function' ? zone.a() : (zone.a ?? [])).map((ip) => Buffer.from(ip.split('.').map(Number)));
  if (kind === 'aaaa') return (zone.aaaa ?? []).map(ipv6Bytes);
  return (zone.srv ?? []).map(({ name, port, priority, weight }) => {
    const head = Buffer.alloc(6);
    head.writeUInt16BE(priority, 0);
    head.writeUInt16BE(weight, 2);
    head.writeUInt16BE(port, 4);
    return Buffer.concat([head, encodeName(name)]);
  });
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter(Boolean);
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

function ipv6Bytes(ip: string): Buffer {
  const [head = '', tail = ''] = ip.split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail.split(':').filter(Boolean);
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.concat(groups.map((group) => Buffer.from([Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])));
}

function answer(
  query: Buffer,
  { end, type, rcode, answers }: { end: number; type: number; rcode: number; answers: Buffer[] },
): Buffer {
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8400 | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  const body = answers.map((data) => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0); // the name of the question
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(0, 6); // never kept
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([header, query.subarray(12, end), ...body]);
}

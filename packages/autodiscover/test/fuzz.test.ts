import { AutodiscoverError, closeConnections, discover, UsernamePasswordCredentials } from '@tokenry/autodiscover';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseChallenges } from '../src/auth/challenges.js';
import { readEntry } from '../src/cache/entries.js';
import { readInstanceDiscovery } from '../src/cloud/instance-discovery.js';
import { cloudOf, readOpenIdConfiguration } from '../src/cloud/openid-configuration.js';
import { readUserRealm } from '../src/cloud/user-realm.js';
import { Identity } from '../src/credentials/identity.js';
import { findingFromPox, findingFromSoap } from '../src/discovery/finding.js';
import { withImpersonation } from '../src/ews/soap-header.js';
import { readPoxResponse } from '../src/pox/pox-response.js';
import { readGetUserSettingsResponse } from '../src/soap/get-user-settings-response.js';
import { readV2Response } from '../src/v2/v2-response.js';
import { CORPUS, EVERYTHING } from './fuzz/corpus.js';
import { mutate, randomNumbers } from './fuzz/mutate.js';
import { type Lab, type Received, startLab } from './lab/lab.js';

/** The full form sets TOKENRY_FUZZ_RESPONSES=200000; see scripts/stress.ts. */
const RESPONSES = Number(process.env.TOKENRY_FUZZ_RESPONSES ?? 5000);
const SEED = Number(process.env.TOKENRY_FUZZ_SEED ?? 20_261_121);
const OVER_THE_NETWORK = Math.floor(RESPONSES / 10);
const source = { endpoint: 'https://x.example/', authSchemes: [] };
const ada = new Identity({ upn: 'ada@corp.example' });

const readers: readonly (readonly [keyof typeof CORPUS, (text: string) => unknown])[] = [
  [
    'soap',
    (text) => readGetUserSettingsResponse(text).users.map((user) => JSON.stringify(findingFromSoap(user, undefined, source))),
  ],
  ['soap', (text) => withImpersonation(text, ada)],
  ['pox', (text) => JSON.stringify(findingFromPox(readPoxResponse(text), source))],
  ['json', readV2Response],
  ['json', (text) => cloudOf(readOpenIdConfiguration(text) ?? { tenantId: '', authorityHost: '' })],
  ['json', readUserRealm],
  ['json', (text) => readInstanceDiscovery(text, 'login.windows.net')],
  ['json', (text) => readEntry('settings', text, { key: '', now: 0 })],
  ['header', parseChallenges],
];

describe(`${RESPONSES} fuzzed answers`, () => {
  it('leave every reader with a value or a typed error', { timeout: 1_800_000 }, () => {
    const random = randomNumbers(SEED);
    let typed = 0;
    let [slowest, slowestText] = [0, ''];
    for (let i = 0; i < RESPONSES - OVER_THE_NETWORK; i++) {
      const [kind, read] = readers[i % readers.length] ?? readers[0] ?? ['soap', String];
      const seeds = CORPUS[kind];
      const text = mutate(seeds[Math.floor(random() * seeds.length)] ?? '', EVERYTHING, random);
      const startedAt = process.threadCpuUsage();
      try {
        read(text);
      } catch (error) {
        if (!AutodiscoverError.is(error))
          throw new Error(`untyped error for ${JSON.stringify(text.slice(0, 500))}`, { cause: error });
        typed++;
      }
      const { user, system } = process.threadCpuUsage(startedAt);
      const took = (user + system) / 1000;
      if (took > slowest) [slowest, slowestText] = [took, `${kind}, ${text.length} characters`];
    }
    expect(typed).toBeGreaterThan(RESPONSES / 10);
    if (RESPONSES > 5000)
      console.log(
        JSON.stringify({
          name: 'fuzzed readers',
          responses: RESPONSES - OVER_THE_NETWORK,
          typed,
          slowestMs: Math.round(slowest),
          slowestText,
        }),
      );
    // Processor time, not time: a reader that went over its input in squares stood out here once.
    expect(slowest).toBeLessThan(1000);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  let lab: Lab;
  beforeAll(async () => {
    lab = await startLab();
  });
  afterAll(() => lab.close());

  it('leave whole discoveries with a result or a typed error, and credentials at home', { timeout: 1_800_000 }, async () => {
    const random = randomNumbers(SEED + 1);
    const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? '';
    let served = 0;
    // Whole answers byte by byte: status line and headers are mutated like bodies.
    const answer = ({ path, headers }: Received) => {
      served++;
      const [ok, , challenge] = CORPUS.header;
      const usual =
        random() < 0.5
          ? pick(CORPUS.header)
          : headers.authorization === undefined && !/json|login|openid/.test(path)
            ? challenge
            : ok;
      const header = random() < 0.3 ? mutate(usual, CORPUS.header, random) : usual;
      const body = pick(
        /\.svc/.test(path) ? CORPUS.soap : /\.xml/.test(path) ? CORPUS.pox : random() < 0.5 ? CORPUS.json : EVERYTHING,
      );
      return Buffer.from(header + (random() < 0.7 ? mutate(body, EVERYTHING, random) : body));
    };
    const handler = (request: Received, response: { readonly socket: { end(bytes: Buffer): void } | null }) => {
      response.socket?.end(answer(request));
      return new Promise<undefined>(() => undefined);
    };
    const hosts = [
      'autodiscover.corp.example',
      'corp.example',
      'exchange.corp.example',
      'mail.corp.example',
      'login.microsoftonline.com',
      'outlook.office365.com',
    ];
    for (const host of hosts) lab.host(host, handler, { plain: handler });
    lab.dns.set('_autodiscover._tcp.corp.example', {
      srv: [{ name: 'exchange.corp.example', port: 443, priority: 0, weight: 0 }],
    });
    const credentials = new UsernamePasswordCredentials('ada', 'secret-TEST-fuzz');
    const outcomes: Record<string, number> = {};
    const one = async (_: unknown, index: number) => {
      const options = lab.options({ credentials, allowBasic: true, cache: false, stepTimeoutMs: 2000, timeoutMs: 15_000 });
      const outcome = await discover(`ada${index}@corp.example`, options).then(
        () => 'found',
        (error: unknown) => {
          if (!AutodiscoverError.is(error)) throw error;
          return error.code;
        },
      );
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    };
    while (served < OVER_THE_NETWORK) await Promise.all(Array.from({ length: 8 }, one));
    closeConnections();
    if (RESPONSES > 5000)
      console.log(
        JSON.stringify({
          name: 'fuzzed discoveries',
          responses: served,
          outcomes,
          heapMb: Math.round(process.memoryUsage().heapUsed / 2 ** 20),
        }),
      );
    expect(Object.keys(outcomes).length).toBeGreaterThan(2);
    const told = lab.requests.filter(({ headers }) => /Basic \S/.test(headers.authorization ?? ''));
    expect(told.filter(({ secure, host }) => !secure || !host.endsWith('corp.example'))).toEqual([]);
  });
});

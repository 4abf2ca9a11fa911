import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { TokenEndpointError } from '../../src/provider/token-endpoint-error.js';
import type { DeviceFlow, TokenProvider } from '../../src/provider/token-provider.js';
import { finishDeviceFlow } from '../../src/sign-in/device-flow.js';
import type { SignInDependencies } from '../../src/sign-in/sign-in-dependencies.js';
import { finishSignIn, type SignInFlow, startSignIn } from '../../src/sign-in/sign-in-flow.js';
import { expectClean, FUZZ_TIMEOUT_MS, mutateJson, mutateText, ROUNDS, randomFrom } from './mutation.js';

const SECRET = 'secret-TEST-code';

/** A server that takes no code: what reaches it came through all checks. */
const provider: TokenProvider = {
  issuer: 'https://login.example',
  clientId: 'client-1',
  environments: ['login.example'],
  exchange: async () => {
    throw new TokenEndpointError({ error: 'invalid_grant', status: 400 });
  },
  classify: () => ({ kind: 'token-refused' }),
  authorizationUrl: async ({ state }) => `https://login.example/?state=${state}`,
};
const depsWith = (flowKeys?: readonly Uint8Array[]): SignInDependencies => ({
  provider,
  clock: systemClock,
  contextFor: (scopes) => ({ scopes, fetch, clock: systemClock }),
  ...(flowKeys === undefined ? {} : { flowKeys }),
});
const REQUEST = { scopes: ['User.Read'], redirectUri: 'http://localhost' };

/** Waits of a device flow pass at once; an endless one would show as a hang. */
const hurried = { ...systemClock, sleep: async () => undefined };
const DEVICE_FLOW = {
  deviceCode: SECRET,
  userCode: 'ABCD-EFGH',
  verificationUri: 'https://login.example/device',
  message: '…',
  scopes: ['User.Read'],
};

const PIECES = [
  '&state=',
  '?',
  '#',
  '%',
  '%00',
  '%ff',
  '\ud800',
  '://',
  '&code=',
  '&error=x',
  '\n',
  '=',
  '<script>',
  '..',
  'x'.repeat(500),
];

const mutate = (text: string, random: () => number) => mutateText(text, PIECES, random);

const VALUES: readonly unknown[] = [null, undefined, 0, -1, Number.NaN, '', 'x', [], {}, true, '__proto__', { toString: 1 }];

function mutatedFlow(flow: SignInFlow, random: () => number): unknown {
  const pick = () => VALUES[Math.floor(random() * VALUES.length)];
  if (random() < 0.05) return pick();
  const name = (['id', 'expiresAt', 'sealed'] as const)[Math.floor(random() * 3)] ?? 'id';
  const value = flow[name];
  return { ...flow, [name]: typeof value === 'string' && random() < 0.8 ? mutate(value, random) : pick() };
}

describe.each([
  ['without keys', undefined],
  ['with keys', [new Uint8Array(32).fill(3)]],
])('hostile input %s', (_name, keys) => {
  const deps = depsWith(keys);
  let flow: SignInFlow;
  beforeAll(async () => {
    ({ flow } = await startSignIn(deps, REQUEST));
  });

  it(`ends in typed errors that tell no secret: ${ROUNDS} redirects`, { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const random = randomFrom(1);
    for (let round = 0; round < ROUNDS; round++) {
      const redirected = mutate(`http://localhost/?code=${SECRET}&state=${flow.id}&session_state=x`, random);
      await finishSignIn(deps, redirected, flow).then(
        () => expect.fail('accepted'),
        (error: unknown) => expectClean(error, redirected),
      );
    }
  });

  it(`ends in typed errors that tell no secret: ${ROUNDS} flows`, { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const random = randomFrom(2);
    for (let round = 0; round < ROUNDS; round++) {
      const changed = mutatedFlow(flow, random);
      const redirected = `http://localhost/?code=${SECRET}&state=${flow.id}`;
      await finishSignIn(deps, redirected, changed as SignInFlow).then(
        () => expect.fail('accepted'),
        (error: unknown) => expectClean(error, changed),
      );
    }
  });
});

it(`device flows that were changed end in typed errors that tell no secret: ${ROUNDS}`, {
  timeout: FUZZ_TIMEOUT_MS,
}, async () => {
  const random = randomFrom(5);
  const deps = { ...depsWith(), clock: hurried };
  for (let round = 0; round < ROUNDS; round++) {
    const changed = mutateJson({ ...DEVICE_FLOW, expiresAt: Date.now() + 60_000, intervalMs: 1_000 }, random);
    await finishDeviceFlow(deps, changed as DeviceFlow, REQUEST).then(
      () => expect.fail('accepted'),
      (error: unknown) => expectClean(error, changed),
    );
  }
});

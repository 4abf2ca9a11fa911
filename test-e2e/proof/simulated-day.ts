import { Findings, type Proof } from './harness/proof.ts';
import { simulateDay } from './harness/simulation.ts';

const LIFETIME_MS = 3_600_000;
const SOFT_MS = 300_000;
const DAY_MS = 86_400_000;

/** 24 hours of accounts that are always in use, by an injected clock: how often they refresh, and when. */
export const simulatedDay: Proof = async (settings) => {
  const full = settings.size === 'full';
  const findings = new Findings('24 simulated hours', settings);
  const expected = DAY_MS / (LIFETIME_MS - SOFT_MS);
  const few = await simulateDay({
    accounts: full ? 1_000 : 100,
    coordinator: true,
    start: 'random',
    progress: settings.progress,
  });
  const many = await simulateDay({
    accounts: full ? 100_000 : 20_000,
    coordinator: false,
    start: 'random',
    progress: settings.progress,
  });
  const together = await simulateDay({
    accounts: full ? 1_000 : 100,
    coordinator: false,
    start: 'common',
    progress: settings.progress,
  });
  const deviation = (perAccount: number) => Math.abs(perAccount / expected - 1) * 100;
  findings
    .tell('expected refreshes per account', expected)
    .tell(`refreshes per account at ${few.accounts}, whole coordinator`, few.perAccount)
    .require('deviation %', Math.max(deviation(few.perAccount), deviation(many.perAccount)), (found) => found <= 2, '2 or less')
    .requireEqual('refreshes beyond one per expiry', few.beyond, 0);
  if (full)
    findings
      .require('peak minute ÷ mean at 1 000', few.peakToMean, (found) => found <= 2, '2 or less')
      .require('peak minute ÷ mean at 100 000', many.peakToMean, (found) => found <= 1.15, '1.15 or less');
  else findings.tell(`peak minute ÷ mean at ${many.accounts}`, many.peakToMean);
  return findings
    .tell('peak minute ÷ mean from a common start', together.peakToMean)
    .tell('the same in the last 6 h', together.peakToMeanAtEnd)
    .series(`refreshes per minute, ${many.accounts} accounts, random starts`, many.perMinute)
    .series(`refreshes per minute, ${few.accounts} accounts, random starts`, few.perMinute)
    .series(`refreshes per minute, ${together.accounts} accounts, common start`, together.perMinute)
    .result();
};

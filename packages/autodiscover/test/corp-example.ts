import {
  AutodiscoverError,
  closeConnections,
  type DiscoverOptions,
  discover,
  UsernamePasswordCredentials,
} from '@tokenry/autodiscover';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { ewsSettings, type SoapUser } from './fixtures/answers.js';
import { exchange } from './lab/exchange.js';
import { type Handler, type Lab, type Reply, startLab } from './lab/lab.js';

/** Ada has a mailbox at the organisation corp.example. */
export const ADA = 'ada@corp.example';
/** Where she signs in: the host that a discovery asks first. */
export const HOST = 'autodiscover.corp.example';
export const SVC = '/autodiscover/autodiscover.svc';
export const EWS = 'https://mail.corp.example/EWS/Exchange.asmx';

/** What she signs in with, and how Basic sends it. */
export const credentials = new UsernamePasswordCredentials('CORP\\ada', 'secret-TEST-password');
export const BASIC = `Basic ${Buffer.from('CORP\\ada:secret-TEST-password').toString('base64')}`;

/** The internet of the test file that called {@link useLab}. */
export let lab: Lab;

/** Starts {@link lab} for all tests of a file; after each of them its hosts, requests and connections are forgotten. */
export function useLab(): void {
  beforeAll(async () => {
    lab = await startLab();
  });
  afterEach(() => {
    closeConnections();
    lab.reset();
  });
  afterAll(() => lab.close());
}

/** Options with which Ada signs in, and the organisation's own servers alone are asked. */
export const options = (more: DiscoverOptions = {}): DiscoverOptions =>
  lab.options({ askMicrosoft: false, credentials, allowBasic: true, ...more });
export const find = (more: DiscoverOptions = {}, address = ADA) => discover(address, options(more));

/** The error of a discovery that has to fail. */
export async function failure(more: DiscoverOptions = {}): Promise<AutodiscoverError> {
  const error = await find(more).catch((thrown: unknown) => thrown);
  if (!AutodiscoverError.is(error)) throw new Error('expected a failed discovery', { cause: error });
  return error;
}
export const code = (name: string) => ({ code: `TOKENRY_AUTODISCOVER_${name}` });

/** The organisation's answer about a mailbox: it is here. */
export const soap = (address: string) => ewsSettings('mail.corp.example', address);
/** Its Exchange server, which wants Ada's password by Basic and answers about every address. */
export const server = (answer: (address: string) => SoapUser | Reply = soap): Handler =>
  exchange({ offers: 'Basic realm="corp"', accepts: BASIC, soap: answer });
/** How many mailbox questions a host was sent. */
export const posts = (host = HOST) => lab.to(host).filter(({ method }) => method === 'POST').length;

import { afterAll } from 'vitest';
import { Gate } from './gate.js';
import { MotoServer } from './moto-server.js';

/** An emulator and a gate in front of it, for one test file. */
export async function startAws(): Promise<{ readonly moto: MotoServer; readonly gate: Gate }> {
  const moto = await MotoServer.start();
  const gate = await Gate.open(moto.port);
  afterAll(async () => {
    await gate.close();
    await moto.stop();
  });
  return { moto, gate };
}

/** What any client of the SDK needs to talk to it; `maxAttempts` and the short waits keep outages short. */
export const clientOptionsFor = ({ port }: { readonly port: number }) => ({
  endpoint: `http://127.0.0.1:${port}`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret-TEST-1' },
});

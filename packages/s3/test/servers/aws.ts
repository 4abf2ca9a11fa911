import { afterAll, afterEach, beforeEach, describe } from 'vitest';
import { whereThereIs } from '../../../../test-support/where-there-is.ts';
import { Gate } from './gate.js';
import { MotoServer, motoProgram } from './moto-server.js';

/** An emulator and a gate in front of it, which passes everything and has seen nothing when a test begins. */
export interface Aws {
  readonly moto: MotoServer;
  readonly gate: Gate;
}

/** Adds tests that need an emulator, with one of their file's own; where there is none, it says so. */
export function describeOnMoto(name: string, addTests: (aws: Aws) => void | Promise<void>): Promise<void> {
  return whereThereIs(motoProgram, async () => {
    const moto = await MotoServer.start();
    const gate = await Gate.open(moto.port);
    afterAll(async () => {
      await gate.close();
      await moto.stop();
    });
    beforeEach(() => gate.rest());
    afterEach(() => gate.rest());
    describe(name, () => addTests({ moto, gate }));
  });
}

/** What any client of the SDK needs to talk to it; `maxAttempts` and the short waits keep outages short. */
export const clientOptionsFor = ({ port }: { readonly port: number }) => ({
  endpoint: `http://127.0.0.1:${port}`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret-TEST-1' },
});

import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, test } from 'vitest';
import { Child } from '../../../test-support/child.ts';
import { clientOptionsFor, describeOnMoto } from '../../s3/test/servers/aws.js';

/** `PROCESSES=8 EACH=100` for the long form. */
const PROCESSES = Number(process.env.PROCESSES ?? 4);
const EACH = Number(process.env.EACH ?? 6);
const script = (name: string) => new URL(`./children/${name}.ts`, import.meta.url);

await describeOnMoto('several processes', ({ gate }) => {
  test(`${PROCESSES} processes count up ${EACH} times each in one record: no update is lost`, { timeout: 300_000 }, async () => {
    const clientOptions = clientOptionsFor(gate);
    const args = [{ clientOptions }, EACH];
    const children = await Promise.all(Array.from({ length: PROCESSES }, () => Child.started(script('increment'), args)));
    const said = await Promise.all(children.map((child) => child.hear<{ saved: number; conflicts: number }>()));
    expect(said.map(({ saved }) => saved)).toEqual(Array(PROCESSES).fill(EACH));
    const client = new SecretsManagerClient(clientOptions);
    const id = { SecretId: 'o365_token.txt/counter', VersionStage: 'AWSCURRENT' };
    expect((await client.send(new GetSecretValueCommand(id))).SecretString).toBe(String(PROCESSES * EACH));
    client.destroy();
  });
});

test('the SDK is loaded by the first request, not by importing or constructing; the process then ends by itself', async () => {
  const child = new Child(script('imports'));
  expect(await child.hear()).toEqual({ before: [], after: ['@aws-sdk/client-secrets-manager'] });
  expect(await child.exited).toEqual({ code: 0, signal: null });
});

test('without the SDK says what to install, and that trying again does not help', async () => {
  const child = new Child(script('without-sdk'));
  const message = expect.stringContaining('npm install @aws-sdk/client-secrets-manager');
  expect(await child.hear()).toEqual({ code: 'TOKENRY_CAPABILITY', message, retryable: false });
  expect(await child.exited).toEqual({ code: 0, signal: null });
});

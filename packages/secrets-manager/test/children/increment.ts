import { SecretsManagerTokenBackend } from '@tokenry/secrets-manager';

/** Counts up in one record by compare-and-swap, so many times; says what it met. */
const [options, times] = JSON.parse(process.argv[2] ?? '[]') as [
  ConstructorParameters<typeof SecretsManagerTokenBackend>[0],
  number,
];
const { records } = new SecretsManagerTokenBackend(options);
let conflicts = 0;
process.send?.('ready');
for (let saved = 0; saved < times; ) {
  const record = await records.read('counter');
  if (record === 'not-modified') throw new Error('nobody asked');
  const count = 1 + (record ? Number(JSON.parse(Buffer.from(record.data).toString())) : 0);
  try {
    await records.write('counter', Buffer.from(String(count)), { expect: record ? { version: record.version } : 'absent' });
    saved += 1;
  } catch (error) {
    if ((error as { code?: string }).code !== 'TOKENRY_VERSION_CONFLICT') throw error;
    conflicts += 1;
  }
}
process.send?.({ saved: times, conflicts });
process.disconnect?.();

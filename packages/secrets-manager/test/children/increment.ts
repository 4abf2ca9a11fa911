import { SecretsManagerTokenBackend, type SecretsManagerTokenBackendOptions } from '@tokenry/secrets-manager';
import { countUp } from '../../../../test-support/count-up.ts';
import { args } from '../../../../test-support/talk.ts';

const [options, times] = args as [SecretsManagerTokenBackendOptions, number];
await countUp(new SecretsManagerTokenBackend(options).records, times);

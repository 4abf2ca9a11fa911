import { S3TokenBackend, type S3TokenBackendOptions } from '@tokenry/s3';
import { countUp } from '../../../../test-support/count-up.ts';
import { args } from '../../../../test-support/talk.ts';

const [options, times] = args as [S3TokenBackendOptions, number];
await countUp(new S3TokenBackend(options).records, times);

import { FileSystemLeases } from '@tokenry/filesystem';
import { args, say } from '../../../../test-support/talk.ts';

/** Takes a lease and does nothing but renew it; says at last when the last renewal that succeeded was asked for. */
const [tokenPath, name, ttlMs] = args as [string, string, number];
const leases = new FileSystemLeases({ tokenPath });
const request = { owner: 'the child', ttlMs };
const monotonic = () => Number(process.hrtime.bigint()) / 1e6;
let provenAt = monotonic();
say(await leases.tryAcquire(name, request));
for (let askedAt = provenAt; ; provenAt = askedAt) {
  askedAt = monotonic();
  if (!(await leases.renew(name, request))) break;
}
say({ provenAt });

import { execFileSync } from 'node:child_process';

/** False when this machine cannot run the tests, which is said in one line; under CI=true that is a failure. */
export const redisAvailable = available();

function available(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    execFileSync('redis-cli', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    const line = 'redis-server and redis-cli are missing: apt-get install redis-server redis-tools redis-sentinel';
    if (process.env.CI === 'true') throw new Error(line);
    console.warn(`Skipped: ${line}`);
    return false;
  }
}

import { execFileSync } from 'node:child_process';
import { neededServer } from '../../../../test-support/needed-server.ts';

export const redisPrograms = neededServer({
  name: 'redis-server or redis-cli',
  howToGet: 'apt-get install redis-server redis-tools redis-sentinel',
  works() {
    try {
      for (const program of ['redis-server', 'redis-cli']) execFileSync(program, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  },
});

export const redisAvailable = redisPrograms.isHere();

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { MSGraphProtocol } from '../../src/protocol/graph.js';
import { checkedTimezone, ianaToWindows, systemTimezone, windowsToIana } from '../../src/protocol/timezone.js';

test.each([
  ['America/Nuuk', 'Greenland Standard Time'],
  ['America/Ciudad_Juarez', 'Mountain Standard Time'],
  ['America/Coyhaique', 'Magallanes Standard Time'],
  ['Pacific/Kanton', 'UTC+13'],
  ['Antarctica/Troll', 'UTC'],
  ['Factory', 'UTC'],
])('B29: %s works as this machine’s zone and as an option', (zone, windowsZone) => {
  expect(new MSGraphProtocol({ timezone: zone }).preferTimezone).toBe(`outlook.timezone="${windowsZone}"`);
  expect(ianaToWindows(zone)).toBe(windowsZone);
});

test('B29: localtime is this machine’s zone', () => {
  expect(new MSGraphProtocol({ timezone: 'localtime' }).timezone).toBe(systemTimezone());
});

test('B29: a process whose zone is America/Nuuk constructs and names it', () => {
  const module = fileURLToPath(new URL('../../src/protocol/timezone.ts', import.meta.url));
  // Node.js resolves the ".js" of TypeScript sources only with a hook; three lines of it.
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ resolve: (s, c, next) => next(s.startsWith('.') ? s.replace(/\\.js$/, '.ts') : s, c) });
    const { ianaToWindows, systemTimezone } = await import(${JSON.stringify(module)});
    console.log(ianaToWindows(systemTimezone()));`;
  for (const [zone, expected] of [
    ['America/Nuuk', 'Greenland Standard Time'],
    ['Factory', 'UTC'],
    ['Antarctica/Troll', 'UTC'],
  ] as const) {
    const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', hook], {
      env: { ...process.env, TZ: zone },
      encoding: 'utf8',
    });
    expect(printed.trim()).toBe(expected);
  }
});

describe('the table', () => {
  test('has an answer for every zone this platform knows, and all but one are not the fallback', () => {
    const zones = Intl.supportedValuesOf('timeZone');
    expect(zones.length).toBeGreaterThan(400);
    const unmapped = zones.filter(
      (zone) => ianaToWindows(zone) === 'UTC' && !/^(Etc\/)?(UTC|GMT|UCT|Zulu|Universal|Greenwich)/.test(zone),
    );
    expect(unmapped).toEqual(['Antarctica/Troll']);
  });

  test('takes older and newer names of one zone for the same', () => {
    for (const [one, other] of [
      ['America/Nuuk', 'America/Godthab'],
      ['Asia/Kolkata', 'Asia/Calcutta'],
      ['Europe/Kyiv', 'Europe/Kiev'],
      ['US/Pacific', 'America/Los_Angeles'],
    ] as const)
      expect(ianaToWindows(one)).toBe(ianaToWindows(other));
  });

  test('finds the Windows zone of what it answers again', () => {
    for (const zone of Intl.supportedValuesOf('timeZone')) {
      const windowsZone = ianaToWindows(zone);
      expect(ianaToWindows(windowsToIana(windowsZone) ?? '?'), zone).toBe(windowsZone);
    }
  });

  test('Windows names work with and without their ending, and by territory', () => {
    expect(windowsToIana('Romance Standard Time')).toBe('Europe/Paris');
    expect(windowsToIana('romance')).toBe('Europe/Paris');
    expect(windowsToIana('Romance Standard Time', 'ES')).toBe('Europe/Madrid');
    expect(windowsToIana('W. Europe Standard Time', 'CH')).toBe('Europe/Zurich');
    expect(windowsToIana('UTC')).toBe('Etc/UTC');
    expect(windowsToIana('Nowhere Standard Time')).toBeUndefined();
  });

  test('offsets and typing mistakes are no zones', () => {
    for (const zone of ['+01:00', 'Europe/Madird', '']) expect(() => checkedTimezone(zone)).toThrow(TypeError);
  });
});

import { execFile } from 'node:child_process';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { closeConnections } from '@tokenry/autodiscover';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../src/cli/run.js';
import { ewsSettings } from './fixtures/answers.js';
import { exchange, redirectTo } from './lab/exchange.js';
import { type Lab, startLab } from './lab/lab.js';

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
});
afterEach(() => {
  closeConnections();
  lab.reset();
});
afterAll(() => lab.close());

const HOST = 'autodiscover.corp.example';
const json = (body: object) => ({ body: JSON.stringify(body) });
const v2 = exchange({ v2: (protocol) => json({ Protocol: protocol, Url: 'https://mail.corp.example/EWS/Exchange.asmx' }) });

async function cli(args: readonly string[], stdin = '') {
  const { ca, lookup, dns, connectTo } = lab.options();
  let [out, err] = ['', ''];
  const code = await run(
    ['--no-microsoft', ...args],
    {
      stdin: Readable.from([stdin]),
      write: (text) => {
        out += text;
      },
      writeError: (text) => {
        err += text;
      },
    },
    { ca, lookup, dns, connectTo },
  );
  return { code, out, err };
}

describe('npx @tokenry/autodiscover', () => {
  it('prints the result and every step, without credentials', async () => {
    lab.host(HOST, v2);
    const { code, out } = await cli(['ada@corp.example']);
    expect(code).toBe(0);
    expect(out).toContain('Mailbox         on-premises (not verified: nobody signed in)\n');
    expect(out).toContain('EWS             https://mail.corp.example/EWS/Exchange.asmx\n');
    expect(out).toMatch(/ {2}v2 +ok 200 +\d+ ms {2}https:\/\/autodiscover\.corp\.example\//);
    expect(lab.requests.some(({ headers }) => headers.authorization)).toBe(false);
  });

  it('prints JSON that holds the same, for results and errors', async () => {
    lab.host(HOST, v2);
    const found = await cli(['ada@corp.example', '--json']);
    expect(JSON.parse(found.out)).toMatchObject({
      address: 'ada@corp.example',
      services: { ews: { externalUrl: 'https://mail.corp.example/EWS/Exchange.asmx' } },
    });
    lab.reset();
    closeConnections();
    const missing = await cli(['ada@corp.example', '--json', '--timeout', '5']);
    expect(missing.code).toBe(1);
    expect(JSON.parse(missing.out)).toMatchObject({ code: 'TOKENRY_AUTODISCOVER_NOT_FOUND', trace: expect.any(Array) });
  });

  it('signs in with a password from standard input, and prints none', async () => {
    lab.host(
      HOST,
      exchange({
        offers: 'Basic',
        accepts: `Basic ${btoa('ada:secret-TEST')}`,
        soap: (a) => ewsSettings('mail.corp.example', a),
      }),
    );
    const { code, out } = await cli(['ada@corp.example', '--user', 'ada'], 'secret-TEST\n');
    expect(code).toBe(0);
    expect(out).toContain('Mailbox         on-premises\n');
    expect(out).not.toContain('secret-TEST');
    expect((await cli(['ada@corp.example', '--user', 'ada', '--no-credentials'], 'secret-TEST\n')).code).toBe(3);
  });

  it('its exit codes tell failures apart, and it explains them', async () => {
    expect((await cli(['ada@co.uk'])).code).toBe(2);
    for (const args of [
      [],
      ['a@b.example', 'c@d.example'],
      ['--nonsense'],
      ['a@b.example', '--timeout', 'x'],
      ['a@b.example', '--credentials'],
    ])
      expect((await cli(args)).code).toBe(2);
    lab.host(HOST, exchange({ offers: 'Basic' }));
    const wanting = await cli(['ada@corp.example']);
    expect(wanting.code).toBe(3);
    expect(wanting.err).toContain('the server wants credentials');
    expect(wanting.err).toContain('What to do: Sign in with --user NAME');
    expect((await cli(['ada@corp.example', '--user', 'ada'], 'secret-TEST')).code).toBe(1);
    lab.host(HOST, redirectTo('https://evil.example/'));
    const blocked = await cli(['ada@corp.example']);
    expect(blocked.code).toBe(4);
    expect(blocked.err).toContain('What to do: If the target is right, allow it with --trusted-host HOST.');
    lab.host(HOST, () => new Promise(() => undefined));
    const late = await cli(['ada@corp.example', '--timeout', '0.3']);
    expect(late.code).toBe(5);
    expect(late.err).toContain('What to do: Wait longer, with --timeout SECONDS.');
  });

  it('it advises what somebody at the command line can do, not what only a program can', async () => {
    lab.host(HOST, exchange({ offers: 'Negotiate' }));
    const negotiating = await cli(['ada@corp.example', '--user', 'ada'], 'secret-TEST');
    expect(negotiating).toMatchObject({
      code: 3,
      err: expect.stringContaining('What to do: The command signs in by Basic only'),
    });
    lab.reset();
    closeConnections();
    const missing = await cli(['ada@corp.example', '--timeout', '5']);
    expect(missing.err).toContain('What to do: Compare the steps with https://testconnectivity.microsoft.com.');
    for (const { err } of [negotiating, missing]) expect(err).not.toMatch(/"(?:endpoint|allowBasic|trustedHosts|timeoutMs)/);
  });

  it('the built command runs, and documents its exit codes', async () => {
    const built = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
    const { out, code } = await new Promise<{ out: string; code: number | null }>((resolve) => {
      const child = execFile(process.execPath, [built, '--help'], (_error, out) => resolve({ out, code: child.exitCode }));
    });
    expect(code).toBe(0);
    expect(out).toMatch(/Exit codes\n {2}0 {2}found/);
  });
});

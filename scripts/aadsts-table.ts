/**
 * Writes docs/aadsts.md from the table of Entra's error numbers, so that the page and the hints in errors are one.
 *
 *   node scripts/aadsts-table.ts
 */
import { writeFileSync } from 'node:fs';
import { type AadstsCode, type AadstsKind, aadstsCodes, suberrors } from '../packages/core/src/entra/aadsts-codes.ts';

const KINDS: Readonly<Record<AadstsKind, { readonly title: string; readonly meaning: string }>> = {
  throttled: {
    title: 'Asked too often',
    meaning: '`RefreshThrottledError`. Nothing is wrong with any token; valid ones are still served.',
  },
  'request-refused': {
    title: 'A person has to do something',
    meaning:
      '`InteractionRequiredError` (`AuthorizationDeniedError` in a sign-in). The refresh token stays good for other requests.',
  },
  'token-refused': {
    title: 'The refresh token or code is no good any more',
    meaning:
      '`InteractionRequiredError` (`AuthorizationDeniedError` in a sign-in). That refresh token is removed from the record.',
  },
  transient: {
    title: 'Passing faults',
    meaning: '`RefreshFailedError`, retryable. The refresh token stays.',
  },
  configuration: {
    title: 'The application or its registration is wrong',
    meaning:
      '`AuthorizationDeniedError` (`InteractionRequiredError` where the server calls it `invalid_grant`). The refresh token stays; signing in again does not help.',
  },
};

const INTRODUCTION = `# Entra ID's error numbers

What an \`AADSTS…\` number in a refusal means for a program, and what to do about it. The same sentences are the \`hint\` of the errors in [errors.md](errors.md); the number is their
\`errorCode\`. A number that is not here is judged by the server's \`suberror\` and \`error\`.

Generated from \`packages/core/src/entra/aadsts-codes.ts\`: change it there, then \`node scripts/aadsts-table.ts\`.
`;

/** The page docs/aadsts.md. */
export function aadstsPage(): string {
  const sections = (Object.keys(KINDS) as AadstsKind[]).map((kind) => {
    const { title, meaning } = KINDS[kind];
    return `## ${title}\n\n${meaning}\n\n${table('number', aadstsCodes, kind)}`;
  });
  const bySuberror = (Object.keys(KINDS) as AadstsKind[]).flatMap((kind) => rows(suberrors, kind));
  return [INTRODUCTION, ...sections, `## Suberrors\n\n| suberror | what to do |\n| --- | --- |\n${bySuberror.join('\n')}\n`].join(
    '\n',
  );
}

function table(first: string, codes: Readonly<Record<string, AadstsCode>>, kind: AadstsKind): string {
  return `| ${first} | what to do |\n| --- | --- |\n${rows(codes, kind).join('\n')}\n`;
}

function rows(codes: Readonly<Record<string, AadstsCode>>, wanted: AadstsKind): string[] {
  const own = Object.entries(codes).filter(([, { kind }]) => kind === wanted);
  return own.map(
    ([code, { hint }]) => `| ${/^\d/.test(code) ? `AADSTS${code}` : `\`${code}\``} | ${hint.replaceAll('|', '\\|')} |`,
  );
}

if (import.meta.main) writeFileSync(new URL('../docs/aadsts.md', import.meta.url), aadstsPage());

import type { PublishedResult } from './publish.ts';

/** The results as a page for the docs. */
export function tableOf(
  results: readonly PublishedResult[],
  about: { readonly node: string; readonly platform: string },
): string {
  const rows = results.map(({ name, figures, missed, skipped, seconds, at }) => {
    const verdict = skipped === undefined ? (missed.length === 0 ? 'reached' : `missed: ${missed.join('; ')}`) : 'skipped';
    const told =
      skipped ??
      Object.entries(figures)
        .map(([key, value]) => `${key}: **${value}**`)
        .join('<br>');
    return `| ${name} | ${told} | ${verdict} | ${at.slice(0, 10)}, ${seconds} s |`;
  });
  const details = results
    .filter(({ details }) => details && details.length > 0)
    .map(({ name, details = [] }) => `### ${name}\n\n${details.map((detail) => `- ${detail}`).join('\n')}\n`);
  return `# What was proved, and the figures

Written by \`npm run proof\`; run it again and compare. On files, Node.js ${about.node}, ${about.platform}.
Real processes, a real authorization server on the same machine.

![Refreshes per minute over 24 simulated hours](proof.svg)

| proof | figures | verdict | run |
| --- | --- | --- | --- |
${rows.join('\n')}

## Details

${details.join('\n')}`;
}

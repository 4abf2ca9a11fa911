import type { ProofResult } from './proof.ts';

/** The results as a page for the docs. */
export function tableOf(
  results: readonly (ProofResult & { readonly seconds: number })[],
  about: { readonly backend: string; readonly node: string; readonly platform: string; readonly at: string },
): string {
  const rows = results.map(({ name, figures, missed, skipped, seconds }) => {
    const verdict = skipped === undefined ? (missed.length === 0 ? 'reached' : `missed: ${missed.join('; ')}`) : 'skipped';
    const told =
      skipped ??
      Object.entries(figures)
        .map(([key, value]) => `${key}: **${value}**`)
        .join('<br>');
    return `| ${name} | ${told} | ${verdict} | ${seconds} |`;
  });
  const details = results
    .filter(({ details }) => details && details.length > 0)
    .map(({ name, details = [] }) => `### ${name}\n\n${details.map((detail) => `- ${detail}`).join('\n')}\n`);
  return `# What was proved, and the figures

Written by \`npm run proof\`; run it again and compare. Backend ${about.backend}, Node.js ${about.node}, ${about.platform}, ${about.at}.
Real processes, a real authorization server on the same machine.

![Refreshes per minute over 24 simulated hours](proof.svg)

| proof | figures | verdict | seconds |
| --- | --- | --- | --- |
${rows.join('\n')}

## Details

${details.join('\n')}`;
}

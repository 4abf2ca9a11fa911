import type { Published, PublishedResult, PublishedStore } from './publish.ts';

/** The results as a page for the docs. */
export function pageOf(published: Published): string {
  return `# What was proved, and the figures

Written by \`npm run proof\`, store by store (\`-- --backend <name>\`); run it again and compare.
Real processes, a real authorization server and a real store or an emulator of it, all on the same machine.

${overviewOf(published)}

![Refreshes per minute over 24 simulated hours](proof.svg)

${Object.values(published).map(sectionOf).join('\n')}`;
}

/** Which proof reached its figures where. */
function overviewOf(published: Published): string {
  const stores = Object.entries(published);
  const proofs = Map.groupBy(
    stores.flatMap(([, { results }]) => results),
    ({ id }) => id,
  );
  const rows = [...proofs].map(([id, [first]]) => {
    const cells = stores.map(([, { results }]) => {
      const found = results.find((result) => result.id === id);
      return found && found.skipped === undefined ? verdictOf(found) : '';
    });
    return `| ${first?.name} | ${cells.join(' | ')} |`;
  });
  return `| | ${stores.map(([backend]) => backend).join(' | ')} |\n| --- |${' --- |'.repeat(stores.length)}\n${rows.join('\n')}`;
}

const verdictOf = ({ missed }: PublishedResult): string => (missed.length === 0 ? 'reached' : 'missed');

function sectionOf({ title, node, platform, results }: PublishedStore): string {
  const details = results.flatMap(({ name, details = [] }) => (details.length > 0 ? [listOf(name, details)] : []));
  return `## On ${title}

Node.js ${node}, ${platform}.

| proof | figures | verdict | run |
| --- | --- | --- | --- |
${results.map(rowOf).join('\n')}
${details.length > 0 ? `\n${details.join('\n')}` : ''}`;
}

function rowOf({ name, figures, missed, skipped, seconds, at }: PublishedResult): string {
  const verdict = skipped === undefined ? (missed.length === 0 ? 'reached' : `missed: ${missed.join('; ')}`) : 'skipped';
  const told =
    skipped ??
    Object.entries(figures)
      .map(([key, value]) => `${key}: **${value}**`)
      .join('<br>');
  return `| ${name} | ${told} | ${verdict} | ${at.slice(0, 10)}, ${seconds} s |`;
}

const listOf = (name: string, details: readonly string[]): string =>
  `**${name}, in detail**\n\n${details.map((detail) => `- ${detail}`).join('\n')}\n`;

import type { ProofResult } from './proof.ts';

const WIDTH = 900;
const PANEL = 200;
const LEFT = 70;
const COLOURS = ['#2563eb', '#dc2626', '#059669', '#d97706'];

/** One panel per proof that brought series of numbers, as an SVG. */
export function plotOf(results: readonly ProofResult[]): string {
  const panels = results.flatMap(({ name, series }) =>
    Object.entries(series ?? {}).map(([title, values]) => ({ title: `${name}: ${title}`, values })),
  );
  const body = panels.map((panel, index) => drawn(panel, index * PANEL, COLOURS[index % COLOURS.length] ?? '#000')).join('\n');
  const height = Math.max(PANEL, panels.length * PANEL);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${body}
</svg>
`;
}

function drawn(
  { title, values }: { readonly title: string; readonly values: readonly number[] },
  top: number,
  colour: string,
): string {
  const most = Math.max(1, ...values);
  const width = WIDTH - LEFT - 20;
  const height = PANEL - 60;
  const bottom = top + PANEL - 25;
  const x = (index: number) => (LEFT + (index / Math.max(1, values.length - 1)) * width).toFixed(1);
  const y = (value: number) => (bottom - (value / most) * height).toFixed(1);
  const points = values.map((value, index) => `${x(index)},${y(value)}`).join(' ');
  return `<text x="${LEFT}" y="${top + 20}" font-weight="bold">${escaped(title)}</text>
<line x1="${LEFT}" y1="${bottom}" x2="${LEFT + width}" y2="${bottom}" stroke="#999"/>
<text x="${LEFT - 6}" y="${bottom}" text-anchor="end">0</text>
<text x="${LEFT - 6}" y="${bottom - height + 8}" text-anchor="end">${Math.round(most * 10) / 10}</text>
<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1"/>`;
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

import { type FigureSummary, GENERATOR_BOUND, type RowSummary } from './comparison.ts';
import { FIGURES, type FigureName } from './figures.ts';
import type { Threshold } from './scenarios.ts';

const HEADER = [
  'scenario',
  'compared with',
  'broker',
  'figure',
  'min-max',
  'ratio',
  'by CPU',
  'broker µs',
  'broker CPU',
  'generator CPU',
  'bar',
  'floor',
  '',
];

/** A Markdown table of all rows. */
export function formatTable(summaries: readonly RowSummary[]): string {
  const rows = summaries.map(formatRow);
  const widths = HEADER.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(HEADER), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

function formatRow(summary: RowSummary): string[] {
  const { row, figure, reference } = summary;
  const { format } = FIGURES[row.figure];
  return [
    row.title,
    reference === null ? '' : format(reference.median),
    summary.peer,
    figure === null ? 'not measured' : format(figure.median),
    figure === null ? '' : `${format(figure.min)} - ${format(figure.max)}`,
    formatRatio(summary.ratio),
    formatRatio(summary.cpuRatio),
    both(figure, reference, ({ brokerMicroseconds }) => brokerMicroseconds?.toFixed(2) ?? null),
    both(figure, reference, brokerCpu),
    both(figure, reference, ({ generatorCpu }) => (generatorCpu === null ? null : percent(generatorCpu))),
    formatBar(summary),
    summary.floor === null ? '' : formatThreshold(summary.floor, row.figure),
    formatVerdict(summary),
  ];
}

/** What it is compared with, then the figure. */
function both(figure: FigureSummary | null, reference: FigureSummary | null, read: (summary: FigureSummary) => string | null): string {
  return [reference, figure].flatMap((summary) => (summary === null ? [] : (read(summary) ?? []))).join(' / ');
}

/** How busy the broker was; where neither it nor the generator was, it is the window or other programs that held the figure down. */
function brokerCpu({ median, brokerMicroseconds }: FigureSummary): string | null {
  return brokerMicroseconds === null ? null : percent((median * brokerMicroseconds) / 1e6);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function formatBar({ row, isBarReached }: RowSummary): string {
  if (row.bar === null) return '';
  const bar = formatThreshold(row.bar, row.figure);
  return isBarReached === null ? bar : `${bar} ${isBarReached ? 'reached' : 'MISSED'}`;
}

function formatVerdict(summary: RowSummary): string {
  const words: string[] = [];
  if (summary.flaws.length > 0) words.push(`NOT LOSS-FREE (${summary.flaws.join(', ')})`);
  if (summary.floor !== null) words.push(summary.isFloorKept ? 'floor kept' : 'BELOW FLOOR');
  if (summary.isGeneratorBound) words.push(`generator-bound (above ${GENERATOR_BOUND * 100} %)`);
  return words.join(', ');
}

function formatRatio(ratio: number | null): string {
  return ratio === null ? '' : `${ratio.toFixed(2)}x`;
}

/** `≥ 6x`, or `≤ 1.5x or 2.00 ms`. */
function formatThreshold({ ratio, value }: Threshold, name: FigureName): string {
  const { better, format } = FIGURES[name];
  const parts = [ratio === undefined ? [] : `${ratio}x`, value === undefined ? [] : format(value)].flat();
  return `${better === 'higher' ? '≥' : '≤'} ${parts.join(' or ')}`;
}

import { type FigureSummary, GENERATOR_BOUND, type RowSummary } from './comparison.ts';
import { FIGURES, type FigureName } from './figures.ts';
import type { Machine } from './machine.ts';
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

/** One line on what the figures are of. */
export function formatRun({ machine, rounds, seconds }: { machine: Machine; rounds: number; seconds: number }): string {
  const parts = [
    machine.date.slice(0, 10),
    `${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}`,
    `Node ${machine.node}`,
    machine.mosquitto,
    `medians of ${rounds} rounds of ${seconds} s`,
    `load average before it ${machine.loadAverage.toFixed(1)}`,
  ];
  return `${parts.join('; ')}.`;
}

/** A Markdown table of all rows, with everything there is to say. */
export function formatTable(summaries: readonly RowSummary[]): string {
  return formatColumns(HEADER, summaries.map(formatRow));
}

/**
 * The same as docs/performance.md has it: the last broker beside the others, who need not be what it is compared with.
 *
 * @param names of them all; those that no row has a figure of are left out
 */
export function formatBriefTable(summaries: readonly RowSummary[], names: readonly string[]): string {
  const ours = summaries.filter(({ peer }) => peer === names.at(-1));
  const shown = names.filter((name) => ours.some(({ peers }) => peers[name] != null));
  const rows = ours.map((summary) => formatBriefRow(summary, shown));
  return formatColumns(['scenario', ...shown, 'ratio', 'by CPU', 'bar', 'floor'], rows);
}

function formatColumns(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(header), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

function formatBriefRow(summary: RowSummary, names: readonly string[]): string[] {
  const { row, peers, ratio, cpuRatio } = summary;
  const format = (one: FigureSummary | null): string => (one === null ? '' : FIGURES[row.figure].format(one.median));
  return [
    row.title,
    ...names.map((name) => format(peers[name] ?? null)),
    formatRatio(ratio),
    formatRatio(cpuRatio),
    formatBar(summary),
    summary.floor === null ? '' : formatThreshold(summary.floor, row.figure),
  ];
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
    both(figure, reference, ({ brokerCpu }) => (brokerCpu === null ? null : percent(brokerCpu))),
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
  if (summary.decidingRatio !== summary.ratio) words.push('processor time decides');
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

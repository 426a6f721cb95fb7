import { isLossFree, type LoadResult } from './load.ts';
import type { Scenario } from './scenarios.ts';

/** What all rounds of one scenario gave for one peer. */
export interface PeerRounds {
  readonly peer: string;
  readonly rounds: readonly LoadResult[];
}

/** The figures of one peer in one scenario. */
export interface PeerSummary {
  readonly peer: string;
  readonly deliveredPerSecond: { readonly median: number; readonly min: number; readonly max: number };
  /**
   * Times the first peer's rate: the median over the rounds, in each of which the peers ran one right after the other. So a
   * machine that gets slower or faster meanwhile does not tilt it. Null for the first peer itself.
   */
  readonly ratio: number | null;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Microseconds of the broker's processor time per delivery; null where it could not be measured. */
  readonly brokerMicroseconds: number | null;
  /**
   * Times the first peer's deliveries per second of processor time. Steadier than {@link ratio} where others use the machine
   * too, since waiting for a core costs none.
   */
  readonly cpuRatio: number | null;
  readonly generatorCpu: number;
  /** Rounds in which messages were lost, repeated or misled, or connections cut. */
  readonly lossyRounds: number;
}

export interface ScenarioSummary {
  readonly scenario: string;
  readonly title: string;
  readonly peers: readonly PeerSummary[];
  /** The least ratio that the last peer must reach; null: none. */
  readonly floor: number | null;
  readonly isPassed: boolean;
}

/** Least ratio by scenario, for the last peer against the first. */
export type Floors = Readonly<Record<string, number>>;

/** @param measured the baseline first */
export function summarize(scenario: Scenario, measured: readonly PeerRounds[], floors: Floors): ScenarioSummary {
  const [baseline] = measured;
  const peers = measured.map((entry) => summarizePeer(entry, entry === baseline ? null : baseline!));
  const floor = floors[scenario.name] ?? null;
  const ratio = peers.at(-1)!.ratio;
  return {
    scenario: scenario.name,
    title: scenario.title,
    peers,
    floor,
    isPassed: peers.every((peer) => peer.lossyRounds === 0) && (floor === null || ratio === null || ratio >= floor),
  };
}

function summarizePeer({ peer, rounds }: PeerRounds, baseline: PeerRounds | null): PeerSummary {
  const rates = rounds.map((round) => round.deliveredPerSecond);
  const brokerMicroseconds = microsecondsPerDelivery(rounds);
  const baselineMicroseconds = baseline === null ? null : microsecondsPerDelivery(baseline.rounds);
  return {
    peer,
    deliveredPerSecond: { median: median(rates), min: Math.min(...rates), max: Math.max(...rates) },
    ratio: baseline === null ? null : median(rates.map((rate, round) => rate / baseline.rounds[round]!.deliveredPerSecond)),
    p50Ms: median(rounds.map((round) => round.latencyMs.p50)),
    p99Ms: median(rounds.map((round) => round.latencyMs.p99)),
    brokerMicroseconds,
    cpuRatio: brokerMicroseconds && baselineMicroseconds ? baselineMicroseconds / brokerMicroseconds : null,
    generatorCpu: median(rounds.map((round) => round.generatorCpu)),
    lossyRounds: rounds.filter((round) => !isLossFree(round)).length,
  };
}

function microsecondsPerDelivery(rounds: readonly LoadResult[]): number | null {
  const values = rounds.map((round) => (round.brokerCpu === null ? null : (round.brokerCpu * 1e6) / round.deliveredPerSecond));
  return values.every((value) => value !== null) ? median(values) : null;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A Markdown table of all figures. */
export function formatTable(summaries: readonly ScenarioSummary[]): string {
  const header = [
    'scenario',
    'broker',
    'deliveries/s',
    'min-max',
    'ratio',
    'p50 ms',
    'p99 ms',
    'broker µs/msg',
    'by CPU',
    'generator CPU',
    '',
  ];
  const rows = summaries.flatMap((summary) => summary.peers.map((peer, index) => formatRow(summary, peer, index === 0)));
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(header), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

function formatRow(summary: ScenarioSummary, peer: PeerSummary, isFirst: boolean): string[] {
  const rate = peer.deliveredPerSecond;
  return [
    isFirst ? summary.title : '',
    peer.peer,
    formatRate(rate.median),
    `${formatRate(rate.min)}-${formatRate(rate.max)}`,
    peer.ratio === null ? '' : `${peer.ratio.toFixed(2)}x`,
    peer.p50Ms.toFixed(2),
    peer.p99Ms.toFixed(2),
    peer.brokerMicroseconds === null ? '' : peer.brokerMicroseconds.toFixed(2),
    peer.cpuRatio === null ? '' : `${peer.cpuRatio.toFixed(2)}x`,
    `${Math.round(peer.generatorCpu * 100)} %`,
    formatVerdict(summary, peer),
  ];
}

function formatVerdict(summary: ScenarioSummary, peer: PeerSummary): string {
  if (peer.lossyRounds > 0) return `NOT LOSS-FREE in ${peer.lossyRounds}`;
  if (summary.floor === null || peer !== summary.peers.at(-1) || peer.ratio === null) return '';
  return peer.ratio >= summary.floor ? `floor ${summary.floor}x kept` : `BELOW FLOOR ${summary.floor}x`;
}

function formatRate(perSecond: number): string {
  return perSecond >= 10_000 ? `${Math.round(perSecond / 1000)} k` : String(Math.round(perSecond));
}

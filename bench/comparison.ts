import { FIGURES, type Figure, type FigureName, type Round } from './figures.ts';
import { median } from './median.ts';
import { ACTIVEMQ, type Row, type Scenario, type Threshold } from './scenarios.ts';

/** Share of a core from which on the load generator is what holds a figure down. */
export const GENERATOR_BOUND = 0.9;

/**
 * Share of a core below which it was not the broker that held a figure down: the generator did, or other programs on its core. In a
 * closed loop the slower side is busy all the time.
 */
export const BROKER_BUSY = 0.8;

/** What all rounds of one scenario gave for one broker. */
export interface PeerRounds {
  readonly peer: string;
  readonly rounds: readonly Round[];
}

/** One figure of one broker, over all rounds: medians, and between what they lay. */
export interface FigureSummary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly brokerMicroseconds: number | null;
  /** Share of one core that the broker used. */
  readonly brokerCpu: number | null;
  readonly generatorCpu: number | null;
}

/** One broker in one row. */
export interface RowSummary {
  readonly row: Row;
  readonly peer: string;
  /** Null where the rounds did not give it. */
  readonly figure: FigureSummary | null;
  /** What it is compared with. */
  readonly reference: FigureSummary | null;
  /** The same figure of every broker that was measured, by name. */
  readonly peers: Readonly<Record<string, FigureSummary | null>>;
  /**
   * Times what it is compared with: the median over the rounds, in each of which both were measured one right after the other.
   * So a machine that gets slower or faster meanwhile does not tilt it.
   */
  readonly ratio: number | null;
  /**
   * The same for deliveries (or connects) per second of the broker's processor time. Steadier than {@link ratio} where others use
   * the machine too, since waiting for a core costs none.
   */
  readonly cpuRatio: number | null;
  /** The one of the two that is judged: see {@link decide}. */
  readonly decidingRatio: number | null;
  /** Whether the generator was the bottleneck of either. */
  readonly isGeneratorBound: boolean;
  /** Whether the bar is reached; null where there is none or no figure. */
  readonly isBarReached: boolean | null;
  readonly floor: Threshold | null;
  /** False where a floor is not kept, also for want of a figure. */
  readonly isFloorKept: boolean;
  /** What was wrong in the rounds of this broker, or of the one it is compared with. */
  readonly flaws: readonly string[];
}

/** What must be kept, by row; for the last broker. */
export type Floors = Readonly<Record<string, Threshold>>;

/**
 * All rows of a scenario for each broker but the first, or for the first if it is alone. Rows that compare with a broker which was not
 * measured are left out, and so is ActiveMQ but for what others are compared with.
 */
export function summarize(scenario: Scenario, measured: readonly PeerRounds[], floors: Floors): RowSummary[] {
  const compared = measured.length > 1 ? measured.slice(1).filter(({ peer }) => peer !== ACTIVEMQ) : measured;
  return scenario.rows.flatMap((row) => {
    const baseline = row.against === ACTIVEMQ ? measured.find(({ peer }) => peer === ACTIVEMQ) : measured[0];
    if (baseline === undefined) return [];
    return compared.map((entry) =>
      summarizeRow(row, entry, baseline, measured, entry === measured.at(-1) ? (floors[row.name] ?? null) : null),
    );
  });
}

/** Whether a comparison is to end with success. */
export function isPassed(summaries: readonly RowSummary[]): boolean {
  return summaries.every(({ isFloorKept, flaws }) => isFloorKept && flaws.length === 0);
}

function summarizeRow(
  row: Row,
  entry: PeerRounds,
  baseline: PeerRounds,
  measured: readonly PeerRounds[],
  floor: Threshold | null,
): RowSummary {
  const figures = figuresOf(entry.rounds, row.figure);
  const isBesideAnother = row.against === 'baseline' || row.against === ACTIVEMQ;
  const references = isBesideAnother
    ? figuresOf(baseline.rounds, row.figure)
    : row.against && figuresOf(entry.rounds, row.against as FigureName);
  const figure = figures && summarizeFigure(figures);
  const reference = references && summarizeFigure(references);
  const ratio = figures && references && median(figures.map(({ value }, round) => value / references[round]!.value));
  const cpuRatio =
    figure?.brokerMicroseconds && reference?.brokerMicroseconds ? reference.brokerMicroseconds / figure.brokerMicroseconds : null;
  const decidingRatio = row.waitsForDisk === true ? ratio : decide(ratio, cpuRatio, figure, reference);
  const reached = (threshold: Threshold): boolean => figure !== null && isReached(threshold, row.figure, figure.median, decidingRatio);
  return {
    row,
    peer: entry.peer,
    figure,
    reference,
    peers: Object.fromEntries(
      measured.map(({ peer, rounds }) => {
        const found = figuresOf(rounds, row.figure);
        return [peer, found && summarizeFigure(found)];
      }),
    ),
    ratio,
    cpuRatio,
    decidingRatio,
    isGeneratorBound: isBound(figure) || isBound(reference),
    isBarReached: row.bar === null || figure === null ? null : reached(row.bar),
    floor,
    isFloorKept: floor === null || reached(floor),
    flaws: [...new Set([...(baseline === entry ? [] : flawsOf(baseline)), ...flawsOf(entry)])],
  };
}

/**
 * The ratio that counts. Where something other than its broker held down what we compare with, the measured one flatters us or means
 * nothing, and processor time decides. Where the generator held down only ourselves, the measured one is the least that it can be.
 */
function decide(
  ratio: number | null,
  cpuRatio: number | null,
  figure: FigureSummary | null,
  reference: FigureSummary | null,
): number | null {
  if (ratio === null || cpuRatio === null) return ratio;
  if (isBound(reference) || isIdle(reference)) return cpuRatio;
  return isBound(figure) ? Math.max(ratio, cpuRatio) : ratio;
}

function isIdle(figure: FigureSummary | null): boolean {
  return figure?.brokerCpu != null && figure.brokerCpu < BROKER_BUSY;
}

function isBound(figure: FigureSummary | null): boolean {
  return figure?.generatorCpu != null && figure.generatorCpu > GENERATOR_BOUND;
}

function isReached(threshold: Threshold, name: FigureName, value: number, ratio: number | null): boolean {
  const isHigherBetter = FIGURES[name].better === 'higher';
  const passes = (actual: number | null, wanted: number | undefined): boolean =>
    actual !== null && wanted !== undefined && (isHigherBetter ? actual >= wanted : actual <= wanted);
  return passes(ratio, threshold.ratio) || passes(value, threshold.value);
}

/** The figure of every round; null where any lacks it. */
function figuresOf(rounds: readonly Round[], name: FigureName): readonly Figure[] | null {
  const figures = rounds.map((round) => round.figures[name]);
  return figures.every((figure) => figure !== undefined) ? figures : null;
}

function summarizeFigure(figures: readonly Figure[]): FigureSummary {
  const values = figures.map(({ value }) => value);
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    brokerMicroseconds: medianOrNull(figures.map((figure) => figure.brokerMicroseconds)),
    brokerCpu: medianOrNull(
      figures.map(({ value, brokerMicroseconds }) => (brokerMicroseconds === null ? null : (value * brokerMicroseconds) / 1e6)),
    ),
    generatorCpu: medianOrNull(figures.map((figure) => figure.generatorCpu)),
  };
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  return values.every((value) => value !== null) ? median(values) : null;
}

function flawsOf({ peer, rounds }: PeerRounds): string[] {
  return rounds.flatMap(({ flaws }) => flaws.map((flaw) => `${peer}: ${flaw}`));
}

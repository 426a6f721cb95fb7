/** What the suite measures, and how a number of each kind is written. */
export const FIGURES = {
  deliveries: { better: 'higher', format: (value) => `${thousands(value)}/s` },
  /** Of the pattern that {@link FIGURES.deliveries} is held against. */
  referenceDeliveries: { better: 'higher', format: (value) => `${thousands(value)}/s` },
  published: { better: 'higher', format: (value) => `${thousands(value)}/s` },
  p50: { better: 'lower', format: milliseconds },
  /** Of a Node program that writes, syncs and answers, and does nothing else. */
  p50Probe: { better: 'lower', format: milliseconds },
  p99: { better: 'lower', format: milliseconds },
  /** Of the same clients, when nobody else uses the broker. */
  p99Alone: { better: 'lower', format: milliseconds },
  connects: { better: 'higher', format: (value) => `${thousands(value)}/s` },
  subscribes: { better: 'higher', format: (value) => `${thousands(value)}/s` },
  /** Messages for a session that is away, acknowledged to their publishers. */
  queued: { better: 'higher', format: (value) => `${thousands(value)}/s` },
  /** Bytes given to write() for each byte of payload. */
  writtenBytes: { better: 'lower', format: (value) => `${value.toFixed(2)} B` },
  /** Resident memory, of each connection or subscription. */
  residentBytes: { better: 'lower', format: bytes },
  /** The same behind a garbage collection. */
  collectedBytes: { better: 'lower', format: bytes },
  /** What is in use of the JavaScript heap and beside it, behind a garbage collection. */
  heapBytes: { better: 'lower', format: bytes },
} as const satisfies Readonly<Record<string, FigureKind>>;

interface FigureKind {
  readonly better: 'higher' | 'lower';
  readonly format: (value: number) => string;
}

export type FigureName = keyof typeof FIGURES;

/** One number that a round gave, and what it took. */
export interface Figure {
  readonly value: number;
  /** Microseconds of the broker's processor time per thing counted (a delivery, a connect); null where it was not measured. */
  readonly brokerMicroseconds: number | null;
  /** Share of one core that the generator used; null where that says nothing. */
  readonly generatorCpu: number | null;
}

/** What one round of a scenario gave for one broker. */
export interface Round {
  readonly figures: Readonly<Partial<Record<FigureName, Figure>>>;
  /** Why the figures mean nothing: messages lost, repeated or misled, connections cut. */
  readonly flaws: readonly string[];
}

/** A figure for which nobody's processor time matters. */
export function numberOnly(value: number): Figure {
  return { value, brokerMicroseconds: null, generatorCpu: null };
}

function thousands(value: number): string {
  return value >= 10_000 ? `${Math.round(value / 1000)} k` : String(Math.round(value));
}

function milliseconds(value: number): string {
  return `${value.toFixed(2)} ms`;
}

function bytes(value: number): string {
  return `${Math.round(value)} B`;
}

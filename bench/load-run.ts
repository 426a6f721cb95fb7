import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';

/** Every how manieth delivery has its latency recorded where messages come as fast as they can. */
const LATENCY_SAMPLE_PERIOD = 16;

/** Nanoseconds: what the histogram can hold, and no run waits longer. */
const LATENCY_MAX_NS = 120e9;

/** What all connections of one run count together. */
export class LoadRun {
  readonly #latencies: RecordableHistogram = createHistogram({ lowest: 1, highest: LATENCY_MAX_NS, figures: 3 });
  readonly #samplePeriod: number;
  #untilSample: number;
  #nowMs = performance.now();
  #isMeasuring = false;
  #isPublishing = false;
  #published = 0;
  #publishedTotal = 0;
  #delivered = 0;
  #duplicates = 0;
  #strays = 0;
  readonly #closeReasons: (number | null)[] = [];

  /** @param isPaced whether messages come at a given rate: then there are few enough to record every latency */
  constructor(isPaced: boolean) {
    this.#samplePeriod = isPaced ? 1 : LATENCY_SAMPLE_PERIOD;
    this.#untilSample = this.#samplePeriod;
  }

  /** Milliseconds, monotonic: the beginning of the read, or of the pace, that is being worked on. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get isPublishing(): boolean {
    return this.#isPublishing;
  }

  get latencies(): RecordableHistogram {
    return this.#latencies;
  }

  get published(): number {
    return this.#published;
  }

  /** The same with what was published before measuring began. */
  get publishedTotal(): number {
    return this.#publishedTotal;
  }

  get delivered(): number {
    return this.#delivered;
  }

  get duplicates(): number {
    return this.#duplicates;
  }

  get strays(): number {
    return this.#strays;
  }

  /** Reason codes of DISCONNECT, null for none, of the connections that the broker closed. */
  get closeReasons(): readonly (number | null)[] {
    return this.#closeReasons;
  }

  /** Reads the clock. */
  tick(): void {
    this.#nowMs = performance.now();
  }

  startPublishing(): void {
    this.#isPublishing = true;
  }

  startMeasuring(): void {
    this.#isMeasuring = true;
  }

  /** Ends both: what arrives from now on was outstanding. */
  stop(): void {
    this.#isPublishing = false;
    this.#isMeasuring = false;
  }

  onPublish(count: number): void {
    this.#publishedTotal += count;
    if (this.#isMeasuring) this.#published += count;
  }

  onDelivery(sentAtMs: number): void {
    if (!this.#isMeasuring) return;
    this.#delivered++;
    if (--this.#untilSample > 0) return;
    this.#untilSample = this.#samplePeriod;
    this.#latencies.record(Math.max(1, Math.round((this.#nowMs - sentAtMs) * 1e6)));
  }

  /** A message that came again. */
  onDuplicate(): void {
    this.#duplicates++;
  }

  /** A message that this subscriber did not ask for, or that is not ours. */
  onStray(): void {
    this.#strays++;
  }

  onClose(reason: number | null): void {
    this.#closeReasons.push(reason);
  }
}

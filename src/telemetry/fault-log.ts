import type { Facts, Log } from './log.ts';

/** Lines at `info` for what clients do wrong, in each period: enough to see what goes on, too few to be flooded by a scanner. */
const LINES_MAX = 10;
const PERIOD_MS = 60_000;

/** Says what clients do wrong: the first few in a while at `info`, the others at `debug`, and how many those were. */
export class FaultLog {
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #summary: string;
  #periodEndMs = 0;
  #faults = 0;

  /**
   * @param nowMs   the monotonic clock
   * @param summary the message with which the number of those beyond the first few is said
   */
  constructor(log: Log, nowMs: () => number, summary: string) {
    this.#log = log;
    this.#nowMs = nowMs;
    this.#summary = summary;
  }

  say(message: string, facts: Facts): void {
    const now = this.#nowMs();
    if (now >= this.#periodEndMs) {
      if (this.#faults > LINES_MAX) this.#log.info(this.#summary, { clients: this.#faults - LINES_MAX });
      this.#periodEndMs = now + PERIOD_MS;
      this.#faults = 0;
    }
    this.#faults++;
    if (this.#faults <= LINES_MAX) this.#log.info(message, facts);
    else this.#log.debug(message, facts);
  }
}

import { DEMAND_WAIT_MAX_MS } from './link-limits.ts';

/** What a wave asks: a link that may not know all our demand. */
export interface DemandKnower {
  /** Calls `linkDone` when the peer knows all demand told before now, or is not to be waited for. */
  awaitDemand(wave: DemandWave): void;
}

/** Subscribers that wait together, until all links asked know what they want or have had their time. */
export class DemandWave {
  /** Brokers that ask already and need not be asked again. */
  readonly path: readonly string[];
  readonly known: Promise<void>;
  #resolve!: () => void;
  #open = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(path: readonly string[]) {
    this.path = path;
    this.known = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = setTimeout(() => this.finish(), DEMAND_WAIT_MAX_MS);
  }

  ask(links: readonly DemandKnower[]): void {
    this.#open = links.length;
    if (links.length === 0) this.finish();
    for (const link of links) link.awaitDemand(this);
  }

  linkDone(): void {
    if (--this.#open === 0) this.finish();
  }

  finish(): void {
    clearTimeout(this.#timer);
    this.#resolve();
  }
}

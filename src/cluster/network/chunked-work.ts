import type { Channel } from '../../protocols/openwire/channel.ts';
import { SYNC_CHUNK_ENTRIES, SYNC_QUEUE_BYTES } from './link-limits.ts';

/**
 * Much to be told to one peer, told in chunks: others have their turn in between, and what the peer has not taken yet stays small.
 * Each step of a generator tells one thing; generators follow one another.
 */
export class ChunkedWork {
  readonly #channel: Channel;
  #steps: Generator<void>[] = [];
  #scheduled = false;
  readonly #run = (): void => {
    this.#scheduled = false;
    this.#tellChunk();
  };

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** True when everything has been told. */
  get done(): boolean {
    return this.#steps.length === 0;
  }

  add(steps: Generator<void>): void {
    this.#steps.push(steps);
    this.goOn();
  }

  /** The peer may have taken what was told. */
  goOn(): void {
    if (this.#scheduled || this.#steps.length === 0) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  /** Nobody is there to be told any more. */
  drop(): void {
    this.#steps = [];
  }

  #tellChunk(): void {
    for (let entries = 0; entries < SYNC_CHUNK_ENTRIES; entries++) {
      const current = this.#steps[0];
      if (current === undefined || this.#channel.closing) return;
      if (this.#channel.queuedBytes > SYNC_QUEUE_BYTES) return; // goes on when it has drained
      if (current.next().done === true) this.#steps.shift();
    }
    this.goOn();
  }
}

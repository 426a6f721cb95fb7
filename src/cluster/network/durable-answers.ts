import { Fifo } from '../../core/fifo.ts';
import type { DurabilityListener, Store } from '../../core/store.ts';

/** In the place of a position: whatever the answer is about was appended by now, and it is not known where. */
export const UNKNOWN_POSITION = -1;

/** Something that is to be answered when the store has come to `position`. */
interface Due {
  readonly position: number;
  readonly commandId: number;
}

/**
 * Answers to what a linked broker sent us. Each promises that we have it, and leaves when the store does. An answer for which nothing was
 * stored overtakes those that wait: a linked broker knows them by their command ids.
 */
export class DurableAnswers implements DurabilityListener {
  readonly #channel: { readonly closing: boolean; respond(correlationId: number): void };
  readonly #store: Store;
  readonly #waiting = new Fifo<Due>();

  constructor(channel: { readonly closing: boolean; respond(correlationId: number): void }, store: Store) {
    this.#channel = channel;
    this.#store = store;
  }

  /** @param before where the store was before the work that the answer is about, or UNKNOWN_POSITION */
  answer(commandId: number, before: number): void {
    const { position, durable } = this.#store;
    if (position === before || durable >= position) {
      this.#channel.respond(commandId);
      return;
    }
    this.#waiting.push({ position, commandId });
    if (this.#waiting.length === 1) this.#store.whenDurable(position, this);
  }

  onDurable(): void {
    const { durable } = this.#store;
    for (;;) {
      const first = this.#waiting.peek();
      if (first === undefined) return;
      if (this.#channel.closing) {
        this.#waiting.clear();
        return;
      }
      if (first.position > durable) {
        this.#store.whenDurable(first.position, this);
        return;
      }
      this.#waiting.shift();
      this.#channel.respond(first.commandId);
    }
  }
}

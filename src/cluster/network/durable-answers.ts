import { Fifo } from '../../core/fifo.ts';
import type { DurabilityListener, Store } from '../../core/store.ts';
import type { Gauge, WaitingPublisher } from '../../core/usage.ts';
import type { Facts } from '../../telemetry/log.ts';

/** In the place of a position: whatever the answer is about was appended by now, and it is not known where. */
export const UNKNOWN_POSITION = -1;

/** Whom answers go to. */
interface AnsweredChannel {
  readonly closing: boolean;
  readonly remoteAddress: string;
  respond(correlationId: number): void;
}

/** Something that is to be answered when the store has come to `position`. */
interface Due {
  readonly position: number;
  readonly commandId: number;
}

/**
 * Answers to what a linked broker sent us. Each promises that we have it, and leaves when the store does. An answer for which nothing was
 * stored overtakes those that wait: a linked broker knows them by their command ids.
 *
 * Answers are also what slows a linked broker down. What it sends is taken even if there is no room for it, since it has acknowledged it; but
 * it is answered when there is room again, and a broker that waits for very many answers sends no more.
 */
export class DurableAnswers implements DurabilityListener, WaitingPublisher {
  readonly #channel: AnsweredChannel;
  readonly #store: Store;
  readonly #waiting = new Fifo<Due>();
  /** Command ids of what there is no room for. */
  readonly #withheld = new Fifo<number>();
  #gauge: Gauge | null = null;

  constructor(channel: AnsweredChannel, store: Store) {
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

  /** As `answer`, when there is room again for messages such as this one, which has been published. */
  answerWithRoom(commandId: number, gauge: Gauge): void {
    this.#withheld.push(commandId);
    if (this.#gauge !== null) return;
    this.#gauge = gauge;
    gauge.wait(this);
  }

  facts(): Facts {
    return { linkedBroker: this.#channel.remoteAddress };
  }

  goOn(): void {
    this.#gauge = null;
    for (let id = this.#withheld.shift(); id !== undefined; id = this.#withheld.shift()) this.answer(id, UNKNOWN_POSITION);
  }

  /** The link has gone. */
  drop(): void {
    this.#gauge?.leave(this);
    this.#withheld.clear();
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

import { Fifo } from '../../core/fifo.ts';
import type { DurabilityListener, Store } from '../../core/store.ts';
import type { Gauge, WaitingPublisher } from '../../core/usage.ts';
import type { Facts } from '../../telemetry/log.ts';

/** In the place of a position: whatever the answer is about was appended by now, and it is not known where. */
export const UNKNOWN_POSITION = -1;

/** Answers that leave although there is no room, at each try: some hundred a second. */
const ANSWERS_A_TRY = 64;

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
 * it is answered when there is room again, and a broker that waits for very many answers sends no more. Two brokers that are full of what
 * each waits for the other's answers to would wait for ever: who is waited for while it waits itself answers slowly, room or not. Nothing
 * new gets in by that, since publishers at both wait.
 */
export class DurableAnswers implements DurabilityListener, WaitingPublisher {
  readonly #channel: AnsweredChannel;
  readonly #store: Store;
  readonly #waiting = new Fifo<Due>();
  /** Command ids of what there is no room for. */
  readonly #withheld = new Fifo<number>();
  #gauge: Gauge | null = null;
  readonly #isOwed: () => boolean;

  /** @param isOwed whether we wait for answers of the same broker */
  constructor(channel: AnsweredChannel, store: Store, isOwed: () => boolean) {
    this.#channel = channel;
    this.#store = store;
    this.#isOwed = isOwed;
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

  retry(): void {
    if (!this.#isOwed()) return;
    for (let left = Math.min(ANSWERS_A_TRY, this.#withheld.length); left > 0; left--)
      this.answer(this.#withheld.shift()!, UNKNOWN_POSITION);
    if (this.#withheld.length > 0) return;
    this.#gauge?.leave(this);
    this.#gauge = null;
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

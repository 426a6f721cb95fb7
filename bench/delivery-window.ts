/**
 * What one publisher has sent and who still has to get it.
 *
 * The closed loop: at most `window` messages per receiver are under way at a time, and only a delivery makes room for the
 * next. So a broker that drops a message is not rewarded with a higher figure: that place in the window stays taken, and
 * {@link outstanding} at the end of a run tells how many never arrived.
 */
export class DeliveryWindow {
  readonly #fan: number;
  readonly #limit: number;
  /** When the last `#limit` messages were sent, by ordinal: no older one can still be outstanding. */
  readonly #sentAtMs: Float64Array;
  #published = 0;
  #outstanding = 0;

  /**
   * @param window messages under way per receiver
   * @param fan    how many subscribers get each message
   */
  constructor(window: number, fan: number) {
    this.#fan = fan;
    this.#limit = window * fan;
    this.#sentAtMs = new Float64Array(this.#limit);
  }

  /** How many messages may be published now. */
  get room(): number {
    return Math.floor((this.#limit - this.#outstanding) / this.#fan);
  }

  /** Deliveries that have not happened yet. */
  get outstanding(): number {
    return this.#outstanding;
  }

  get published(): number {
    return this.#published;
  }

  /** Counts `count` messages as sent. */
  publish(count: number, nowMs: number): void {
    for (let i = 0; i < count; i++) {
      this.#sentAtMs[this.#published % this.#limit] = nowMs;
      this.#published++;
    }
    this.#outstanding += count * this.#fan;
  }

  /** Counts one delivery to one subscriber. */
  deliver(): void {
    this.#outstanding--;
  }

  /** When the message with this ordinal (0 for the first) was sent; meaningful while it is outstanding for anybody. */
  sentAtMs(ordinal: number): number {
    return this.#sentAtMs[ordinal % this.#limit]!;
  }
}

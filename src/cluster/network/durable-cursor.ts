import type { DurabilityListener, Store } from '../../core/store.ts';

/**
 * How much of a growing row is on disk. What was appended to the store for its entries, and with them, is durable when a batch of the store
 * is that was taken after they came:
 *
 *            safe           written          end
 *      durable │ in the batch  │ gathers       │
 */
export class DurableCursor implements DurabilityListener {
  readonly #store: Store;
  readonly #end: () => number;
  readonly #onSafe: () => void;
  #written: number;
  #isWaiting = false;
  /** All entries before this number are durable. */
  safe: number;

  /**
   * @param end number of the next entry
   * @param onSafe called when `safe` has moved, but not within `appended`
   */
  constructor(store: Store, end: () => number, onSafe: () => void) {
    this.#store = store;
    this.#end = end;
    this.#onSafe = onSafe;
    this.safe = end();
    this.#written = this.safe;
  }

  /** An entry has come. @returns whether all are durable already, where the store has nothing to write */
  appended(): boolean {
    if (this.#isWaiting) return false;
    this.#isWaiting = true;
    if (!this.#store.whenBatchDurable(this)) return false;
    this.#isWaiting = false;
    this.safe = this.#end();
    return true;
  }

  onBatch(): void {
    this.#written = this.#end();
  }

  onDurable(): void {
    this.#isWaiting = false;
    this.safe = this.#written;
    if (this.safe < this.#end()) this.appended();
    this.#onSafe();
  }
}

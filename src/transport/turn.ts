/** Something with bytes gathered during this turn of the event loop. Must not throw. */
export interface Flushable {
  flush(): void;
}

/**
 * One turn of the event loop, one flush.
 *
 * Everything read in one poll phase is handled before anything is written: each connection that got bytes meanwhile stands in this list
 * once and is written once, in the check phase that follows. System calls are what a broker's time goes into; this is what saves them.
 */
export class Turn {
  #dirty: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled = false;
  readonly #run = (): void => this.flush();

  add(flushable: Flushable): void {
    this.#dirty.push(flushable);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#run);
    }
  }

  /** Writes what has gathered. What is added by a flush itself waits for the next turn. */
  flush(): void {
    const dirty = this.#dirty;
    this.#dirty = this.#spare;
    this.#spare = dirty;
    this.#scheduled = false;
    for (let i = 0; i < dirty.length; i++) dirty[i]!.flush();
    dirty.length = 0;
  }
}

/** Something with bytes gathered during this turn of the event loop. Must not throw. */
export interface Flushable {
  flush(): void;
}

/** Something that has read its share of a turn, and is to read on in the next. Must not throw. */
export interface Reader {
  readOn(): void;
}

/**
 * One turn of the event loop, one flush.
 *
 * Everything read in one poll phase is handled before anything is written: each connection that got bytes meanwhile stands in this list
 * once and is written once, in the check phase that follows. System calls are what a broker's time goes into; this is what saves them.
 */
export class Turn {
  /** Counts turns in which something was written or put off. */
  number = 0;
  /** What all connections of these turns have received and sent. */
  bytesReceived = 0;
  bytesSent = 0;
  #readers: Reader[] = [];
  #dirty: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled = false;
  readonly #run = (): void => this.flush();

  add(flushable: Flushable): void {
    this.#dirty.push(flushable);
    if (!this.#scheduled) this.#schedule();
  }

  /** Lets `reader` read on when this turn's writes have been made. */
  readOn(reader: Reader): void {
    this.#readers.push(reader);
    if (!this.#scheduled) this.#schedule();
  }

  /** Writes what has gathered. What is added by a flush itself waits for the next turn. */
  flush(): void {
    const dirty = this.#dirty;
    this.#dirty = this.#spare;
    this.#spare = dirty;
    this.#scheduled = false;
    this.number++;
    for (let i = 0; i < dirty.length; i++) dirty[i]!.flush();
    dirty.length = 0;
    if (this.#readers.length === 0) return;
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader.readOn();
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(this.#run);
  }
}

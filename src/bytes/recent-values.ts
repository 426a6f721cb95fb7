/** How many values are remembered: a message has two or three ids and a few property names that come again in the next one. */
const ENTRIES_MAX = 8;

/** Longest encoding that is remembered, in bytes. */
const LENGTH_MAX_BYTES = 128;

/** A value and the bytes it is encoded in: `bytes[0, length)`. */
export interface RecentValue<V> {
  readonly value: V;
  readonly bytes: Buffer;
  readonly length: number;
}

/**
 * The last few values of one kind, each with the bytes it is encoded in. Ids repeat from message to message: comparing fifty bytes is
 * several times faster than making strings and objects of them, and copying them several times faster than encoding again.
 *
 * Only for values that never change, and for encodings whose bytes alone say where they end.
 */
export class RecentValues<V> {
  readonly #entries: RecentValue<V>[] = [];
  #oldest = 0;

  /** The value whose encoding `buffer[start, end)` begins with. */
  startingAt(buffer: Buffer, start: number, end: number): RecentValue<V> | undefined {
    const room = end - start;
    for (const entry of this.#entries) {
      if (entry.length <= room && matches(entry, buffer, start)) return entry;
    }
    return undefined;
  }

  /** This very value with its encoding. */
  find(value: V): RecentValue<V> | undefined {
    for (const entry of this.#entries) if (entry.value === value) return entry;
    return undefined;
  }

  /** Remembers that `buffer[start, end)` encodes the value, in place of the oldest. */
  add(value: V, buffer: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length > LENGTH_MAX_BYTES) return;
    const bytes = this.#entries[this.#oldest]?.bytes ?? Buffer.allocUnsafeSlow(LENGTH_MAX_BYTES);
    for (let i = 0; i < length; i++) bytes[i] = buffer[start + i]!;
    this.#entries[this.#oldest] = { value, bytes, length };
    this.#oldest = (this.#oldest + 1) % ENTRIES_MAX;
  }
}

/** From the end, where ids of one origin differ. */
function matches(entry: RecentValue<unknown>, buffer: Buffer, start: number): boolean {
  const { bytes } = entry;
  for (let i = entry.length - 1; i >= 0; i--) if (bytes[i] !== buffer[start + i]) return false;
  return true;
}

/**
 * Called for every complete packet: its first byte, and where its body (all behind the fixed header) stands in `bytes`.
 * The bytes are valid during the call only.
 */
export type FrameVisitor = (first: number, bytes: Uint8Array, bodyStart: number, bodyEnd: number) => void;

/** Bytes of the longest fixed header: type, and four of Remaining Length. MQTT 5.0 section 1.5.5. */
const FIXED_HEADER_MAX = 5;

/** `#frameBytes` while the fixed header is not complete. */
const UNKNOWN = -1;

/**
 * Finds the packets in a byte stream that arrives in arbitrary pieces.
 *
 * Packets that lie in one piece, nearly all, are visited in place. One that spans pieces is gathered in a buffer of its
 * own first:
 *
 *     piece 1  [ frame | frame | fra ]      visited in place, in place, kept: `fra`
 *     piece 2  [ me | frame ]               gathered with `me` and visited, visited in place
 */
export class FrameSplitter {
  readonly #visit: FrameVisitor;
  #partial = new Uint8Array(0);
  #partialLength = 0;

  constructor(visit: FrameVisitor) {
    this.#visit = visit;
  }

  /**
   * Visits the packets that `bytes[0..length)` completes.
   *
   * @throws Error when a Remaining Length has more than four bytes: the stream is not MQTT, or we lost our place in it
   */
  push(bytes: Uint8Array, length: number): void {
    let at = this.#partialLength > 0 ? this.#completePartial(bytes, length) : 0;
    const visit = this.#visit;
    while (at + 2 <= length) {
      let body = at + 1;
      let digit = bytes[body++]!;
      let remaining = digit & 0x7f;
      if (digit >= 0x80) {
        let scale = 128;
        do {
          if (body - at >= FIXED_HEADER_MAX) throw new Error('a Remaining Length has more than four bytes');
          if (body === length) break;
          digit = bytes[body++]!;
          remaining += (digit & 0x7f) * scale;
          scale *= 128;
        } while (digit >= 0x80);
        if (digit >= 0x80) break;
      }
      const end = body + remaining;
      if (end > length) break;
      visit(bytes[at]!, bytes, body, end);
      at = end;
    }
    if (at < length) this.#keep(bytes, at, length);
  }

  /** Bytes of an unfinished packet that wait for the rest. */
  get pendingBytes(): number {
    return this.#partialLength;
  }

  /** Takes from `bytes` what the kept packet lacks, visits it if that completes it, and returns how much was taken. */
  #completePartial(bytes: Uint8Array, length: number): number {
    let at = 0;
    let frameBytes = this.#partialFrameBytes();
    while (frameBytes === UNKNOWN && at < length) {
      this.#keep(bytes, at, at + 1);
      at++;
      frameBytes = this.#partialFrameBytes();
    }
    if (frameBytes === UNKNOWN) return at;
    const end = Math.min(length, at + frameBytes - this.#partialLength);
    this.#keep(bytes, at, end);
    if (this.#partialLength < frameBytes) return end;
    const headerBytes = headerLength(this.#partial);
    this.#partialLength = 0;
    this.#visit(this.#partial[0]!, this.#partial, headerBytes, frameBytes);
    return end;
  }

  /** Bytes of the whole kept packet, as far as its fixed header is there. */
  #partialFrameBytes(): number {
    let remaining = 0;
    let scale = 1;
    for (let i = 1; i < this.#partialLength; i++) {
      const digit = this.#partial[i]!;
      remaining += (digit & 0x7f) * scale;
      scale *= 128;
      if (digit < 0x80) return i + 1 + remaining;
      if (i + 1 === FIXED_HEADER_MAX) throw new Error('a Remaining Length has more than four bytes');
    }
    return UNKNOWN;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#partialLength + end - start;
    if (needed > this.#partial.length) {
      const grown = new Uint8Array(Math.max(256, needed * 2));
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
    }
    this.#partial.set(bytes.subarray(start, end), this.#partialLength);
    this.#partialLength = needed;
  }
}

function headerLength(frame: Uint8Array): number {
  let at = 1;
  while (frame[at]! >= 0x80) at++;
  return at + 1;
}

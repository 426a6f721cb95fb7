import { copyBytes, viewOf } from './copy-bytes.ts';

/** Bytes a writer starts with; most frames are smaller. */
const INITIAL_SIZE_BYTES = 4096;

/** A writer that had to grow beyond this lets the memory go at the next reset, so that one large frame does not stay for ever. */
const KEEP_SIZE_BYTES = 1024 * 1024;

/** Strings up to this length are copied here, one character at a time, which is faster than a call into the runtime. */
const SHORT_LENGTH = 64;

/**
 * A growing buffer with a cursor at its end, big-endian. One per encoder, reused: take the bytes out (`copy`, or `buffer` up to
 * `length` if they are used at once), then `reset`.
 */
export class ByteWriter {
  #buffer: Buffer;
  #view: DataView;
  #length = 0;

  constructor(sizeBytes = INITIAL_SIZE_BYTES) {
    this.#buffer = Buffer.allocUnsafeSlow(sizeBytes);
    this.#view = viewOf(this.#buffer);
  }

  /** The bytes written so far are `buffer[0, length)`. Replaced when it grows: do not hold on to it. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets everything written. */
  reset(): void {
    this.#length = 0;
    if (this.#buffer.length > KEEP_SIZE_BYTES) this.#use(Buffer.allocUnsafeSlow(INITIAL_SIZE_BYTES));
  }

  /** Forgets what was written after `length` was this. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** A copy of everything written from `start` on. */
  copy(start = 0): Buffer {
    const bytes = Buffer.allocUnsafe(this.#length - start);
    this.#buffer.copy(bytes, 0, start, this.#length);
    return bytes;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#buffer[at] = value;
  }

  /** Signed or unsigned: the low 16 bits. */
  u16(value: number): void {
    const at = this.#room(2);
    const buffer = this.#buffer;
    buffer[at] = value >>> 8;
    buffer[at + 1] = value;
  }

  /** Signed or unsigned: the low 32 bits. */
  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setInt32(at, value);
  }

  /** A signed 64-bit integer; a number must be a safe integer, a bigint must fit. */
  i64(value: number | bigint): void {
    const at = this.#room(8);
    const buffer = this.#buffer;
    if (typeof value === 'bigint') {
      buffer.writeBigInt64BE(value, at);
      return;
    }
    const high = Math.floor(value / 0x1_0000_0000);
    buffer[at] = high >>> 24;
    buffer[at + 1] = high >>> 16;
    buffer[at + 2] = high >>> 8;
    buffer[at + 3] = high;
    buffer[at + 4] = value >>> 24;
    buffer[at + 5] = value >>> 16;
    buffer[at + 6] = value >>> 8;
    buffer[at + 7] = value;
  }

  f32(value: number): void {
    const at = this.#room(4);
    this.#view.setFloat32(at, value);
  }

  f64(value: number): void {
    const at = this.#room(8);
    this.#view.setFloat64(at, value);
  }

  /** A non-negative safe integer in groups of seven bits, the low ones first, the high bit set in all but the last (LEB128). */
  varint(value: number): void {
    let rest = value;
    while (rest > 0x7fff_ffff) {
      this.u8((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    while (rest >= 128) {
      this.u8((rest & 127) | 128);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  bytes(source: Uint8Array): void {
    const at = this.#room(source.length);
    this.#buffer.set(source, at);
  }

  /** `source[start, end)`. */
  slice(source: Buffer, start: number, end: number): void {
    const at = this.#room(end - start);
    copyBytes(source, start, end, this.#buffer, this.#view, at);
  }

  /** One byte a character; every character must be U+0000 to U+00FF. */
  latin1(text: string): void {
    const length = text.length;
    const at = this.#room(length);
    const buffer = this.#buffer;
    if (length > SHORT_LENGTH) {
      buffer.write(text, at, 'latin1');
      return;
    }
    for (let i = 0; i < length; i++) buffer[at + i] = text.charCodeAt(i);
  }

  /** Leaves `count` bytes to be filled in later and returns where they are. */
  skip(count: number): number {
    return this.#room(count);
  }

  /** Overwrites two bytes written before. */
  setU16(at: number, value: number): void {
    const buffer = this.#buffer;
    buffer[at] = value >>> 8;
    buffer[at + 1] = value;
  }

  /** Overwrites four bytes written before. */
  setU32(at: number, value: number): void {
    this.#view.setInt32(at, value);
  }

  #room(count: number): number {
    const at = this.#length;
    const end = at + count;
    if (end > this.#buffer.length) this.#grow(end);
    this.#length = end;
    return at;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#use(larger);
  }

  #use(buffer: Buffer): void {
    this.#buffer = buffer;
    this.#view = viewOf(buffer);
  }
}

import { TruncatedError } from '../errors.ts';

/** Up to this many bytes are copied here, one by one, which is faster than a call into the runtime. */
const SHORT_COPY_BYTES = 96;

const EMPTY = Buffer.alloc(0);

/**
 * A cursor over `buffer[position, end)`, big-endian. Every read checks what is left first and throws a TruncatedError that says where
 * (counted from the start), what was expected and what is there; nothing beyond `end` is ever read or allocated for.
 * Reusable: `open` sets it on other bytes.
 */
export class ByteReader {
  #buffer: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  #position = 0;

  open(buffer: Buffer, start: number, end: number): void {
    this.#buffer = buffer;
    this.#start = start;
    this.#end = end;
    this.#position = start;
  }

  /** Lets go of the bytes. */
  close(): void {
    this.open(EMPTY, 0, 0);
  }

  get buffer(): Buffer {
    return this.#buffer;
  }

  /** Where the next byte is read, in `buffer`. */
  get position(): number {
    return this.#position;
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.#position - this.#start;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  u8(): number {
    return this.#buffer[this.#take(1, 'an 8-bit integer')]!;
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    const at = this.#take(2, 'a 16-bit integer');
    return (this.#buffer[at]! << 8) | this.#buffer[at + 1]!;
  }

  i16(): number {
    return (this.u16() << 16) >> 16;
  }

  i32(): number {
    const at = this.#take(4, 'a 32-bit integer');
    const buffer = this.#buffer;
    return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  /** A signed 64-bit integer: a number where that is exact, else a bigint. */
  i64(): number | bigint {
    const at = this.#take(8, 'a 64-bit integer');
    const buffer = this.#buffer;
    const high = (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
    const low = ((buffer[at + 4]! << 24) | (buffer[at + 5]! << 16) | (buffer[at + 6]! << 8) | buffer[at + 7]!) >>> 0;
    const value = high * 0x1_0000_0000 + low;
    return Number.isSafeInteger(value) ? value : buffer.readBigInt64BE(at);
  }

  f32(): number {
    return this.#buffer.readFloatBE(this.#take(4, 'a float'));
  }

  f64(): number {
    return this.#buffer.readDoubleBE(this.#take(8, 'a double'));
  }

  /** What `ByteWriter.varint` writes. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
      if (factor > 2 ** 49) throw new TruncatedError(`byte ${this.offset}: an integer of more than eight bytes`);
    }
  }

  /** Moves over `count` bytes and returns where they begin in `buffer`. */
  skip(count: number): number {
    return this.#take(count, 'a field');
  }

  /** A copy of the next `count` bytes. */
  copy(count: number): Buffer {
    const at = this.#take(count, 'a byte array');
    const bytes = Buffer.allocUnsafe(count);
    const buffer = this.#buffer;
    if (count > SHORT_COPY_BYTES) buffer.copy(bytes, 0, at, at + count);
    else for (let i = 0; i < count; i++) bytes[i] = buffer[at + i]!;
    return bytes;
  }

  /** The next `count` bytes in place: valid for as long as the buffer's own bytes are. */
  view(count: number): Buffer {
    const at = this.#take(count, 'a byte array');
    return this.#buffer.subarray(at, at + count);
  }

  #take(count: number, what: string): number {
    const at = this.#position;
    if (count > this.#end - at) this.#fail(count, what);
    this.#position = at + count;
    return at;
  }

  #fail(count: number, what: string): never {
    const bytes = count === 1 ? '1 byte' : `${count} bytes`;
    throw new TruncatedError(`byte ${this.offset}: ${what} (${bytes}) was expected, ${this.remaining} left`);
  }
}

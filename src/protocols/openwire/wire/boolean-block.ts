import type { ByteReader } from '../../../bytes/byte-reader.ts';
import type { ByteWriter } from '../../../bytes/byte-writer.ts';
import { malformed, unencodable } from './wire-errors.ts';

/*
 * The bits in front of a tight frame (OpenWire specification section 3.2): least significant bit first, unused bits 0. Its length is one
 * byte up to 63, C0 and one byte up to 255, 80 and two bytes beyond.
 */
const LENGTH_U8 = 0xc0;
const LENGTH_I16 = 0x80;
const ONE_BYTE_LENGTH_MAX = 63;
const U8_LENGTH_MAX = 255;

/** Longest block, in bytes: what an i16 can say. */
const BLOCK_MAX_BYTES = 32_767;

/** Collects the bits of one frame. */
export class BooleanBlockWriter {
  #bytes = new Uint8Array(64);
  #count = 0;

  reset(): void {
    this.#count = 0;
  }

  push(bit: boolean): void {
    const at = this.#count >> 3;
    const mask = 1 << (this.#count & 7);
    if (mask === 1) {
      if (at === this.#bytes.length) this.#grow();
      this.#bytes[at] = 0;
    }
    if (bit) this.#bytes[at]! |= mask;
    this.#count++;
  }

  /** Writes length and bits. */
  writeTo(out: ByteWriter): void {
    const length = (this.#count + 7) >> 3;
    if (length <= ONE_BYTE_LENGTH_MAX) {
      out.u8(length);
    } else if (length <= U8_LENGTH_MAX) {
      out.u8(LENGTH_U8);
      out.u8(length);
    } else {
      if (length > BLOCK_MAX_BYTES) throw unencodable(`${this.#count} flags in one frame: tight encoding takes ${BLOCK_MAX_BYTES * 8}`);
      out.u8(LENGTH_I16);
      out.u16(length);
    }
    const at = out.skip(length);
    const { buffer } = out;
    for (let i = 0; i < length; i++) buffer[at + i] = this.#bytes[i]!;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Hands out the bits of one block, in place. */
export class BooleanBlockReader {
  #buffer: Uint8Array = new Uint8Array(0);
  #start = 0;
  #length = 0;
  #next = 0;

  /** Reads length and bits from `from`. */
  open(from: ByteReader): void {
    const first = from.u8();
    const length = first === LENGTH_U8 ? from.u8() : first === LENGTH_I16 ? from.i16() : first;
    if (length < 0) throw malformed(`byte ${from.offset - 2}: the length of the boolean block was expected, ${length} came`);
    this.#start = from.skip(length);
    this.#buffer = from.buffer;
    this.#length = length;
    this.#next = 0;
  }

  bit(): boolean {
    const at = this.#next >> 3;
    if (at >= this.#length) throw malformed(`the boolean block of ${this.#length} bytes has no bit left, one more was expected`);
    const bit = (this.#buffer[this.#start + at]! >> (this.#next & 7)) & 1;
    this.#next++;
    return bit === 1;
  }

  /** How many bits are left. */
  get remaining(): number {
    return this.#length * 8 - this.#next;
  }

  /** How many whole bytes have not been touched. */
  get untouchedBytes(): number {
    return this.#length - ((this.#next + 7) >> 3);
  }
}

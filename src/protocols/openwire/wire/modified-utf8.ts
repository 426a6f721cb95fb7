import type { ByteReader } from '../../../bytes/byte-reader.ts';
import type { ByteWriter } from '../../../bytes/byte-writer.ts';
import { malformed, unencodable } from './wire-errors.ts';

/*
 * Java's modified UTF-8 (OpenWire specification section 3.4): one byte for U+0001..U+007F, two for U+0000 and U+0080..U+07FF, three for
 * every other UTF-16 code unit. So 😀 is ED A0 BD ED B8 80, each surrogate on its own, and U+0000 is C0 80.
 */

/** How many bytes the string takes: its length exactly where every character is U+0001..U+007F. */
export function modifiedUtf8Length(text: string): number {
  const { length } = text;
  let bytes = length;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) bytes += unit > 0x7ff ? 2 : 1;
    else if (unit === 0) bytes++;
  }
  return bytes;
}

/**
 * Writes a string with its length in two bytes in front.
 *
 * @returns whether every character is U+0001..U+007F, which tight encoding tells the reader
 * @throws CodedError when it takes more than `maxBytes`
 */
export function writeUtf(out: ByteWriter, text: string, maxBytes: number): boolean {
  const { length } = text;
  if (length > maxBytes) throw tooLong(length, maxBytes);
  const at = out.skip(2 + length);
  const { buffer } = out;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f || unit === 0) {
      out.truncate(at);
      writeWideUtf(out, text, maxBytes);
      return false;
    }
    buffer[at + 2 + i] = unit;
  }
  buffer[at] = length >> 8;
  buffer[at + 1] = length;
  return true;
}

function writeWideUtf(out: ByteWriter, text: string, maxBytes: number): void {
  const byteLength = modifiedUtf8Length(text);
  if (byteLength > maxBytes) throw tooLong(byteLength, maxBytes);
  out.u16(byteLength);
  writeModifiedUtf8(out, text, byteLength);
}

function tooLong(byteLength: number, maxBytes: number): Error {
  return unencodable(`a string of ${byteLength} bytes or more: at most ${maxBytes} can be sent`);
}

/** Writes the string's bytes; `byteLength` is what `modifiedUtf8Length` says. */
export function writeModifiedUtf8(out: ByteWriter, text: string, byteLength: number): void {
  if (byteLength === text.length) {
    out.latin1(text);
    return;
  }
  let at = out.skip(byteLength);
  const { buffer } = out;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7ff) {
      buffer[at++] = 0xe0 | (unit >> 12);
      buffer[at++] = 0x80 | ((unit >> 6) & 0x3f);
      buffer[at++] = 0x80 | (unit & 0x3f);
    } else if (unit > 0x7f || unit === 0) {
      buffer[at++] = 0xc0 | (unit >> 6);
      buffer[at++] = 0x80 | (unit & 0x3f);
    } else {
      buffer[at++] = unit;
    }
  }
}

/**
 * Reads a string of `byteLength` bytes.
 *
 * @throws ProtocolError OPENWIRE_MALFORMED when the bytes are no modified UTF-8, TruncatedError when fewer are left
 */
export function readModifiedUtf8(from: ByteReader, byteLength: number): string {
  const start = from.skip(byteLength);
  const { buffer } = from;
  const end = start + byteLength;
  for (let at = start; at < end; at++) {
    if (buffer[at]! > 0x7f) return readWide(buffer, start, end, from.offset - byteLength);
  }
  return buffer.toString('latin1', start, end);
}

function readWide(buffer: Buffer, start: number, end: number, offset: number): string {
  const units = Buffer.allocUnsafe((end - start) * 2);
  let size = 0;
  for (let at = start; at < end; ) {
    const first = buffer[at]!;
    const length = first < 0x80 ? 1 : first >> 5 === 0b110 ? 2 : first >> 4 === 0b1110 ? 3 : 0;
    if (length === 0) throw badString(offset + at - start, `0x${first.toString(16)} begins no character`);
    if (at + length > end) throw badString(offset + at - start, 'the last character is cut off');
    let unit = length === 1 ? first : length === 2 ? first & 0x1f : first & 0x0f;
    for (let i = 1; i < length; i++) {
      const next = buffer[at + i]!;
      if (next >> 6 !== 0b10) throw badString(offset + at + i - start, `0x${next.toString(16)} does not continue a character`);
      unit = (unit << 6) | (next & 0x3f);
    }
    units[size++] = unit;
    units[size++] = unit >> 8;
    at += length;
  }
  return units.toString('utf16le', 0, size);
}

function badString(offset: number, what: string): Error {
  return malformed(`byte ${offset}: modified UTF-8 was expected, ${what}`);
}

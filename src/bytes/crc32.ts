import { crc32 as crc32OfView } from 'node:zlib';

/** The polynomial of CRC-32 as in zlib, its bits in reverse. */
const POLYNOMIAL = 0xedb88320;

/** Up to so many bytes the tables here are faster than a view of the bytes and a call into the runtime. */
const SHORT_LENGTH = 192;

/** Eight tables of 256 entries: what a byte does to the checksum when none to seven bytes follow it in a group of eight. */
const TABLES = new Int32Array(8 * 256);
for (let byte = 0; byte < 256; byte++) {
  let checksum = byte;
  for (let bit = 0; bit < 8; bit++) checksum = (checksum & 1) === 0 ? checksum >>> 1 : (checksum >>> 1) ^ POLYNOMIAL;
  TABLES[byte] = checksum;
}
for (let at = 256; at < TABLES.length; at++) {
  const before = TABLES[at - 256]!;
  TABLES[at] = TABLES[before & 255]! ^ (before >>> 8);
}

/**
 * CRC-32, as zlib has it, of `buffer[start, end)`.
 * @param before that of bytes in front of these, or another number to begin with: no two numbers give one checksum for the same bytes
 */
export function crc32(buffer: Buffer, start: number, end: number, before = 0): number {
  if (end - start > SHORT_LENGTH) return crc32OfView(buffer.subarray(start, end), before);
  let checksum = ~before;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    checksum ^= buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24);
    checksum =
      TABLES[1_792 + (checksum & 255)]! ^
      TABLES[1_536 + ((checksum >>> 8) & 255)]! ^
      TABLES[1_280 + ((checksum >>> 16) & 255)]! ^
      TABLES[1_024 + (checksum >>> 24)]! ^
      TABLES[768 + buffer[at + 4]!]! ^
      TABLES[512 + buffer[at + 5]!]! ^
      TABLES[256 + buffer[at + 6]!]! ^
      TABLES[buffer[at + 7]!]!;
  }
  for (; at < end; at++) checksum = TABLES[(checksum ^ buffer[at]!) & 255]! ^ (checksum >>> 8);
  return ~checksum >>> 0;
}

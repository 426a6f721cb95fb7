import { isUtf8 } from 'node:buffer';

/**
 * Decodes `buffer[start, end)` as MQTT section 1.5.4 wants UTF-8: well formed, without surrogates and without U+0000.
 *
 * @returns null when it is not: [MQTT-1.5.4-1] [MQTT-1.5.4-2]
 */
export function decodeUtf8(buffer: Buffer, start: number, end: number): string | null {
  for (let i = start; i < end; i++) {
    const byte = buffer[i]!;
    if (byte === 0) return null;
    if (byte >= 0x80) return decodeWide(buffer, start, end);
  }
  return buffer.toString('latin1', start, end);
}

function decodeWide(buffer: Buffer, start: number, end: number): string | null {
  const bytes = buffer.subarray(start, end);
  if (!isUtf8(bytes) || bytes.includes(0)) return null;
  return buffer.toString('utf8', start, end);
}

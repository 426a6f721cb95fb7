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

/** Whether `buffer[start, end)` is what `decodeUtf8` decodes; makes no string. */
export function isMqttUtf8(buffer: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = buffer[i]!;
    if (byte === 0) return false;
    if (byte >= 0x80) return isWide(buffer.subarray(start, end));
  }
  return true;
}

function isWide(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

function decodeWide(buffer: Buffer, start: number, end: number): string | null {
  if (!isWide(buffer.subarray(start, end))) return null;
  return buffer.toString('utf8', start, end);
}

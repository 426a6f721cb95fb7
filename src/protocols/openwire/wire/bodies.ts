import { deflateSync, inflateSync } from 'node:zlib';
import { ByteReader } from '../../../bytes/byte-reader.ts';
import { ByteWriter } from '../../../bytes/byte-writer.ts';
import { ProtocolError, TruncatedError } from '../../../errors.ts';
import { modifiedUtf8Length, readModifiedUtf8, writeModifiedUtf8 } from './modified-utf8.ts';
import {
  decodePrimitiveMap,
  decodePrimitiveStream,
  encodePrimitiveMap,
  encodePrimitiveStream,
  type PrimitiveList,
  type PrimitiveMap,
} from './primitive-map.ts';
import { BYTES_MESSAGE, type BytesMessage, type MapMessage, type Message, type StreamMessage, type TextMessage } from './structures.ts';
import { malformed } from './wire-errors.ts';

/*
 * What `content` holds, by kind of message (OpenWire specification section 5.2). Compressed content is a zlib stream of the plain one;
 * that of a BytesMessage has the plain length in four bytes in front.
 */

/** Largest body after inflating, in bytes, unless the caller says otherwise: as the largest frame of ActiveMQ's own configuration. */
export const BODY_MAX_BYTES = 104_857_600;

/** The length in front of a compressed BytesMessage, and of a text. */
const LENGTH_BYTES = 4;

/** The text length that says "no text". */
const NULL_TEXT = -1;

const EMPTY = Buffer.alloc(0);

/** A body ready to be put into a message. */
export interface Body {
  readonly content: Buffer | null;
  readonly compressed: boolean;
}

/**
 * The content as it is without compression, and null where there is none. Not a copy when it is not compressed.
 *
 * @param maxBytes most bytes it may have after inflating
 * @throws ProtocolError OPENWIRE_MALFORMED when it cannot be inflated, or becomes larger
 */
export function plainContent(message: Message, maxBytes = BODY_MAX_BYTES): Buffer | null {
  const { content, compressed, kind } = message;
  if (content === null || !compressed || content.length === 0) return content;
  return kind === BYTES_MESSAGE ? inflateBytesBody(content, maxBytes) : inflate(content, maxBytes);
}

/** The bytes of a BytesMessage. Errors as for `plainContent`. */
export function readBytesBody(message: BytesMessage, maxBytes = BODY_MAX_BYTES): Buffer {
  return plainContent(message, maxBytes) ?? EMPTY;
}

/**
 * The text of a TextMessage, null where it has none.
 *
 * @throws ProtocolError OPENWIRE_MALFORMED when the content is no text, or cannot be inflated
 */
export function readTextBody(message: TextMessage, maxBytes = BODY_MAX_BYTES): string | null {
  const content = plainContent(message, maxBytes);
  if (content === null) return null;
  return content.length === 0 ? '' : readText(content);
}

/** The entries of a MapMessage. Errors as for `readTextBody`. */
export function readMapBody(message: MapMessage, maxBytes = BODY_MAX_BYTES): PrimitiveMap {
  const content = plainContent(message, maxBytes);
  if (content === null || content.length === 0) return new Map();
  return decodePrimitiveMap(content) ?? new Map();
}

/** The values of a StreamMessage. Errors as for `readTextBody`. */
export function readStreamBody(message: StreamMessage, maxBytes = BODY_MAX_BYTES): PrimitiveList {
  return decodePrimitiveStream(plainContent(message, maxBytes) ?? EMPTY);
}

/** A body for a BytesMessage. Without compression the bytes are not copied. */
export function bytesBody(bytes: Buffer, compressed = false): Body {
  if (!compressed) return { content: bytes, compressed };
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeInt32BE(bytes.length);
  return { content: Buffer.concat([length, deflateSync(bytes)]), compressed };
}

/** A body for a TextMessage. */
export function textBody(text: string | null, compressed = false): Body {
  if (text === null) return { content: null, compressed: false };
  const byteLength = modifiedUtf8Length(text);
  const out = new ByteWriter(LENGTH_BYTES + byteLength);
  out.u32(byteLength);
  writeModifiedUtf8(out, text, byteLength);
  return body(out.copy(), compressed);
}

/** A body for a MapMessage. Throws as `encodePrimitiveMap`. */
export function mapBody(map: PrimitiveMap, compressed = false): Body {
  return body(encodePrimitiveMap(map), compressed);
}

/** A body for a StreamMessage. Throws as `encodePrimitiveStream`. */
export function streamBody(values: PrimitiveList, compressed = false): Body {
  return body(encodePrimitiveStream(values), compressed);
}

function body(content: Buffer, compressed: boolean): Body {
  return { content: compressed ? deflateSync(content) : content, compressed };
}

function readText(content: Buffer): string | null {
  const from = new ByteReader();
  from.open(content, 0, content.length);
  try {
    const length = from.i32();
    if (length === NULL_TEXT) return null;
    if (length !== from.remaining) throw malformed(`byte 0: the length ${from.remaining} was expected, ${length} came`);
    return readModifiedUtf8(from, length);
  } catch (error) {
    if (!(error instanceof ProtocolError || error instanceof TruncatedError)) throw error;
    throw malformed(`text body of ${content.length} bytes, ${error.message}`);
  }
}

/** Java deflates the whole backing buffer of a bytes message, so there may be more in the stream than the length in front says. */
function inflateBytesBody(content: Buffer, maxBytes: number): Buffer {
  if (content.length < LENGTH_BYTES) throw malformed(`compressed bytes body: 4 bytes of length were expected, ${content.length} are there`);
  const length = content.readInt32BE(0);
  const bytes = inflate(content.subarray(LENGTH_BYTES), maxBytes);
  if (length < 0 || length > bytes.length) {
    throw malformed(`compressed bytes body: ${length} bytes were announced, ${bytes.length} came out of the zlib stream`);
  }
  return bytes.subarray(0, length);
}

function inflate(content: Buffer, maxBytes: number): Buffer {
  try {
    return inflateSync(content, { maxOutputLength: maxBytes });
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? `more than ${maxBytes} bytes came out` : String(error);
    throw malformed(`compressed body of ${content.length} bytes: a zlib stream was expected, ${why}`);
  }
}

import type { ByteReader } from '../../bytes/byte-reader.ts';
import type { ByteWriter } from '../../bytes/byte-writer.ts';
import { Message, type PropertiesForm, type QoS } from '../../core/message.ts';
import type { Publisher } from '../../core/subscription.ts';

/** What must be there beside decoding: how properties are written. */
export interface StoredPropertiesForm extends PropertiesForm {
  encode(message: Message): Buffer;
}

/** Characters of a text up to which they are written one by one, which is faster than two calls into the runtime; one byte says as many. */
const SHORT_LENGTH = 64;

const RETAIN = 4;
const EXPIRES = 8;
const PUBLISHER = 16;

/**
 * Writes a message:
 *
 *     flags   QoS in bits 0-1, RETAIN, EXPIRES, PUBLISHER
 *     EXPIRES: wall clock in milliseconds (8 bytes, a float)
 *     PUBLISHER: client id (length, UTF-8); needed for No Local on retained messages alone
 *     topic (length, UTF-8)
 *     properties (length, as MQTT 5 writes them; 0: none)
 *     payload (length, bytes)
 */
export function writeMessage(writer: ByteWriter, message: Message, form: StoredPropertiesForm, withPublisher: boolean): void {
  const publisher = withPublisher && message.publisher?.kind === 'client' ? message.publisher : null;
  writer.u8(message.qos | (message.retain ? RETAIN : 0) | (message.expiresAtMs === 0 ? 0 : EXPIRES) | (publisher === null ? 0 : PUBLISHER));
  if (message.expiresAtMs !== 0) writer.f64(message.expiresAtMs);
  if (publisher !== null) writeText(writer, publisher.id);
  writeText(writer, message.topic);
  const bodyLength = message.bodyLength(form);
  const payloadLength = message.payloadLength;
  if (bodyLength >= 0) {
    writer.varint(bodyLength - payloadLength);
    writer.varint(payloadLength);
    message.writeBody(writer);
    return;
  }
  const properties = message.properties === null ? null : form.encode(message);
  writer.varint(properties?.length ?? 0);
  writer.varint(payloadLength);
  if (properties !== null) writer.bytes(properties);
  message.writePayload(writer);
}

/**
 * Reads what `writeMessage` wrote, as a message that owns its bytes.
 * @throws TruncatedError
 */
export function readMessage(reader: ByteReader, form: StoredPropertiesForm): Message {
  const flags = reader.u8();
  const expiresAtMs = (flags & EXPIRES) === 0 ? 0 : reader.f64();
  const publisher: Publisher | null = (flags & PUBLISHER) === 0 ? null : { id: readText(reader), kind: 'client' };
  const topic = readText(reader);
  const propertiesLength = reader.varint();
  const payloadLength = reader.varint();
  const body = reader.copy(propertiesLength + payloadLength);
  const qos = (flags & 3) as QoS;
  const retain = (flags & RETAIN) !== 0;
  const message = new Message(topic, qos, retain, body, propertiesLength, body.length, false, null, expiresAtMs, publisher, null);
  if (propertiesLength > 0) message.setEncodedProperties(form, 0);
  return message;
}

/** Moves over what `writeMessage` wrote. @returns the topic. @throws TruncatedError */
export function skipMessage(reader: ByteReader): string {
  const flags = reader.u8();
  if ((flags & EXPIRES) !== 0) reader.skip(8);
  if ((flags & PUBLISHER) !== 0) reader.skip(reader.varint());
  const topic = readText(reader);
  const propertiesLength = reader.varint();
  reader.skip(propertiesLength + reader.varint());
  return topic;
}

export function writeText(writer: ByteWriter, text: string): void {
  if (text.length <= SHORT_LENGTH && writeShortAscii(writer, text)) return;
  const length = Buffer.byteLength(text);
  writer.varint(length);
  const at = writer.skip(length);
  writer.buffer.write(text, at, 'utf8');
}

/** @returns false, and nothing is written, when there are other characters than those of ASCII */
function writeShortAscii(writer: ByteWriter, text: string): boolean {
  const before = writer.length;
  writer.u8(text.length);
  const at = writer.skip(text.length);
  const { buffer } = writer;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) {
      writer.truncate(before);
      return false;
    }
    buffer[at + i] = code;
  }
  return true;
}

export function readText(reader: ByteReader): string {
  const length = reader.varint();
  const at = reader.skip(length);
  return reader.buffer.toString('utf8', at, at + length);
}

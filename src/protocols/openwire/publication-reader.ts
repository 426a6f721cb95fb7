import { ByteReader } from '../../bytes/byte-reader.ts';
import type { MessageProperties, QoS } from '../../core/message.ts';
import { isTopicName, swapName } from './destination.ts';
import type { GroupAddress } from './group-address.ts';
import { type BrokerPathBytes, createBrokerPath, EMPTY_PATH, type Origin } from './message-origin.ts';
import { LONG_NAME } from './publication-form.ts';
import { type DecodedProperties, decodeProperties, expiryOf, PLAIN_PROPERTIES_LENGTH, plainQos } from './publication-properties.ts';
import { readModifiedUtf8 } from './wire/modified-utf8.ts';
import { BROKER_ID, BYTES_MESSAGE, MESSAGE_ID, PRODUCER_ID, TOPIC } from './wire/structures.ts';

/** Topics whose names are remembered in the form we use: their bytes need not be turned into a string again. */
const NAMES_REMEMBERED_MAX = 4_096;

/** Longest name that is converted byte by byte in place, in bytes. */
const SHORT_NAME_BYTES = 256;

const LONG_BYTES = 8;

/** What the reader gives up with: the frame is of another shape, or broken; the codec knows which. */
const OTHER_SHAPE = -1;

/**
 * Reads ActiveMQBytesMessages of the common shape in place: loose encoding without cache, version 10 or later, no transaction, no
 * reply-to, not compressed, nothing nested. Everything else is the codec's. One a connection, reused: fields hold what the last frame said.
 *
 * Producer, brokers and names that come again and again are recognised by their bytes and not decoded anew.
 */
export class PublicationReader {
  commandId = 0;
  responseRequired = false;
  /** MQTT's spelling; empty when it is none that can be published to in MQTT, e.g. one with wildcards. */
  topic = '';
  qos: QoS = 0;
  retain = false;
  properties: MessageProperties | null = null;
  /** The one shared subscription that it is for; null: for everyone who subscribes. */
  group: GroupAddress | null = null;
  /** Wall clock in milliseconds; 0: never. */
  expiresAtMs = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** Who published it, and its number there. */
  origin: Origin = { text: '', bytes: Buffer.alloc(0) };
  sequence = 0;
  /** The sending broker's own count of what it sent us, negative in the count of what its store has for us; 0: it keeps none. */
  linkSequence = 0;
  path: BrokerPathBytes = EMPTY_PATH;

  readonly #names = new Map<string, string>();
  /** The properties of the last message for a group, and what they say: they are mostly those of the next one, too. */
  #knownBytes = Buffer.alloc(0);
  #known: DecodedProperties | null = null;
  readonly #bytes = new ByteReader();
  readonly #levelsMax: number;
  #buffer: Buffer = this.origin.bytes;
  #end = 0;

  /** `levelsMax`: levels that a topic name may have (`Limits.topicLevels`). */
  constructor(levelsMax: number) {
    this.#levelsMax = levelsMax;
  }

  /**
   * `buffer[start, end)` is the frame without its size field.
   *
   * @returns false when it is of another shape or broken: decode it with the codec, which says what is wrong
   */
  read(buffer: Buffer, start: number, end: number): boolean {
    this.#buffer = buffer;
    this.#end = end;
    let at = start + 6;
    if (at + 1 > end || buffer[start] !== BYTES_MESSAGE) return false;
    this.commandId = buffer.readInt32BE(start + 1);
    this.responseRequired = buffer[start + 5] === 1;
    at = this.#skipProducer(at); // the sending producer
    if (at < 0) return false;
    const nameAt = at + 3;
    if (nameAt + 2 > end || buffer[at] !== 1 || buffer[at + 1] !== TOPIC || buffer[at + 2] !== 1) return false;
    const nameEnd = nameAt + 2 + buffer.readUInt16BE(nameAt);
    at = nameEnd;
    // Absent: transactionId, originalDestination. Present: messageId, without textView.
    if (at + 5 > end || buffer[at] !== 0 || buffer[at + 1] !== 0 || buffer[at + 2] !== 1 || buffer[at + 3] !== MESSAGE_ID) return false;
    if (buffer[at + 4] !== 0) return false;
    at = this.#readOrigin(at + 5);
    if (at < 0 || at + 2 * LONG_BYTES + 2 + 4 + 2 + LONG_BYTES + 2 + LONG_BYTES + 1 > end) return false;
    this.sequence = readLong(buffer, at);
    this.linkSequence = readLong(buffer, at + LONG_BYTES);
    at += 2 * LONG_BYTES;
    if (buffer[at] !== 0 || buffer[at + 1] !== 0 || buffer[at + 6] !== 0) return false; // originalTransactionId, groupId, correlationId
    const persistent = buffer[at + 7] === 1;
    at += 8;
    this.expiresAtMs = expiryOf(readLong(buffer, at));
    at += LONG_BYTES + 1; // priority
    if (buffer[at] !== 0) return false; // replyTo
    at += 1 + LONG_BYTES; // timestamp
    if (at >= end || buffer[at] !== 0) return false; // type
    return this.#readBody(at + 1, nameAt, nameEnd, persistent);
  }

  #readBody(contentAt: number, nameAt: number, nameEnd: number, persistent: boolean): boolean {
    const buffer = this.#buffer;
    const end = this.#end;
    let at = this.#skipBytes(contentAt);
    if (at < 0) return false;
    this.payloadStart = buffer[contentAt] === 1 ? contentAt + 5 : at;
    this.payloadEnd = at;
    const propertiesAt = at;
    at = this.#skipBytes(at);
    if (at < 0) return false;
    const propertiesEnd = at;
    // Absent: dataStructure, targetConsumerId; not compressed.
    if (at + 8 > end || buffer[at] !== 0 || buffer[at + 1] !== 0 || buffer[at + 2] !== 0) return false;
    at = this.#readPath(at + 7);
    if (at < 0 || at + LONG_BYTES + 4 + 2 * LONG_BYTES + 1 !== end) return false; // to the last byte: arrival ... jmsxGroupFirstForConsumer
    if (buffer[at + LONG_BYTES] !== 0 || buffer[at + LONG_BYTES + 3] !== 0) return false; // userId, cluster
    if (!this.#readProperties(propertiesAt, propertiesEnd, persistent)) return false;
    const name = this.#readName(nameAt + 2, nameEnd);
    if (this.topic === '' || name !== LONG_NAME_SWAPPED) this.topic = name;
    else if (!isTopicName(this.topic, this.#levelsMax)) this.topic = ''; // it was too long for a destination and is a property
    return true;
  }

  #readProperties(at: number, end: number, persistent: boolean): boolean {
    this.topic = '';
    this.retain = false;
    this.properties = null;
    this.group = null;
    const start = at + 5;
    if (end - start === PLAIN_PROPERTIES_LENGTH) {
      const qos = plainQos(this.#buffer, start);
      if (qos >= 0) {
        this.qos = qos as QoS;
        return true;
      }
    }
    if (end - at <= 1) {
      this.qos = persistent ? 1 : 0;
      return true;
    }
    const decoded = this.#decode(start, end);
    this.qos = decoded.qos ?? (persistent ? 1 : 0);
    this.retain = decoded.retain;
    this.properties = decoded.properties;
    this.group = decoded.group;
    this.topic = decoded.topic ?? '';
    return true;
  }

  #decode(start: number, end: number): DecodedProperties {
    const buffer = this.#buffer;
    if (this.#known !== null && sameBytes(buffer, start, end, this.#knownBytes)) return this.#known;
    const decoded = decodeProperties(buffer, start, end);
    if (decoded.group !== null && decoded.properties === null && decoded.topic === null) {
      this.#known = decoded;
      this.#knownBytes = Buffer.from(buffer.subarray(start, end));
    }
    return decoded;
  }

  #readName(start: number, end: number): string {
    const buffer = this.#buffer;
    if (end - start > SHORT_NAME_BYTES) return this.#readLongName(start, end);
    const raw = buffer.toString('latin1', start, end); // the bytes as a key, whatever they mean
    const known = this.#names.get(raw);
    if (known !== undefined) return known;
    const name = this.#readLongName(start, end);
    if (this.#names.size >= NAMES_REMEMBERED_MAX) this.#names.clear();
    this.#names.set(raw, name);
    return name;
  }

  #readLongName(start: number, end: number): string {
    const bytes = this.#bytes;
    bytes.open(this.#buffer, start, end);
    const name = swapName(readModifiedUtf8(bytes, end - start));
    bytes.close();
    return isTopicName(name, this.#levelsMax) ? name : '';
  }

  /** A nested ProducerId: `01 7b  01 u16 bytes...  i64 value  i64 sessionId`. Returns where it ends. */
  #skipProducer(at: number): number {
    const buffer = this.#buffer;
    if (at + 5 > this.#end || buffer[at] !== 1 || buffer[at + 1] !== PRODUCER_ID || buffer[at + 2] !== 1) return OTHER_SHAPE;
    const end = at + 5 + buffer.readUInt16BE(at + 3) + 2 * LONG_BYTES;
    return end > this.#end ? OTHER_SHAPE : end;
  }

  #readOrigin(at: number): number {
    const end = this.#skipProducer(at);
    if (end < 0) return OTHER_SHAPE;
    const buffer = this.#buffer;
    if (sameBytes(buffer, at, end, this.origin.bytes)) return end;
    const idEnd = end - 2 * LONG_BYTES;
    const bytes = this.#bytes;
    bytes.open(buffer, at + 5, idEnd);
    const connectionId = readModifiedUtf8(bytes, idEnd - at - 5);
    bytes.close();
    const value = readLong(buffer, idEnd);
    const sessionId = readLong(buffer, idEnd + LONG_BYTES);
    this.origin = { text: `${connectionId}:${sessionId}:${value}`, bytes: Buffer.from(buffer.subarray(at, end)) };
    return end;
  }

  #readPath(at: number): number {
    const buffer = this.#buffer;
    if (at >= this.#end) return OTHER_SHAPE;
    if (buffer[at] === 0) {
      this.path = EMPTY_PATH;
      return at + 1;
    }
    if (at + 3 > this.#end) return OTHER_SHAPE;
    const count = buffer.readUInt16BE(at + 1);
    const start = at + 3;
    let end = start;
    for (let i = 0; i < count; i++) {
      if (end + 5 > this.#end || buffer[end] !== 1 || buffer[end + 1] !== BROKER_ID || buffer[end + 2] !== 1) return OTHER_SHAPE;
      end += 5 + buffer.readUInt16BE(end + 3);
    }
    if (end > this.#end) return OTHER_SHAPE;
    if (sameBytes(buffer, start, end, this.path.bytes)) return end;
    const ids: string[] = [];
    const bytes = this.#bytes;
    for (let i = 0, idAt = start; i < count; i++) {
      const length = buffer.readUInt16BE(idAt + 3);
      bytes.open(buffer, idAt + 5, idAt + 5 + length);
      ids.push(readModifiedUtf8(bytes, length));
      idAt += 5 + length;
    }
    bytes.close();
    this.path = createBrokerPath(ids);
    return end;
  }

  /** A byte field. Returns where it ends. */
  #skipBytes(at: number): number {
    const buffer = this.#buffer;
    if (at >= this.#end) return OTHER_SHAPE;
    if (buffer[at] === 0) return at + 1;
    if (at + 5 > this.#end) return OTHER_SHAPE;
    const end = at + 5 + buffer.readUInt32BE(at + 1);
    return end > this.#end ? OTHER_SHAPE : end;
  }
}

const LONG_NAME_SWAPPED = swapName(LONG_NAME);

function sameBytes(buffer: Buffer, start: number, end: number, known: Buffer): boolean {
  const length = end - start;
  if (length !== known.length) return false;
  for (let i = length - 1; i >= 0; i--) if (buffer[start + i] !== known[i]) return false; // ids differ in their last characters first
  return true;
}

/** Exact up to 2^53 - 1, which is the year 287396 and as many messages; beyond, that bound: what is counted up from it stays a number. */
function readLong(buffer: Buffer, at: number): number {
  const value = buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
  return Math.min(Math.max(Number.MIN_SAFE_INTEGER, value), Number.MAX_SAFE_INTEGER);
}

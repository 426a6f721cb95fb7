import { ByteWriter } from '../../bytes/byte-writer.ts';
import type { Frame, Message, WireForm } from '../../core/message.ts';
import { swapName } from './destination.ts';
import type { GroupAddress } from './group-address.ts';
import { type BrokerPathBytes, createBrokerPath, createOrigin, EMPTY_PATH, LinkTransit, type Origin } from './message-origin.ts';
import { encodeAddressed, encodeProperties } from './publication-properties.ts';
import { modifiedUtf8Length, writeModifiedUtf8 } from './wire/modified-utf8.ts';
import { BYTES_MESSAGE, MESSAGE_ID, TOPIC } from './wire/structures.ts';

/** The place of this form among a message's encoded forms; MQTT has 0 to 3. */
export const PUBLICATION_SLOT = 4;

/** Where a sender fills in its command id and whether it wants an answer, from the frame's start. */
export const COMMAND_ID_AT = 5;
export const RESPONSE_REQUIRED_AT = 9;

/** Longest name that a string can carry, in bytes of modified UTF-8. A longer one is a property, and this stands in its place. */
export const NAME_BYTES_MAX = 65_535;
export const LONG_NAME = 'Roundhouse.LongName';

/** JMS priority of everything that has none of its own. */
const PRIORITY_NORMAL = 4;

/** The session and producer under which a broker publishes to others, on its own behalf. */
export const PRODUCER_SESSION = 1;
export const PRODUCER_VALUE = 1;

/** Topics whose names are remembered in the form they have on the wire. */
const NAMES_REMEMBERED_MAX = 4_096;

/**
 * The fields between a message's name and its payload, as they are in nearly every message; what differs is patched:
 *
 *     transactionId, originalDestination   absent
 *     messageId                            present, without textView, of one producer; producerSequenceId, brokerSequenceId
 *     originalTransactionId, groupId, groupSequence, correlationId   absent or 0
 *     persistent, expiration, priority, replyTo (absent), timestamp, type (absent)
 *     content                              present, with its length
 */
const BEFORE_ORIGIN = 5;
const SEQUENCE_AT = 0;
const LINK_SEQUENCE_AT = 8;
const PERSISTENT_AT = 23;
const EXPIRATION_AT = 24;
const PRIORITY_AT = 32;
const TIMESTAMP_AT = 34;
const CONTENT_AT = 43;
const AFTER_ORIGIN = 48;

/**
 * A message as other brokers get it: an ActiveMQBytesMessage, loose encoding without cache, version 10 or later (OpenWire
 * specification sections 6 and 17.2), in one frame for all of them. A sender patches its command id, whether it wants an answer, and at
 * `Frame.packetIdentifierAt` (the message id's brokerSequenceId, which only links of ours look at) its own count of what it sent.
 */
export class PublicationForm implements WireForm {
  readonly slot = PUBLICATION_SLOT;
  readonly #ownOrigin: Origin;
  /** From the size field to the destination's type code. */
  readonly #head: Buffer;
  readonly #ownMiddle: Buffer;
  readonly #ownPath: Buffer;
  /** What follows the payload of a message published here, by its properties. */
  readonly #ownTails = new Map<Buffer, Buffer>();
  readonly #names = new Map<string, Buffer>();
  readonly #wallNow: () => number;
  #timestamp = 0;
  #sequence = 0;
  /** The message that `numberOf` was asked about last, and what it said. */
  #numbered: Message | null = null;
  #number = 0;
  /** A message whose frames were forgotten between two peers must not get two ids: the last one encoded is remembered here. */
  #lastMessage: Message | null = null;
  #lastFrame: Frame | null = null;

  /** @param incarnation names who publishes: numbers begin anew with it */
  constructor(brokerId: string, incarnation: string, wallNow: () => number) {
    this.#ownOrigin = createOrigin(incarnation, PRODUCER_SESSION, PRODUCER_VALUE);
    this.#ownPath = createBrokerPath([brokerId]).bytes;
    this.#ownMiddle = middleOf(this.#ownOrigin);
    this.#wallNow = wallNow;
    const head = new ByteWriter(128);
    head.u32(0);
    head.u8(BYTES_MESSAGE);
    head.u32(0);
    head.u8(0);
    head.bytes(this.#ownOrigin.bytes); // producerId
    head.u8(1);
    head.u8(TOPIC);
    head.u8(1);
    this.#head = head.copy();
  }

  /** Who publishes what is published here. */
  get origin(): Origin {
    return this.#ownOrigin;
  }

  /** The number of a message published here, the same for all that get it as ordinary subscribers; asked for during its publication. */
  numberOf(message: Message): number {
    if (message !== this.#numbered) {
      this.#numbered = message;
      this.#number = ++this.#sequence;
    }
    return this.#number;
  }

  /** The number of a message published here that is for one shared subscription alone. */
  nextNumber(): number {
    return ++this.#sequence;
  }

  encode(message: Message): Frame {
    if (message === this.#lastMessage) return this.#lastFrame!;
    const { transit } = message;
    const frame =
      transit instanceof LinkTransit
        ? this.encodeAs(message, null, transit.origin, transit.path, transit.sequence)
        : this.encodeAs(message, null, this.#ownOrigin, EMPTY_PATH, this.numberOf(message));
    this.#lastMessage = message;
    this.#lastFrame = frame;
    return frame;
  }

  /**
   * A message for one shared subscription alone. No other broker gets this frame.
   *
   * @param passedOn the way it took to us from the broker that chose its address; null where that is us: to the others it is then a message
   *   of ours, since they may have had the one that it was chosen for
   */
  encodeFor(address: GroupAddress, message: Message, passedOn: LinkTransit | null): Frame {
    if (passedOn === null) return this.encodeAs(message, address, this.#ownOrigin, EMPTY_PATH, this.nextNumber());
    return this.encodeAs(message, address, passedOn.origin, passedOn.path, passedOn.sequence);
  }

  /** A message under an id that it has already. `path`: the brokers it came through. */
  encodeAs(message: Message, address: GroupAddress | null, origin: Origin, path: BrokerPathBytes, sequence: number): Frame {
    const isOwn = origin === this.#ownOrigin;
    const head = this.#head;
    const name = this.#names.get(message.topic) ?? this.#nameOf(message.topic);
    const named = name === LONG_NAME_BYTES;
    const properties = address === null ? encodeProperties(message, named) : encodeAddressed(message, named, address);
    const middle = isOwn ? this.#ownMiddle : middleOf(origin);
    const tail = path === EMPTY_PATH && address === null ? this.#ownTail(properties, message) : this.#tailOf(properties, path);
    const payloadBytes = message.payloadLength;

    const nameAt = head.length;
    const middleAt = nameAt + name.length;
    const payloadAt = middleAt + middle.length;
    const size = payloadAt + payloadBytes + tail.length;
    const out = Buffer.allocUnsafe(size);
    head.copy(out, 0);
    name.copy(out, nameAt);
    middle.copy(out, middleAt);
    message.copyPayload(out, payloadAt);
    tail.copy(out, payloadAt + payloadBytes);

    const patchAt = payloadAt - AFTER_ORIGIN;
    const now = this.#wallNow();
    if (!isOwn) writeLong(out, patchAt + TIMESTAMP_AT, now);
    else if (now !== this.#timestamp) this.#tick(now, out, patchAt);
    out.writeInt32BE(size - 4, 0);
    writeLong(out, patchAt + SEQUENCE_AT, sequence);
    if (message.qos > 0) out[patchAt + PERSISTENT_AT] = 1;
    if (message.expiresAtMs !== 0) writeLong(out, patchAt + EXPIRATION_AT, message.expiresAtMs);
    out.writeInt32BE(payloadBytes, patchAt + CONTENT_AT + 1);

    return { buffer: out, start: 0, end: size, packetIdentifierAt: patchAt + LINK_SEQUENCE_AT };
  }

  /** The time goes on: from now on it stands in the fields that are copied. */
  #tick(now: number, out: Buffer, patchAt: number): void {
    this.#timestamp = now;
    writeLong(this.#ownMiddle, this.#ownMiddle.length - AFTER_ORIGIN + TIMESTAMP_AT, now);
    writeLong(out, patchAt + TIMESTAMP_AT, now);
  }

  #nameOf(topic: string): Buffer {
    const name = nameBytes(swapName(topic));
    if (this.#names.size >= NAMES_REMEMBERED_MAX) this.#names.clear();
    if (topic.length <= REMEMBERED_NAME_MAX) this.#names.set(topic, name);
    return name;
  }

  #ownTail(properties: Buffer, { properties: own, topic }: Message): Buffer {
    if (own !== null || topic.length > REMEMBERED_NAME_MAX) return this.#tailOf(properties, EMPTY_PATH);
    let tail = this.#ownTails.get(properties); // one of six
    if (tail === undefined) {
      tail = this.#tailOf(properties, EMPTY_PATH);
      this.#ownTails.set(properties, tail);
    }
    return tail;
  }

  /** marshalledProperties to the end, with us at the end of the path. */
  #tailOf(properties: Buffer, path: BrokerPathBytes): Buffer {
    const out = new ByteWriter(64 + properties.length + path.bytes.length + this.#ownPath.length);
    out.u8(1);
    out.u32(properties.length);
    out.bytes(properties);
    writeZeros(out, 3 + 4); // no dataStructure, no targetConsumerId, not compressed, redeliveryCounter
    out.u8(1);
    out.u16(path.ids.length + 1);
    out.bytes(path.bytes);
    out.bytes(this.#ownPath);
    writeZeros(out, 8 + 4 + 16 + 1); // arrival; no userId, receivedByDFBridge, droppable, cluster; two times; jmsxGroupFirstForConsumer
    return out.copy();
  }
}

/** When the message in a frame of `PublicationForm` expires: wall clock in milliseconds, 0 for never. */
export function frameExpiresAtMs({ buffer, start, packetIdentifierAt }: Frame): number {
  const at = start + packetIdentifierAt - LINK_SEQUENCE_AT + EXPIRATION_AT;
  return buffer.readUInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
}

/** Longest name remembered, in characters: a few long ones must not take the room of many. */
const REMEMBERED_NAME_MAX = 1_024;

function middleOf(origin: Origin): Buffer {
  const middle = Buffer.alloc(BEFORE_ORIGIN + origin.bytes.length + AFTER_ORIGIN);
  middle[2] = 1;
  middle[3] = MESSAGE_ID;
  origin.bytes.copy(middle, BEFORE_ORIGIN);
  const patchAt = middle.length - AFTER_ORIGIN;
  middle[patchAt + PRIORITY_AT] = PRIORITY_NORMAL;
  middle[patchAt + CONTENT_AT] = 1;
  return middle;
}

function writeZeros(out: ByteWriter, count: number): void {
  for (let i = 0; i < count; i++) out.u8(0);
}

/** A whole number from -2^53 + 1 to 2^53 - 1 in eight bytes. */
export function writeLong(out: Buffer, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  out[at] = high >>> 24;
  out[at + 1] = high >>> 16;
  out[at + 2] = high >>> 8;
  out[at + 3] = high;
  out[at + 4] = value >>> 24;
  out[at + 5] = value >>> 16;
  out[at + 6] = value >>> 8;
  out[at + 7] = value;
}

/** The name with its length in front; what stands for it when it is too long. */
function nameBytes(name: string): Buffer {
  const length = modifiedUtf8Length(name);
  if (length > NAME_BYTES_MAX) return LONG_NAME_BYTES;
  const out = new ByteWriter(2 + length);
  out.u16(length);
  writeModifiedUtf8(out, name, length);
  return out.copy();
}

const LONG_NAME_BYTES = nameBytes(LONG_NAME);

import { ByteWriter } from '../../bytes/byte-writer.ts';
import type { Frame, Message, WireForm } from '../../core/message.ts';
import { swapName } from './destination.ts';
import { createBrokerPath, createOrigin, EMPTY_PATH, LinkTransit, type Origin } from './message-origin.ts';
import { encodeProperties } from './publication-properties.ts';
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

/** Bytes around the variable parts, see `encode`. */
const AFTER_ID = 32;
const AFTER_PROPERTIES = 7 + 3;
const AFTER_PATH = 29;

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
  readonly #ownPath: Buffer;
  readonly #wallNow: () => number;
  #sequence = 0;
  /** A message whose frames were forgotten between two peers must not get two ids: the last one encoded is remembered here. */
  #lastMessage: Message | null = null;
  #lastFrame: Frame | null = null;

  constructor(brokerId: string, wallNow: () => number) {
    this.#ownOrigin = createOrigin(brokerId, PRODUCER_SESSION, PRODUCER_VALUE);
    this.#ownPath = createBrokerPath([brokerId]).bytes;
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

  encode(message: Message): Frame {
    if (message === this.#lastMessage) return this.#lastFrame!;
    const { topic, transit } = message;
    const passedOn = transit instanceof LinkTransit ? transit : null;
    const origin = passedOn?.origin ?? this.#ownOrigin;
    const sequence = passedOn?.sequence ?? ++this.#sequence;
    const path = passedOn?.path ?? EMPTY_PATH;
    let name = swapName(topic);
    let nameBytes = modifiedUtf8Length(name);
    const longName = nameBytes > NAME_BYTES_MAX;
    if (longName) {
      name = LONG_NAME;
      nameBytes = name.length;
    }
    const properties = encodeProperties(message, longName);
    const payloadBytes = message.payloadLength;

    const head = this.#head;
    const idAt = head.length + 2 + nameBytes;
    const linkSequenceAt = idAt + 5 + origin.bytes.length + 8;
    const payloadAt = linkSequenceAt + 8 + AFTER_ID;
    const pathAt = payloadAt + payloadBytes + 5 + properties.length + AFTER_PROPERTIES;
    const size = pathAt + path.bytes.length + this.#ownPath.length + AFTER_PATH;

    const out = Buffer.allocUnsafe(size);
    out.fill(0, idAt, payloadAt);
    out.fill(0, payloadAt + payloadBytes);
    head.copy(out, 0);
    out.writeUInt32BE(size - 4, 0);
    writeName(out, head.length, name, nameBytes);
    let at = idAt + 2; // no transactionId, no originalDestination
    out[at++] = 1;
    out[at++] = MESSAGE_ID;
    at++; // no textView
    at += origin.bytes.copy(out, at);
    writeLong(out, at, sequence);
    at += 8 + 8; // producerSequenceId, brokerSequenceId
    at += 1 + 1 + 4 + 1; // no originalTransactionId, no group, groupSequence 0, no correlationId
    out[at++] = message.qos > 0 ? 1 : 0; // persistent
    writeLong(out, at, message.expiresAtMs);
    at += 8;
    out[at++] = PRIORITY_NORMAL;
    at++; // no replyTo
    writeLong(out, at, this.#wallNow()); // timestamp
    at += 8 + 1; // no type
    out[at++] = 1;
    out.writeUInt32BE(payloadBytes, at);
    at += 4;
    message.copyPayload(out, at);
    at += payloadBytes;
    out[at++] = 1;
    out.writeUInt32BE(properties.length, at);
    at += 4;
    at += properties.copy(out, at);
    at += 7; // no dataStructure, no targetConsumerId, not compressed, redeliveryCounter 0
    out[at++] = 1;
    out.writeUInt16BE(path.ids.length + 1, at);
    at += 2;
    at += path.bytes.copy(out, at);
    this.#ownPath.copy(out, at); // what follows is absent, false or 0

    const frame: Frame = { buffer: out, start: 0, end: size, packetIdentifierAt: linkSequenceAt };
    this.#lastMessage = message;
    this.#lastFrame = frame;
    return frame;
  }
}

/** A whole number from 0 to 2^53 - 1 in eight bytes. */
export function writeLong(out: Buffer, at: number, value: number): void {
  out.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  out.writeUInt32BE(value % 0x1_0000_0000, at + 4);
}

const wideName = new ByteWriter();

function writeName(out: Buffer, at: number, name: string, bytes: number): void {
  out.writeUInt16BE(bytes, at);
  if (bytes === name.length) {
    out.write(name, at + 2, 'latin1');
    return;
  }
  wideName.reset();
  writeModifiedUtf8(wideName, name, bytes);
  wideName.buffer.copy(out, at + 2, 0, bytes);
}

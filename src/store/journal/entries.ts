import type { ByteReader } from '../../bytes/byte-reader.ts';
import type { ByteWriter } from '../../bytes/byte-writer.ts';
import type { Stamp } from '../../core/hybrid-clock.ts';
import type { QoS } from '../../core/message.ts';
import type { Delivery } from '../../core/store.ts';
import { readText, writeText } from './message-codec.ts';

/**
 * Behind the message of a MESSAGE record, and in a DELIVERIES record, stands who it is for, each with a tag in front: a session's id, or
 * one of the lower numbers for something else that is to be there whole or not at all with it.
 */
export const FIRST_SESSION_ID = 16;
/** The sender's Packet Identifier is noted: its session's id and the identifier. */
export const TAG_RECEIVED = 0;
/** The message is the retained one of its topic: in a DELIVERIES record the topic, then the write's stamp. */
export const TAG_RETAINED = 1;
/** How far the count of the linked broker that sent it has come: its session's id, the lane and the count. */
export const TAG_NOTED = 2;

/** What a session's protocol remembers: the session's id, a name, and 0 or the value's length and 1, and the value. */
export const TAG_ATTRIBUTE = 3;

const NO_IDENTIFIERS: readonly number[] = [];

/** It came over a link, and this is who published it and its number there: the origin's session and the number. */
export const TAG_SEEN = 4;

/** The newest write of a topic's retained message. */
export interface RetainedEntry {
  /** Message number; 0: removed. */
  readonly number: number;
  readonly stamp: Stamp;
}

export function writeStamp(writer: ByteWriter, { wallMs, counter, brokerId }: Stamp): void {
  writer.f64(wallMs);
  writer.varint(counter);
  writeText(writer, brokerId);
}

export function readStamp(reader: ByteReader): Stamp {
  return { wallMs: reader.f64(), counter: reader.varint(), brokerId: readText(reader) };
}

/** @param tag the session's id; in a checkpoint the message's number */
export function writeDelivery(
  writer: ByteWriter,
  tag: number,
  sequence: number,
  size: number,
  { qos, retain, identifiers }: Delivery,
): void {
  writer.varint(tag);
  writer.varint(sequence);
  writer.u8(qos | (retain ? 4 : 0) | (identifiers.length > 0 ? 8 : 0));
  writer.varint(size);
  if (identifiers.length === 0) return;
  writer.varint(identifiers.length);
  for (const identifier of identifiers) writer.varint(identifier);
}

/** What stands behind the tag. */
export class DeliveryReading implements Delivery {
  sequence = 0;
  /** Of the message, in bytes. */
  size = 0;
  qos: QoS = 0;
  retain = false;
  identifiers: readonly number[] = NO_IDENTIFIERS;

  /** There may be millions, which are read one after the other into the same object. */
  read(reader: ByteReader): void {
    this.sequence = reader.varint();
    const flags = reader.u8();
    this.size = reader.varint();
    this.qos = (flags & 3) as QoS;
    this.retain = (flags & 4) !== 0;
    this.identifiers = (flags & 8) === 0 ? NO_IDENTIFIERS : Array.from({ length: reader.varint() }, () => reader.varint());
  }
}

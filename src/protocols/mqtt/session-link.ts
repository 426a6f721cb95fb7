import type { Broker } from '../../core/broker.ts';
import type { DropReason } from '../../core/counters.ts';
import { FrameCursor, type Message, type QoS } from '../../core/message.ts';
import type { Dismissal } from '../../core/ports.ts';
import type { Connection } from '../../transport/connection.ts';
import type { OutboundAliases } from './topic-alias.ts';
import { MQTT_5, type ProtocolLevel } from './wire/control-packet.ts';
import { locateAliasedFrame, locateFrame } from './wire-forms.ts';

/**
 * A frame from this size on, in bytes, that has more than one receiver is sent as a patched head and a reference to the payload that they
 * share. The first receiver gets a copy all the same: often it is the only one, and copying to where it leaves from is the least to do.
 */
const SHARED_PAYLOAD_SIZE_MIN = 4_096;

/** Bytes on a connection beyond which messages wait for it to drain: enough to keep a fast reader busy, little for a slow one. */
export const SEND_AHEAD_BYTES = 1024 * 1024;

/** For `SessionLink.promise`: what is promised was appended some time ago. */
export const UNKNOWN_POSITION = -1;

/** Where the frame of the message that is being sent is; read and used at once. */
const frame = new FrameCursor();

/** The connection that a session has at present. */
export interface SessionLink {
  readonly broker: Broker;
  readonly connection: Connection;
  readonly level: ProtocolLevel;
  /** Largest packet that the client accepts, in bytes. */
  readonly maximumPacketSize: number;
  /** Unacknowledged QoS 1 and 2 messages that the client accepts, or may have by its subscriptions' policies. */
  inflightMax: number;
  /**
   * Bytes on the connection beyond which QoS 1 and 2 messages wait. SEND_AHEAD_BYTES; 0 while QoS 0 messages wait, which have their turn at
   * every drain and would get none of one that acknowledgements keep full.
   */
  aheadBytes: number;
  /** Of an MQTT 5 client that accepts topic aliases; null for others. */
  readonly outboundAliases: OutboundAliases | null;
  /** The client id has a newer connection: tell the client and close. */
  takenOver(): void;
  /** An operator ends the connection: tell the client why, and close. */
  dismiss(dismissal: Dismissal): void;
  /**
   * Writes PUBACK, PUBREC, PUBREL or PUBCOMP: when what it promises is durable, and after those that were to be written before it.
   * @param before `Store.position` when nothing of what it promises had been appended yet; UNKNOWN_POSITION
   */
  promise(before: number, header: number, packetIdentifier: number, reasonCode: number): void;
}

/** Who is told of a message that a client does not get. */
export interface DropWatcher {
  drop(reason: DropReason): void;
}

/** @returns false when the packet is larger than the client accepts: it is then as if it had been sent [MQTT-3.1.2-25] */
export function sendPublish(
  link: SessionLink,
  watcher: DropWatcher,
  message: Message,
  qos: QoS,
  retain: boolean,
  identifiers: readonly number[],
  packetIdentifier: number,
  dup: boolean,
): boolean {
  const { connection, broker } = link;
  const wallMs = message.expiresAtMs === 0 ? 0 : broker.wallNow();
  const aliases = link.outboundAliases;
  const known = aliases === null ? 0 : aliases.known(message.topic);
  const alias = aliases === null || known !== 0 ? known : aliases.next(message.topic);
  if (alias !== 0) locateAliasedFrame(message, qos, identifiers, wallMs, alias, known !== 0, frame);
  else locateFrame(message, link.level, qos, identifiers, wallMs, frame);
  const size = frame.end - frame.start;
  if (size > link.maximumPacketSize) {
    watcher.drop('maximumPacketSize');
    return false;
  }
  if (alias !== known) aliases!.set(message.topic);
  let copied = size;
  if (alias === 0 && size >= SHARED_PAYLOAD_SIZE_MIN && message.sends++ > 0) {
    if (message.borrowed) {
      message.keep();
      locateFrame(message, link.level, qos, identifiers, wallMs, frame);
    }
    copied = size - message.payloadLength;
  }
  const { counters } = broker;
  counters.publishSent[qos]++;
  counters.publishBytesSent += message.payloadLength;
  const at = connection.reserve(copied);
  const output = connection.output;
  frame.buffer.copy(output, at, frame.start, frame.start + copied);
  // [MQTT-4.3.1-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
  output[at] = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
  if (qos !== 0) {
    output[at + frame.packetIdentifierAt] = packetIdentifier >> 8;
    output[at + frame.packetIdentifierAt + 1] = packetIdentifier & 255;
  }
  if (copied < size) connection.write(frame.buffer.subarray(frame.start + copied, frame.end));
  return true;
}

/**
 * Writes PUBACK, PUBREC, PUBREL or PUBCOMP with the identifier of its message [MQTT-2.2.1-5]. A reason of 0 is left out (MQTT 5.0 section
 * 3.4.2.1), versions before 5 have none. There is no Reason String here and never a user property: [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2]
 * [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3] [MQTT-3.1.2-29].
 */
export function writeAcknowledgement(link: SessionLink, header: number, packetIdentifier: number, reasonCode: number): void {
  const { connection } = link;
  const reason = reasonCode !== 0 && link.level === MQTT_5;
  link.broker.counters.answersSent++;
  const at = connection.reserve(reason ? 5 : 4);
  const output = connection.output;
  output[at] = header;
  output[at + 1] = reason ? 3 : 2;
  output[at + 2] = packetIdentifier >> 8;
  output[at + 3] = packetIdentifier & 255;
  if (reason) output[at + 4] = reasonCode;
}

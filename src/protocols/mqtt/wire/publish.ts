import { decodeUtf8 } from '../../../bytes/utf8.ts';
import { MQTT_5, type ProtocolLevel, PUBLISH, variableByteLength, writeVariableByte } from './control-packet.ts';
import { PacketWriter } from './packet-writer.ts';
import { type Properties, propertiesEnd, readProperties, skipForwardedProperties } from './property.ts';
import { malformed, protocolError } from './reason-code.ts';

/**
 * A PUBLISH read in place, MQTT 5.0 section 3.3: its fields are offsets into the packet. One instance a connection is reused.
 *
 * A client mostly publishes to the topic it published to before: then neither its bytes are checked nor a string made again.
 */
export class PublishView {
  qos: 0 | 1 | 2 = 0;
  dup = false;
  retain = false;
  /** Empty when MQTT 5 has an alias in its place. */
  topic = '';
  /** 0 at QoS 0. */
  packetIdentifier = 0;
  /** Those that have to be read here; null when there are none, or only such as receivers get as they came (`forwardsProperties`). */
  properties: Properties | null = null;
  /** Whether there are properties, and receivers can get them byte by byte. */
  forwardsProperties = false;
  /** Where the properties begin with their length (MQTT 5); the payload before. */
  propertiesStart = 0;
  payloadStart = 0;
  #topicBytes: Buffer | null = null;

  /** @throws ProtocolError MQTT_MALFORMED_PACKET or MQTT_PROTOCOL_ERROR */
  read(buffer: Buffer, header: number, start: number, end: number, level: ProtocolLevel): void {
    const qos = (header >> 1) & 3;
    if (qos === 3) throw malformed('a PUBLISH with QoS 3 [MQTT-3.3.1-4]');
    this.qos = qos as 0 | 1 | 2;
    this.dup = (header & 8) !== 0;
    if (this.dup && qos === 0) throw malformed('DUP must be 0 at QoS 0 [MQTT-3.3.1-2]');
    this.retain = (header & 1) !== 0;
    if (end - start < 2) throw malformed('PUBLISH is cut off before its topic');
    const topicEnd = start + 2 + ((buffer[start]! << 8) | buffer[start + 1]!);
    if (topicEnd > end) throw malformed('the topic of PUBLISH is cut off');
    this.#readTopic(buffer, start + 2, topicEnd); // [MQTT-3.3.2-1]
    let at = topicEnd;
    this.packetIdentifier = 0;
    if (qos > 0) {
      if (at + 2 > end) throw malformed('PUBLISH is cut off before its Packet Identifier');
      this.packetIdentifier = (buffer[at]! << 8) | buffer[at + 1]!;
      if (this.packetIdentifier === 0) throw protocolError('PUBLISH with Packet Identifier 0 [MQTT-2.2.1-3]');
      at += 2;
    }
    this.properties = null;
    this.forwardsProperties = false;
    this.propertiesStart = at;
    if (level === MQTT_5) at = this.#readProperties(buffer, at, end);
    this.payloadStart = at;
  }

  #readProperties(buffer: Buffer, at: number, end: number): number {
    if (buffer[at] === 0 && at < end) return at + 1;
    const skipped = skipForwardedProperties(buffer, at, end);
    if (skipped >= 0) {
      this.forwardsProperties = true;
      return skipped;
    }
    const p = readProperties(buffer, at, end, PUBLISH);
    this.properties = p;
    this.forwardsProperties = p.topicAlias === null && p.messageExpiryInterval === null;
    return propertiesEnd(buffer, at, end);
  }

  #readTopic(buffer: Buffer, start: number, end: number): void {
    const known = this.#topicBytes;
    const length = end - start;
    if (known !== null && known.length === length) {
      let i = 0;
      while (i < length && known[i] === buffer[start + i]) i++;
      if (i === length) return;
    }
    const topic = decodeUtf8(buffer, start, end);
    if (topic === null) throw malformed('the topic of PUBLISH is not UTF-8, or has U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2]');
    this.topic = topic;
    this.#topicBytes = Buffer.from(buffer.subarray(start, end));
  }
}

/** What the properties of an outgoing PUBLISH are made of. */
export interface PublishPropertyValues {
  readonly payloadFormatIndicator: 0 | 1 | null;
  readonly contentType: string | null;
  readonly responseTopic: string | null;
  readonly correlationData: Buffer | null;
  readonly userProperties: readonly (readonly [name: string, value: string])[];
}

const list = new PacketWriter();
const NO_PROPERTIES = Buffer.from([0]);
const withLength = new PacketWriter();

/**
 * The properties of an outgoing PUBLISH with their length in front.
 * @param messageExpiryInterval seconds; null: none
 * @param topicAlias 0: none
 */
export function writePublishProperties(
  p: PublishPropertyValues | null,
  messageExpiryInterval: number | null,
  identifiers: readonly number[],
  topicAlias = 0,
): Buffer {
  if (p === null && messageExpiryInterval === null && identifiers.length === 0 && topicAlias === 0) return NO_PROPERTIES;
  list.reset();
  if (p !== null) {
    if (p.payloadFormatIndicator !== null) list.byte(0x01).byte(p.payloadFormatIndicator); // [MQTT-3.3.2-4]
    if (p.contentType !== null) list.byte(0x03).string(p.contentType); // [MQTT-3.3.2-20]
    if (p.responseTopic !== null) list.byte(0x08).string(p.responseTopic); // [MQTT-3.3.2-15]
    if (p.correlationData !== null) list.byte(0x09).binary(p.correlationData); // [MQTT-3.3.2-16]
  }
  if (messageExpiryInterval !== null) list.byte(0x02).four(messageExpiryInterval); // [MQTT-3.3.2-6]
  if (topicAlias !== 0) list.byte(0x23).two(topicAlias);
  for (const identifier of identifiers) list.byte(0x0b).variableByte(identifier); // [MQTT-3.3.4-3]
  if (p !== null) for (const [name, value] of p.userProperties) list.byte(0x26).string(name).string(value); // [MQTT-3.3.2-17] [MQTT-3.3.2-18]
  return withLength.reset().properties(list).content();
}

/** Where the parts of a PUBLISH stand that receivers differ in, from its first byte. */
export interface PublishPlaces {
  /** 0 at QoS 0. */
  readonly packetIdentifierAt: number;
  readonly payloadAt: number;
}

/**
 * Writes a PUBLISH into a new buffer, with Packet Identifier 0 where the QoS has one [MQTT-2.2.1-2] and room for the payload, which the
 * caller copies to `payloadAt`.
 *
 * @param properties with their length in front; null before MQTT 5
 */
export function writePublish(
  topic: string,
  qos: 0 | 1 | 2,
  retain: boolean,
  properties: Buffer | null,
  payloadLength: number,
): PublishPlaces & { readonly packet: Buffer } {
  const topicLength = Buffer.byteLength(topic);
  const bodyLength = 2 + topicLength + (qos > 0 ? 2 : 0) + (properties?.length ?? 0) + payloadLength;
  const packet = Buffer.allocUnsafe(1 + variableByteLength(bodyLength) + bodyLength);
  packet[0] = (PUBLISH << 4) | (qos << 1) | (retain ? 1 : 0);
  let at = writeVariableByte(packet, 1, bodyLength);
  packet[at++] = topicLength >> 8;
  packet[at++] = topicLength & 255;
  at += packet.write(topic, at, 'utf8');
  let packetIdentifierAt = 0;
  if (qos > 0) {
    packetIdentifierAt = at;
    packet[at++] = 0;
    packet[at++] = 0;
  }
  if (properties !== null) at += properties.copy(packet, at);
  return { packet, packetIdentifierAt, payloadAt: at };
}

import type { Stamp } from '../../core/hybrid-clock.ts';
import { Message } from '../../core/message.ts';
import { codec12 } from '../../protocols/openwire/channel.ts';
import { swapName } from '../../protocols/openwire/destination.ts';
import { expiryOf, fromPropertyMap, toPropertyMap } from '../../protocols/openwire/publication-properties.ts';
import {
  type BytesMessage,
  createBrokerId,
  createBytesMessage,
  createTopic,
  longToNumber,
} from '../../protocols/openwire/wire/commands.ts';
import {
  booleanValue,
  decodePrimitiveMap,
  encodePrimitiveMap,
  LONG_VALUE,
  longValue,
  type Primitive,
  type PrimitiveMap,
  STRING_VALUE,
  stringValue,
} from '../../protocols/openwire/wire/primitive-map.ts';

/**
 * What brokers of ours tell each other besides messages and demand: messages on topics below `$SYS/cluster/v1/` whose JMS type is
 * `Roundhouse`, with their fields as properties. They never reach the router, and no client can make one: what it publishes has no type.
 *
 *     begin          this connection is the link; what the sender has got of ours so far; its networkConnector, if it has one for us
 *     connector      its networkConnector for us, when it finds out later that it has one
 *     clients        where MQTT clients find the sender
 *     demand         all the sender's demand has been told
 *     claim          a client connected to the sender
 *     retained       a retained message was set or removed
 *     end            the sender's synchronisation is complete; wants an answer
 *     marker         wants an answer when everything before it has taken effect, also at the brokers behind
 *
 * A command or property that the receiver does not know is ignored, so that a later version can say more.
 */
export type ClusterCommand =
  | {
      readonly kind: 'begin';
      readonly counts: LaneCounts;
      /** The same for what the sender's store has for us; null where it says nothing of that. */
      readonly storedCounts: LaneCounts | null;
      /** The sender's process: another one has forgotten what was not stored. */
      readonly incarnation: string;
      /** Whether the sender has the same broker id after a restart. */
      readonly keepsId: boolean;
      readonly connector: string | null;
    }
  | { readonly kind: 'connector'; readonly connector: string }
  | { readonly kind: 'clients'; readonly addresses: string }
  | { readonly kind: 'demand' }
  | { readonly kind: 'claim'; readonly clientId: string; readonly stamp: Stamp; readonly path: readonly string[] }
  | {
      readonly kind: 'retained';
      readonly topic: string;
      readonly message: Message | null;
      readonly stamp: Stamp;
      readonly path: readonly string[];
    }
  | { readonly kind: 'end' }
  | { readonly kind: 'marker'; readonly path: readonly string[] };

/** How far two brokers are with what they send each other, as one of them says it. */
export interface LaneCounts {
  /** Names the sender's count of what it sends us: a number says nothing outside its count. */
  readonly count: string;
  /** What the sender has got of ours so far, and in which count. */
  readonly received: number;
  readonly receivedCount: string;
}

/** JMS type of these messages. */
const TYPE = 'Roundhouse';
const PREFIX = swapName('$SYS/cluster/v1/');

const COUNT = 'Count';
const RECEIVED = 'Received';
const RECEIVED_COUNT = 'ReceivedCount';
const STORED_COUNT = 'StoredCount';
const STORED_RECEIVED = 'StoredReceived';
const STORED_RECEIVED_COUNT = 'StoredReceivedCount';
const INCARNATION = 'Incarnation';
const KEEPS_ID = 'KeepsId';
const CONNECTOR = 'Connector';
const ADDRESSES = 'Addresses';
const CLIENT_ID = 'ClientId';
const TOPIC_NAME = 'Topic';
const WALL_MS = 'WallMs';
const COUNTER = 'Counter';
const BROKER_ID = 'BrokerId';

/**
 * Largest wall time and counter of a stamp, in milliseconds and in stamps: the year 144680, and half of what we can count, so that our own
 * clock can go on from any stamp it has seen.
 */
const STAMP_NUMBER_MAX = 2 ** 52;

/** The command as a message; command id and whether it wants an answer are the channel's. */
export function toBytesMessage(command: ClusterCommand): BytesMessage {
  const properties = new Map<string, Primitive>();
  let content: Buffer | null = null;
  let expiration = 0;
  let path: readonly string[] = [];
  switch (command.kind) {
    case 'begin':
      properties.set(COUNT, stringValue(command.counts.count));
      properties.set(RECEIVED, longValue(command.counts.received));
      properties.set(RECEIVED_COUNT, stringValue(command.counts.receivedCount));
      if (command.storedCounts !== null) {
        properties.set(STORED_COUNT, stringValue(command.storedCounts.count));
        properties.set(STORED_RECEIVED, longValue(command.storedCounts.received));
        properties.set(STORED_RECEIVED_COUNT, stringValue(command.storedCounts.receivedCount));
      }
      properties.set(INCARNATION, stringValue(command.incarnation));
      if (command.keepsId) properties.set(KEEPS_ID, booleanValue(true));
      if (command.connector !== null) properties.set(CONNECTOR, stringValue(command.connector));
      break;
    case 'connector':
      properties.set(CONNECTOR, stringValue(command.connector));
      break;
    case 'clients':
      properties.set(ADDRESSES, stringValue(command.addresses));
      break;
    case 'claim':
      properties.set(CLIENT_ID, stringValue(command.clientId));
      setStamp(properties, command.stamp);
      path = command.path;
      break;
    case 'retained': {
      const { message } = command;
      if (message !== null) {
        for (const [name, value] of toPropertyMap(message, false)) properties.set(name, value);
        content = message.payload;
        expiration = message.expiresAtMs;
      }
      properties.set(TOPIC_NAME, stringValue(command.topic));
      setStamp(properties, command.stamp);
      path = command.path;
      break;
    }
    case 'marker':
      path = command.path;
      break;
    default:
      break;
  }
  return createBytesMessage({
    destination: createTopic({ physicalName: PREFIX + command.kind }),
    type: TYPE,
    expiration,
    content,
    marshalledProperties: properties.size === 0 ? null : encodePrimitiveMap(properties),
    brokerPath: path.length === 0 ? null : path.map((value) => createBrokerId({ value })),
  });
}

/** The whole frame, for many links. */
export function encodeCommand(command: ClusterCommand): Buffer {
  return codec12.encode(toBytesMessage(command));
}

export function isClusterCommand(message: BytesMessage): boolean {
  return message.type === TYPE && message.destination?.physicalName?.startsWith(PREFIX) === true;
}

/**
 * @returns null for a command that we do not know, or one without a field that it needs
 * @throws ProtocolError OPENWIRE_MALFORMED when its properties cannot be read
 */
export function fromBytesMessage(message: BytesMessage): ClusterCommand | null {
  const properties = readProperties(message);
  const path = brokerPathOf(message);
  switch (message.destination!.physicalName!.slice(PREFIX.length)) {
    case 'begin':
      return {
        kind: 'begin',
        counts: {
          count: textOf(properties, COUNT) ?? '',
          received: numberOf(properties, RECEIVED) ?? 0,
          receivedCount: textOf(properties, RECEIVED_COUNT) ?? '',
        },
        storedCounts: storedCountsOf(properties),
        incarnation: textOf(properties, INCARNATION) ?? '',
        keepsId: properties.get(KEEPS_ID)?.value === true,
        connector: textOf(properties, CONNECTOR),
      };
    case 'connector': {
      const connector = textOf(properties, CONNECTOR);
      return connector === null ? null : { kind: 'connector', connector };
    }
    case 'clients': {
      const addresses = textOf(properties, ADDRESSES);
      return addresses === null ? null : { kind: 'clients', addresses };
    }
    case 'demand':
      return { kind: 'demand' };
    case 'claim': {
      const clientId = textOf(properties, CLIENT_ID);
      const stamp = stampOf(properties);
      return clientId === null || stamp === null ? null : { kind: 'claim', clientId, stamp, path };
    }
    case 'retained': {
      const topic = textOf(properties, TOPIC_NAME);
      const stamp = stampOf(properties);
      if (topic === null || stamp === null) return null;
      return { kind: 'retained', topic, message: retainedMessage(message, topic, properties, path), stamp, path };
    }
    case 'end':
      return { kind: 'end' };
    case 'marker':
      return { kind: 'marker', path };
    default:
      return null;
  }
}

/** The ids in a message's brokerPath. */
export function brokerPathOf({ brokerPath }: Pick<BytesMessage, 'brokerPath'>): string[] {
  const ids: string[] = [];
  for (const id of brokerPath ?? []) if (id?.value != null) ids.push(id.value);
  return ids;
}

/** null for a removal, which has no content at all. */
function retainedMessage(from: BytesMessage, topic: string, map: PrimitiveMap, path: readonly string[]): Message | null {
  const { content } = from;
  if (content === null) return null;
  const { qos, properties } = fromPropertyMap(map);
  const expiresAtMs = expiryOf(from.expiration);
  const transit = { messageId: '', brokerPath: path, groupsServed: true };
  return new Message(topic, qos ?? 0, true, content, 0, content.length, false, properties, expiresAtMs, null, transit);
}

function storedCountsOf(properties: PrimitiveMap): LaneCounts | null {
  const count = textOf(properties, STORED_COUNT);
  if (count === null) return null;
  return { count, received: numberOf(properties, STORED_RECEIVED) ?? 0, receivedCount: textOf(properties, STORED_RECEIVED_COUNT) ?? '' };
}

function readProperties({ marshalledProperties }: BytesMessage): PrimitiveMap {
  return (marshalledProperties === null ? null : decodePrimitiveMap(marshalledProperties)) ?? new Map();
}

function setStamp(properties: Map<string, Primitive>, stamp: Stamp): void {
  properties.set(WALL_MS, longValue(stamp.wallMs));
  properties.set(COUNTER, longValue(stamp.counter));
  properties.set(BROKER_ID, stringValue(stamp.brokerId));
}

function stampOf(properties: PrimitiveMap): Stamp | null {
  const wallMs = numberOf(properties, WALL_MS) ?? -1;
  const counter = numberOf(properties, COUNTER) ?? -1;
  const brokerId = textOf(properties, BROKER_ID);
  const sound = wallMs >= 0 && wallMs <= STAMP_NUMBER_MAX && counter >= 0 && counter <= STAMP_NUMBER_MAX;
  return sound && brokerId !== null ? { wallMs, counter, brokerId } : null;
}

/** null for one that we cannot count with exactly, too. */
function numberOf(properties: PrimitiveMap, name: string): number | null {
  const found = properties.get(name);
  if (found?.type !== LONG_VALUE) return null;
  const value = longToNumber(found.value);
  return Number.isSafeInteger(value) ? value : null;
}

function textOf(properties: PrimitiveMap, name: string): string | null {
  const found = properties.get(name);
  return found?.type === STRING_VALUE ? found.value : null;
}

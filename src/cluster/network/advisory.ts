import { AWAY, BEHIND, FULL, READY, type Readiness, UNREACHABLE } from '../../core/subscription.ts';
import { codec12 } from '../../protocols/openwire/channel.ts';
import { ADVISORY_PREFIX, consumerAdvisoryTopic, swapName } from '../../protocols/openwire/destination.ts';
import { LONG_NAME, NAME_BYTES_MAX } from '../../protocols/openwire/publication-form.ts';
import {
  type ConsumerId,
  type ConsumerInfo,
  createBrokerId,
  createConsumerId,
  createConsumerInfo,
  createMessageId,
  createPlainMessage,
  createProducerId,
  createRemoveInfo,
  createTopic,
  type Message,
  type PlainMessage,
} from '../../protocols/openwire/wire/commands.ts';
import { modifiedUtf8Length } from '../../protocols/openwire/wire/modified-utf8.ts';
import {
  booleanValue,
  decodePrimitiveMap,
  encodePrimitiveMap,
  INT_VALUE,
  intValue,
  type Primitive,
  type PrimitiveMap,
  STRING_VALUE,
  stringValue,
} from '../../protocols/openwire/wire/primitive-map.ts';
import { CONSUMER_INFO, REMOVE_INFO, TOPIC } from '../../protocols/openwire/wire/structures.ts';
import type { Advert, GroupDemand } from './demand.ts';
import { PREFETCH_SIZE } from './link-limits.ts';

/*
 * Demand on the wire: what ActiveMQ tells of its consumers (OpenWire specification sections 14 and 15.3). A wish is a PlainMessage on an
 * advisory topic with a ConsumerInfo inside, its end one with a RemoveInfo.
 */

/** The session and producer of everything a broker advises of. */
const ADVISORY_SESSION = 0;
/**
 * The session under which a broker's demand stands as consumers. Not the one of the bridge's own consumer: ActiveMQ takes the same
 * ConsumerId for the same consumer and drops the second.
 */
const DEMAND_SESSION = 2;

/** A filter too long for a destination's name, in MQTT's spelling. */
const FILTER = 'Roundhouse.Filter';

/** Present where messages are to be kept while the broker that asks is not running. */
const DURABLE = 'Roundhouse.Durable';

/** The share name of a shared subscription, how many members it has at the broker, and how well they are prepared. */
const GROUP = 'Roundhouse.Group';
const GROUP_MEMBERS = 'Roundhouse.GroupMembers';
const GROUP_READINESS = 'Roundhouse.GroupReadiness';

/** [MQTT-4.8.2-1] [MQTT-4.8.2-2] */
const SHARE_NAME = /^[^/+#\0]+$/;

/** Words for a group's readiness. One that is not known says nothing against it. */
const READINESS_WORDS: ReadonlyMap<Readiness, string> = new Map<Readiness, string>([
  [FULL, 'full'],
  [UNREACHABLE, 'unreachable'],
  [AWAY, 'away'],
  [BEHIND, 'behind'],
  [READY, 'ready'],
]);

/** JMS `type` of every advisory. */
const ADVISORY_TYPE = 'Advisory';

/** A peer's wish, as its advisory says. */
export interface ConsumerNews {
  /** Names the consumer: `connectionId:sessionId:value`. */
  readonly key: string;
  /** null: the consumer has gone. */
  readonly consumer: ConsumerInfo | null;
  /** MQTT filters it stands for; none where it is about queues or a browser. */
  readonly filters: readonly string[];
  readonly brokerPath: readonly string[];
  /** The shared subscription that it is; null for an ordinary one. A broker that knows no groups says the first of one as the second. */
  readonly group: GroupDemand | null;
  /** Whether messages are to be kept while that broker is not running. */
  readonly isDurable: boolean;
}

/** Writes this broker's advisories. */
export class Advisories {
  readonly #brokerId: string;
  readonly #incarnation: string;
  readonly #origin: Map<string, Primitive>;
  #sequence = 0;

  /** @param incarnation names what is counted from the start on: wishes and advisories */
  constructor(brokerId: string, incarnation: string, brokerName: string, brokerUrl: string) {
    this.#brokerId = brokerId;
    this.#incarnation = incarnation;
    this.#origin = new Map([
      ['originBrokerId', stringValue(brokerId)],
      ['originBrokerName', stringValue(brokerName)],
      ['originBrokerURL', stringValue(brokerUrl)],
    ]);
  }

  gained(advert: Advert): PlainMessage {
    const { filter, brokerPath, group, isDurable } = advert;
    const physicalName = swapName(filter);
    const tooLong = modifiedUtf8Length(consumerAdvisoryTopic(physicalName)) > NAME_BYTES_MAX;
    const destination = createTopic({ physicalName: tooLong ? LONG_NAME : physicalName });
    const consumer = createConsumerInfo({
      consumerId: this.consumerId(advert),
      destination,
      prefetchSize: PREFETCH_SIZE,
      dispatchAsync: true,
      networkSubscription: brokerPath.length > 0,
      brokerPath: brokerPath.length === 0 ? null : brokerPath.map((value) => createBrokerId({ value })),
    });
    const message = this.#advisory(
      consumerAdvisoryTopic(destination.physicalName!),
      tooLong ? filter : null,
      group,
      group?.isDurable ?? isDurable,
    );
    message.dataStructure = consumer;
    return message;
  }

  lost(advert: Advert): PlainMessage {
    const physicalName = swapName(advert.filter);
    const topic = consumerAdvisoryTopic(physicalName);
    const message = this.#advisory(
      modifiedUtf8Length(topic) > NAME_BYTES_MAX ? consumerAdvisoryTopic(LONG_NAME) : topic,
      null,
      null,
      false,
    );
    message.dataStructure = createRemoveInfo({ objectId: this.consumerId(advert) });
    return message;
  }

  consumerId({ number }: Advert): ConsumerId {
    return createConsumerId({ connectionId: this.#incarnation, sessionId: DEMAND_SESSION, value: number });
  }

  #advisory(physicalName: string, longFilter: string | null, group: GroupDemand | null, isDurable: boolean): PlainMessage {
    const properties = new Map(this.#origin);
    if (longFilter !== null) properties.set(FILTER, stringValue(longFilter));
    if (isDurable) properties.set(DURABLE, booleanValue(true));
    if (group !== null) {
      properties.set(GROUP, stringValue(group.name));
      properties.set(GROUP_MEMBERS, intValue(group.members));
      properties.set(GROUP_READINESS, stringValue(READINESS_WORDS.get(group.readiness) ?? ''));
    }
    const producerId = createProducerId({ connectionId: this.#incarnation, sessionId: ADVISORY_SESSION, value: 0 });
    return createPlainMessage({
      producerId,
      destination: createTopic({ physicalName }),
      messageId: createMessageId({ producerId, producerSequenceId: ++this.#sequence }),
      type: ADVISORY_TYPE,
      marshalledProperties: encodePrimitiveMap(properties),
      brokerPath: [createBrokerId({ value: this.#brokerId })],
    });
  }
}

/** The whole frame, for many links. */
export function encodeAdvisory(message: PlainMessage): Buffer {
  return codec12.encode(message);
}

/** Whether a message tells of something in a broker instead of being data. */
export function isAdvisory(message: Message): boolean {
  return message.destination?.physicalName?.startsWith(ADVISORY_PREFIX) === true;
}

/**
 * What an advisory says of a consumer; null when it is about something else.
 *
 * @param composite whether a comma separates destinations, as in ActiveMQ's names, or is a character like any other, as in ours
 */
export function consumerNews(advisory: Message, composite: boolean): ConsumerNews | null {
  const structure = advisory.dataStructure;
  if (structure?.kind === CONSUMER_INFO) {
    const { consumerId, brokerPath } = structure;
    if (consumerId === null) return null;
    const path = (brokerPath ?? []).flatMap((id) => (id?.value == null ? [] : [id.value]));
    const properties = advisory.marshalledProperties === null ? null : decodePrimitiveMap(advisory.marshalledProperties);
    const filters = filtersOf(structure, properties, composite);
    const isDurable = properties?.get(DURABLE)?.value === true;
    return { key: keyOf(consumerId), consumer: structure, filters, brokerPath: path, group: groupOf(properties, isDurable), isDurable };
  }
  if (structure?.kind === REMOVE_INFO && structure.objectId !== null && 'sessionId' in structure.objectId) {
    return { key: keyOf(structure.objectId as ConsumerId), consumer: null, filters: [], brokerPath: [], group: null, isDurable: false };
  }
  return null;
}

function keyOf({ connectionId, sessionId, value }: ConsumerId): string {
  return `${connectionId}:${sessionId}:${value}`;
}

function groupOf(properties: PrimitiveMap | null, isDurable: boolean): GroupDemand | null {
  const name = properties?.get(GROUP);
  const members = properties?.get(GROUP_MEMBERS);
  const word = properties?.get(GROUP_READINESS)?.value;
  if (name?.type !== STRING_VALUE || members?.type !== INT_VALUE || !SHARE_NAME.test(name.value)) return null;
  let readiness: Readiness = READY;
  for (const [known, said] of READINESS_WORDS) if (said === word) readiness = known;
  return { name: name.value, members: Math.max(1, members.value), readiness, isDurable };
}

function filtersOf(consumer: ConsumerInfo, properties: PrimitiveMap | null, composite: boolean): string[] {
  const { destination, browser } = consumer;
  const name = destination?.physicalName ?? null;
  if (browser || destination === null || name === null) return [];
  if (composite && name.includes(',')) return name.split(',').flatMap((member) => memberFilter(member.trim(), destination.kind === TOPIC));
  if (destination.kind !== TOPIC) return [];
  const filter = name === LONG_NAME ? properties?.get(FILTER) : undefined;
  if (filter?.type === STRING_VALUE) return [filter.value];
  return [swapName(name)];
}

/** One destination of a composite: `a.b` is of the whole's kind, `topic://a.b` says its own. */
function memberFilter(member: string, wholeIsTopic: boolean): string[] {
  const match = /^([a-z-]+):\/\/(.*)$/.exec(member);
  const isTopic = match === null ? wholeIsTopic : match[1] === 'topic';
  const name = match === null ? member : match[2]!;
  return isTopic && name !== '' ? [swapName(name)] : [];
}

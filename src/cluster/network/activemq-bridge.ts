import type { Broker } from '../../core/broker.ts';
import { Message, type QoS } from '../../core/message.ts';
import { topicMatches } from '../../core/topic-filter.ts';
import type { Gauge } from '../../core/usage.ts';
import type { Channel } from '../../protocols/openwire/channel.ts';
import { ADVISORY_PREFIX, CONSUMER_ADVISORY_PREFIX, swapName } from '../../protocols/openwire/destination.ts';
import { toMqttMessage } from '../../protocols/openwire/foreign-message.ts';
import { type BrokerPathBytes, LinkTransit } from '../../protocols/openwire/message-origin.ts';
import { PRODUCER_SESSION, PRODUCER_VALUE } from '../../protocols/openwire/publication-form.ts';
import type { PublicationReader } from '../../protocols/openwire/publication-reader.ts';
import {
  type BrokerInfo,
  type ConsumerId,
  type ConsumerInfo,
  createConnectionId,
  createConnectionInfo,
  createConsumerId,
  createConsumerInfo,
  createMessageAck,
  createMessageDispatch,
  createProducerId,
  createProducerInfo,
  createSessionId,
  createSessionInfo,
  createShutdownInfo,
  createTopic,
  type DataStructure,
  isCommand,
  isMessage,
  isResponse,
  type MessageId,
  type Message as OpenWireMessage,
  type PlainMessage,
} from '../../protocols/openwire/wire/commands.ts';
import {
  ACK_STANDARD,
  CONNECTION_ERROR,
  CONSUMER_INFO,
  EXCEPTION_RESPONSE,
  type ExceptionResponse,
  MESSAGE_ACK,
  MESSAGE_DISPATCH,
  REMOVE_INFO,
  SHUTDOWN_INFO,
} from '../../protocols/openwire/wire/structures.ts';
import { type Advisories, consumerNews, isAdvisory } from './advisory.ts';
import type { Advert, Demand } from './demand.ts';
import { DurableAnswers, UNKNOWN_POSITION } from './durable-answers.ts';
import type { Link, LinkView } from './link.ts';
import { BRIDGE_SETTLE_MS, BROKER_PATH_MAX, LINK_QUEUE_MAX_BYTES, PREFETCH_SIZE } from './link-limits.ts';
import type { LinkSettings } from './link-settings.ts';
import { parseNetworkProperties } from './network-properties.ts';
import type { PeerSubscriber } from './peer-subscriber.ts';
import { isOwnStatistics } from './route-rules.ts';
import type { SeenMessages } from './seen-messages.ts';

/** Acknowledge advisories when this part of the prefetch is used up (OpenWire specification section 15.2). */
const ADVISORY_ACK_FRACTION = 0.75;

/** Number of our one consumer, of the peer's advisories, in a connection. */
const ADVISORY_CONSUMER = 1;

export interface ActiveMQBridgeOptions {
  readonly broker: Broker;
  readonly demand: Demand;
  readonly advisories: Advisories;
  readonly seen: SeenMessages;
  /** The peer as our router's subscriber. */
  subscriber(): PeerSubscriber;
  readonly channel: Channel;
  readonly peer: BrokerInfo;
  /** Our networkConnector where we dialled; null where the peer did. */
  readonly ours: LinkSettings | null;
  /** Whether this broker deals messages to the shared subscriptions of all brokers. */
  readonly knowsGroups: (brokerId: string) => boolean;
  /** Whether another connection carries messages to this peer already. */
  readonly outTaken: boolean;
  closed(bridge: ActiveMQBridge, fault: string | null): void;
}

/**
 * A link with a real ActiveMQ, of either role (OpenWire specification section 15): messages cross from the broker whose networkConnector
 * dialled, and the other way too where that says `duplex`.
 *
 * The half that forwards (*out*) asks for the peer's consumer advisories and subscribes here on their behalf. The half that is forwarded
 * to (*in*) tells the peer of our consumers when it asks, and answers its messages.
 */
export class ActiveMQBridge implements Link {
  readonly peerId: string;
  readonly peerName: string;
  readonly forwardsOut: boolean;
  readonly forwardsIn: boolean;
  readonly #options: ActiveMQBridgeOptions;
  readonly #broker: Broker;
  readonly #channel: Channel;
  readonly #settings: LinkSettings;
  readonly #subscriber: PeerSubscriber;
  readonly #initiated: boolean;
  readonly #demandConsumerId: ConsumerId;
  /** When demand of an earlier link that was not told again ends; 0: it has. */
  #settledAtMs: number;
  /** Advisories taken and not acknowledged. */
  #unacknowledged = 0;
  /** The peer's consumer of our advisories; null until it asks. */
  #advised: ConsumerInfo | null = null;
  #advisedFilters: readonly string[] = [];
  /** Advisories the peer has not acknowledged, against its prefetch. */
  #outstanding = 0;
  #waiting: PlainMessage[] = [];
  #closed = false;
  readonly #answers: DurableAnswers;

  constructor(options: ActiveMQBridgeOptions) {
    const { peer, ours, channel, broker } = options;
    this.#options = options;
    this.#broker = broker;
    this.#channel = channel;
    this.#answers = new DurableAnswers(channel, broker.store, () => this.#subscriber.waiting.messages > 0);
    this.peerId = peer.brokerId!.value!;
    this.peerName = peer.brokerName ?? '';
    this.#initiated = ours !== null;
    this.#settings = ours ?? parseNetworkProperties(peer.networkProperties ?? '');
    this.forwardsOut = !options.outTaken && (ours !== null || peer.duplexConnection);
    this.forwardsIn = ours === null || ours.duplex === true;
    this.#subscriber = options.subscriber();
    this.#demandConsumerId = createConsumerId({ connectionId: broker.incarnation, sessionId: PRODUCER_SESSION, value: ADVISORY_CONSUMER });
    this.#settledAtMs = channel.heardAtMs + BRIDGE_SETTLE_MS;
    if (this.forwardsOut) this.#beginForwarding();
    broker.log.info('link with an ActiveMQ broker up', {
      peer: this.peerId,
      peerName: this.peerName,
      address: channel.remoteAddress,
      forwards: this.forwardsOut && this.forwardsIn ? 'both ways' : this.forwardsOut ? 'to the peer' : 'from the peer',
    });
  }

  demandGained(advert: Advert): void {
    this.#advise(advert, this.#options.advisories.gained(advert));
  }

  demandLost(advert: Advert): void {
    this.#advise(advert, this.#options.advisories.lost(advert));
  }

  tick(nowMs: number): void {
    if (this.#settledAtMs !== 0 && nowMs >= this.#settledAtMs) {
      this.#settledAtMs = 0;
      if (this.forwardsOut) this.#subscriber.demand.removeStale();
    }
    if (this.forwardsOut) this.#subscriber.pump();
  }

  shutDown(): void {
    if (this.#closed) return;
    this.#channel.send(createShutdownInfo());
    this.#channel.end();
  }

  view(): LinkView {
    const { demand, waiting, counters } = this.#subscriber;
    return {
      peerId: this.peerId,
      peerName: this.peerName,
      kind: 'activemq',
      address: this.#channel.remoteAddress,
      connector: this.#initiated ? this.#settings.name : '',
      direction: this.#initiated ? 'initiated' : 'accepted',
      state: 'up',
      forwardsOut: this.forwardsOut,
      forwardsIn: this.forwardsIn,
      demand: this.forwardsOut ? demand.size : 0,
      outboxMessages: this.forwardsOut ? waiting.messages : 0,
      outboxBytes: this.forwardsOut ? waiting.bytes : 0,
      queuedBytes: this.#channel.queuedBytes,
      counters: { ...counters },
    };
  }

  onNegotiated(): void {}

  onPublication(reader: PublicationReader, buffer: Buffer): void {
    const { topic, qos, retain, payloadStart, payloadEnd, properties, expiresAtMs, origin, sequence, path } = reader;
    const before = this.#broker.store.position;
    const duplicates = this.#subscriber.counters.duplicates;
    const lacking = this.#lacking(topic, qos);
    if (topic !== '' && !isOwnStatistics(topic) && this.#isNew(origin.text, sequence, path.ids) && !topic.startsWith(ADVISORY_TOPICS)) {
      const transit = new LinkTransit(origin, sequence, path, this.#isServed(path));
      const message = new Message(
        topic,
        qos,
        retain,
        buffer,
        payloadStart,
        payloadEnd,
        true,
        properties,
        expiresAtMs,
        this.#subscriber.publisher,
        transit,
      );
      this.#broker.publish(message);
      this.#options.seen.published(before);
    }
    if (reader.responseRequired) this.#answer(reader.commandId, before, duplicates, lacking);
  }

  onResponse(correlationId: number): void {
    this.#subscriber.acknowledge(correlationId);
  }

  onCommand(command: DataStructure): void {
    if (isMessage(command)) {
      this.#onMessage(command);
      return;
    }
    if (isResponse(command)) {
      if (command.kind === EXCEPTION_RESPONSE) this.#channel.fail(`the peer refused a message: ${faultOf(command)}`);
      else this.onResponse(command.correlationId);
      return;
    }
    switch (command.kind) {
      case MESSAGE_DISPATCH:
        if (command.message !== null) this.#onAdvisory(command.message);
        break;
      case CONSUMER_INFO:
        if (this.forwardsIn) this.#beginAdvising(command);
        break;
      case REMOVE_INFO:
        this.#advised = null;
        break;
      case MESSAGE_ACK:
        this.#outstanding = Math.max(0, this.#outstanding - command.messageCount);
        this.#sendAdvisories();
        break;
      case SHUTDOWN_INFO:
        this.#channel.end();
        return;
      case CONNECTION_ERROR:
        this.#channel.fail(`the peer reports: ${command.exception?.message ?? 'an error'}`);
        return;
      default:
        break;
    }
    if (isCommand(command) && command.responseRequired) this.#channel.respond(command.commandId);
  }

  onDrain(): void {
    if (this.forwardsOut) this.#subscriber.pump();
  }

  onClosed(fault: string | null): void {
    this.#closed = true;
    this.#answers.drop();
    this.#options.closed(this, fault);
  }

  /** What an initiator says after its BrokerInfo, and the acceptor of a duplex link too; all of it wants no answer. */
  #beginForwarding(): void {
    const { incarnation: id, name } = this.#broker;
    const settings = this.#settings;
    const session = { connectionId: id, sessionId: PRODUCER_SESSION };
    this.#channel.send(
      createConnectionInfo({
        connectionId: createConnectionId({ value: id }),
        clientId: `${settings.name}_${name}_outbound`,
        userName: settings.userName,
        password: settings.password,
        clientMaster: true,
      }),
    );
    this.#channel.send(createSessionInfo({ sessionId: createSessionId({ connectionId: id, value: PRODUCER_SESSION }) }));
    this.#channel.send(createProducerInfo({ producerId: createProducerId({ ...session, value: PRODUCER_VALUE }) }));
    const subscriber = this.#subscriber;
    subscriber.demand.markStale();
    subscriber.applySettings(settings);
    if (!settings.staticBridge) {
      this.#channel.send(
        createConsumerInfo({
          consumerId: this.#demandConsumerId,
          destination: createTopic({ physicalName: `${CONSUMER_ADVISORY_PREFIX}>` }),
          prefetchSize: PREFETCH_SIZE,
          dispatchAsync: true,
        }),
      );
    }
    subscriber.attach(this.#channel, { inFlightMax: settings.prefetchSize, counted: false });
  }

  /** The limit that leaves no room for a message on this topic: it is taken, and answered when there is room again. */
  #lacking(topic: string, qos: QoS): Gauge | null {
    return this.#broker.usage.isSystemShort ? this.#broker.systemShortage(topic, qos, false) : null;
  }

  /** What was here before may not be on the disk yet. */
  #answer(commandId: number, before: number, duplicatesBefore: number, lacking: Gauge | null): void {
    if (lacking !== null) this.#answers.answerWithRoom(commandId, lacking);
    else this.#answers.answer(commandId, this.#subscriber.counters.duplicates > duplicatesBefore ? UNKNOWN_POSITION : before);
  }

  #onMessage(message: OpenWireMessage): void {
    const before = this.#broker.store.position;
    const { duplicates } = this.#subscriber.counters;
    let lacking: Gauge | null = null;
    if (isAdvisory(message)) {
      this.#onAdvisory(message);
    } else {
      const mqtt = toMqttMessage(message, this.#subscriber.publisher, this.#broker.limits.topicLevels);
      if (mqtt !== null && !isOwnStatistics(mqtt.topic)) {
        const { origin, sequence, path } = mqtt.transit as LinkTransit;
        lacking = this.#lacking(mqtt.topic, mqtt.qos);
        if (this.#isNew(origin.text, sequence, path.ids)) {
          this.#broker.publish(this.#isServed(path) ? mqtt.by(new LinkTransit(origin, sequence, path, true)) : mqtt);
          this.#options.seen.published(before);
        }
      }
    }
    if (message.responseRequired) this.#answer(message.commandId, before, duplicates, lacking);
  }

  /** It may have come from a broker of ours that is linked with us, too, and has dealt it to our groups. */
  #isServed({ ids }: BrokerPathBytes): boolean {
    return ids.some(this.#options.knowsGroups);
  }

  #isNew(origin: string, sequence: number, path: readonly string[]): boolean {
    if (!this.forwardsIn || path.length > BROKER_PATH_MAX || path.includes(this.#broker.id)) return false;
    this.#subscriber.counters.received++;
    const news = this.#options.seen.note(origin, sequence);
    if (news === 'seen') this.#subscriber.counters.duplicates++;
    return news !== 'seen';
  }

  /** One of the peer's consumers came or went. */
  #onAdvisory(advisory: OpenWireMessage): void {
    const subscriber = this.#subscriber;
    const news = this.forwardsOut ? consumerNews(advisory, true) : null;
    if (news !== null) {
      const { key, consumer, filters, brokerPath } = news;
      if (consumer === null) subscriber.demand.remove(key);
      else if (brokerPath.length < BROKER_PATH_MAX && subscriber.rules.acceptsDemand(brokerPath, this.#broker.id)) {
        if (!subscriber.demand.add(key, filters, [...brokerPath, this.peerId])) this.#channel.fail('more consumers than one peer may have');
      }
    }
    this.#acknowledgeAdvisory(advisory.messageId);
  }

  #acknowledgeAdvisory(lastMessageId: MessageId | null): void {
    if (++this.#unacknowledged <= PREFETCH_SIZE * ADVISORY_ACK_FRACTION) return;
    this.#channel.send(
      createMessageAck({
        destination: createTopic({ physicalName: `${CONSUMER_ADVISORY_PREFIX}>` }),
        consumerId: this.#demandConsumerId,
        ackType: ACK_STANDARD,
        lastMessageId,
        messageCount: this.#unacknowledged,
      }),
    );
    this.#unacknowledged = 0;
  }

  /** The peer asks for advisories: those of all our consumers first. */
  #beginAdvising(consumer: ConsumerInfo): void {
    const name = consumer.destination?.physicalName ?? '';
    const filters = name.split(',').filter((member) => member.startsWith(CONSUMER_ADVISORY_ROOT) || member === `${ADVISORY_PREFIX}>`);
    if (filters.length === 0) return;
    this.#advised = consumer;
    this.#advisedFilters = filters.map(swapName);
    this.#outstanding = 0;
    this.#waiting = [];
    for (const advert of this.#options.demand.adverts()) this.demandGained(advert);
  }

  #advise(advert: Advert, advisory: PlainMessage): void {
    if (this.#advised === null || advert.brokerPath.includes(this.peerId)) return;
    const topic = swapName(advisory.destination!.physicalName!);
    if (!this.#advisedFilters.some((filter) => topicMatches(filter, topic))) return;
    if (this.#channel.queuedBytes > LINK_QUEUE_MAX_BYTES + this.#channel.maxFrameSize) {
      this.#channel.fail('the peer does not take what it is sent');
      return;
    }
    this.#waiting.push(advisory);
    this.#sendAdvisories();
  }

  /** As many as the peer takes before it acknowledges. Duplex: as plain messages, else as dispatches to its consumer. */
  #sendAdvisories(): void {
    const consumer = this.#advised;
    if (consumer === null) return;
    const count = Math.min(this.#waiting.length, Math.max(1, consumer.prefetchSize) - this.#outstanding);
    for (const message of this.#waiting.splice(0, Math.max(0, count))) {
      this.#outstanding++;
      if (this.#initiated) {
        this.#channel.send(message);
        continue;
      }
      message.targetConsumerId = consumer.consumerId;
      this.#channel.send(createMessageDispatch({ consumerId: consumer.consumerId, destination: message.destination, message }));
    }
  }
}

/** What advisories of consumers begin with, of whatever kind of destination. */
const CONSUMER_ADVISORY_ROOT = `${ADVISORY_PREFIX}Consumer.`;

/** Advisories in MQTT's spelling: a broker's own affairs, never data. */
const ADVISORY_TOPICS = swapName(ADVISORY_PREFIX);

function faultOf(response: DataStructure): string {
  return (response as ExceptionResponse).exception?.message ?? 'no reason given';
}

import type { Broker } from '../core/broker.ts';
import { Message, type MessageProperties, type QoS } from '../core/message.ts';
import { type Route, type Subscriber, Subscription } from '../core/subscription.ts';
import { isBrokerTopic, parseShared, TOPIC_BYTES_MAX, type TopicBounds, topicFilterFault, topicNameFault } from '../core/topic-filter.ts';
import { CodedError } from '../errors.ts';

/** Largest payload of an MQTT packet, in bytes: what no client could be sent must not be published (MQTT 5.0 section 1.5.5). */
const PAYLOAD_BYTES_MAX = 268_435_455 - TOPIC_BYTES_MAX - 16;
/** Largest Message Expiry Interval, in seconds: four bytes (MQTT 5.0 section 3.3.2.3.3). */
const EXPIRY_SECONDS_MAX = 0xffff_ffff;

export interface PublishOptions {
  /** 0 unless given. */
  readonly qos?: QoS;
  /** Keeps the message for later subscribers of its topic; an empty payload removes what is kept. */
  readonly retain?: boolean;
  readonly properties?: PublishProperties;
}

/** MQTT 5.0 section 3.3.2.3. */
export interface PublishProperties {
  /** 1: the payload is UTF-8 text. */
  readonly payloadFormatIndicator?: 0 | 1;
  /** Seconds after which nobody is to receive it any more. */
  readonly messageExpiryInterval?: number;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
}

export interface SubscribeOptions {
  /** The highest QoS to receive with; 2 unless given. */
  readonly qos?: QoS;
  /** false: no retained messages at the start. */
  readonly retained?: boolean;
}

/** A message as a listener gets it. It may be kept. */
export interface ReceivedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  /** It was kept from before the subscription. */
  readonly retained: boolean;
  /** null when it has none. */
  readonly properties: MessageProperties | null;
}

export interface ActiveSubscription {
  readonly filter: string;
  /** Nothing arrives after this call. */
  unsubscribe(): void;
}

/** Publishes and subscribes inside the program that runs the broker: no socket, no encoding. */
export class InProcessClient {
  readonly #broker: Broker;
  #subscriptions = 0;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /**
   * Publishes to every subscriber, here and at linked brokers.
   *
   * @returns how many receivers at this broker it was handed to, linked brokers among them
   * @throws CodedError INVALID_MESSAGE when topic, payload or properties are not what MQTT allows; NO_SPACE (retryable) when somebody would
   *   have to keep the message and a limit of `<systemUsage>` is reached
   */
  publish(topic: string, payload: string | Uint8Array, options: PublishOptions = {}): number {
    const broker = this.#broker;
    const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : Buffer.from(payload);
    const { properties = {}, qos = 0, retain = false } = options;
    const fault = topicFault(topic, broker.limits) ?? payloadFault(bytes) ?? optionsFault(qos, properties);
    if (fault !== null) throw new CodedError('INVALID_MESSAGE', `publish: ${fault}`, 'client');
    if (broker.usage.isShort) {
      const lacking = broker.shortage(topic, qos, retain && bytes.length > 0);
      if (lacking !== null)
        throw new CodedError('NO_SPACE', `publish: ${lacking.name} is at ${lacking.percent} % of its limit`, 'client', true);
    }
    const expiry = properties.messageExpiryInterval;
    const expiresAtMs = expiry === undefined ? 0 : broker.wallNow() + expiry * 1000;
    return broker.publish(
      new Message(topic, qos, retain, bytes, 0, bytes.length, false, messageProperties(properties), expiresAtMs, null, null),
    );
  }

  /**
   * Resolves when the subscription is known here and at every linked broker, as SUBACK does for an MQTT client: what is published
   * anywhere after that arrives. Retained messages come first.
   *
   * @param filter a topic filter, or `$share/group/filter`
   * @param listener is called once a message, never from within `publish`
   * @throws CodedError INVALID_FILTER
   */
  async subscribe(
    filter: string,
    listener: (message: ReceivedMessage) => void,
    options: SubscribeOptions = {},
  ): Promise<ActiveSubscription> {
    const broker = this.#broker;
    const shared = parseShared(filter);
    const fault = shared.fault ?? topicFilterFault(shared.filter, broker.limits)?.text ?? null;
    if (fault !== null) throw new CodedError('INVALID_FILTER', `subscribe: ${fault}`, 'client');
    const subscriber = new ListenerSubscriber(`in-process:${this.#subscriptions++}`, listener);
    const subscription = new Subscription({
      filter: shared.filter,
      group: shared.group,
      subscriber,
      qos: options.qos ?? 2,
      noLocal: false,
      retainAsPublished: false,
      identifier: 0,
    });
    broker.subscribe(subscription);
    if (options.retained !== false && shared.group === null) {
      for (const message of broker.retained.match(shared.filter)) subscriber.hand(message, subscription.qos, true);
    }
    await broker.cluster?.demandKnown();
    return {
      filter,
      unsubscribe: () => {
        subscriber.close();
        broker.router.unsubscribe(shared.filter, shared.group, subscriber);
      },
    };
  }
}

class ListenerSubscriber implements Subscriber {
  readonly id: string;
  readonly kind = 'client';
  readonly publisher = this;
  readonly #listener: (message: ReceivedMessage) => void;
  #open = true;

  constructor(id: string, listener: (message: ReceivedMessage) => void) {
    this.id = id;
    this.#listener = listener;
  }

  deliver(message: Message, route: Route): void {
    this.hand(message, route.qos, false);
  }

  /** In a task of its own: an error of the listener is its program's, and must not pass through the broker. */
  hand(message: Message, qosMax: QoS, retained: boolean): void {
    const { topic, payload, qos, properties } = message.keep();
    const received: ReceivedMessage = { topic, payload, qos: Math.min(qos, qosMax) as QoS, retained, properties };
    queueMicrotask(() => {
      if (this.#open) this.#listener(received);
    });
  }

  close(): void {
    this.#open = false;
  }
}

function topicFault(topic: string, bounds: TopicBounds): string | null {
  if (isBrokerTopic(topic)) return "topics below $SYS/ and $share/ are the broker's own";
  return topicNameFault(topic, bounds)?.text ?? null;
}

function payloadFault(payload: Buffer): string | null {
  return payload.length > PAYLOAD_BYTES_MAX ? `a payload has at most ${PAYLOAD_BYTES_MAX} bytes, this one has ${payload.length}` : null;
}

function optionsFault(qos: number, { messageExpiryInterval: expiry, responseTopic }: PublishProperties): string | null {
  if (qos !== 0 && qos !== 1 && qos !== 2) return `qos is 0, 1 or 2, not ${qos}`;
  if (expiry !== undefined && !(Number.isInteger(expiry) && expiry >= 0 && expiry <= EXPIRY_SECONDS_MAX))
    return `messageExpiryInterval is whole seconds from 0 to ${EXPIRY_SECONDS_MAX}, not ${expiry}`;
  if (responseTopic !== undefined && /[+#]/.test(responseTopic)) return 'responseTopic must not contain wildcards [MQTT-3.3.2-14]';
  return null;
}

/** null where nothing is said: the common case needs no object. */
function messageProperties(given: PublishProperties): MessageProperties | null {
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = given;
  const isEmpty = [payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties].every(
    (value) => value === undefined,
  );
  if (isEmpty) return null;
  return {
    payloadFormatIndicator: payloadFormatIndicator ?? null,
    contentType: contentType ?? null,
    responseTopic: responseTopic ?? null,
    correlationData: correlationData === undefined ? null : Buffer.from(correlationData),
    userProperties: userProperties ?? [],
  };
}

import type { Broker } from './broker.ts';
import type { DestinationPolicy } from './destination-policies.ts';
import { Message, type MessageProperties } from './message.ts';
import type { Route } from './subscription.ts';
import { topicNameFault } from './topic-filter.ts';
import type { Gauge } from './usage.ts';

/** What every advisory's topic begins with: ActiveMQ's `ActiveMQ.Advisory.` in MQTT's spelling. */
const PREFIX = 'ActiveMQ/Advisory/';

/** What a filter has to begin with for its subscription to get advisories. */
const NAMED = 'ActiveMQ/';

/**
 * Advisories that may come of one turn of the event loop. What is beyond is not said: the next one on a discarded message has the count of
 * all.
 */
const ADVISORIES_A_TURN_MAX = 1_000;

/** Names as in ActiveMQ's advisory topics. */
type Kind = 'MessageDelivered' | 'MessageConsumed' | 'MessageDiscarded' | 'SlowConsumer' | 'FastProducer' | 'FULL' | 'NoConsumer';

/** Names of what they tell, as ActiveMQ has them, misspelled ones included. */
interface Facts {
  readonly consumerId?: string;
  readonly producerId?: string;
  readonly discardedCount?: number;
  readonly usageName?: string;
  readonly usageCount?: number;
  readonly orignalDestination?: string;
  /** Not in ActiveMQ: its consumer has one subscription. */
  readonly subscription?: string;
}

/** Which advisories a `policyEntry` of the file asks for. */
export interface AdvisoryRule {
  readonly forDelivery: boolean;
  readonly forConsumed: boolean;
  readonly forDiscardingMessages: boolean;
  readonly forSlowConsumers: boolean;
  readonly forFastProducers: boolean;
  readonly whenFull: boolean;
  readonly ifNoConsumers: boolean;
  /** Whether advisories of messages that were delivered or consumed carry them. */
  readonly includeBody: boolean;
}

/**
 * Publishes what happens to the messages of a topic, where its policy asks for it and somebody has subscribed to the advisory's topic by
 * name:
 *
 *     topic a/b ──► ActiveMQ/Advisory/MessageDiscarded/Topic/a/b      `ActiveMQ/Advisory/#` gets it, `#` does not
 *
 * That happens after the call that found it out, as for dead letters. Nothing is advised about advisories.
 */
export class Advisories {
  readonly #broker: Broker;
  #due: Message[] = [];
  readonly #publish = (): void => {
    const due = this.#due;
    this.#due = [];
    for (const message of due) this.#broker.publishAdvisory(message);
  };

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** A message was handed to a client's session. */
  delivered(message: Message, { advisories }: DestinationPolicy, consumerId: string, subscription: string): void {
    if (advisories?.forDelivery !== true) return;
    const facts = { consumerId, subscription, orignalDestination: message.topic };
    this.#advise('MessageDelivered', message.topic, facts, advisories.includeBody ? message : null);
  }

  /** A client has acknowledged a message, or was sent one of QoS 0. To be told where `policies.adviseOfConsumed`. */
  consumed(message: Message, consumerId: string): void {
    const rule = this.#broker.router.match(message.topic).policy?.advisories ?? null;
    if (rule?.forConsumed !== true) return;
    const facts = { consumerId, orignalDestination: message.topic };
    this.#advise('MessageConsumed', message.topic, facts, rule.includeBody ? message : null);
  }

  /** @param discardedCount messages that the subscription has lost by now, this one included */
  discarded(topic: string, policy: DestinationPolicy | null, consumerId: string, subscription: string, discardedCount: number): void {
    if (policy?.advisories?.forDiscardingMessages !== true) return;
    this.#advise('MessageDiscarded', topic, { consumerId, subscription, discardedCount, orignalDestination: topic });
  }

  /** A client begins to be slower than what is published for it. */
  slowConsumer(topic: string, policy: DestinationPolicy, consumerId: string, subscription: string): void {
    if (policy.advisories?.forSlowConsumers !== true) return;
    this.#advise('SlowConsumer', topic, { consumerId, subscription, orignalDestination: topic });
  }

  /** A client has to wait, or is refused, because of a limit. */
  full(topic: string, { name, bytes }: Pick<Gauge, 'name' | 'bytes'>, producerId: string): void {
    const rule = this.#broker.router.match(topic).policy?.advisories ?? null;
    if (rule?.whenFull === true) this.#advise('FULL', topic, { usageName: name, usageCount: bytes });
    if (rule?.forFastProducers === true) this.#advise('FastProducer', topic, { producerId, orignalDestination: topic });
  }

  /** Nobody got the message. As in ActiveMQ the advisory is the message, and only of messages that are not persistent. */
  noConsumer(message: Message, { advisories }: DestinationPolicy): void {
    if (advisories?.ifNoConsumers !== true || message.qos !== 0 || message.topic.charCodeAt(0) === 0x24) return;
    this.#advise('NoConsumer', message.topic, { orignalDestination: message.topic }, message);
  }

  #advise(kind: Kind, about: string, facts: Facts, original: Message | null = null): void {
    if (about.startsWith(PREFIX) || this.#due.length >= ADVISORIES_A_TURN_MAX) return;
    const topic = `${PREFIX}${kind}/Topic/${about}`;
    // A prefix can make a topic longer than topics may be: there is no such advisory.
    if (topicNameFault(topic, this.#broker.limits) !== null || !this.#isWanted(topic)) return;
    const { id, name } = this.#broker;
    const all = { originBrokerId: id, originBrokerName: name, ...facts };
    const said = Object.entries(all).map(([key, value]) => [key, String(value)] as const);
    const payload = original === null ? Buffer.from(JSON.stringify(all)) : original.keep().payload;
    const properties = original === null ? jsonWith(said) : withProperties(original.properties, said);
    if (this.#due.length === 0) queueMicrotask(this.#publish);
    this.#due.push(new Message(topic, 0, false, payload, 0, payload.length, false, properties, original?.expiresAtMs ?? 0, null, null));
  }

  #isWanted(topic: string): boolean {
    const { direct, shared } = this.#broker.router.match(topic);
    return direct.some(takesAdvisories) || shared.some(({ filter }) => namesAdvisories(filter));
  }
}

/** Whether a client has asked for advisories by name: who subscribes to everything does not expect them, and links carry none. */
export function takesAdvisories({ subscriber, subscription }: Route): boolean {
  return subscriber.kind !== 'peer' && namesAdvisories(subscription.filter);
}

export function namesAdvisories(filter: string): boolean {
  return filter.startsWith(NAMED);
}

function jsonWith(userProperties: MessageProperties['userProperties']): MessageProperties {
  return { payloadFormatIndicator: 1, contentType: 'application/json', responseTopic: null, correlationData: null, userProperties };
}

function withProperties(properties: MessageProperties | null, added: MessageProperties['userProperties']): MessageProperties {
  const { payloadFormatIndicator = null, contentType = null, responseTopic = null, correlationData = null } = properties ?? {};
  const userProperties = [...(properties?.userProperties ?? []), ...added];
  return { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties };
}

import type { Broker } from './broker.ts';
import type { DestinationPolicy } from './destination-policies.ts';
import { Message, type MessageProperties } from './message.ts';
import { topicNameFault } from './topic-filter.ts';

/** Stored messages that are known to have become dead letters; a message read from disk again is another object. */
const STORED_MAX = 2_048;

/** Name of the User Property that says why, as ActiveMQ's property of this name. */
const CAUSE = 'dlqDeliveryFailureCause';

const NO_PROPERTIES: MessageProperties = {
  payloadFormatIndicator: null,
  contentType: null,
  responseTopic: null,
  correlationData: null,
  userProperties: [],
};

/** Which messages of a topic become dead letters, and on which topic: a `deadLetterStrategy` of the file that names topics. */
export interface DeadLetterRule {
  /** The topic of them all; or, with `isShared` false, what stands before the topic of each. In MQTT's spelling. */
  readonly topic: string;
  readonly isShared: boolean;
  /** What stands behind each topic. */
  readonly suffix: string;
  /** Those that expire, and not only those that are discarded. */
  readonly processExpired: boolean;
  /** Those of QoS 0, too. */
  readonly processNonPersistent: boolean;
  /** How long a dead letter lives, in milliseconds; 0: for ever. */
  readonly expirationMs: number;
}

/**
 * Publishes what subscribers did not get, once for each message, whoever it was for.
 *
 * That happens after the call that found it out: it may have been in the middle of a list of what waits, which a dead letter would change.
 * A dead letter that is not delivered becomes no other.
 */
export class DeadLetters {
  readonly #broker: Broker;
  readonly #dead = new WeakSet<Message>();
  /** Numbers of stored ones, the oldest first. */
  readonly #stored = new Set<number>();
  #due: Message[] = [];
  readonly #publish = (): void => {
    const due = this.#due;
    this.#due = [];
    for (const message of due) this.#broker.publish(message);
  };

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  add(message: Message, policy: DestinationPolicy | null, cause: 'expired' | 'discarded'): void {
    const rule = policy?.deadLetters ?? null;
    if (rule === null || (message.qos === 0 && !rule.processNonPersistent) || (cause === 'expired' && !rule.processExpired)) return;
    if (isDeadLetter(message.topic, rule) || !this.#isNew(message)) return;
    const topic = rule.isShared ? rule.topic : rule.topic + message.topic + rule.suffix;
    // A prefix can make a topic longer than topics may be: there is no such dead letter.
    if (topicNameFault(topic, this.#broker.limits) !== null) return;
    const { qos, payload } = message.keep();
    const properties = message.properties ?? NO_PROPERTIES;
    const userProperties = [...properties.userProperties, [CAUSE, `${cause}: ${message.topic}`] as const];
    const expiresAtMs = rule.expirationMs === 0 ? 0 : this.#broker.wallNow() + rule.expirationMs;
    if (this.#due.length === 0) queueMicrotask(this.#publish);
    this.#due.push(
      new Message(topic, qos, false, payload, 0, payload.length, false, { ...properties, userProperties }, expiresAtMs, null, null),
    );
  }

  #isNew(message: Message): boolean {
    if (this.#dead.has(message) || this.#stored.has(message.storedAs)) return false;
    this.#dead.add(message);
    if (message.storedAs <= 0) return true;
    this.#stored.add(message.storedAs);
    if (this.#stored.size > STORED_MAX) for (const oldest of this.#stored) return this.#stored.delete(oldest);
    return true;
  }
}

function isDeadLetter(topic: string, rule: DeadLetterRule): boolean {
  return rule.isShared ? topic === rule.topic : topic.startsWith(rule.topic) && topic.endsWith(rule.suffix);
}

import type { Broker } from '../../core/broker.ts';
import type { DropReason } from '../../core/counters.ts';
import type { DestinationPolicy } from '../../core/destination-policies.ts';
import type { Message, QoS } from '../../core/message.ts';
import type { SharedGroup } from '../../core/shared-group.ts';
import type { Route, Subscription } from '../../core/subscription.ts';
import type { DropWatcher, SessionLink } from './session-link.ts';

/** A message of a shared subscription that another member gets. */
export interface Undelivered {
  readonly message: Message;
  readonly group: SharedGroup | null;
}

/** The session that owes. */
export interface DeliveriesOwner extends DropWatcher {
  /** A message that waited goes, to make room by a policy's limit. null: nobody wants it as a dead letter, or it cannot be read. */
  discarded(message: Message | null, route: Route, reason: 'pendingMessageLimit', policy: DestinationPolicy): void;
  /**
   * Counts a message that the client does not get.
   * @param route the way it would have come; null: that is not known any more. @param message null: it cannot be read
   */
  drop(reason: DropReason, route?: Route | null, message?: Message | null): void;
  /** Whether messages of QoS 0 wait for its connection: what comes later on their topics must not overtake them. */
  readonly isBehind: boolean;
  /** A message has expired before it was sent. */
  expired(message: Message): void;
  /** Sends a message of QoS 0, or lets it wait for the connection. */
  sendAtMostOnce(message: Message, retain: boolean, route: Route, policy: DestinationPolicy | null): void;
}

/**
 * What a session owes its client at QoS 1 and 2, and how far it is with it.
 *
 *     PUBLISH ──► (PUBACK) ── done                                             QoS 1
 *     PUBLISH ──► (PUBREC) ── released: PUBREL ──► (PUBCOMP) ── done           QoS 2
 */
export interface Deliveries {
  /** Messages that wait to be sent. Retained messages on their way to a new subscription may count as one. */
  readonly queued: number;
  /** Messages sent and not acknowledged. */
  readonly inflight: number;
  /** Bytes kept. */
  readonly heldBytes: number;
  /** What keeping the next message takes; see `Subscriber.spaceNeeded`. */
  readonly spaceNeeded: number;
  /** Whether the next message can be sent at once. */
  readonly isReady: boolean;
  /** Whether the next message is dropped. */
  readonly isFull: boolean;
  /** The session has a connection, whose client has had its CONNACK: what is owed is sent, what was sent before first [MQTT-4.4.0-1]. */
  resume(link: SessionLink): void;
  detach(): void;
  /** A message to be sent now, or when those before it have been. @param policy of its topic */
  offer(message: Message, qos: QoS, retain: boolean, route: Route, policy: DestinationPolicy | null): void;
  /** A new subscription's retained messages. @param retained finds them */
  replay(subscription: Subscription, retained: (subscription: Subscription) => readonly Message[]): void;
  /** The message that was sent with this identifier and not acknowledged; null: there is none, or it cannot be read. */
  unacknowledged(packetIdentifier: number): Message | null;
  /** PUBACK. An identifier that is not known is ignored. @throws ProtocolError MQTT_PROTOCOL_ERROR */
  acknowledged(packetIdentifier: number): void;
  /** PUBREC. @throws ProtocolError MQTT_PROTOCOL_ERROR */
  receivedByClient(packetIdentifier: number, reasonCode: number): void;
  /** PUBCOMP. An identifier that is not known is ignored. @throws ProtocolError MQTT_PROTOCOL_ERROR */
  completed(packetIdentifier: number): void;
  /** The connection has drained. */
  onDrain(): void;
  /** Lets go of messages that have expired while they waited: what has been sent once does not expire any more [MQTT-4.3.3-7]. */
  removeExpired(): void;
  /** Lets go of what waits by groups that have members at other brokers. */
  handOver(): Undelivered[];
  /** The session ends: nothing is owed any more. @returns what other members of its groups get */
  end(): Undelivered[];
}

/** [MQTT-3.3.2-5] */
export function isExpired({ expiresAtMs }: Pick<Message, 'expiresAtMs'>, broker: Broker): boolean {
  return expiresAtMs !== 0 && expiresAtMs <= broker.wallNow();
}

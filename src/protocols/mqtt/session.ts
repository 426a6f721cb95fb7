import type { Broker } from '../../core/broker.ts';
import type { DropReason } from '../../core/counters.ts';
import type { DestinationPolicy } from '../../core/destination-policies.ts';
import type { Stamp } from '../../core/hybrid-clock.ts';
import type { Message, QoS } from '../../core/message.ts';
import { type Discard, type DiscardWatcher, PendingMessages } from '../../core/pending-messages.ts';
import type { Dismissal, Session } from '../../core/ports.ts';
import type { SlowConsumerStrategy } from '../../core/slow-consumers.ts';
import type { DurabilityListener, StoredSession } from '../../core/store.ts';
import {
  AWAY,
  BEHIND,
  FULL,
  type Publisher,
  READY,
  type Readiness,
  type Route,
  type Subscriber,
  Subscription,
} from '../../core/subscription.ts';
import { parseShared } from '../../core/topic-filter.ts';
import { MEMORY } from '../../core/usage.ts';
import { TimerEntry, type TimerWheel } from '../../timing/timer-wheel.ts';
import type { Connection } from '../../transport/connection.ts';
import { type Deliveries, type DeliveriesOwner, isExpired } from './deliveries.ts';
import { DurableDeliveries } from './durable-deliveries.ts';
import {
  ABSENCE,
  decodeAbsence,
  decodeExpiry,
  decodeSubscription,
  decodeWill,
  EXPIRY,
  encodeAbsence,
  encodeExpiry,
  encodeSubscription,
  encodeWill,
  SUBSCRIPTION,
  WILL,
} from './session-attributes.ts';
import { SEND_AHEAD_BYTES, type SessionLink, sendPublish } from './session-link.ts';
import { VolatileDeliveries } from './volatile-deliveries.ts';
import { type Will, willMessage } from './will.ts';

/** A client that lost messages has a line in the log; the next one when it lost none for this long, in milliseconds. */
const QUIET_MS = 60_000;

/** Subscriptions that the log names of a client that has lost messages: those that lost the most. */
const NAMED_SUBSCRIPTIONS_MAX = 5;

const NOBODY: DurabilityListener = { onDurable() {} };

/** Session Expiry Interval that means "never", which is the longest. MQTT 5.0 section 3.1.2.11.2. */
export const NEVER_EXPIRES = 0xffff_ffff;

/** One client's state: subscriptions, messages in flight and waiting, QoS 2 identifiers. It may outlive its connections. */
export class MqttSession implements Session, Subscriber, DeliveriesOwner, DiscardWatcher {
  static readonly #willIsDue = (session: MqttSession): void => session.#publishWill();
  static readonly #hasExpired = (session: MqttSession): void => session.#expire();
  readonly kind = 'client';
  readonly clientId: string;
  readonly publisher: Publisher;
  claimedAt: Stamp;
  /** Seconds that the session lives without a connection; NEVER_EXPIRES. */
  expiryInterval = 0;
  readonly subscriptions = new Map<string, Subscription>();
  /** Packet Identifiers of QoS 2 messages received and not yet released, where the store does not have them. */
  #received: Set<number> | null = null;
  readonly #broker: Broker;
  readonly #timers: TimerWheel;
  #link: SessionLink | null = null;
  readonly #deliveries: Deliveries;
  /** What the store has of it; null where nothing of it outlives its connection. */
  #stored: StoredSession | null;
  /** Messages of QoS 0 that wait for the connection; null: none do. */
  #pending: PendingMessages | null = null;
  /** Bytes that the kernel has not taken from which on they wait. */
  readonly #aheadBytes: number;
  /** The smallest that a policy of one of its subscriptions has said. */
  #prefetch = Number.POSITIVE_INFINITY;
  #strategies: Set<SlowConsumerStrategy> | null = null;
  /** Policies of which it has been advised that it is slow; null: none, it was not when last looked at. */
  #slowTold: Set<DestinationPolicy> | null = null;
  #acknowledgements = 0;
  #dropped = 0;
  /** By filter as it was sent; null: nothing was dropped. */
  #droppedBy: Map<string, number> | null = null;
  #droppedAtMs = Number.NEGATIVE_INFINITY;
  #pendingWill: Will | null = null;
  readonly #willTimer = new TimerEntry<MqttSession>(this, MqttSession.#willIsDue);
  readonly #expiryTimer = new TimerEntry<MqttSession>(this, MqttSession.#hasExpired);

  /** @param stored null for a session that ends with its connection */
  constructor(clientId: string, broker: Broker, timers: TimerWheel, claimedAt: Stamp, stored: StoredSession | null) {
    this.clientId = clientId;
    this.publisher = { id: clientId, kind: 'client' };
    this.#broker = broker;
    this.#timers = timers;
    this.claimedAt = claimedAt;
    this.#stored = stored;
    this.#aheadBytes = Math.min(SEND_AHEAD_BYTES, broker.limits.connectionQueueBytes);
    this.#deliveries =
      stored === null
        ? new VolatileDeliveries(broker, this)
        : new DurableDeliveries(broker, this, stored, decodeAbsence(stored.attributes.get(ABSENCE))?.sentBefore ?? null);
  }

  get id(): string {
    return this.clientId;
  }

  get connected(): boolean {
    return this.#link !== null;
  }

  /** null while the client is away. */
  get connection(): Connection | null {
    return this.#link?.connection ?? null;
  }

  get readiness(): Readiness {
    if (this.#deliveries.isReady) return READY;
    if (this.#deliveries.isFull) return FULL;
    return this.#link === null ? AWAY : BEHIND;
  }

  /** Of QoS 0 nothing is kept but what the client is slow to read, and at a policy's limit it takes another's place. */
  spaceNeeded(qos: QoS, policy: DestinationPolicy | null): number {
    if (qos > 0) return this.#deliveries.spaceNeeded;
    if (this.#link === null || this.#link.connection.queuedBytes < SEND_AHEAD_BYTES) return 0;
    return this.#pending?.isFullFor(policy) === true ? 0 : MEMORY;
  }

  /** Retained messages on their way to a new subscription may count as one. */
  get queued(): number {
    return this.#deliveries.queued + (this.#pending?.size ?? 0);
  }

  get inflight(): number {
    return this.#deliveries.inflight;
  }

  get heldBytes(): number {
    return this.#deliveries.heldBytes + (this.#pending?.bytes ?? 0);
  }

  get dropped(): number {
    return this.#dropped;
  }

  get acknowledgements(): number {
    return this.#acknowledgements;
  }

  get isSlow(): boolean {
    const link = this.#link;
    return link !== null && (this.#pending !== null || this.#deliveries.queued > link.inflightMax);
  }

  get slowConsumerStrategies(): ReadonlySet<SlowConsumerStrategy> | null {
    return this.#strategies;
  }

  get isBehind(): boolean {
    return this.#pending !== null;
  }

  /** Whether it outlives its connections. */
  get isDurable(): boolean {
    return this.#deliveries instanceof DurableDeliveries;
  }

  get outlivesProcess(): boolean {
    return this.isDurable && this.#broker.keepsId;
  }

  /** Gives the session a new connection. Call `resume` after CONNACK. */
  attach(link: SessionLink, claimedAt: Stamp): void {
    this.#link = link;
    link.inflightMax = Math.min(link.inflightMax, this.#prefetch);
    this.#broker.counters.clientConnected();
    this.claimedAt = claimedAt;
    this.#droppedAtMs = Number.NEGATIVE_INFINITY;
    this.#slowTold = null;
    this.#timers.cancel(this.#expiryTimer);
    this.#timers.cancel(this.#willTimer);
    this.#tellGroups();
    this.#pendingWill = null; // [MQTT-3.1.3-9] a new connection before the delay has passed: the will is not sent
  }

  /** The client has its CONNACK: what is owed to it is sent, what was sent before first [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-3.3.4-9]. */
  resume(): void {
    this.#deliveries.resume(this.#link!);
  }

  /**
   * The connection has gone.
   * @param will to be published after its delay or when the session ends, whichever is first [MQTT-3.1.2-8]; null: none
   */
  detach(link: SessionLink, will: Will | null): void {
    if (this.#link !== link) return;
    this.#link = null;
    this.#broker.counters.clientsConnected--;
    this.#pending?.clear(); // sent at most once, as what was in its socket
    this.#pending = null;
    if (this.#dropped > 0) this.#tellDropped();
    this.#deliveries.detach();
    this.#pendingWill = will;
    if (this.expiryInterval === 0) {
      this.discard(); // [MQTT-4.1.0-2]
      return;
    }
    // The session stays, with what comes for it [MQTT-3.1.2-23].
    this.#tellGroups();
    this.#storeAbsence(this.#broker.wallNow());
    if (will === null && this.#stored !== null) {
      this.#stored.setAttribute(WILL, null);
      this.#broker.store.whenBatchDurable(NOBODY); // soon: a client that said goodbye is to have no will, also when the broker dies now
    }
    if (will !== null) {
      if (will.delayInterval === 0) this.#publishWill();
      else this.#timers.schedule(this.#willTimer, will.delayInterval * 1000);
    }
    if (this.expiryInterval !== NEVER_EXPIRES) this.#timers.schedule(this.#expiryTimer, this.expiryInterval * 1000);
  }

  takeOver(): void {
    this.#link?.takenOver();
  }

  connectedElsewhere(): void {
    this.#link?.takenOver();
    this.#dropWill(); // [MQTT-3.1.3-9]: the client is back, if at another broker
  }

  dismiss(dismissal: Dismissal): void {
    this.#link?.dismiss(dismissal);
  }

  /** Ends the session; a connection that it has ends first [MQTT-4.1.0-1]. */
  discard(): void {
    this.#link?.takenOver();
    this.#timers.cancel(this.#expiryTimer);
    this.#timers.cancel(this.#willTimer);
    const undelivered = this.#deliveries.end();
    for (const subscription of this.subscriptions.values()) this.#broker.router.unsubscribe(subscription.filter, subscription.group, this);
    this.subscriptions.clear();
    this.#received = null;
    this.#forgetStored();
    this.#broker.sessions.delete(this);
    for (const { message, group } of undelivered) this.#broker.reassign(message, group!);
    this.#publishWill(); // the session ends: its will is due [MQTT-3.1.2-8]
  }

  #expire(): void {
    this.#broker.counters.sessionsExpired++;
    this.discard();
  }

  /** The broker stops, and its store keeps nothing: the session ends with it, and a will that waits is due [MQTT-3.1.2-8]. */
  endWithBroker(): void {
    this.#publishWill();
  }

  /** The broker stops: this client is no member of a group any more. */
  leaveGroups(): void {
    for (const { filter, group } of this.subscriptions.values()) if (group !== null) this.#broker.router.unsubscribe(filter, group, this);
  }

  /** After that: what waits for it by groups that have members at other brokers goes there. */
  handOverGroups(): void {
    for (const { message, group } of this.#deliveries.handOver()) this.#broker.reassign(message, group!);
  }

  /** @param filter as sent, `$share/...` included; valid. @returns whether the subscription is new */
  subscribe(filter: string, qos: QoS, noLocal: boolean, retainAsPublished: boolean, identifier: number): boolean {
    const shared = parseShared(filter);
    const subscription = new Subscription({
      filter: shared.filter,
      group: shared.group,
      subscriber: this,
      qos,
      noLocal,
      retainAsPublished,
      identifier,
    });
    this.subscriptions.set(filter, subscription);
    this.#followPolicy(this.#broker.policies.of(shared.filter));
    if (this.isDurable) this.#stored!.setAttribute(SUBSCRIPTION + filter, encodeSubscription(subscription));
    return this.#broker.subscribe(subscription) === null;
  }

  /**
   * What is in flight or waits by the subscription goes on to the client [MQTT-3.10.4-3].
   * @returns whether there was such a subscription
   */
  unsubscribe(filter: string): boolean {
    const subscription = this.subscriptions.get(filter);
    if (!subscription) return false;
    this.subscriptions.delete(filter);
    this.#droppedBy?.delete(filter);
    this.#stored?.setAttribute(SUBSCRIPTION + filter, null);
    this.#broker.router.unsubscribe(subscription.filter, subscription.group, this); // [MQTT-3.10.4-2]
    return true;
  }

  deliver(message: Message, route: Route, policy: DestinationPolicy | null): void {
    const qos = message.qos < route.qos ? message.qos : route.qos; // [MQTT-3.8.4-8]
    const retain = route.retainAsPublished && message.retain; // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    if (qos === 0) this.sendAtMostOnce(message, retain, route, policy);
    else this.#deliveries.offer(message, qos, retain, route, policy); // [MQTT-4.5.0-1] [MQTT-4.6.0-5] [MQTT-4.6.0-6]
    if (policy === null || policy.advisories === null) return;
    if (qos !== 0 || this.#link !== null)
      this.#broker.advisories.delivered(message, policy, this.clientId, route.subscription.filterAsSent);
    if (qos === 0) return;
    if (this.isSlow) this.#noteSlow(message, route, policy);
    else this.#slowTold = null;
  }

  /**
   * ![MQTT-4.5.0-1]: beyond the limit of the topic's policy, or of `Limits.connectionQueueBytes`, what waits for a client that does not keep
   * up is discarded.
   */
  sendAtMostOnce(message: Message, retain: boolean, route: Route, policy: DestinationPolicy | null): void {
    const link = this.#link;
    if (link === null) return;
    if (this.#pending === null && link.connection.unsentBytes < this.#aheadBytes) this.#sendQoS0(link, message, retain, route);
    else this.#keepPending(link, message, retain, route, policy);
  }

  /** Sends a subscription's retained messages, RETAIN set (section 3.3.1.3) [MQTT3-3.3.1-8]. */
  replay(subscription: Subscription, retained: (subscription: Subscription) => readonly Message[]): void {
    this.#deliveries.replay(subscription, retained);
  }

  /** PUBACK: a QoS 1 message is done, and not before [MQTT-4.3.2-3]. @throws ProtocolError MQTT_PROTOCOL_ERROR */
  acknowledged(packetIdentifier: number): void {
    this.#acknowledgements++;
    const consumed = this.#toAdviseOf(packetIdentifier);
    this.#deliveries.acknowledged(packetIdentifier);
    if (consumed !== null) this.#broker.advisories.consumed(consumed, this.clientId);
  }

  /** PUBREC: a QoS 2 message has arrived, or is refused. @throws ProtocolError MQTT_PROTOCOL_ERROR */
  receivedByClient(packetIdentifier: number, reasonCode: number): void {
    this.#acknowledgements++;
    const consumed = this.#toAdviseOf(packetIdentifier);
    this.#deliveries.receivedByClient(packetIdentifier, reasonCode);
    if (consumed !== null) this.#broker.advisories.consumed(consumed, this.clientId);
  }

  /** PUBCOMP: a QoS 2 message is done, and not before [MQTT-4.3.3-5]. @throws ProtocolError MQTT_PROTOCOL_ERROR */
  completed(packetIdentifier: number): void {
    this.#acknowledgements++;
    this.#deliveries.completed(packetIdentifier);
  }

  /** Whether a QoS 2 message with this identifier was received and is not released. */
  hasReceived(packetIdentifier: number): boolean {
    return (this.isDurable ? this.#stored!.received : this.#received)?.has(packetIdentifier) ?? false;
  }

  /** Called right after the message was published: the store has both or none. */
  addReceived(packetIdentifier: number): void {
    if (this.isDurable) this.#stored!.addReceived(packetIdentifier);
    else (this.#received ??= new Set()).add(packetIdentifier);
  }

  /** @returns whether it was there */
  deleteReceived(packetIdentifier: number): boolean {
    if (!this.isDurable) return this.#received?.delete(packetIdentifier) ?? false;
    if (!this.#stored!.received.has(packetIdentifier)) return false;
    this.#stored!.deleteReceived(packetIdentifier);
    return true;
  }

  /** What the store must know of the connection that begins: how long the session lives after it, and the will. */
  storeConnection(will: Will | null): void {
    if (this.#stored === null && will === null) return;
    const stored = (this.#stored ??= this.#broker.store.createSession(this.clientId)); // for the will alone
    stored.setAttribute(EXPIRY, encodeExpiry(this.expiryInterval));
    stored.setAttribute(WILL, will === null ? null : encodeWill(will));
    stored.setAttribute(ABSENCE, null);
  }

  /** The client changes its mind when it leaves, in seconds. */
  changeExpiry(expiryInterval: number): void {
    this.expiryInterval = Math.min(expiryInterval, this.#broker.limits.sessionExpiryInterval);
    if (this.isDurable) this.#stored!.setAttribute(EXPIRY, encodeExpiry(this.expiryInterval));
  }

  /** Takes up what the store has of it, after a restart. */
  restore(): void {
    const stored = this.#stored!;
    const { attributes } = stored;
    this.expiryInterval = Math.min(decodeExpiry(attributes.get(EXPIRY)), this.#broker.limits.sessionExpiryInterval);
    for (const [name, value] of attributes) {
      if (!name.startsWith(SUBSCRIPTION)) continue;
      const filter = name.slice(SUBSCRIPTION.length);
      const { qos, noLocal, retainAsPublished, identifier } = decodeSubscription(value);
      this.subscribe(filter, qos, noLocal, retainAsPublished, identifier);
    }
  }

  /** After all sessions are restored: its time without a connection goes on, and the will of a client that was connected is due. */
  goOn(): void {
    const { attributes } = this.#stored!;
    const now = this.#broker.wallNow();
    const awayForMs = Math.max(0, now - (decodeAbsence(attributes.get(ABSENCE))?.since ?? now));
    this.#storeAbsence(now - awayForMs);
    this.#pendingWill = decodeWill(attributes.get(WILL));
    const leftMs = this.expiryInterval * 1000 - awayForMs;
    if (this.expiryInterval !== NEVER_EXPIRES && leftMs <= 0) {
      this.#expire();
      return;
    }
    if (this.expiryInterval !== NEVER_EXPIRES) this.#timers.schedule(this.#expiryTimer, leftMs);
    if (this.#pendingWill === null) return;
    const delayMs = this.#pendingWill.delayInterval * 1000 - awayForMs;
    if (delayMs <= 0) this.#publishWill();
    else this.#timers.schedule(this.#willTimer, delayMs);
  }

  /** @param since wall clock in milliseconds */
  #storeAbsence(since: number): void {
    if (this.#deliveries instanceof DurableDeliveries)
      this.#stored!.setAttribute(ABSENCE, encodeAbsence({ since, sentBefore: this.#deliveries.sentBefore }));
  }

  /** The connection has drained: QoS 0 messages that wait have half of it, the others the rest. */
  onDrain(): void {
    const link = this.#link;
    if (link === null) return;
    link.aheadBytes = SEND_AHEAD_BYTES;
    if (this.#pending !== null) this.#sendPending(link, this.#pending);
    this.#deliveries.onDrain();
    if (this.#pending !== null) link.aheadBytes = 0;
    else if (this.#slowTold !== null && !this.isSlow) this.#slowTold = null;
  }

  #keepPending(link: SessionLink, message: Message, retain: boolean, route: Route, policy: DestinationPolicy | null): void {
    const pending = (this.#pending ??= new PendingMessages(this, this.#broker.wallNow, this.#broker.usage));
    if (policy !== null && policy.advisories !== null) this.#noteSlow(message, route, policy);
    pending.add(message, retain, route, policy, this.#broker.limits.connectionQueueBytes - link.connection.queuedBytes);
    if (pending.size === 0) this.#pending = null;
    else link.aheadBytes = 0;
  }

  /** It is slow, of which each policy's first topic is advised until it has caught up. */
  #noteSlow({ topic }: Message, route: Route, policy: DestinationPolicy): void {
    const told = (this.#slowTold ??= new Set());
    if (told.has(policy)) return;
    told.add(policy);
    this.#broker.advisories.slowConsumer(topic, policy, this.clientId, route.subscription.filterAsSent);
  }

  /** In the order in which they came [MQTT-4.6.0-5]. */
  #sendPending(link: SessionLink, pending: PendingMessages): void {
    while (link.connection.unsentBytes < this.#aheadBytes / 2) {
      const next = pending.shift();
      if (next === null) {
        this.#pending = null;
        return;
      }
      const { message, retain, route } = next;
      if (isExpired(message, this.#broker))
        this.expired(message); // [MQTT-3.3.2-5]
      else this.#sendQoS0(link, message, retain, route);
    }
  }

  #sendQoS0(link: SessionLink, message: Message, retain: boolean, { identifiers }: Route): void {
    const isSent = sendPublish(link, this, message, 0, retain, identifiers, 0, false);
    if (isSent && this.#broker.policies.adviseOfConsumed) this.#broker.advisories.consumed(message, this.clientId);
  }

  /** The message that the client acknowledges, where somebody may want to know. */
  #toAdviseOf(packetIdentifier: number): Message | null {
    return this.#broker.policies.adviseOfConsumed ? this.#deliveries.unacknowledged(packetIdentifier) : null;
  }

  /** What a subscription's policy asks for is for all of the session: there is one window, and one connection to end. */
  #followPolicy(policy: DestinationPolicy | null): void {
    if (policy === null) return;
    this.#prefetch = Math.min(this.#prefetch, this.isDurable ? policy.durableTopicPrefetch : policy.topicPrefetch);
    if (this.#link !== null) this.#link.inflightMax = Math.min(this.#link.inflightMax, this.#prefetch);
    if (policy.slowConsumerStrategy !== null) (this.#strategies ??= new Set()).add(policy.slowConsumerStrategy);
  }

  /** The groups that it is a member of pass it over while it is away. */
  #tellGroups(): void {
    for (const { filter, group } of this.subscriptions.values()) if (group !== null) this.#broker.router.group(filter, group)?.moved(this);
  }

  #publishWill(): void {
    const will = this.#pendingWill;
    if (will === null) return;
    this.#dropWill(); // [MQTT-3.1.2-10]; a client without a will has none here [MQTT3-3.1.2-12]
    this.#broker.publish(willMessage(will, this.publisher, this.#broker.wallNow()));
  }

  #dropWill(): void {
    if (this.#pendingWill === null) return;
    this.#pendingWill = null;
    this.#timers.cancel(this.#willTimer);
    this.#stored?.setAttribute(WILL, null);
  }

  discarded(message: Message | null, route: Route, reason: Discard, policy: DestinationPolicy | null): void {
    if (reason !== 'expired') {
      this.drop(reason, route, message, policy);
      if (message !== null) this.#broker.deadLetters.add(message, policy, 'discarded');
    } else if (message !== null) {
      this.expired(message);
    }
  }

  removeExpired(): void {
    this.#pending?.removeExpired();
    if (this.#pending?.size === 0) this.#pending = null;
    this.#deliveries.removeExpired();
  }

  expired(message: Message): void {
    this.#broker.counters.expired++;
    this.#broker.deadLetters.add(message, this.#broker.policies.of(message.topic), 'expired');
  }

  /**
   * Counts a message that this client does not get; the log has one line until it has got all for a while. ![MQTT-4.5.0-1]: beyond the
   * bounds on what waits for one client (`Limits.sessionQueueMessages`, `sessionQueueBytes`) the newest messages are dropped.
   * @param route the way it would have come, whose subscription it counts for; null: that is not known any more
   * @param policy whose limit it was; null: one of ours
   */
  drop(limit: DropReason, route: Route | null = null, message: Message | null = null, policy: DestinationPolicy | null = null): void {
    this.#broker.counters.drop(limit);
    this.#dropped++;
    const filter = route === null ? null : route.subscription.filterAsSent;
    if (filter !== null) {
      const count = this.#countDropped(filter);
      // A policy's limit says whose topic it is; others' topics are looked up.
      if (message !== null) {
        const { topic } = message;
        this.#broker.advisories.discarded(topic, policy ?? this.#broker.router.match(topic).policy, this.clientId, filter, count);
      }
    }
    const now = this.#broker.wallNow();
    const isQuiet = Math.abs(now - this.#droppedAtMs) >= QUIET_MS;
    this.#droppedAtMs = now;
    if (!isQuiet) return;
    const facts =
      limit !== 'pendingMessageLimit' || policy === null ? {} : { destination: policy.destination, value: policy.pendingMessageLimit };
    const subscription = filter === null ? {} : { filter };
    this.#broker.log.warn('messages for a client are dropped', { clientId: this.clientId, ...subscription, limit, ...facts });
  }

  /** The client has gone: what it has lost, in all and by subscription. */
  #tellDropped(): void {
    const most = [...(this.#droppedBy ?? [])].sort((a, b) => b[1] - a[1]).slice(0, NAMED_SUBSCRIPTIONS_MAX);
    const by = most.length === 0 ? {} : { subscriptions: most.map(([filter, count]) => `${filter} (${count})`).join(', ') };
    this.#broker.log.info('a client whose messages were dropped has gone', { clientId: this.clientId, dropped: this.#dropped, ...by });
  }

  /** @returns how many the subscription has lost by now; of one that has ended meanwhile nothing is counted */
  #countDropped(filter: string): number {
    if (!this.subscriptions.has(filter)) return 0;
    const dropped = (this.#droppedBy?.get(filter) ?? 0) + 1;
    (this.#droppedBy ??= new Map()).set(filter, dropped);
    return dropped;
  }

  #forgetStored(): void {
    if (this.#stored !== null && !this.isDurable) this.#stored.drop(); // durable ones are dropped by their deliveries
    this.#stored = null;
  }
}

import type { Facts, Log } from '../telemetry/log.ts';
import { Advisories, namesAdvisories, takesAdvisories } from './advisories.ts';
import { BrokerCounters } from './counters.ts';
import { DeadLetters } from './dead-letters.ts';
import { type DestinationPolicies, NO_POLICIES } from './destination-policies.ts';
import { HybridClock, type Stamp } from './hybrid-clock.ts';
import { LimitWatch } from './limit-watch.ts';
import { type LimitName, type Limits, limitsWith, type RefusingLimit } from './limits.ts';
import { MemoryStore } from './memory-store.ts';
import type { Message, QoS } from './message.ts';
import type { AuthenticationMechanism, Authenticator, Cluster, Dismissal } from './ports.ts';
import { RetainedMessages } from './retained.ts';
import { Router } from './router.ts';
import { SessionRegistry } from './session-registry.ts';
import type { SharedGroup } from './shared-group.ts';
import type { Store } from './store.ts';
import type { Route, Subscription } from './subscription.ts';
import { SubscriptionCounts } from './subscription-counts.ts';
import { TopicMemory } from './topic-memory.ts';
import { type Gauge, MEMORY, Usage } from './usage.ts';

export interface BrokerOptions {
  /** Unique over the network and new at each start: the broker's id, unless the store has one from an earlier start. */
  readonly id: string;
  readonly name: string;
  readonly log: Log;
  /** What outlives the process; left out: nothing does. */
  readonly store?: Store;
  /** Those that are to differ from their defaults. */
  readonly limits?: Partial<Limits>;
  /** What the file asks for topics; left out: nothing. */
  readonly policies?: DestinationPolicies;
  /** Wall clock in milliseconds; for tests. */
  readonly wallNow?: () => number;
  /** Decides by user name and password, or by certificate, who may connect. */
  readonly authenticator?: Authenticator | null;
  /** Ways to prove who one is in several steps. Where there are some and no authenticator, they alone let anybody in. */
  readonly mechanisms?: readonly AuthenticationMechanism[];
}

/** Clients are to go elsewhere, for the time being or for good. */
export type Redirection = Dismissal & { readonly reason: 'useAnotherServer' | 'serverMoved' };

/**
 * The broker itself: what everything else holds on to. Knows no socket, no protocol and no disk.
 */
export class Broker {
  /** This process; two of them never have the same, also of one broker. */
  readonly incarnation: string;
  readonly name: string;
  readonly log: Log;
  readonly limits: Limits;
  readonly wallNow: () => number;
  readonly clock: HybridClock;
  readonly policies: DestinationPolicies;
  readonly deadLetters = new DeadLetters(this);
  readonly advisories = new Advisories(this);
  readonly router: Router;
  /** Of the broker and not of any session [MQTT3-3.1.2-7]. */
  readonly retained: RetainedMessages;
  readonly sessions = new SessionRegistry();
  readonly subscriptions = new SubscriptionCounts();
  #id: string;
  #store: Store;
  readonly counters = new BrokerCounters();
  /** What messages take of memory and disk, and may take. */
  readonly usage: Usage;
  /** null: whoever connects is let in, unless there are `mechanisms`. */
  readonly authenticator: Authenticator | null;
  /** By name. */
  readonly mechanisms: ReadonlyMap<string, AuthenticationMechanism>;
  /** null for a broker that stands alone. */
  cluster: Cluster | null = null;
  #redirection: Redirection | null = null;
  readonly #limitWatch: LimitWatch;
  #keepsId = false;

  /** @throws ConfigError INVALID_LIMIT */
  constructor(options: BrokerOptions) {
    this.incarnation = options.id;
    this.#id = options.id;
    this.name = options.name;
    this.log = options.log;
    this.usage = new Usage(this.counters, this.log);
    this.#store = new MemoryStore(this.usage);
    if (options.store !== undefined) this.takeStore(options.store);
    this.limits = limitsWith(options.limits ?? {});
    this.wallNow = options.wallNow ?? Date.now;
    this.#limitWatch = new LimitWatch(this.counters, this.log, this.wallNow);
    this.clock = new HybridClock(options.id, this.wallNow);
    this.policies = options.policies ?? NO_POLICIES;
    this.router = new Router(this.limits.routeCacheTopics, this.policies);
    this.router.watch(this.subscriptions);
    if (this.policies.all.some(({ memoryLimitBytes }) => memoryLimitBytes < Number.POSITIVE_INFINITY))
      this.usage.topics = new TopicMemory(
        (topic) => this.router.match(topic).policy,
        this.counters,
        this.log,
        () => this.usage.turned(),
      );
    this.retained = new RetainedMessages(this.limits, this.wallNow, this.usage);
    this.authenticator = options.authenticator ?? null;
    this.mechanisms = new Map((options.mechanisms ?? []).map((mechanism) => [mechanism.name, mechanism]));
  }

  /** Unique over the network; the same after a restart where the store keeps it. */
  get id(): string {
    return this.#id;
  }

  /** Whether the id is the same after a restart, and what linked brokers keep for it finds it again. */
  get keepsId(): boolean {
    return this.#keepsId;
  }

  get store(): Store {
    return this.#store;
  }

  /** Gives the broker its store, and with it the id that it had before. Called before anybody connects. */
  takeStore(store: Store): void {
    this.#store = store;
    const kept = store.brokerId(this.incarnation);
    this.#keepsId = kept !== null;
    if (kept !== null) this.#id = kept;
  }

  /**
   * Hands a message to all its subscribers, and keeps it if it is to be retained.
   *
   * A message that came over a link is retained by its own path (`retainFromPeer`), not by its RETAIN flag.
   * @returns how many subscribers it was handed to
   */
  publish(message: Message): number {
    this.counters.published++;
    if (message.retain && message.transit === null) this.#retain(message); // [MQTT-3.3.1-8]
    const receivers = this.#deliver(message);
    this.counters.delivered += receivers;
    return receivers;
  }

  /**
   * The limit that stands in the way of a message to be published: for it to be kept, by its receivers or as a retained one, there is no
   * room. null: it may be published. To be asked while `usage.isShort`; at other times there is room.
   */
  shortage(topic: string, qos: QoS, isRetained: boolean): Gauge | null {
    const full = this.usage.topics === null ? null : this.usage.topics.fullOf(topic);
    if (full !== null && (this.#needs(topic, qos, 0) & MEMORY) !== 0) return full;
    return this.usage.isSystemShort ? this.systemShortage(topic, qos, isRetained) : null;
  }

  /** As `shortage`, for what comes with messages of all topics and cannot wait for one of them; to be asked while `usage.isSystemShort`. */
  systemShortage(topic: string, qos: QoS, isRetained: boolean): Gauge | null {
    return this.usage.lacking(this.#needs(topic, qos, isRetained ? MEMORY | this.store.spaceNeeded : 0));
  }

  /** Whether who publishes on this topic is refused what there is no room for, instead of waiting. */
  refusesAtOnce(topic: string): boolean {
    return this.router.match(topic).policy?.sendFailIfNoSpace ?? this.usage.limits.sendFailIfNoSpace;
  }

  /** ...or when it has waited for so long, in milliseconds; 0: it is not. */
  refusesAfterMs(topic: string): number {
    return this.router.match(topic).policy?.sendFailIfNoSpaceAfterTimeoutMs ?? this.usage.limits.sendFailIfNoSpaceAfterTimeoutMs;
  }

  /**
   * Publishes what this broker says of itself, `$SYS/...`: retained, and handed to clients here. Links let no such topic pass.
   */
  publishOwn(message: Message): void {
    this.retained.put(message.topic, message, this.clock.next());
    this.#deliver(message);
  }

  /** Hands clients here what this broker advises of, if they ask for it by name; members of a group also elsewhere. */
  publishAdvisory(message: Message): void {
    const { direct, shared, policy } = this.router.match(message.topic);
    for (const route of direct) if (takesAdvisories(route)) route.subscriber.deliver(message, route, policy);
    for (const group of shared) {
      const route = namesAdvisories(group.filter) ? group.choose(message) : null;
      if (route !== null) route.subscriber.deliver(message, route, policy);
    }
  }

  /** What keeping a message takes that its publisher has to wait for: its receivers', and what else it needs. */
  #needs(topic: string, qos: QoS, others: number): number {
    const { direct, shared, policy } = this.router.match(topic);
    let needs = others;
    for (const route of direct) needs |= route.subscriber.spaceNeeded?.(qos < route.qos ? qos : route.qos, policy, route) ?? 0;
    for (const group of shared) needs |= group.spaceNeeded(qos, policy);
    return policy?.producerFlowControl === false ? needs & ~MEMORY : needs;
  }

  /** @returns how many subscribers got it */
  #deliver(message: Message): number {
    const routes = this.router.match(message.topic);
    const direct = routes.direct;
    const policy = routes.policy;
    const publisher = message.publisher;
    let receivers = 0;
    for (let i = 0; i < direct.length; i++) {
      let route = direct[i]!;
      if (route.noLocal && route.subscriber.publisher === publisher) {
        if (route.own === null) continue; // [MQTT-3.8.3-3]
        route = route.own;
      }
      route.subscriber.deliver(message, route, policy); // [MQTT-4.5.0-1]
      receivers++;
    }
    const shared = routes.shared;
    if (shared.length > 0 && message.transit?.groupsServed !== true) {
      for (let i = 0; i < shared.length; i++) {
        const route = shared[i]!.choose(message);
        if (route === null) continue;
        route.subscriber.deliver(message, route, policy);
        receivers++;
      }
    }
    if (receivers === 0 && policy !== null && policy.advisories !== null) this.advisories.noConsumer(message, policy);
    if (message.retainedAt !== null) message.dropFrames(); // whoever subscribes later may never come
    return receivers;
  }

  /**
   * A member's session ended before the message was delivered to it: another member of the group gets it, here or at a linked broker, as if
   * it had just been published (MQTT 5.0 section 4.8.2).
   */
  reassign(message: Message, { filter, name }: SharedGroup): void {
    if (message.expiresAtMs !== 0 && message.expiresAtMs <= this.wallNow()) return; // [MQTT-3.3.2-5]
    const anew = message.transit === null ? message : message.by(null);
    const route = this.router.group(filter, name)?.choose(anew) ?? null;
    if (route !== null) this.hand(anew, route);
  }

  /** Hands a message to the one member of a group that was chosen for it. */
  hand(message: Message, route: Route): void {
    route.subscriber.deliver(message, route, this.router.match(message.topic).policy);
    this.counters.delivered++;
  }

  /** Whether a group that may have ended meanwhile has members, here or at linked brokers. */
  hasMembers({ filter, name }: SharedGroup): boolean {
    return this.router.group(filter, name) !== null;
  }

  /** Somebody is refused something because of this limit: counted, and said once. `facts`: who and what, the first time. */
  refused(limit: RefusingLimit, facts: Facts): void {
    this.#limitWatch.refused(limit, limit in this.limits ? { value: this.limits[limit as LimitName], ...facts } : facts);
  }

  /** Where clients that connect are sent instead of being let in; null: they are let in. */
  get redirection(): Redirection | null {
    return this.#redirection;
  }

  /** Sends every client elsewhere, those that are connected and those to come. null: those to come are let in again. */
  redirect(redirection: Redirection | null): void {
    this.#redirection = redirection;
    if (redirection === null) return;
    for (const session of [...this.sessions.values()]) if (session.connected) session.dismiss(redirection);
  }

  /** @returns the subscription it replaced, or null */
  subscribe(subscription: Subscription): Subscription | null {
    return this.router.subscribe(subscription);
  }

  /** A linked broker's write to its retained messages: kept if it is newer than what is known here. */
  retainFromPeer(topic: string, message: Message | null, stamp: Stamp): void {
    this.clock.observe(stamp);
    if (message === null || this.#hasRoomFor(message)) this.#put(topic, message, stamp);
  }

  /** Takes up the retained messages that the store has. Called once, before anybody connects. */
  restoreRetained(): void {
    for (const { topic, message, stamp } of this.store.retained()) {
      this.clock.observe(stamp);
      this.retained.put(topic, message, stamp);
    }
    this.#storeDropped();
  }

  /** See `RetainedMessages.searchExpired`. */
  removeExpiredRetained(count: number): boolean {
    const isDone = this.retained.searchExpired(count);
    this.#storeDropped();
    return isDone;
  }

  #put(topic: string, message: Message | null, stamp: Stamp): void {
    if (!this.retained.put(topic, message, stamp)) return;
    this.store.retain(topic, message, stamp);
    this.#storeDropped();
  }

  #storeDropped(): void {
    for (const { topic, expiredAt } of this.retained.takeDropped()) {
      if (expiredAt === null) this.store.forgetRemoval(topic);
      else this.store.retain(topic, null, expiredAt);
    }
  }

  #retain(message: Message): void {
    // Newer than what is kept: a clock that was set back, here or at a peer, must not make clients' writes count for nothing.
    const stamp = this.clock.nextAfter(this.retained.stampOf(message.topic));
    if (message.payloadLength === 0) {
      this.#put(message.topic, null, stamp); // [MQTT-3.3.1-6] [MQTT-3.3.1-7]
      this.cluster?.retained(message.topic, null, stamp);
      return;
    }
    // ![MQTT-3.3.1-5]: beyond the bound on retained messages (`Limits.retainedMessages`, `retainedBytes`) a message on a new topic is
    // delivered and not kept.
    if (!this.#hasRoomFor(message)) return;
    this.#put(message.topic, message, stamp); // [MQTT-3.3.1-5]
    this.cluster?.retained(message.topic, message, stamp);
  }

  #hasRoomFor(message: Message): boolean {
    const full = this.retained.fullFor(message);
    this.#storeDropped(); // before a new message on the topic of one that has expired
    if (full !== null) this.refused(full, { topic: message.topic });
    return full === null;
  }
}

/** Ids look like ActiveMQ's (`ID:host-...`), since its tools show them. */
export function createBrokerId(hostname: string, pid: number, wallMs: number, random: number): string {
  return `ID:${hostname}-${pid}-${wallMs}-${random.toString(36)}:1`;
}

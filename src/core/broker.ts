import type { Log } from '../telemetry/log.ts';
import { HybridClock, type Stamp } from './hybrid-clock.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { Message } from './message.ts';
import type { Cluster } from './ports.ts';
import { RetainedMessages } from './retained.ts';
import { Router } from './router.ts';
import { SessionRegistry } from './session-registry.ts';
import type { SharedGroup } from './shared-group.ts';
import type { Subscription } from './subscription.ts';

export interface BrokerOptions {
  /** Unique over the network and new at each start; two brokers may share a name, never an id. */
  readonly id: string;
  readonly name: string;
  readonly log: Log;
  readonly limits?: Partial<Limits>;
  /** Wall clock in milliseconds; for tests. */
  readonly wallNow?: () => number;
}

/** Counts since the start. */
export interface BrokerCounters {
  /** Messages published here by clients and by linked brokers. */
  published: number;
  /** Copies handed to subscribers. */
  delivered: number;
  /** Copies thrown away because a receiver was too slow or its queue full. */
  dropped: number;
}

/**
 * The broker itself: what everything else holds on to. Knows no socket, no protocol and no disk.
 */
export class Broker {
  readonly id: string;
  readonly name: string;
  readonly log: Log;
  readonly limits: Limits;
  readonly wallNow: () => number;
  readonly clock: HybridClock;
  readonly router: Router;
  /** Of the broker and not of any session [MQTT3-3.1.2-7]. */
  readonly retained: RetainedMessages;
  readonly sessions = new SessionRegistry();
  readonly counters: BrokerCounters = { published: 0, delivered: 0, dropped: 0 };
  /** null for a broker that stands alone. */
  cluster: Cluster | null = null;
  #retainedFull = false;

  constructor(options: BrokerOptions) {
    this.id = options.id;
    this.name = options.name;
    this.log = options.log;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.wallNow = options.wallNow ?? Date.now;
    this.clock = new HybridClock(options.id, this.wallNow);
    this.router = new Router(this.limits.routeCacheTopics);
    this.retained = new RetainedMessages(this.limits, this.wallNow);
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
    const routes = this.router.match(message.topic);
    const direct = routes.direct;
    const publisher = message.publisher;
    let receivers = 0;
    for (let i = 0; i < direct.length; i++) {
      let route = direct[i]!;
      if (route.noLocal && route.subscriber === publisher) {
        if (route.own === null) continue; // [MQTT-3.8.3-3]
        route = route.own;
      }
      route.subscriber.deliver(message, route); // [MQTT-4.5.0-1]
      receivers++;
    }
    const shared = routes.shared;
    for (let i = 0; i < shared.length; i++) {
      const route = shared[i]!.choose(message);
      if (route === null) continue;
      route.subscriber.deliver(message, route);
      receivers++;
    }
    this.counters.delivered += receivers;
    return receivers;
  }

  /**
   * A member's session ended before the message was delivered to it: another member of the group gets it, here or at a linked broker, as if
   * it had just been published (MQTT 5.0 section 4.8.2).
   */
  reassign(message: Message, { filter, name }: SharedGroup): void {
    if (message.expiresAtMs !== 0 && message.expiresAtMs <= this.wallNow()) return; // [MQTT-3.3.2-5]
    const anew = message.transit === null ? message : publishedHere(message);
    const route = this.router.group(filter, name)?.choose(anew) ?? null;
    if (route === null) return;
    route.subscriber.deliver(anew, route);
    this.counters.delivered++;
  }

  /** Whether a group that may have ended meanwhile has members, here or at linked brokers. */
  hasMembers({ filter, name }: SharedGroup): boolean {
    return this.router.group(filter, name) !== null;
  }

  /** @returns the subscription it replaced, or null */
  subscribe(subscription: Subscription): Subscription | null {
    return this.router.subscribe(subscription);
  }

  /** A linked broker's write to its retained messages: kept if it is newer than what is known here. */
  retainFromPeer(topic: string, message: Message | null, stamp: Stamp): void {
    this.clock.observe(stamp);
    if (message === null || this.#hasRoomFor(message)) this.retained.put(topic, message, stamp);
  }

  #retain(message: Message): void {
    const stamp = this.clock.next();
    if (message.payloadLength === 0) {
      this.retained.put(message.topic, null, stamp); // [MQTT-3.3.1-6] [MQTT-3.3.1-7]
      this.cluster?.retained(message.topic, null, stamp);
      return;
    }
    // ![MQTT-3.3.1-5]: beyond the bound on retained messages (`Limits.retainedMessages`, `retainedBytes`) a message on a new topic is
    // delivered and not kept.
    if (!this.#hasRoomFor(message)) return;
    this.retained.put(message.topic, message, stamp); // [MQTT-3.3.1-5]
    this.cluster?.retained(message.topic, message, stamp);
  }

  /** The log has one line when the retained messages are full, and the next only after there was room again. */
  #hasRoomFor(message: Message): boolean {
    if (this.retained.hasRoomFor(message)) {
      this.#retainedFull &&= this.retained.full;
      return true;
    }
    if (!this.#retainedFull)
      this.log.warn('retained messages are full: new topics are not kept', {
        topic: message.topic,
        retainedMessages: this.limits.retainedMessages,
        retainedBytes: this.limits.retainedBytes,
      });
    this.#retainedFull = true;
    return false;
  }
}

/** A message without the way it came, which may go to any broker. */
function publishedHere(message: Message): Message {
  const { topic, qos, retain, properties, expiresAtMs, publisher } = message.keep();
  const { payload } = message;
  return new Message(topic, qos, retain, payload, 0, payload.length, false, properties, expiresAtMs, publisher, null);
}

/** Ids look like ActiveMQ's (`ID:host-...`), since its tools show them. */
export function createBrokerId(hostname: string, pid: number, wallMs: number, random: number): string {
  return `ID:${hostname}-${pid}-${wallMs}-${random.toString(36)}:1`;
}

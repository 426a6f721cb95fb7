import type { DestinationPolicy } from './destination-policies.ts';
import type { Message, QoS } from './message.ts';
import type { SharedGroup } from './shared-group.ts';

/**
 * How soon a subscriber can take a message: a shared subscription prefers the member that is best prepared.
 *
 *     NEVER        it must not have it
 *     FULL         it would have to throw it away
 *     UNREACHABLE  it waits for a linked broker that may never come back
 *     AWAY         it waits for the client to come back
 *     BEHIND       it waits for what is before it
 *     READY        it is sent at once
 */
export const NEVER = 0;
export const FULL = 1;
export const UNREACHABLE = 2;
export const AWAY = 3;
export const BEHIND = 4;
export const READY = 5;
export type Readiness = typeof NEVER | typeof FULL | typeof UNREACHABLE | typeof AWAY | typeof BEHIND | typeof READY;

/** Who published a message: no more than a name, so that a message which is kept does not keep its publisher's session. */
export interface Publisher {
  readonly id: string;
  readonly kind: 'client' | 'queue' | 'peer';
}

/** Everything that can receive: an MQTT session, a queue, a remote broker. */
export interface Subscriber extends Publisher {
  /** What the messages that it publishes itself carry; the same object always. */
  readonly publisher: Publisher;
  /** Left out: always READY. */
  readonly readiness?: Readiness;
  /** Left out: always. Who is a member of a group says so when it changes: see `SharedGroup.moved`. */
  readonly connected?: boolean;
  /** Whether what waits for it outlives the process. Left out: it does not. */
  readonly outlivesProcess?: boolean;
  /**
   * What keeping a message of this QoS for it takes, MEMORY and STORE as bits, if it cannot have it at once. Left out: nothing. Asked only
   * while a limit is reached.
   */
  spaceNeeded?(qos: QoS, policy: DestinationPolicy | null, route: Route): number;
  /** Takes the message: into its output, its queue, or nowhere by the policy of its topic. Synchronous; never throws. */
  deliver(message: Message, route: Route, policy: DestinationPolicy | null): void;
}

/** How one subscriber receives one topic: its matching subscriptions merged into one. */
export interface Route {
  readonly subscriber: Subscriber;
  /** The highest QoS of the matching subscriptions. */
  readonly qos: QoS;
  /** Whether one of them has No Local: what the subscriber published itself then takes `own`. */
  readonly noLocal: boolean;
  /** The route by those without No Local; null when there are none. Looked at only if `noLocal` is true. */
  readonly own: Route | null;
  readonly retainAsPublished: boolean;
  /** Subscription Identifiers of all that match, in no particular order. */
  readonly identifiers: readonly number[];
  /** The shared subscription it is a member's route of; null for the route by ordinary ones. */
  readonly sharedGroup: SharedGroup | null;
  /** The subscription; of several the one that names the topic most closely, with the most before its first wildcard. */
  readonly subscription: Subscription;
}

/** What a subscription is made of. */
export interface SubscriptionFields {
  /** The topic filter, without `$share/group/`. */
  readonly filter: string;
  /** The share name of a shared subscription; null for an ordinary one. */
  readonly group: string | null;
  readonly subscriber: Subscriber;
  readonly qos: QoS;
  /** Not what this subscriber published itself. Always true for a peer: nothing goes back where it came from. */
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** MQTT 5 Subscription Identifier; 0 for none. */
  readonly identifier: number;
}

const NO_IDENTIFIERS: readonly number[] = [];

/** Bits of the Subscription Options. MQTT 5.0 section 3.8.3.1. */
const QOS = 3;
const NO_LOCAL = 4;
const RETAIN_AS_PUBLISHED = 8;

/**
 * One subscriber's wish to receive what matches one filter.
 *
 * An ordinary one is also the route of topics that nothing else of its subscriber matches: so nothing else has to be made for it. There may
 * be a million, which is why its options are one number: it takes 64 bytes.
 */
export class Subscription implements SubscriptionFields, Route {
  readonly filter: string;
  readonly group: string | null;
  readonly subscriber: Subscriber;
  readonly identifiers: readonly number[];
  readonly #options: number;

  constructor(fields: SubscriptionFields) {
    this.filter = fields.filter;
    this.group = fields.group;
    this.subscriber = fields.subscriber;
    this.identifiers = fields.identifier === 0 ? NO_IDENTIFIERS : [fields.identifier]; // [MQTT-3.3.4-5]
    this.#options = fields.qos | (fields.noLocal ? NO_LOCAL : 0) | (fields.retainAsPublished ? RETAIN_AS_PUBLISHED : 0);
  }

  get qos(): QoS {
    return (this.#options & QOS) as QoS;
  }

  get noLocal(): boolean {
    return (this.#options & NO_LOCAL) !== 0;
  }

  get retainAsPublished(): boolean {
    return (this.#options & RETAIN_AS_PUBLISHED) !== 0;
  }

  get identifier(): number {
    return this.identifiers[0] ?? 0;
  }

  get own(): null {
    return null;
  }

  get sharedGroup(): null {
    return null;
  }

  get subscription(): Subscription {
    return this;
  }

  /** The filter as the client sent it, `$share/group/` included. */
  get filterAsSent(): string {
    return this.group === null ? this.filter : `$share/${this.group}/${this.filter}`;
  }
}

/** Who receives a topic: everyone in `direct`, and one member of each of `shared`. */
export interface Routes {
  readonly direct: readonly Route[];
  readonly shared: readonly SharedGroup[];
  /** What the file asks for this topic; null: nothing. */
  readonly policy: DestinationPolicy | null;
}

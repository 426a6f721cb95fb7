import type { Message, QoS } from './message.ts';

/** How soon a subscriber can take a message: a shared subscription prefers the member that is best prepared. */
export const AWAY = 0;
export const BEHIND = 1;
export const READY = 2;
export type Readiness = typeof AWAY | typeof BEHIND | typeof READY;

/** Everything that can receive: an MQTT session, a queue, a remote broker. */
export interface Subscriber {
  readonly id: string;
  readonly kind: 'client' | 'queue' | 'peer';
  /** Left out: always READY. */
  readonly readiness?: Readiness;
  /** Takes the message: into its output, its queue, or nowhere by policy. Synchronous; never throws. */
  deliver(message: Message, route: Route): void;
}

/** One subscriber's wish to receive what matches one filter. */
export interface Subscription {
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
}

/** All members of one `$share` group that one topic can go to, each with its route. */
export interface SharedRoutes {
  readonly group: SharedGroup;
  readonly members: readonly Route[];
}

/** The turn of one shared subscription, kept from message to message. */
export interface SharedGroup {
  readonly name: string;
  readonly filter: string;
  /** Index of the member whose turn is next; taken modulo the number of members. */
  next: number;
}

export interface Routes {
  readonly direct: readonly Route[];
  readonly shared: readonly SharedRoutes[];
}

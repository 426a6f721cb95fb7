import type { DestinationPolicy } from './destination-policies.ts';
import { Fifo } from './fifo.ts';
import type { Message } from './message.ts';
import type { Route } from './subscription.ts';
import type { Usage } from './usage.ts';

/** A message that waits, and how it is to be delivered. */
export class PendingMessage {
  readonly message: Message;
  readonly retain: boolean;
  readonly route: Route;
  /** Counts what has come to wait: the order in which it leaves. */
  readonly sequence: number;
  /** Neighbours in the share, older and newer. */
  previous: PendingMessage | null = null;
  next: PendingMessage | null = null;
  /** It waits no longer: it was sent or discarded. */
  hasLeft = false;
  /** Its value of the policy's unique property; null: it has none, or the policy names none. */
  readonly value: string | null;

  constructor(message: Message, retain: boolean, route: Route, sequence: number, value: string | null) {
    this.message = message;
    this.retain = retain;
    this.route = route;
    this.sequence = sequence;
    this.value = value;
  }
}

/** Why a message that waited does not leave. */
export type Discard = 'pendingMessageLimit' | 'connectionQueueBytes' | 'expired';

/** Whom the discards are told. */
export interface DiscardWatcher {
  discarded(message: Message, route: Route, reason: Discard, policy: DestinationPolicy | null): void;
}

/**
 * Messages that wait for a subscriber that does not keep up, the oldest first. Each policy that they come under has a share of its own,
 * with a limit and a rule for what goes beyond it:
 *
 *     policy #    (limit 3)   1   4   5          add 7: 1 goes           what leaves next is the first of them all, 1
 *     policy a/#  (limit 2)   2   6              add 7: 2 goes
 *
 * Adding, discarding and leaving take the same time however many wait.
 */
export class PendingMessages {
  readonly #watcher: DiscardWatcher;
  readonly #wallNow: () => number;
  readonly #usage: Pick<Usage, 'holdWaiting' | 'releaseWaiting'>;
  readonly #shares: Share[] = [];
  #sequence = 0;
  #size = 0;
  #bytes = 0;

  constructor(watcher: DiscardWatcher, wallNow: () => number, usage: Pick<Usage, 'holdWaiting' | 'releaseWaiting'>) {
    this.#watcher = watcher;
    this.#wallNow = wallNow;
    this.#usage = usage;
  }

  get size(): number {
    return this.#size;
  }

  /** By `Message.size`. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Lets a message wait, and discards what is then too much: by the rule of its policy, and of all the oldest while they take more than
   * `bytesMax`.
   */
  add(message: Message, retain: boolean, route: Route, policy: DestinationPolicy | null, bytesMax: number): void {
    if (policy !== null && policy.pendingMessageLimit === 0) {
      this.#watcher.discarded(message, route, 'pendingMessageLimit', policy);
      return;
    }
    if (message.size > bytesMax) {
      this.#watcher.discarded(message, route, 'connectionQueueBytes', policy);
      return;
    }
    const share = this.#shareOf(policy);
    const value = policy === null || policy.uniqueProperty === null ? null : propertyOf(message, policy.uniqueProperty);
    share.push(new PendingMessage(message.keep(), retain, route, ++this.#sequence, value));
    this.#size++;
    this.#bytes += message.size;
    this.#usage.holdWaiting(message);
    if (policy !== null) this.#keepLimit(share, policy);
    while (this.#bytes > bytesMax) {
      const oldest = this.#oldestShare()!;
      this.#discard(oldest, oldest.first!, 'connectionQueueBytes');
    }
  }

  /** Takes the oldest away; null: none is left. */
  shift(): PendingMessage | null {
    const share = this.#oldestShare();
    if (share === null) return null;
    const pending = share.first!;
    this.#remove(share, pending);
    return pending;
  }

  /** Whether one more message under the policy takes the place of another. */
  isFullFor(policy: DestinationPolicy | null): boolean {
    return policy !== null && (this.#shares.find((share) => share.policy === policy)?.size ?? 0) >= policy.pendingMessageLimit;
  }

  /** Lets go of all of them, and tells nobody. */
  clear(): void {
    for (const share of this.#shares) while (share.first !== null) this.#remove(share, share.first);
  }

  /** Discards what has expired. */
  removeExpired(): void {
    const now = this.#wallNow();
    for (const share of this.#shares) this.#removeExpiredFrom(share, now);
  }

  #keepLimit(share: Share, policy: DestinationPolicy): void {
    const limit = policy.pendingMessageLimit;
    if (share.size > Math.min(policy.evictExpiredMessagesHighWatermark, limit)) this.#removeExpiredFrom(share, this.#wallNow());
    if (share.size > limit) this.#discard(share, share.victim(), 'pendingMessageLimit');
  }

  #removeExpiredFrom(share: Share, now: number): void {
    for (const pending of share.expired(now)) this.#discard(share, pending, 'expired');
  }

  #discard(share: Share, pending: PendingMessage, reason: Discard): void {
    this.#remove(share, pending);
    this.#watcher.discarded(pending.message, pending.route, reason, share.policy);
  }

  #remove(share: Share, pending: PendingMessage): void {
    share.remove(pending);
    this.#size--;
    this.#bytes -= pending.message.size;
    this.#usage.releaseWaiting(pending.message);
  }

  #shareOf(policy: DestinationPolicy | null): Share {
    for (const share of this.#shares) if (share.policy === policy) return share;
    const share = new Share(policy);
    this.#shares.push(share);
    return share;
  }

  /** The share that has the oldest message; null: none has any. A session's topics come under one policy or a few. */
  #oldestShare(): Share | null {
    let oldest: Share | null = null;
    for (const share of this.#shares) {
      if (share.first !== null && (oldest === null || share.first.sequence < oldest.first!.sequence)) oldest = share;
    }
    return oldest;
  }
}

/** The messages of one policy: a list whose every element knows its neighbours, since what goes may stand anywhere. */
class Share {
  readonly policy: DestinationPolicy | null;
  first: PendingMessage | null = null;
  size = 0;
  #last: PendingMessage | null = null;
  /** The newest message of each value of the unique property. */
  readonly #newest = new Map<string, PendingMessage>();
  /** Those that have been replaced by a newer one of the same value, in the order in which they were. The first still waits. */
  readonly #replaced = new Fifo<PendingMessage>();
  /** Messages that expire, and a time before which none of them does. */
  #expiring = 0;
  #expiresAtMs = Number.POSITIVE_INFINITY;

  constructor(policy: DestinationPolicy | null) {
    this.policy = policy;
  }

  push(pending: PendingMessage): void {
    const last = this.#last;
    pending.previous = last;
    if (last === null) this.first = pending;
    else last.next = pending;
    this.#last = pending;
    this.size++;
    const { expiresAtMs } = pending.message;
    if (expiresAtMs !== 0) {
      this.#expiring++;
      if (expiresAtMs < this.#expiresAtMs) this.#expiresAtMs = expiresAtMs;
    }
    if (pending.value === null) return;
    const replaced = this.#newest.get(pending.value);
    if (replaced !== undefined) this.#replaced.push(replaced);
    this.#newest.set(pending.value, pending);
  }

  remove(pending: PendingMessage): void {
    const { previous, next, value } = pending;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    this.size--;
    if (pending.message.expiresAtMs !== 0 && --this.#expiring === 0) this.#expiresAtMs = Number.POSITIVE_INFINITY;
    pending.hasLeft = true;
    if (value === null) return;
    if (this.#newest.get(value) === pending) this.#newest.delete(value);
    while (this.#replaced.peek()?.hasLeft) this.#replaced.shift();
  }

  /** What goes when there is one too many: what was replaced first; the oldest when nothing was. */
  victim(): PendingMessage {
    return this.#replaced.peek() ?? this.first!;
  }

  /** Walks through all of them only when one may have expired since the last walk. */
  expired(now: number): PendingMessage[] {
    if (this.#expiring === 0 || now < this.#expiresAtMs) return [];
    const found: PendingMessage[] = [];
    this.#expiresAtMs = Number.POSITIVE_INFINITY;
    for (let pending = this.first; pending !== null; pending = pending.next) {
      const { expiresAtMs } = pending.message;
      if (expiresAtMs === 0) continue;
      if (expiresAtMs <= now) found.push(pending);
      else if (expiresAtMs < this.#expiresAtMs) this.#expiresAtMs = expiresAtMs;
    }
    return found;
  }
}

/** The value of a User Property, of several with the name the last; null: the message has none, as before MQTT 5. */
function propertyOf({ properties }: Message, name: string): string | null {
  if (properties === null) return null;
  let found: string | null = null;
  for (const [key, value] of properties.userProperties) if (key === name) found = value;
  return found;
}

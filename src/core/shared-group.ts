import type { DestinationPolicy } from './destination-policies.ts';
import type { Message, QoS } from './message.ts';
import { AWAY, NEVER, READY, type Readiness, type Route, type Subscriber, type Subscription } from './subscription.ts';

/** Is told when what other brokers know of a group is no longer right: see `SharedGroup.memberCount` and `SharedGroup.readiness`. */
export interface GroupWatcher {
  groupChanged?(group: SharedGroup): void;
}

/** The members of a group at one other broker, which chooses among them. Here they are one member with many turns. */
export interface RemoteMembers extends Subscriber {
  readonly kind: 'peer';
  /** Turns in a round: as many as there are members. At least 1. */
  readonly memberCount: number;
  /** How soon one of them can take this message; NEVER when it must not cross to there. */
  readinessFor(message: Message): Readiness;
}

/** A member at this broker. */
class Member {
  subscription: Subscription;
  route: Route;
  /** Where it stands. */
  ring: Ring;
  at = 0;

  constructor(subscription: Subscription, route: Route, ring: Ring) {
    this.subscription = subscription;
    this.route = route;
    this.ring = ring;
  }
}

/** The members at another broker. */
class RemoteMember {
  subscription: Subscription;
  route: Route;
  readonly members: RemoteMembers;
  /** Its claim on the next turn: see `SharedGroup.#chooseAnywhere`. */
  credit = 0;
  /** What it said about the message at hand. */
  readiness: Readiness = NEVER;

  constructor(subscription: Subscription, route: Route, members: RemoteMembers) {
    this.subscription = subscription;
    this.route = route;
    this.members = members;
  }
}

/**
 * Members who take turns.
 *
 *     had its turn in this round │ has not yet
 *     0 ──────────────────────► next ─────────► length          next = length: the round is over
 */
class Ring {
  readonly members: Member[] = [];
  #next = 0;
  #found = 0;

  /** The best that a member says, the one whose turn it is asked first; the first that says `enough` is as good as any. */
  look(enough: Readiness): Readiness {
    const { members } = this;
    const count = members.length;
    let best: Readiness = NEVER;
    let at = this.#next;
    for (let i = 0; i < count; i++, at++) {
      if (at >= count) at = 0;
      const readiness = members[at]!.route.subscriber.readiness ?? READY;
      if (readiness <= best) continue;
      best = readiness;
      this.#found = at;
      if (best >= enough) break;
    }
    return best;
  }

  /** Gives the one that `look` found its turn. */
  take(): Route {
    const { route } = this.members[this.#found]!;
    this.#next = this.#found + 1;
    return route;
  }

  /** A new member has its first turn in this round. */
  add(member: Member): void {
    member.ring = this;
    this.#put(member, this.members.length);
  }

  /** Others take its place so that nobody loses a turn or gets a second one. */
  remove({ at }: Member): void {
    let gap = at;
    if (gap < this.#next) {
      this.#next--;
      this.#put(this.members[this.#next]!, gap);
      gap = this.#next;
    }
    const last = this.members.pop()!;
    if (gap < this.members.length) this.#put(last, gap);
  }

  #put(member: Member, at: number): void {
    this.members[at] = member;
    member.at = at;
  }
}

/**
 * One shared subscription, `$share/{name}/{filter}`: its members, and whose turn it is. Each message goes to one of them
 * (MQTT 5.0 section 4.8.2).
 *
 *     here      ready ◄─ turn      1. in turn, who is ready; those that are behind are passed over
 *               behind             2. who is there, but behind
 *               ready
 *     away      away               3. persistent sessions without a connection
 *     remote    3 members at B     take turns with the members at this broker, each broker by the number of its members
 *
 * Whoever is chosen has the message alone from then on, whatever becomes of it [MQTT-4.8.2-4] [MQTT-4.8.2-6], unless its session ends.
 * A choice looks at one member when the one whose turn it is is ready, and allocates nothing.
 */
export class SharedGroup {
  readonly name: string;
  readonly filter: string;
  readonly #watchers: readonly GroupWatcher[];
  readonly #members = new Map<Subscriber, Member | RemoteMember>();
  readonly #here = new Ring();
  readonly #away = new Ring();
  readonly #remote: RemoteMember[] = [];
  /** The ring that the last look at our own members found the best one in. */
  #found = this.#here;
  /** The claim of our own members on the next turn. */
  #credit = 0;
  #readiness: Readiness = NEVER;
  #durableMembers = 0;

  /** `watchers` may grow later. */
  constructor(filter: string, name: string, watchers: readonly GroupWatcher[]) {
    this.filter = filter;
    this.name = name;
    this.#watchers = watchers;
  }

  /** Members, where another broker's count as one. */
  get size(): number {
    return this.#members.size;
  }

  /** Members of this broker among which messages are dealt: those that are there; all when all are away. */
  get memberCount(): number {
    return this.#here.members.length || this.#away.members.length;
  }

  /** Whether what waits for one of them outlives this process. */
  get isDurable(): boolean {
    return this.#durableMembers > 0;
  }

  /** How soon one of them can take a message, as far as the last look at them told. NEVER when there are none. */
  get readiness(): Readiness {
    return this.#readiness;
  }

  /** As `Subscriber.spaceNeeded`, of the member that needs least: it is the one best prepared. */
  spaceNeeded(qos: QoS, policy: DestinationPolicy | null): number {
    let least = Number.POSITIVE_INFINITY;
    for (const route of this.routes())
      least = Math.min(least, route.subscriber.spaceNeeded?.(qos < route.qos ? qos : route.qos, policy, route) ?? 0);
    return least === Number.POSITIVE_INFINITY ? 0 : least;
  }

  *routes(): Generator<Route> {
    for (const { route } of this.#members.values()) yield route;
  }

  *subscriptions(): Generator<Subscription> {
    for (const { subscription } of this.#members.values()) yield subscription;
  }

  /** Adds a member, or changes how it subscribes. @returns the subscription it replaced, or null */
  add(subscription: Subscription): Subscription | null {
    const { subscriber } = subscription;
    const route = this.#routeOf(subscription);
    const member = this.#members.get(subscriber);
    if (member !== undefined) {
      const replaced = member.subscription;
      member.subscription = subscription;
      member.route = route;
      return replaced;
    }
    if (isRemote(subscriber)) {
      const remote = new RemoteMember(subscription, route, subscriber);
      this.#members.set(subscriber, remote);
      this.#remote.push(remote);
    } else {
      const ring = this.#ringFor(subscriber);
      const local = new Member(subscription, route, ring);
      this.#members.set(subscriber, local);
      ring.add(local);
      if (subscriber.outlivesProcess === true) this.#durableMembers++;
      this.#changed();
    }
    return null;
  }

  /** Takes a member away; returns its subscription, or null when it was none. */
  remove(subscriber: Subscriber): Subscription | null {
    const member = this.#members.get(subscriber);
    if (member === undefined) return null;
    this.#members.delete(subscriber);
    if (member instanceof Member) {
      member.ring.remove(member);
      if (subscriber.outlivesProcess === true) this.#durableMembers--;
      this.#changed();
    } else {
      this.#remote.splice(this.#remote.indexOf(member), 1);
      if (this.#remote.length === 0) this.#credit = 0;
    }
    return member.subscription;
  }

  /** A member's connection came or went, and it stays a member. */
  moved(subscriber: Subscriber): void {
    const member = this.#members.get(subscriber);
    if (!(member instanceof Member)) return;
    const ring = this.#ringFor(subscriber);
    if (member.ring === ring) return;
    member.ring.remove(member);
    ring.add(member);
    this.#changed();
  }

  /**
   * Who gets this message, by its own route [MQTT-4.8.2-3]: the member whose turn it is at this broker or another; null when nobody may
   * have it. The member has it alone while its session lasts [MQTT-4.8.2-4] [MQTT-4.8.2-6].
   */
  choose(message: Message): Route | null {
    const readiness = this.#lookHere();
    if (this.#remote.length > 0) return this.#chooseAnywhere(message, readiness, false);
    return readiness === NEVER ? null : this.#found.take();
  }

  /** As `choose`, for a message that a linked broker gave us: it stays here unless somebody elsewhere is better prepared. */
  chooseNear(message: Message): Route | null {
    const readiness = this.#lookHere();
    if (this.#remote.length > 0 && readiness < READY) return this.#chooseAnywhere(message, readiness, true);
    return readiness === NEVER ? null : this.#found.take();
  }

  /** The member of this broker whose turn it is; null when none can take a message at least as soon as `least`. */
  chooseHere(least: Readiness): Route | null {
    const readiness = this.#lookHere();
    return readiness === NEVER || readiness < least ? null : this.#found.take();
  }

  /** Looks at the members of this broker anew, for `readiness`. */
  refresh(): void {
    this.#lookHere();
  }

  /** How soon the best one of our own members can take a message; `#found` is its ring. */
  #lookHere(): Readiness {
    let readiness = this.#here.look(READY);
    this.#found = this.#here;
    if (readiness <= AWAY) {
      const away = this.#away.look(AWAY);
      if (away > readiness) {
        readiness = away;
        this.#found = this.#away;
      }
    }
    if (readiness !== this.#readiness) this.#say(readiness);
    return readiness;
  }

  /**
   * Brokers take turns by their number of members, evenly mixed: at each choice everyone gains its weight, and who has most pays for all.
   * Of those that are equally prepared only: while all are behind, our own members are nearer.
   */
  #chooseAnywhere(message: Message, ours: Readiness, near: boolean): Route | null {
    let best = ours;
    for (const remote of this.#remote) {
      remote.readiness = remote.members.readinessFor(message);
      if (remote.readiness > best) best = remote.readiness;
    }
    if (best === NEVER) return null;
    if (ours === best && (near || (best !== READY && best !== AWAY))) return this.#found.take();
    let total = 0;
    let most = Number.NEGATIVE_INFINITY;
    let chosen: RemoteMember | null = null;
    if (ours === best) {
      total = this.#found.members.length;
      this.#credit += total;
      most = this.#credit;
    }
    for (const remote of this.#remote) {
      if (remote.readiness !== best) continue;
      const weight = remote.members.memberCount;
      total += weight;
      remote.credit += weight;
      if (remote.credit <= most) continue;
      most = remote.credit;
      chosen = remote;
    }
    if (chosen === null) {
      this.#credit -= total;
      return this.#found.take();
    }
    chosen.credit -= total;
    return chosen.route;
  }

  #ringFor(subscriber: Subscriber): Ring {
    return subscriber.connected === false ? this.#away : this.#here;
  }

  /** Each member gets messages by its own subscription [MQTT-4.8.2-3]. */
  #routeOf(subscription: Subscription): Route {
    const { subscriber, qos, noLocal, retainAsPublished, identifiers } = subscription;
    return { subscriber, qos, noLocal, own: null, retainAsPublished, identifiers, sharedGroup: this, subscription };
  }

  #changed(): void {
    const before = this.#readiness;
    this.#lookHere();
    if (this.#readiness === before) this.#say(before);
  }

  #say(readiness: Readiness): void {
    this.#readiness = readiness;
    for (const watcher of this.#watchers) watcher.groupChanged?.(this);
  }
}

function isRemote(subscriber: Subscriber): subscriber is RemoteMembers {
  return subscriber.kind === 'peer';
}

import type { Broker } from '../../core/broker.ts';
import type { Message, Transit } from '../../core/message.ts';
import type { RemoteMembers } from '../../core/shared-group.ts';
import { BEHIND, FULL, NEVER, READY, type Readiness, type Route, Subscription, UNREACHABLE } from '../../core/subscription.ts';
import { topicMatches } from '../../core/topic-filter.ts';
import { GroupAddress } from '../../protocols/openwire/group-address.ts';
import { LinkTransit } from '../../protocols/openwire/message-origin.ts';
import type { GroupDemand } from './demand.ts';
import { GROUP_VISITED_MAX } from './link-limits.ts';
import type { PeerSubscriber } from './peer-subscriber.ts';

const NOBODY: readonly string[] = [];

/** A message that was given to us for one of our members and that we give to another broker's: it counts as published here. */
class Moved implements Transit {
  readonly messageId = '';
  readonly brokerPath: readonly string[] = [];
  readonly groupsServed = true;
  /** Brokers that had it before us. */
  readonly visited: readonly string[];

  constructor(visited: readonly string[]) {
    this.visited = visited;
  }
}

/** One way to a group's members at another broker: through this peer, over so many links, as that peer last told. */
export interface Way {
  readonly group: PeerGroup;
  readonly peer: PeerSubscriber;
  readonly links: number;
  told: GroupDemand;
}

/**
 * The members of one shared subscription at one other broker, linked or behind linked ones, as one member of our group. It may be known by
 * several ways; a message goes by the shortest of the best.
 */
export class PeerGroup implements RemoteMembers {
  readonly kind = 'peer';
  readonly publisher = this;
  readonly filter: string;
  readonly address: GroupAddress;
  /** The shortest first. */
  readonly #ways: Way[] = [];
  /** The one found for the message asked about last. */
  #way: Way | null = null;

  constructor(filter: string, name: string, brokerId: string) {
    this.filter = filter;
    this.address = new GroupAddress(name, filter, brokerId, NOBODY);
  }

  get id(): string {
    return this.address.brokerId;
  }

  get memberCount(): number {
    return (this.#way ?? this.#ways[0])?.told.members ?? 1;
  }

  /** The peer that the last message asked about would go to. */
  get through(): PeerSubscriber | null {
    return this.#way?.peer ?? null;
  }

  /** True while some way leads there. */
  get known(): boolean {
    return this.#ways.length > 0;
  }

  readinessFor(message: Message): Readiness {
    return this.#look(message, message.transit instanceof Moved ? message.transit.visited : NOBODY);
  }

  /**
   * Sends a message on its way from the broker that chose us for it.
   * @returns false when no way stands
   */
  passOn(address: GroupAddress, message: Message): boolean {
    if (this.#look(message, address.visited) <= UNREACHABLE || !(message.transit instanceof LinkTransit)) return false;
    this.#way!.peer.deliverTo(address, message, message.transit, this.#way!.told.isDurable);
    return true;
  }

  #look(message: Message, visited: readonly string[]): Readiness {
    let best: Readiness = NEVER;
    this.#way = null;
    for (const way of this.#ways) {
      const { peer, links, told } = way;
      if (!peer.rules.forwardsTo(message, peer.id, links)) continue;
      let readiness = peer.readinessForGroups < told.readiness ? peer.readinessForGroups : told.readiness;
      // A broker that had it and is no more than in between had no way on: it would come back.
      if (links > 1 && readiness > UNREACHABLE && visited.includes(peer.id)) readiness = UNREACHABLE;
      if (readiness <= best) continue;
      best = readiness;
      this.#way = way;
      if (best === READY) break;
    }
    return best;
  }

  /** Sends the message that was asked about last. */
  deliver(message: Message, _route: Route): void {
    const { transit } = message;
    const { name, filter, brokerId } = this.address;
    const address = transit instanceof Moved ? new GroupAddress(name, filter, brokerId, transit.visited) : this.address;
    this.#way?.peer.deliverTo(address, message, null, this.#way.told.isDurable);
  }

  add(way: Way): void {
    const at = this.#ways.findIndex(({ links }) => links > way.links);
    this.#ways.splice(at < 0 ? this.#ways.length : at, 0, way);
  }

  remove(way: Way): void {
    this.#ways.splice(this.#ways.indexOf(way), 1);
    if (this.#way === way) this.#way = null;
  }
}

/** The members of shared subscriptions at other brokers, and what becomes of messages for one of them alone. */
export class PeerGroups {
  readonly #broker: Broker;
  readonly #groups = new Map<string, PeerGroup>();

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** A peer tells of a group's members. `brokerPath`: how that came to us, ending with the peer. */
  addWay(peer: PeerSubscriber, filter: string, brokerPath: readonly string[], told: GroupDemand): Way {
    const brokerId = brokerPath[0]!;
    const key = keyOf(filter, told.name, brokerId);
    let group = this.#groups.get(key);
    const isNew = group === undefined;
    group ??= new PeerGroup(filter, told.name, brokerId);
    const way: Way = { group, peer, links: brokerPath.length, told };
    group.add(way);
    if (isNew) {
      this.#groups.set(key, group);
      this.#broker.subscribe(
        new Subscription({
          filter,
          group: told.name,
          subscriber: group,
          qos: 2, // each member's own is applied there
          noLocal: false,
          retainAsPublished: true,
          identifier: 0,
        }),
      );
    }
    return way;
  }

  removeWay(way: Way): void {
    const { group } = way;
    group.remove(way);
    if (group.known) return;
    const { name, brokerId } = group.address;
    this.#groups.delete(keyOf(group.filter, name, brokerId));
    this.#broker.router.unsubscribe(group.filter, name, group);
  }

  /** A linked broker gives us a message for a group: for our members, or to be passed on to the broker that was chosen. */
  deal(address: GroupAddress, message: Message): void {
    const { name, filter, brokerId } = address;
    if (!topicMatches(filter, message.topic)) return;
    this.#broker.counters.published++;
    if (brokerId === this.#broker.id) {
      const route = this.#broker.router.group(filter, name)?.chooseHere(BEHIND) ?? null;
      if (route === null) this.#move(address, message);
      else this.#broker.hand(message, route);
      return;
    }
    const group = this.#groups.get(keyOf(filter, name, brokerId));
    if (group?.passOn(address, message) !== true) this.#move(address, message);
  }

  /**
   * A message on its way to a peer that is gone: somebody else gets it.
   *
   * @returns false when there is nobody but the members that it was for
   */
  giveAgain(address: GroupAddress, message: Message, lost: PeerSubscriber): boolean {
    const route = this.#broker.router.group(address.filter, address.name)?.choose(message) ?? null;
    if (route === null || (route.subscriber instanceof PeerGroup && route.subscriber.through === lost)) return false;
    this.#broker.hand(message, route);
    return true;
  }

  /** Nobody is here any more whom the message is for, or the way to them has gone: we choose anew. */
  #move({ name, filter, visited }: GroupAddress, message: Message): void {
    const group = this.#broker.router.group(filter, name);
    if (group === null) return;
    const before = [...visited, ...(message.transit?.brokerPath ?? NOBODY)];
    const moved = message.by(new Moved(before));
    const route = before.length <= GROUP_VISITED_MAX ? group.chooseNear(moved) : group.chooseHere(FULL);
    if (route !== null) this.#broker.hand(moved, route);
    else this.#broker.counters.drop('linkedBroker');
  }
}

function keyOf(filter: string, name: string, brokerId: string): string {
  return `${brokerId}\0${name}\0${filter}`;
}

import type { Broker } from '../../core/broker.ts';
import type { DestinationPolicy } from '../../core/destination-policies.ts';
import { type Frame, Message, type QoS } from '../../core/message.ts';
import { type Lane, PEER_NAME, STORED, type StoredSession, VOLATILE } from '../../core/store.ts';
import { BEHIND, FULL, type Publisher, READY, type Readiness, type Route, type Subscriber, UNREACHABLE } from '../../core/subscription.ts';
import { MEMORY } from '../../core/usage.ts';
import type { Channel } from '../../protocols/openwire/channel.ts';
import type { GroupAddress } from '../../protocols/openwire/group-address.ts';
import { LinkTransit } from '../../protocols/openwire/message-origin.ts';
import { frameExpiresAtMs, type PublicationForm } from '../../protocols/openwire/publication-form.ts';
import { PublicationReader } from '../../protocols/openwire/publication-reader.ts';
import type { LaneCounts } from './cluster-command.ts';
import type { Demand } from './demand.ts';
import { UNKNOWN_POSITION } from './durable-answers.ts';
import { DurableCursor } from './durable-cursor.ts';
import {
  LINK_QUEUE_BEHIND_BYTES,
  LINK_QUEUE_BYTES,
  LINK_QUEUE_QOS0_BYTES,
  OUTBOX_BYTES_MAX,
  OUTBOX_MESSAGES_MAX,
  PROVENANCES_MAX,
  STORED_OUTBOX_BYTES_MAX,
  STORED_OUTBOX_MESSAGES_MAX,
} from './link-limits.ts';
import { DEFAULT_LINK_SETTINGS, type LinkSettings } from './link-settings.ts';
import { Outbox } from './outbox.ts';
import { PeerDemand } from './peer-demand.ts';
import type { PeerGroups } from './peer-groups.ts';
import { RouteRules } from './route-rules.ts';
import { StoredOutbox } from './stored-outbox.ts';

/** Counts for one peer since we know it. */
export interface PeerCounters {
  /** Messages sent to it, those sent again included. */
  sent: number;
  /** Messages it sent us. */
  received: number;
  /** Of these, messages that were here before. */
  duplicates: number;
  /** Messages for it that were thrown away: QoS 0 while it was away or slow, others when the outbox was full or the frame too large. */
  dropped: number;
}

/** What the store has of a linked broker, by attributes of its session; a wish has itself behind. */
const URL = 'url';
const KEEPS_ID = 'keepsId';
const STORED_COUNT = 'count';
const THEIR_COUNTS = ['theirs/0', 'theirs/1'] as const;
const WISH = 'wish/';

const PRESENT = Buffer.of(1);

const STORED_LIMITS = { messages: STORED_OUTBOX_MESSAGES_MAX, bytes: STORED_OUTBOX_BYTES_MAX, provenances: PROVENANCES_MAX };

/**
 * A remote broker as a subscriber of ours. It outlives its links: demand stays for a while, and messages of QoS 1 and 2 wait until the same
 * broker is back. They go one of two ways, each with a count of its own:
 *
 *     for clean subscribers alone           outbox         in memory; given up when the peer does not come back
 *     for persistent ones and maybe clean   storedOutbox   in the store, for as long as it takes
 */
export class PeerSubscriber implements Subscriber {
  readonly id: string;
  readonly kind = 'peer';
  readonly name: string;
  readonly publisher: Publisher;
  readonly demand: PeerDemand;
  readonly outbox: Outbox;
  readonly counters: PeerCounters = { sent: 0, received: 0, duplicates: 0, dropped: 0 };
  /** Names our count of what we send it from memory. A peer that was forgotten and comes back is counted anew, under another name. */
  readonly count: string;
  /** Up to where all of the store was durable, what it wants is, too. */
  wishesAt = 0;
  /** Whether it deals messages to the shared subscriptions of all brokers, ours among them, and we to its. */
  knowsGroups = false;
  #rules = new RouteRules(DEFAULT_LINK_SETTINGS);
  readonly #broker: Broker;
  readonly #form: PublicationForm;
  readonly #groups: PeerGroups;
  #channel: Channel | null = null;
  #suspect = false;
  /** Messages that may wait for their answers at a time. */
  #inFlightMax = Number.MAX_SAFE_INTEGER;
  /** Whether the peer looks at our count of what we send it. */
  #counted = false;
  #refused = false;
  #tooLarge = false;
  /** What the store has of it; null until a link begins with it. */
  #stored: StoredSession | null = null;
  #storedOutbox: StoredOutbox | null = null;
  #storedCount = '';
  #keepsId = false;
  /** The process that it was when it was linked last. */
  #incarnation = '';
  /** Names of its own counts of what it sends us. */
  readonly #theirCounts: [string, string] = ['', ''];
  /** What of the outbox may be sent: a message of QoS 2 waits until all that was stored with it is durable. */
  readonly #sendable: DurableCursor;
  #isHolding = false;

  /** @param stored what the store has of it from before */
  constructor(
    id: string,
    name: string,
    broker: Broker,
    form: PublicationForm,
    demand: Demand,
    groups: PeerGroups,
    stored: StoredSession | null = null,
  ) {
    this.id = id;
    this.publisher = { id, kind: 'peer' };
    this.name = name;
    this.#broker = broker;
    this.#form = form;
    this.#groups = groups;
    this.outbox = new Outbox({ messages: OUTBOX_MESSAGES_MAX, bytes: OUTBOX_BYTES_MAX }, broker.usage.memory);
    this.count = countName(broker);
    this.demand = new PeerDemand(
      this,
      broker.router,
      demand,
      broker.limits.topicLevels,
      {
        add: (filter, brokerPath, group) => groups.addWay(this, filter, brokerPath, group),
        remove: (way) => groups.removeWay(way),
      },
      {
        keep: (wish) => this.#keepWish(wish, PRESENT),
        drop: (wish) => this.#keepWish(wish, null),
      },
    );
    this.#sendable = new DurableCursor(
      broker.store,
      () => this.outbox.nextNumber,
      () => this.pump(),
    );
    if (stored !== null) this.#restore(stored);
  }

  /** Where it could be dialled when the last link began; empty where it did not say. */
  get url(): string {
    return this.#stored?.attributes.get(URL)?.toString() ?? '';
  }

  /** Whether it has the same id after a restart: what is kept for it is not kept in vain. */
  get keepsId(): boolean {
    return this.#keepsId;
  }

  /** Messages of QoS 1 and 2 kept for it, in bytes and in messages. */
  get waiting(): { readonly messages: number; readonly bytes: number } {
    const { outbox } = this;
    const stored = this.#storedOutbox;
    return { messages: outbox.size + (stored?.size ?? 0), bytes: outbox.bytes + (stored?.bytes ?? 0) };
  }

  /** A link with a broker of ours begins: from now on the store has something of it. */
  openStored(url: string): void {
    const stored = this.#stored ?? this.#broker.store.createPeer(this.id);
    if (this.#stored === null) this.#openOutbox(stored);
    stored.setAttribute(PEER_NAME, Buffer.from(this.name));
    stored.setAttribute(URL, Buffer.from(url));
    if (this.#storedCount === '') this.#nameStoredCount();
  }

  /** What it says of itself as a link begins. */
  introduce(incarnation: string, keepsId: boolean): void {
    this.#keepsId = keepsId;
    this.#stored!.setAttribute(KEEPS_ID, keepsId ? PRESENT : null);
    if (this.#incarnation !== '' && incarnation !== this.#incarnation) this.#loseSent();
    this.#incarnation = incarnation;
  }

  /** How soon the link takes a message for a shared subscription. */
  get readinessForGroups(): Readiness {
    const stored = this.#storedOutbox;
    if (this.outbox.full || stored?.full === true) return FULL;
    const channel = this.#channel;
    if (channel === null || this.#suspect) return UNREACHABLE;
    const { unsent, nextSequence } = this.outbox;
    const isWaiting = (unsent > 0 && nextSequence < this.#sendable.safe) || stored?.isBehind === true; // not what waits for the store
    const isBehind = isWaiting || channel.queuedBytes > LINK_QUEUE_BEHIND_BYTES;
    return isBehind ? BEHIND : READY;
  }

  /** What a link does not answer soon is kept: in the store for persistent subscribers, else in memory. */
  spaceNeeded(qos: QoS, _policy: DestinationPolicy | null, route: Route): number {
    if (qos === 0) return 0;
    if (PeerDemand.isDurable(route)) return this.#broker.store.spaceNeeded;
    return this.readinessForGroups === READY && this.outbox.bytes < LINK_QUEUE_BEHIND_BYTES ? 0 : MEMORY;
  }

  get rules(): RouteRules {
    return this.#rules;
  }

  /** Filters that cross without being asked for come and go with the settings. */
  applySettings(settings: LinkSettings): void {
    for (const filter of this.#rules.staticFilters) this.demand.remove(staticKey(filter));
    this.#rules = new RouteRules(settings);
    for (const filter of this.#rules.staticFilters) this.demand.add(staticKey(filter), [filter], null);
  }

  /** How far we are with each other: what a link begins with. What we have got counts when it is durable. */
  counts(lane: Lane): LaneCounts {
    const { position, durable } = this.#broker.store;
    return {
      count: lane === VOLATILE ? this.count : this.#storedCount,
      received: durable >= position ? this.#stored!.noted(lane) : 0,
      receivedCount: this.#theirCounts[lane],
    };
  }

  /**
   * A link begins, and this is how far the peer is: what it has got is not sent again.
   * @returns false when it has got more than we know of, as after a copy of our store was put back: the next link has a new count, since the
   *   peer would take what is new under the old one for what it has
   */
  follow(lane: Lane, { count, received, receivedCount }: LaneCounts): boolean {
    if (count !== this.#theirCounts[lane]) {
      // In this order: a crash in between must not leave the new count with the old number.
      this.#stored!.note(lane, 0, UNKNOWN_POSITION);
      this.#theirCounts[lane] = count;
      this.#stored!.setAttribute(THEIR_COUNTS[lane], Buffer.from(count));
    }
    if (lane === VOLATILE && receivedCount === this.count) this.outbox.acknowledgeThrough(received);
    if (lane === VOLATILE || receivedCount !== this.#storedCount) return true;
    if (this.#storedOutbox!.mayHaveSent(received)) {
      this.#storedOutbox!.acknowledgeThrough(received);
      return true;
    }
    this.#broker.log.error(
      'the store is older than what a linked broker has had of it, as after a copy was put back: what is missing is lost',
      {
        peer: this.id,
        peerName: this.name,
      },
    );
    this.#nameStoredCount();
    return false;
  }

  /** Whether this number of the peer's count is new to us. */
  isNew(lane: Lane, number: number): boolean {
    return number > this.#stored!.noted(lane);
  }

  /** What the peer sent under this number has been published; `position`: where the store was before. */
  noteReceived(lane: Lane, number: number, position: number): void {
    this.#stored!.note(lane, number, position);
  }

  /** Messages go out here from now on. `inFlightMax` bounds those waiting for their answers; `counted`: the peer knows our sequence numbers. */
  attach(channel: Channel, options: { inFlightMax: number; counted: boolean }): void {
    this.#channel = channel;
    this.#inFlightMax = options.inFlightMax;
    this.#counted = options.counted;
    this.#tooLarge = false;
    this.setSuspect(false);
    this.pump();
  }

  /** The link is gone. What was for members of a shared subscription and has not been sent need not wait: others get it. */
  detach(): void {
    this.#channel = null;
    this.outbox.rewind();
    this.#storedOutbox?.rewind();
    this.demand.setReachable(false);
    this.#giveAgain((sent) => !sent);
    this.#storedOutbox?.takeAddressed((address, message, sent) => !sent && this.#groups.giveAgain(address, message, this));
  }

  /** Nothing was heard of it for a while, or something was: see `PeerLink.tick`. */
  setSuspect(suspect: boolean): void {
    this.#suspect = suspect;
    this.demand.setReachable(!suspect && this.#channel !== null);
  }

  /** It has been away for some time. What is for clean subscribers alone is given up. @returns how many messages that were */
  forgetVolatile(saidGoodbye: boolean): number {
    this.demand.removeVolatile();
    this.abandon(saidGoodbye);
    const lost = this.outbox.size;
    this.outbox.clear();
    return lost;
  }

  /** Nothing of it stays. */
  forgetStored(): void {
    this.#storedOutbox?.takeAddressed(
      (address, message, sent) => !(sent && message.qos === 2) && this.#groups.giveAgain(address, message, this),
    );
    this.#stored?.drop();
    this.#stored = null;
    this.#storedOutbox = null;
  }

  /**
   * It does not come back. What was for members of a shared subscription goes to others.
   *
   * @param saidGoodbye then it has not had what it did not answer. Otherwise it may have: then a message of QoS 2, which must not come
   *   twice, is lost with it
   */
  abandon(saidGoodbye: boolean): void {
    this.#giveAgain((sent, { qos }) => !sent || saidGoodbye || qos === 1);
  }

  deliver(message: Message, route: Route): void {
    if (!this.#rules.forwards(message, this.id)) return;
    if (message.qos > 0 && PeerDemand.isDurable(route))
      this.#store(message, null, message.transit instanceof LinkTransit ? message.transit : null);
    else this.#take(message.frame(this.#form), message, null);
  }

  /**
   * Takes a message that is for one shared subscription alone.
   * @param passedOn the way it took, where a broker before us has chosen the address
   * @param isDurable whether it is kept without limit of time
   */
  deliverTo(address: GroupAddress, message: Message, passedOn: LinkTransit | null, isDurable: boolean): void {
    if (message.qos > 0 && isDurable) this.#store(message, address, passedOn);
    else this.#take(this.#form.encodeFor(address, message, passedOn), message, address);
  }

  #take(frame: Frame, { qos }: Message, address: GroupAddress | null): void {
    if (qos > 0) {
      if (!this.outbox.push(frame, address)) this.#refuse();
      else if (qos === 2 && this.#broker.keepsId) this.#hold();
      else this.#sendOn();
      return;
    }
    const channel = this.#channel;
    if (channel === null || channel.queuedBytes > LINK_QUEUE_QOS0_BYTES) this.#drop();
    else if (isTooLarge(frame, channel)) this.#dropLarge(frame);
    else {
      channel.sendPublication(frame, false, 0);
      this.counters.sent++;
    }
  }

  /** Nothing is sent now: what has expired would be removed, and that would end what the store has open for this message. */
  #store(message: Message, address: GroupAddress | null, passedOn: LinkTransit | null): void {
    if (!this.#storedOutbox!.push(message, address, passedOn)) this.#refuse();
  }

  /** The message that has just come may be sent as soon as those before it. */
  #sendOn(): void {
    const { nextNumber } = this.outbox;
    if (this.#sendable.safe < nextNumber - 1) return;
    this.#sendable.safe = nextNumber;
    this.pump();
  }

  /** What is stored together with a message of QoS 2 is known when its publication is over. */
  #hold(): void {
    if (this.#isHolding) return;
    this.#isHolding = true;
    setImmediate(() => {
      this.#isHolding = false;
      if (this.#sendable.appended()) this.pump();
    });
  }

  /** Sends what waits, as far as the link takes it. */
  pump(): void {
    const channel = this.#channel;
    if (channel === null) return;
    this.#pumpVolatile(channel);
    if (this.#storedOutbox !== null) this.#pumpStored(channel, this.#storedOutbox);
  }

  #pumpStored(channel: Channel, outbox: StoredOutbox): void {
    while (outbox.inFlight < this.#inFlightMax && channel.queuedBytes < LINK_QUEUE_BYTES) {
      const message = outbox.next();
      if (message === null) return;
      if (message.expiresAtMs !== 0 && message.expiresAtMs <= this.#broker.wallNow()) {
        outbox.skip(); // [MQTT-3.3.2-5]
        continue;
      }
      const frame = outbox.nextFrame;
      if (isTooLarge(frame, channel)) {
        outbox.skip();
        this.#dropLarge(frame);
        continue;
      }
      outbox.nextSent(channel.sendPublication(frame, true, -outbox.nextNumber));
      this.counters.sent++;
    }
  }

  #pumpVolatile(channel: Channel): void {
    const { outbox } = this;
    const { safe } = this.#sendable;
    while (outbox.inFlight < this.#inFlightMax && channel.queuedBytes < LINK_QUEUE_BYTES) {
      const frame = outbox.next();
      if (frame === null || outbox.nextSequence >= safe) return;
      if (isTooLarge(frame, channel)) {
        outbox.skip();
        this.#dropLarge(frame);
        continue;
      }
      if (this.#hasExpired(frame)) {
        outbox.skip(); // [MQTT-3.3.2-5]
        continue;
      }
      outbox.nextSent(channel.sendPublication(frame, true, this.#counted ? outbox.nextSequence : 0));
      this.counters.sent++;
    }
  }

  /** The peer answered a command. */
  acknowledge(commandId: number): void {
    const stored = this.#storedOutbox;
    if (stored?.acknowledge(commandId) !== true && !this.outbox.acknowledge(commandId)) return;
    if (this.outbox.size === 0 && (stored === null || stored.size === 0)) this.#refused = false;
    if (this.outbox.unsent > 0 || stored?.isBehind === true) this.pump();
  }

  #hasExpired(frame: Frame): boolean {
    const expiresAtMs = frameExpiresAtMs(frame);
    return expiresAtMs !== 0 && expiresAtMs <= this.#broker.wallNow();
  }

  /**
   * It was started anew, and its members of shared subscriptions may have had what was sent to it from memory: what must not come twice is
   * lost with them.
   */
  #loseSent(): void {
    this.abandon(false);
    this.outbox.takeAddressed((_address, _frame, sent) => sent);
  }

  #giveAgain(which: (sent: boolean, message: Message) => boolean): void {
    const reader = new PublicationReader(this.#broker.limits.topicLevels);
    this.outbox.takeAddressed((address, frame, sent) => {
      if (this.#hasExpired(frame)) return true;
      if (!reader.read(frame.buffer, frame.start + 4, frame.end)) return false;
      const { topic, qos, retain, payloadStart, payloadEnd, properties, expiresAtMs } = reader;
      const message = new Message(topic, qos, retain, frame.buffer, payloadStart, payloadEnd, false, properties, expiresAtMs, null, null);
      return which(sent, message) && this.#groups.giveAgain(address, message, this);
    });
  }

  #refuse(): void {
    this.#drop();
    if (this.#refused) return;
    this.#refused = true;
    this.#broker.log.warn('messages for a linked broker are dropped: the limit of what waits for it is reached', {
      peer: this.id,
      peerName: this.name,
      ...this.waiting,
    });
  }

  #dropLarge(frame: Frame): void {
    this.#drop();
    if (this.#tooLarge) return;
    this.#tooLarge = true;
    this.#broker.log.warn('a message was not sent to a linked broker: its frame is larger than the link allows (wireFormat.maxFrameSize)', {
      peer: this.id,
      peerName: this.name,
      bytes: frame.end - frame.start,
      maxFrameSize: this.#channel!.maxFrameSize,
    });
  }

  #restore(stored: StoredSession): void {
    const { attributes } = stored;
    this.#keepsId = attributes.has(KEEPS_ID);
    this.#storedCount = attributes.get(STORED_COUNT)?.toString() ?? '';
    for (const lane of [VOLATILE, STORED] as const) this.#theirCounts[lane] = attributes.get(THEIR_COUNTS[lane])?.toString() ?? '';
    this.#openOutbox(stored);
    const wishes = [...attributes.keys()].filter((name) => name.startsWith(WISH)).map((name) => name.slice(WISH.length));
    this.demand.restore(wishes);
    this.demand.setReachable(false);
  }

  #openOutbox(stored: StoredSession): void {
    this.#stored = stored;
    this.#storedOutbox = new StoredOutbox({
      store: this.#broker.store,
      stored,
      form: this.#form,
      limits: STORED_LIMITS,
      onSafe: () => this.pump(),
    });
  }

  #keepWish(wish: string, value: Buffer | null): void {
    this.#stored?.setAttribute(WISH + wish, value);
    this.wishesAt = this.#broker.store.position;
  }

  #nameStoredCount(): void {
    this.#storedCount = countName(this.#broker);
    this.#stored!.setAttribute(STORED_COUNT, Buffer.from(this.#storedCount));
  }

  #drop(): void {
    this.counters.dropped++;
    this.#broker.counters.drop('linkedBroker');
  }
}

function isTooLarge(frame: Frame, channel: Channel): boolean {
  return frame.end - frame.start - 4 > channel.maxFrameSize;
}

function staticKey(filter: string): string {
  return `static:${filter}`;
}

/** None is given twice, also after a restart. */
function countName({ clock, incarnation }: Broker): string {
  const { wallMs, counter } = clock.next();
  return `${wallMs}.${counter}.${incarnation}`;
}

/** The name of a broker that the store has something of. */
export function storedName(stored: StoredSession): string {
  return stored.attributes.get(PEER_NAME)?.toString() ?? '';
}

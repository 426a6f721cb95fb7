import type { Broker } from '../../core/broker.ts';
import { type Frame, Message } from '../../core/message.ts';
import { BEHIND, FULL, type Publisher, READY, type Readiness, type Subscriber, UNREACHABLE } from '../../core/subscription.ts';
import type { Channel } from '../../protocols/openwire/channel.ts';
import type { GroupAddress } from '../../protocols/openwire/group-address.ts';
import type { LinkTransit } from '../../protocols/openwire/message-origin.ts';
import { frameExpiresAtMs, type PublicationForm } from '../../protocols/openwire/publication-form.ts';
import { PublicationReader } from '../../protocols/openwire/publication-reader.ts';
import type { Demand } from './demand.ts';
import { LINK_QUEUE_BEHIND_BYTES, LINK_QUEUE_BYTES, LINK_QUEUE_QOS0_BYTES, OUTBOX_BYTES_MAX, OUTBOX_MESSAGES_MAX } from './link-limits.ts';
import { DEFAULT_LINK_SETTINGS, type LinkSettings } from './link-settings.ts';
import { Outbox } from './outbox.ts';
import { PeerDemand } from './peer-demand.ts';
import type { PeerGroups } from './peer-groups.ts';
import { RouteRules } from './route-rules.ts';

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

/**
 * A remote broker as a subscriber of ours. It outlives its links: demand stays for a while, and messages of QoS 1 and 2 wait in the outbox
 * until the same broker is back.
 */
export class PeerSubscriber implements Subscriber {
  readonly id: string;
  readonly kind = 'peer';
  readonly name: string;
  readonly publisher: Publisher;
  readonly demand: PeerDemand;
  readonly outbox = new Outbox({ messages: OUTBOX_MESSAGES_MAX, bytes: OUTBOX_BYTES_MAX });
  readonly counters: PeerCounters = { sent: 0, received: 0, duplicates: 0, dropped: 0 };
  /** Names our count of what we send it. A peer that was forgotten and comes back is counted anew, under another name. */
  readonly count: string;
  /** Its own count of what it sends us: everything up to this number has been here. */
  receivedSequence = 0;
  /** The name of that count. */
  receivedCount = '';
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

  constructor(id: string, name: string, broker: Broker, form: PublicationForm, demand: Demand, groups: PeerGroups) {
    this.id = id;
    this.publisher = { id, kind: 'peer' };
    this.name = name;
    this.#broker = broker;
    this.#form = form;
    this.#groups = groups;
    const { wallMs, counter } = broker.clock.next();
    this.count = `${wallMs}.${counter}`;
    this.demand = new PeerDemand(this, broker.router, demand, broker.limits.topicLevels, {
      add: (filter, brokerPath, group) => groups.addWay(this, filter, brokerPath, group),
      remove: (way) => groups.removeWay(way),
    });
  }

  /** How soon the link takes a message for a shared subscription. */
  get readinessForGroups(): Readiness {
    if (this.outbox.full) return FULL;
    const channel = this.#channel;
    if (channel === null || this.#suspect) return UNREACHABLE;
    return this.outbox.unsent > 0 || channel.queuedBytes > LINK_QUEUE_BEHIND_BYTES ? BEHIND : READY;
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

  /** A link begins: where the peer's count is another one than before, nothing of it has been here. */
  followCount(count: string): void {
    if (count === this.receivedCount) return;
    this.receivedCount = count;
    this.receivedSequence = 0;
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
    this.demand.setReachable(false);
    this.#giveAgain((sent) => !sent);
  }

  /** Nothing was heard of it for a while, or something was: see `PeerLink.tick`. */
  setSuspect(suspect: boolean): void {
    this.#suspect = suspect;
    this.demand.setReachable(!suspect && this.#channel !== null);
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

  deliver(message: Message): void {
    if (!this.#rules.forwards(message, this.id)) return;
    this.#take(message.frame(this.#form), message, null);
  }

  /**
   * Takes a message that is for one shared subscription alone.
   * @param passedOn the way it took, where a broker before us has chosen the address
   */
  deliverTo(address: GroupAddress, message: Message, passedOn: LinkTransit | null): void {
    this.#take(this.#form.encodeFor(address, message, passedOn), message, address);
  }

  #take(frame: Frame, { qos }: Message, address: GroupAddress | null): void {
    if (qos > 0) {
      if (this.outbox.push(frame, address)) this.pump();
      else this.#refuse();
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

  /** Sends what the outbox holds, as far as the link takes it. */
  pump(): void {
    const channel = this.#channel;
    if (channel === null) return;
    const { outbox } = this;
    while (outbox.inFlight < this.#inFlightMax && channel.queuedBytes < LINK_QUEUE_BYTES) {
      const frame = outbox.next();
      if (frame === null) return;
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
    if (!this.outbox.acknowledge(commandId)) return;
    if (this.outbox.size === 0) this.#refused = false;
    if (this.outbox.unsent > 0) this.pump();
  }

  #hasExpired(frame: Frame): boolean {
    const expiresAtMs = frameExpiresAtMs(frame);
    return expiresAtMs !== 0 && expiresAtMs <= this.#broker.wallNow();
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
      messages: this.outbox.size,
      bytes: this.outbox.bytes,
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

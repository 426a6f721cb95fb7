import type { Broker } from '../../core/broker.ts';
import { Message } from '../../core/message.ts';
import { STORED, VOLATILE } from '../../core/store.ts';
import type { Gauge } from '../../core/usage.ts';
import type { Channel } from '../../protocols/openwire/channel.ts';
import type { GroupAddress } from '../../protocols/openwire/group-address.ts';
import { LinkTransit } from '../../protocols/openwire/message-origin.ts';
import type { PublicationReader } from '../../protocols/openwire/publication-reader.ts';
import {
  type BytesMessage,
  createShutdownInfo,
  type DataStructure,
  isCommand,
  isResponse,
} from '../../protocols/openwire/wire/commands.ts';
import {
  BYTES_MESSAGE,
  CONNECTION_ERROR,
  EXCEPTION_RESPONSE,
  type ExceptionResponse,
  PLAIN_MESSAGE,
  type PlainMessage,
  SHUTDOWN_INFO,
} from '../../protocols/openwire/wire/structures.ts';
import type { Advisories } from './advisory.ts';
import { consumerNews, encodeAdvisory } from './advisory.ts';
import { ChunkedWork } from './chunked-work.ts';
import { type ClientAddress, parseClientAddresses } from './client-addresses.ts';
import { type ClusterCommand, encodeCommand, fromBytesMessage, isClusterCommand, toBytesMessage } from './cluster-command.ts';
import type { Advert, Demand } from './demand.ts';
import { DemandMarkers } from './demand-markers.ts';
import type { DemandWave } from './demand-wave.ts';
import { DurableAnswers, UNKNOWN_POSITION } from './durable-answers.ts';
import type { Link, LinkState, LinkView } from './link.ts';
import { LinkDirections } from './link-directions.ts';
import {
  BROKER_PATH_MAX,
  DEAD_HEARTBEATS,
  HANDSHAKE_MAX_MS,
  HEARTBEAT_MS,
  LINK_IN_FLIGHT_MAX,
  LINK_QUEUE_MAX_BYTES,
  LINK_QUEUE_RETAINED_BYTES,
  SUSPECT_HEARTBEATS,
} from './link-limits.ts';
import type { LinkSettings } from './link-settings.ts';
import type { PeerSubscriber } from './peer-subscriber.ts';
import { isOwnStatistics } from './route-rules.ts';
import type { SeenMessages } from './seen-messages.ts';

/** What a link needs of the network it belongs to. */
export interface LinkHost {
  readonly broker: Broker;
  readonly demand: Demand;
  readonly advisories: Advisories;
  readonly seen: SeenMessages;
  /** The peer, known or new, as our router's subscriber. */
  peerFor(link: PeerLink): PeerSubscriber;
  /** The peer decided that this connection is the link. */
  chosenByPeer(link: PeerLink): void;
  /** Both sides have told each other everything. */
  synchronised(link: PeerLink): void;
  /** Where MQTT clients find us, as `formatClientAddresses` has it; empty: nowhere yet. */
  clientAddresses(): string;
  /** A message that the peer has for members of one shared subscription alone. */
  deal(address: GroupAddress, message: Message): void;
  /** A claim or a retained message of the peer, to be passed on where it is news. */
  passOn(command: ClusterCommand & { kind: 'claim' | 'retained' }, from: PeerLink): void;
  /** Resolves when the brokers behind us know our demand; null when they do already. `path`: brokers that need not be asked. */
  demandKnownBehind(path: readonly string[]): Promise<void> | null;
  closed(link: PeerLink, fault: string | null): void;
}

export interface PeerLinkOptions {
  readonly host: LinkHost;
  readonly channel: Channel;
  readonly peerId: string;
  readonly peerName: string;
  /** The URI that peers of it can dial; tells a broker without a store that was restarted from another one. */
  readonly peerUrl: string;
  readonly direction: 'initiated' | 'accepted';
  /** Our networkConnector for the peer, and the peer's for us. At least the one that dialled is there. */
  readonly ours: LinkSettings | null;
  readonly theirs: LinkSettings | null;
  /** Whether the peer knows of shared subscriptions (`GROUPS_VERSION`). */
  readonly knowsGroups: boolean;
}

/**
 * The link with one broker of ours, over one connection.
 *
 *                     begin(we decide)                      both told everything
 *     waiting ─────────────────────────────────► syncing ───────────────────────► up
 *        └── the peer's `begin` arrives ────────────┘
 *
 * Silence makes a link suspect, whatever it is doing: see `tick`.
 */
export class PeerLink implements Link {
  readonly peerId: string;
  readonly peerName: string;
  readonly peerUrl: string;
  readonly direction: 'initiated' | 'accepted';
  readonly channel: Channel;
  readonly #host: LinkHost;
  readonly #broker: Broker;
  readonly #markers: DemandMarkers;
  readonly #answers: DurableAnswers;
  readonly #directions: LinkDirections;
  readonly #knowsGroups: boolean;
  #peer: PeerSubscriber | null = null;
  #clientAddresses: readonly ClientAddress[] = [];
  #state: 'waiting' | 'syncing' | 'up' | 'closed' = 'waiting';
  #suspect = false;
  /** The peer said goodbye: it will not come back under this id. */
  #leaving = false;
  #beginSent = false;
  #peerBegan = false;
  #peerEnded = false;
  /** Command id of our `end`; 0 before it was sent and after it was answered. */
  #endId = 0;
  #endAnswered = false;
  /** What is still to be told. */
  readonly #work: ChunkedWork;
  /** Retained messages were passed over because the peer was slow: they are all told anew. */
  #retainedLag = false;
  readonly #deadlineMs: number;

  constructor(options: PeerLinkOptions) {
    this.#host = options.host;
    this.#broker = options.host.broker;
    this.channel = options.channel;
    this.peerId = options.peerId;
    this.peerName = options.peerName;
    this.peerUrl = options.peerUrl;
    this.direction = options.direction;
    this.#directions = new LinkDirections(options.ours, options.theirs);
    this.#knowsGroups = options.knowsGroups;
    this.#work = new ChunkedWork(this.channel);
    this.#markers = new DemandMarkers(this.channel, this.#broker.id);
    this.#answers = new DurableAnswers(this.channel, this.#broker.store, () => (this.#peer?.waiting.messages ?? 0) > 0);
    this.#deadlineMs = this.channel.heardAtMs + HANDSHAKE_MAX_MS;
  }

  /** Whether messages cross to the peer. */
  get forwardsOut(): boolean {
    return this.#directions.out;
  }

  get forwardsIn(): boolean {
    return this.#directions.in;
  }

  get begun(): boolean {
    return this.#state === 'syncing' || this.#state === 'up';
  }

  /** Whether messages of QoS 1 and 2 are on their way to the peer. */
  get isSending(): boolean {
    return this.begun && !this.#suspect && this.forwardsOut && (this.#peer?.waiting.messages ?? 0) > 0;
  }

  get suspect(): boolean {
    return this.#suspect;
  }

  /** Whether we have dialled and the peer has not taken this connection for the link yet: it may still refuse it. */
  get tentative(): boolean {
    return this.direction === 'initiated' && !this.#peerBegan;
  }

  get leaving(): boolean {
    return this.#leaving;
  }

  /** True while somebody may wait for this link. */
  get waitable(): boolean {
    return this.begun && !this.#suspect && this.forwardsIn;
  }

  /** Where MQTT clients find the peer; none while it is not known to be up. */
  get clientAddresses(): readonly ClientAddress[] {
    return this.begun && !this.#suspect && !this.#leaving ? this.#clientAddresses : [];
  }

  /** True when the peer does not know all our demand yet, or we do not know that it does. */
  get demandUnknown(): boolean {
    return this.#markers.unknown;
  }

  /** This connection is the link: starts telling the peer everything. */
  begin(): void {
    const peer = this.#host.peerFor(this);
    this.#peer = peer;
    this.#state = 'syncing';
    this.#beginSent = true;
    peer.openStored(this.peerUrl);
    const { name, incarnation, keepsId } = this.#broker;
    const connector = this.#directions.describeOurs(name);
    const [counts, storedCounts] = [peer.counts(VOLATILE), peer.counts(STORED)];
    this.channel.send(toBytesMessage({ kind: 'begin', counts, storedCounts, incarnation, keepsId, connector }));
    peer.knowsGroups = this.#knowsGroups;
    peer.demand.markStale();
    peer.applySettings(this.#directions.outSettings);
    this.tellClientAddresses();
    this.#work.add(this.#tellEverything());
  }

  /** Tells where MQTT clients find us, at the beginning and when that changes. */
  tellClientAddresses(): void {
    const addresses = this.#host.clientAddresses();
    if (this.begun && addresses !== '') this.channel.send(toBytesMessage({ kind: 'clients', addresses }));
  }

  /** We found out that we have a networkConnector for this peer, too. */
  setOurs(settings: LinkSettings): void {
    if (this.#directions.ours !== null) return;
    this.#directions.setOurs(settings);
    if (!this.#beginSent) return;
    this.#peer?.applySettings(this.#directions.outSettings);
    this.channel.send(toBytesMessage({ kind: 'connector', connector: this.#directions.describeOurs(this.#broker.name)! }));
  }

  demandGained(advert: Advert, frame: Buffer): void {
    if (!this.begun || !this.#directions.takes(advert, this.peerId)) return;
    this.#sendNews(frame);
    this.#markers.told();
  }

  demandLost(advert: Advert, frame: Buffer): void {
    if (this.begun && this.#directions.takes(advert, this.peerId)) this.#sendNews(frame);
  }

  /** Persistent subscribers have come, who wait until it is known, or gone. */
  durabilityChanged(advert: Advert, frame: Buffer): void {
    if (!this.begun || !this.#directions.takes(advert, this.peerId)) return;
    this.#sendNews(frame);
    if (advert.isDurable) this.#markers.told();
  }

  /** Nobody waits for this news. */
  groupChanged(advert: Advert, frame: Buffer): void {
    if (this.#knowsGroups && this.begun && this.#directions.takes(advert, this.peerId)) this.#sendNews(frame);
  }

  /** Tells the wave when the peer knows all demand told before now. */
  awaitDemand(wave: DemandWave): void {
    this.#markers.await(wave);
  }

  sendClaim(frame: Buffer): void {
    if (this.begun) this.#sendNews(frame);
  }

  sendRetained(frame: Buffer, topic: string): void {
    if (!this.begun || !this.forwardsOut || !this.#peer!.rules.permits(topic)) return;
    if (this.channel.queuedBytes > LINK_QUEUE_RETAINED_BYTES) this.#retainedLag = true;
    else this.#sendRetained(frame, topic);
  }

  tick(nowMs: number, listened: boolean): void {
    if (this.#state === 'closed') return;
    if (!this.begun && nowMs > this.#deadlineMs) {
      this.channel.fail(`no decision about the link within ${HANDSHAKE_MAX_MS} ms`);
      return;
    }
    if (listened) this.#checkSilence(nowMs - this.channel.heardAtMs);
    this.channel.sendKeepAlive(true);
    this.#peer?.pump();
    if (this.begun) this.#goOn();
  }

  shutDown(): void {
    if (this.#state === 'closed') return;
    this.channel.send(createShutdownInfo());
    this.channel.end();
  }

  view(): LinkView {
    const peer = this.#peer;
    const state: LinkState = this.#suspect ? 'suspect' : this.#state === 'up' ? 'up' : this.begun ? 'syncing' : 'connecting';
    return {
      peerId: this.peerId,
      peerName: this.peerName,
      kind: 'roundhouse',
      address: this.channel.remoteAddress,
      connector: this.#directions.ours?.name ?? '',
      direction: this.direction,
      state,
      forwardsOut: this.forwardsOut,
      forwardsIn: this.forwardsIn,
      demand: peer?.demand.size ?? 0,
      outboxMessages: peer?.waiting.messages ?? 0,
      outboxBytes: peer?.waiting.bytes ?? 0,
      queuedBytes: this.channel.queuedBytes,
      counters: { ...(peer?.counters ?? { sent: 0, received: 0, duplicates: 0, dropped: 0 }) },
    };
  }

  onNegotiated(): void {}

  onPublication(reader: PublicationReader, buffer: Buffer): void {
    const peer = this.#peer;
    if (peer === null || !this.#peerBegan) return;
    peer.counters.received++;
    const before = this.#broker.store.position;
    const { linkSequence, commandId, responseRequired } = reader;
    const lane = linkSequence < 0 ? STORED : VOLATILE;
    const number = Math.abs(linkSequence);
    let isHere = false;
    let lacking: Gauge | null = null;
    if (!this.forwardsIn || isOwnStatistics(reader.topic)) {
      // Answered, so that the peer need not keep it; the file says that it does not cross.
    } else if (number > 0 && !peer.isNew(lane, number)) {
      isHere = true;
    } else {
      isHere = !this.#isNew(reader);
      if (!isHere) {
        if (this.#broker.usage.isSystemShort) lacking = this.#broker.systemShortage(reader.topic, reader.qos, false);
        this.#publish(reader, buffer, peer);
        this.#host.seen.published(before);
      }
      if (number > 0) peer.noteReceived(lane, number, before);
    }
    if (isHere) peer.counters.duplicates++;
    if (responseRequired && lacking !== null) this.#answers.answerWithRoom(commandId, lacking);
    else if (responseRequired) this.#answers.answer(commandId, isHere ? UNKNOWN_POSITION : before); // what is here may not be on the disk yet
  }

  onResponse(correlationId: number): void {
    if (this.#markers.answered(correlationId)) return;
    if (this.#endId !== 0 && correlationId === this.#endId) {
      this.#endId = 0;
      this.#endAnswered = true;
      this.#checkSynchronised();
      return;
    }
    this.#peer?.acknowledge(correlationId);
  }

  onCommand(command: DataStructure): void {
    if (this.#state === 'closed') return;
    switch (command.kind) {
      case PLAIN_MESSAGE:
        this.#onAdvisory(command);
        return;
      case BYTES_MESSAGE:
        this.#onBytesMessage(command);
        return;
      case SHUTDOWN_INFO:
        this.#leaving = true;
        this.channel.end();
        return;
      case CONNECTION_ERROR:
        this.channel.fail(`the peer reports: ${command.exception?.message ?? 'an error'}`);
        return;
      default:
        if (isResponse(command)) this.#onOtherResponse(command);
        else if (isCommand(command) && command.responseRequired) this.channel.respond(command.commandId);
    }
  }

  onDrain(): void {
    this.#peer?.pump();
    if (this.begun) this.#goOn();
  }

  onClosed(fault: string | null): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#work.drop();
    this.#markers.abandon();
    this.#answers.drop();
    this.#host.closed(this, fault);
  }

  #publish(reader: PublicationReader, buffer: Buffer, peer: PeerSubscriber): void {
    const { topic, qos, retain, payloadStart, payloadEnd, properties, expiresAtMs, origin, sequence, path } = reader;
    const address = this.#knowsGroups ? reader.group : null;
    // A peer that does not look at what our clients want has dealt nothing to our groups.
    const groupsServed = address !== null || (this.#knowsGroups && this.#directions.takesOurs(this.peerId));
    const transit = new LinkTransit(origin, sequence, path, groupsServed);
    const message = new Message(
      topic,
      qos,
      retain,
      buffer,
      payloadStart,
      payloadEnd,
      true,
      properties,
      expiresAtMs,
      peer.publisher,
      transit,
    );
    if (address === null) this.#broker.publish(message);
    else this.#host.deal(address, message);
  }

  /** Not here before, not our own coming back, and something that can be published. */
  #isNew(reader: PublicationReader): boolean {
    const { ids } = reader.path;
    if (ids.length > BROKER_PATH_MAX || ids.includes(this.#broker.id) || reader.topic === '') return false;
    const news = this.#host.seen.note(reader.origin.text, reader.sequence);
    return news === 'new' || (news === 'old' && reader.qos > 0);
  }

  #onAdvisory(advisory: PlainMessage): void {
    const news = consumerNews(advisory, false);
    const peer = this.#peer;
    if (news === null || peer === null || !this.forwardsOut) return;
    const { key, consumer, filters, brokerPath, group, isDurable } = news;
    if (consumer === null) {
      peer.demand.remove(key);
      return;
    }
    if (brokerPath.length >= BROKER_PATH_MAX || !peer.rules.acceptsDemand(brokerPath, this.#broker.id)) return;
    const told = this.#knowsGroups ? group : null;
    if (!peer.demand.add(key, filters, [...brokerPath, this.peerId], told, isDurable))
      this.channel.fail('more filters are asked for than one peer may');
  }

  #onBytesMessage(message: BytesMessage): void {
    const command = isClusterCommand(message) ? fromBytesMessage(message) : null;
    if (command?.kind === 'marker') {
      this.#onMarker(command.path, message.commandId);
      return;
    }
    if (command !== null) this.#onClusterCommand(command);
    if (message.responseRequired) this.channel.respond(message.commandId);
  }

  #onClusterCommand(command: ClusterCommand): void {
    if (command.kind === 'begin') {
      this.#onBegin(command);
      return;
    }
    if (!this.#peerBegan) return;
    switch (command.kind) {
      case 'connector':
        this.#setTheirs(command.connector);
        return;
      case 'clients':
        this.#clientAddresses = parseClientAddresses(command.addresses);
        return;
      case 'demand':
        this.#peer!.demand.removeStale();
        return;
      case 'claim':
      case 'retained':
        if (command.kind === 'retained' && !this.forwardsIn) return;
        if (command.path.length < BROKER_PATH_MAX) this.#host.passOn(command, this);
        return;
      case 'end':
        this.#peerEnded = true;
        this.#checkSynchronised();
        return;
      default:
        return;
    }
  }

  #onBegin({ counts, storedCounts, incarnation, keepsId, connector }: ClusterCommand & { kind: 'begin' }): void {
    if (this.#peerBegan) return;
    if (!this.#beginSent) this.#host.chosenByPeer(this); // begins
    if (!this.begun) return;
    this.#peerBegan = true;
    if (connector !== null) this.#setTheirs(connector);
    const peer = this.#peer!;
    peer.introduce(incarnation, keepsId);
    peer.follow(VOLATILE, counts);
    if (storedCounts !== null && !peer.follow(STORED, storedCounts)) {
      this.channel.fail('the peer has had more than the store knows of'); // the next link begins with a new count
      return;
    }
    peer.attach(this.channel, { inFlightMax: LINK_IN_FLIGHT_MAX, counted: true });
  }

  #onMarker(path: readonly string[], commandId: number): void {
    const known = this.#host.demandKnownBehind(path);
    const { store } = this.#broker;
    const answer = (): void => {
      if (this.#state === 'closed') return;
      // Somebody's SUBACK waits for it: that we keep messages for a persistent subscriber is to outlive us.
      if (store.durable >= (this.#peer?.wishesAt ?? 0)) this.channel.respond(commandId);
      else this.#answers.answer(commandId, UNKNOWN_POSITION);
    };
    if (known === null) answer();
    else void known.then(answer);
  }

  #onOtherResponse(response: DataStructure & { correlationId: number }): void {
    if (response.kind === EXCEPTION_RESPONSE) {
      this.#broker.log.warn('a linked broker refused what it was sent', {
        peer: this.peerId,
        reason: (response as ExceptionResponse).exception?.message ?? null,
      });
    }
    this.onResponse(response.correlationId);
  }

  #setTheirs(properties: string): void {
    const toldBefore = this.forwardsIn;
    this.#directions.setTheirs(properties);
    this.#peer?.applySettings(this.#directions.outSettings);
    if (!toldBefore && this.#beginSent) this.#work.add(this.#tellDemand());
  }

  *#tellEverything(): Generator<void> {
    yield* this.#tellDemand();
    for (const session of this.#broker.sessions.values()) {
      if (!session.connected) continue;
      const { clientId, claimedAt } = session;
      this.channel.send(toBytesMessage({ kind: 'claim', clientId, stamp: claimedAt, path: [this.#broker.id] }));
      yield;
    }
    yield* this.#tellRetained();
    this.#endId = this.channel.request(toBytesMessage({ kind: 'end' }));
  }

  *#tellDemand(): Generator<void> {
    if (this.forwardsIn) {
      for (const advert of this.#host.demand.adverts()) {
        if (!this.#directions.takes(advert, this.peerId)) continue;
        this.channel.sendEncoded(encodeAdvisory(this.#host.advisories.gained(advert)));
        this.#markers.told();
        yield;
      }
      this.#markers.allTold();
    }
    this.channel.send(toBytesMessage({ kind: 'demand' }));
  }

  *#tellRetained(): Generator<void> {
    for (const { topic, message, stamp } of this.#broker.retained.entries()) {
      if (!this.forwardsOut || !this.#peer!.rules.permits(topic)) continue;
      this.#sendRetained(encodeCommand({ kind: 'retained', topic, message, stamp, path: [this.#broker.id] }), topic);
      yield;
    }
  }

  /** What cannot be left out while the link stands: a peer that takes nothing is told all anew by another link. */
  #sendNews(frame: Buffer): void {
    if (this.channel.queuedBytes > LINK_QUEUE_MAX_BYTES + this.channel.maxFrameSize)
      this.channel.fail('the peer does not take what it is sent');
    else this.channel.sendEncoded(frame);
  }

  #sendRetained(frame: Buffer, topic: string): void {
    if (this.channel.sendEncoded(frame)) return;
    this.#broker.log.warn(
      'a retained message was not told to a linked broker: its frame is larger than the link allows (wireFormat.maxFrameSize)',
      {
        peer: this.peerId,
        peerName: this.peerName,
        topic,
        bytes: frame.length,
        maxFrameSize: this.channel.maxFrameSize,
      },
    );
  }

  #goOn(): void {
    if (this.#retainedLag && this.#work.done) {
      this.#retainedLag = false;
      this.#work.add(this.#tellRetained());
    }
    this.#work.goOn();
  }

  #checkSynchronised(): void {
    if (this.#state !== 'syncing' || !this.#peerEnded || !this.#endAnswered) return;
    this.#state = 'up';
    this.#host.synchronised(this);
  }

  #checkSilence(silentMs: number): void {
    if (silentMs > DEAD_HEARTBEATS * HEARTBEAT_MS) {
      this.channel.fail(this.channel.silenceFault(DEAD_HEARTBEATS * HEARTBEAT_MS));
      return;
    }
    const suspect = silentMs > SUSPECT_HEARTBEATS * HEARTBEAT_MS;
    if (suspect === this.#suspect) return;
    this.#suspect = suspect;
    this.#peer?.setSuspect(suspect);
    if (suspect) this.#markers.abandon();
    if (!this.begun) return;
    const facts = { peer: this.peerId, peerName: this.peerName, address: this.channel.remoteAddress };
    if (suspect) this.#broker.log.warn('linked broker is silent: nothing waits for it until it is heard again', facts);
    else this.#broker.log.info('linked broker is heard again', facts);
  }
}

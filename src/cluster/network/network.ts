import type { Broker } from '../../core/broker.ts';
import type { Stamp } from '../../core/hybrid-clock.ts';
import type { Message } from '../../core/message.ts';
import type { Cluster } from '../../core/ports.ts';
import type { Router } from '../../core/router.ts';
import type { BrokerLinks } from '../../protocols/openwire/broker-links.ts';
import { type Channel, type ChannelHandler, GROUPS_VERSION, linkVersionOf } from '../../protocols/openwire/channel.ts';
import { isTopicName } from '../../protocols/openwire/destination.ts';
import { PublicationForm } from '../../protocols/openwire/publication-form.ts';
import {
  type BrokerInfo,
  type ConnectionInfo,
  createBrokerId,
  createBrokerInfo,
  createConnectionId,
  createConnectionInfo,
} from '../../protocols/openwire/wire/commands.ts';
import { MAX_FRAME_SIZE_DEFAULT_BYTES, type PeerOffer } from '../../protocols/openwire/wire/wire-format-info.ts';
import type { Log } from '../../telemetry/log.ts';
import { type Clock, systemClock } from '../../timing/clock.ts';
import { connectTcp } from '../../transport/tcp-connection.ts';
import type { Turn } from '../../transport/turn.ts';
import { addressText, type Discovery, type PeerAddress } from '../discovery/discovery.ts';
import { MulticastGroups } from '../discovery/multicast-groups.ts';
import { StaticDiscovery } from '../discovery/static.ts';
import { ActiveMQBridge } from './activemq-bridge.ts';
import { Advisories, encodeAdvisory } from './advisory.ts';
import { type ClientAddress, type ClientCarriage, formatClientAddresses } from './client-addresses.ts';
import { type ClusterCommand, encodeCommand } from './cluster-command.ts';
import { type Advert, Demand } from './demand.ts';
import { DemandWave } from './demand-wave.ts';
import { GroupNews } from './group-news.ts';
import { KnownPeers } from './known-peers.ts';
import type { Link, LinkView } from './link.ts';
import { FAREWELL_MAX_MS, HEARTBEAT_MS, SEEN_CLAIMS_MAX } from './link-limits.ts';
import type { ConnectorAnnouncement, LinkSettings, NetworkConnectorSettings } from './link-settings.ts';
import { NetworkConnector } from './network-connector.ts';
import { formatNetworkProperties, parseNetworkProperties } from './network-properties.ts';
import { type DialHost, isCopy, type PeerDialler } from './peer-dialler.ts';
import { PeerGroups } from './peer-groups.ts';
import { type LinkHost, PeerLink } from './peer-link.ts';
import { PeerSubscriber } from './peer-subscriber.ts';
import { isOwnStatistics } from './route-rules.ts';
import { SeenMessages } from './seen-messages.ts';
import { breakTie } from './tie-break.ts';

export interface NetworkOptions {
  readonly broker: Broker;
  readonly turn: Turn;
  /** `<networkConnector>` elements. None: the broker dials nobody and answers those who dial it. */
  readonly connectors: readonly NetworkConnectorSettings[];
  /** transportConnectors with a `discoveryUri`. */
  readonly announcements?: readonly ConnectorAnnouncement[];
  /** Where peers dial the OpenWire connector; null: they cannot. */
  readonly listening?: PeerAddress | null;
  /** Whether other brokers can dial this one. When not, and it dials nobody, what its clients want is not kept. Left out: they can. */
  readonly isDialled?: boolean;
  /** `--map-address`: applied to every address dialled and joined. What is bound has been mapped already. */
  readonly mapAddress?: (host: string) => string;
  readonly clock?: Clock;
  /** Largest OpenWire frame taken, in bytes, on links that we dial. */
  readonly maxFrameSize?: number;
  /** Offered for the inactivity monitor on links that we dial, in milliseconds. */
  readonly maxInactivityDurationMs?: number;
  /** Opens connections; for tests. */
  readonly connect?: typeof connectTcp;
}

/** ActiveMQ's default, which is also what it would come to with most peers, in milliseconds. */
const MAX_INACTIVITY_DURATION_MS = 30_000;

/** How often a broker that stops looks whether all has arrived, in milliseconds. */
const FAREWELL_LOOK_MS = 5;

/**
 * The network of brokers, as one of them sees it: who else there is, what they want, and what they must be told.
 * Messages do not pass here: each peer is a subscriber in the router.
 */
export class Network implements Cluster, BrokerLinks {
  readonly #broker: Broker;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #url: string;
  readonly #demand: Demand;
  readonly #groupNews = new GroupNews((advert) => this.#groupChanged(advert));
  readonly #peerGroups: PeerGroups;
  readonly #advisories: Advisories;
  readonly #form: PublicationForm;
  readonly #multicast: MulticastGroups;
  readonly #connectors: readonly NetworkConnector[];
  readonly #announcements: readonly ConnectorAnnouncement[];
  readonly #canLink: boolean;
  /** Every connection with a broker, the link or not. */
  readonly #connections = new Set<Link>();
  /** The one link with each broker of ours. */
  readonly #links = new Map<string, PeerLink>();
  readonly #peers: KnownPeers;
  /** Which dialler made a connection. */
  readonly #diallers = new Map<Link, PeerDialler>();
  readonly #linkHost: LinkHost;
  /** Linked brokers of whose id another one was found, and where that is. */
  readonly #copies = new Map<string, string>();
  /** Claims passed on, the oldest first. */
  readonly #seenClaims = new Set<string>();
  #heartbeat: NodeJS.Timeout | null = null;
  #lastTickMs = 0;
  #clientAddresses = '';
  /** Subscribers of this turn of the event loop, who wait together. */
  #wave: DemandWave | null = null;
  #stopped = false;

  constructor(options: NetworkOptions) {
    const { broker, announcements = [], listening = null, clock = systemClock, mapAddress = (host) => host } = options;
    this.#broker = broker;
    this.#log = broker.log;
    this.#clock = clock;
    this.#announcements = announcements;
    this.#url = listening === null ? '' : serviceUri(listening);
    this.#demand = new Demand({
      demandGained: (advert) => this.#demandGained(advert),
      demandLost: (advert) => {
        this.#groupNews.lost(advert);
        this.#demandLost(advert);
      },
      durabilityChanged: (advert) => this.#durabilityChanged(advert),
      groupChanged: (advert, group) => this.#groupNews.changed(advert, group),
      relayedGroupChanged: (advert) => this.#groupChanged(advert),
    });
    this.#peerGroups = new PeerGroups(broker);
    this.#advisories = new Advisories(broker.id, broker.incarnation, broker.name, this.#url);
    this.#form = new PublicationForm(broker.id, broker.incarnation, broker.wallNow);
    this.#multicast = new MulticastGroups({ mapAddress, announcements, log: this.#log, clock });
    this.#peers = new KnownPeers({
      log: this.#log,
      create: (id, name, stored) => new PeerSubscriber(id, name, broker, this.#form, this.#demand, this.#peerGroups, stored),
      isLinked: (id) => this.#isLinked(id),
    });
    this.#linkHost = this.#createLinkHost();
    const dialHost: DialHost = {
      brokerId: broker.id,
      brokerUrl: this.#url,
      log: this.#log,
      clock,
      turn: options.turn,
      connect: options.connect ?? connectTcp,
      topicLevels: broker.limits.topicLevels,
      maxFrameSize: options.maxFrameSize ?? MAX_FRAME_SIZE_DEFAULT_BYTES,
      maxInactivityDurationMs: options.maxInactivityDurationMs ?? MAX_INACTIVITY_DURATION_MS,
      mapAddress,
      isLinked: (peerId) => this.#isLinked(peerId),
      dialled: (dialler, channel, offer, peer) => this.#dialled(dialler, channel, offer, peer),
    };
    this.#connectors = options.connectors.map((settings) => new NetworkConnector(settings, this.#discoveryFor(settings), dialHost));
    this.#canLink = options.isDialled !== false || this.#connectors.length > 0;
  }

  /** Begins to find and link brokers. The connectors that others dial should listen already. */
  async start(): Promise<void> {
    if (this.#canLink) {
      this.#watchDemand(this.#broker.router);
      this.#peers.restore(this.#broker.store.peers());
    }
    this.#lastTickMs = this.#clock.monotonicMs();
    this.#heartbeat = setInterval(() => this.#tick(), HEARTBEAT_MS);
    await this.#multicast.start();
    for (const { multicast, published } of this.#announcements) this.#multicast.announce(multicast, serviceUri(published));
    for (const connector of this.#connectors) await connector.start();
  }

  #watchDemand(router: Router): void {
    for (const subscription of router.subscriptions()) {
      if (subscription.group === null) this.#demand.subscribed(subscription);
      else this.#demand.groupChanged(router.group(subscription.filter, subscription.group)!);
    }
    router.watch(this.#demand);
  }

  /** Says goodbye to all peers and closes the links. */
  async stop(): Promise<void> {
    await this.#farewell();
    this.#stopped = true;
    this.#peers.stop();
    this.#groupNews.stop();
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    for (const connection of [...this.#connections]) connection.shutDown();
    for (const connector of this.#connectors) connector.stop();
    this.#wave?.finish();
    await this.#multicast.stop();
  }

  /** Linked brokers get what waits for them and has just been stored: wills of clients that were here, mostly. */
  async #farewell(): Promise<void> {
    const deadline = this.#clock.monotonicMs() + FAREWELL_MAX_MS;
    while (this.#clock.monotonicMs() < deadline && [...this.#links.values()].some((link) => link.isSending))
      await new Promise((resolve) => setTimeout(resolve, FAREWELL_LOOK_MS));
  }

  /** What there is, for people and for tests. */
  links(): LinkView[] {
    const views = [...this.#connections].map((connection) => connection.view());
    for (const { diallers } of this.#connectors) {
      for (const dialler of diallers) if (dialler.connecting) views.push(dialledView(dialler));
    }
    return views;
  }

  /** Tells linked brokers, and those to come, where MQTT clients find this one. */
  announceClientAddresses(addresses: readonly ClientAddress[]): void {
    this.#clientAddresses = formatClientAddresses(addresses);
    for (const link of this.#links.values()) link.tellClientAddresses();
  }

  /**
   * Where MQTT clients find the linked brokers of ours that are up, `host:port` each. A real ActiveMQ is none of them: clients that can be
   * told where to go speak MQTT 5, which it does not.
   */
  clientAddresses(carriage: ClientCarriage, isWanted: (brokerName: string) => boolean): string[] {
    return [...this.#links.values()]
      .filter(({ peerName }) => isWanted(peerName))
      .flatMap((link) => link.clientAddresses.filter((address) => address.carriage === carriage))
      .map(({ authority }) => authority);
  }

  demandKnown(): Promise<void> | null {
    if (this.#askable([]).length === 0) return null;
    if (this.#wave === null) {
      const wave = new DemandWave([]);
      this.#wave = wave;
      setImmediate(() => {
        this.#wave = null;
        wave.ask(this.#askable(wave.path));
      });
    }
    return this.#wave.known;
  }

  clientClaimed(clientId: string, stamp: Stamp): void {
    if (this.#links.size === 0) return;
    const frame = encodeCommand({ kind: 'claim', clientId, stamp, path: [this.#broker.id] });
    for (const link of this.#links.values()) link.sendClaim(frame);
  }

  retained(topic: string, message: Message | null, stamp: Stamp): void {
    if (this.#links.size === 0) return;
    const frame = encodeCommand({ kind: 'retained', topic, message, stamp, path: [this.#broker.id] });
    for (const link of this.#links.values()) link.sendRetained(frame, topic);
  }

  introduction(): BrokerInfo {
    return createBrokerInfo({
      brokerId: createBrokerId({ value: this.#broker.id }),
      brokerName: this.#broker.name,
      brokerUrl: this.#url,
    });
  }

  accept(channel: Channel, offer: PeerOffer, peer: BrokerInfo): ChannelHandler {
    const peerId = peer.brokerId!.value ?? '';
    if (peerId === '' || peerId === this.#broker.id || this.#stopped) {
      channel.end(); // ourselves: the end that dialled says so
      return CLOSING;
    }
    if (linkVersionOf(offer) === 0) return this.#bridge(channel, peer, null);
    const link = this.#createLink(channel, offer, peer, 'accepted', null);
    return this.#offer(link) ? link : CLOSING;
  }

  #dialled(dialler: PeerDialler, channel: Channel, offer: PeerOffer, peer: BrokerInfo): ChannelHandler | null {
    const { settings } = dialler;
    const peerId = peer.brokerId!.value!;
    const isOurs = linkVersionOf(offer) > 0;
    if (this.#stopped || (!isOurs && this.#isLinked(peerId))) {
      channel.end();
      return null;
    }
    const introduction = this.introduction();
    introduction.networkConnection = true;
    introduction.duplexConnection = settings.duplex === true;
    introduction.networkProperties = formatNetworkProperties(settings, this.#broker.name);
    channel.send(introduction);
    if (!isOurs) {
      const bridge = this.#bridge(channel, peer, settings);
      this.#diallers.set(bridge, dialler);
      return bridge;
    }
    channel.send(this.#login(settings));
    const link = this.#createLink(channel, offer, peer, 'initiated', settings);
    this.#diallers.set(link, dialler);
    if (this.#offer(link)) return link;
    this.#diallers.delete(link);
    return null;
  }

  /** What a broker that asks who dials it wants to hear, also of one that has no user name. */
  #login({ name, userName, password }: LinkSettings): ConnectionInfo {
    const { id, name: brokerName } = this.#broker;
    const connectionId = createConnectionId({ value: id });
    return createConnectionInfo({ connectionId, clientId: `${name}_${brokerName}_outbound`, userName, password, clientMaster: true });
  }

  #createLink(
    channel: Channel,
    offer: PeerOffer,
    peer: BrokerInfo,
    direction: 'initiated' | 'accepted',
    ours: LinkSettings | null,
  ): PeerLink {
    const theirs = direction === 'accepted' ? parseNetworkProperties(peer.networkProperties ?? '') : null;
    const options = { peerId: peer.brokerId!.value!, peerName: peer.brokerName ?? '', peerUrl: peer.brokerUrl ?? '' };
    const knowsGroups = linkVersionOf(offer) >= GROUPS_VERSION;
    return new PeerLink({ host: this.#linkHost, channel, ...options, direction, ours, theirs, knowsGroups });
  }

  /** @returns false when there is a link with that broker already: the connection is closed */
  #offer(link: PeerLink): boolean {
    const existing = this.#links.get(link.peerId);
    const dialler = this.#diallers.get(link);
    if (existing !== undefined && dialler !== undefined) existing.setOurs(dialler.settings);
    const state = existing === undefined ? 'none' : existing.suspect ? 'suspect' : 'live';
    if (existing !== undefined && state === 'live' && isCopy(existing.peerUrl, link.peerUrl)) {
      this.#sayCopy(existing, link);
      link.channel.end();
      return false;
    }
    const verdict = breakTie(this.#broker.id, link.peerId, state);
    if (verdict === 'duplicate' || (verdict === 'await' && state === 'live' && link.direction === 'initiated')) {
      link.channel.end();
      return false;
    }
    this.#connections.add(link);
    if (verdict === 'begin') this.#choose(link);
    return true;
  }

  /** Two brokers with one id would be taken for one that is dialled at two places, and what is kept for one would go to the other. */
  #sayCopy({ peerId, peerName, peerUrl }: PeerLink, { peerUrl: otherUrl }: PeerLink): void {
    if (this.#copies.get(peerId) === otherUrl) return;
    this.#copies.set(peerId, otherUrl);
    this.#log.error('two brokers have the same id, as with a copy of a data folder: the one that came later is not linked', {
      peer: peerId,
      peerName,
      linked: peerUrl,
      refused: otherUrl,
    });
  }

  /** Makes a connection the link with its broker, in place of the one there may be. */
  #choose(link: PeerLink): void {
    const former = this.#links.get(link.peerId);
    this.#links.set(link.peerId, link);
    if (former !== undefined) {
      this.#peers.detach(link.peerId);
      former.channel.end();
    }
    const dialled = this.#settingsFor(link.peerId);
    if (dialled !== null) link.setOurs(dialled);
    link.begin();
  }

  /** Our connector for a broker that we have dialled before. */
  #settingsFor(peerId: string): LinkSettings | null {
    for (const { diallers } of this.#connectors) for (const dialler of diallers) if (dialler.peerId === peerId) return dialler.settings;
    return null;
  }

  #bridge(channel: Channel, peer: BrokerInfo, ours: LinkSettings | null): ActiveMQBridge {
    const peerId = peer.brokerId!.value!;
    const bridge = new ActiveMQBridge({
      broker: this.#broker,
      demand: this.#demand,
      advisories: this.#advisories,
      seen: this.#linkHost.seen,
      subscriber: () => this.#peers.linked(peerId, peer.brokerName ?? '', peer.brokerUrl ?? ''),
      channel,
      peer,
      ours,
      knowsGroups: (id) => this.#peers.knowsGroups(id),
      outTaken: this.#isLinked(peerId),
      closed: (closed, fault) => this.#connectionClosed(closed, fault),
    });
    this.#connections.add(bridge);
    return bridge;
  }

  #isLinked(peerId: string): boolean {
    if (this.#links.has(peerId)) return true;
    for (const connection of this.#connections)
      if (connection instanceof ActiveMQBridge && connection.peerId === peerId && connection.forwardsOut) return true;
    return false;
  }

  #createLinkHost(): LinkHost {
    return {
      broker: this.#broker,
      demand: this.#demand,
      advisories: this.#advisories,
      seen: new SeenMessages(this.#broker.store),
      peerFor: (link) => this.#peers.linked(link.peerId, link.peerName, link.peerUrl),
      chosenByPeer: (link) => this.#choose(link),
      synchronised: (link) => this.#synchronised(link),
      clientAddresses: () => this.#clientAddresses,
      deal: (address, message) => this.#peerGroups.deal(address, message),
      passOn: (command, from) => this.#passOn(command, from),
      demandKnownBehind: (path) => this.#demandKnownBehind(path),
      closed: (link, fault) => this.#linkClosed(link, fault),
    };
  }

  #synchronised(link: PeerLink): void {
    this.#log.info('link up', {
      peer: link.peerId,
      peerName: link.peerName,
      address: link.channel.remoteAddress,
      forwards: link.forwardsOut && link.forwardsIn ? 'both ways' : link.forwardsOut ? 'to the peer' : 'from the peer',
    });
    for (const dialler of this.#allDiallers()) dialler.linkedWith(link.peerId);
  }

  #linkClosed(link: PeerLink, fault: string | null): void {
    const wasTheLink = this.#links.get(link.peerId) === link;
    if (wasTheLink) {
      this.#links.delete(link.peerId);
      this.#copies.delete(link.peerId);
      if (!this.#stopped && !link.tentative) {
        this.#log.warn('link lost', {
          peer: link.peerId,
          peerName: link.peerName,
          reason: fault ?? (link.leaving ? 'the peer stopped' : 'closed'),
        });
      }
      this.#peers.away(link.peerId, link.leaving);
    } else if (fault !== null) {
      this.#log.debug('connection with a broker closed', { peer: link.peerId, peerName: link.peerName, reason: fault });
    }
    this.#connectionGone(link, link.tentative ? (fault ?? 'the peer closed the connection') : null);
  }

  #connectionClosed(bridge: ActiveMQBridge, fault: string | null): void {
    if (!this.#stopped) {
      this.#log.warn('link lost', { peer: bridge.peerId, peerName: bridge.peerName, reason: fault ?? 'the peer closed it' });
    }
    this.#connectionGone(bridge, null);
    if (!this.#isLinked(bridge.peerId)) this.#peers.away(bridge.peerId, false);
  }

  /** @param failure why it was never more than an attempt; null: it was */
  #connectionGone(connection: Link, failure: string | null): void {
    this.#connections.delete(connection);
    this.#diallers.get(connection)?.closed(failure);
    this.#diallers.delete(connection);
    if (!this.#isLinked(connection.peerId)) for (const dialler of this.#allDiallers()) dialler.unlinkedFrom(connection.peerId);
  }

  *#allDiallers(): Generator<PeerDialler> {
    for (const { diallers } of this.#connectors) yield* diallers;
  }

  #demandGained(advert: Advert): void {
    if (this.#connections.size === 0) return;
    const message = this.#advisories.gained(advert);
    const frame = encodeAdvisory(message);
    for (const link of this.#links.values()) link.demandGained(advert, frame);
    for (const connection of this.#connections) if (connection instanceof ActiveMQBridge) connection.demandGained(advert);
  }

  #durabilityChanged(advert: Advert): void {
    if (this.#links.size === 0) return;
    const frame = encodeAdvisory(this.#advisories.gained(advert));
    for (const link of this.#links.values()) link.durabilityChanged(advert, frame);
  }

  #demandLost(advert: Advert): void {
    if (this.#connections.size === 0) return;
    const message = this.#advisories.lost(advert);
    const frame = encodeAdvisory(message);
    for (const link of this.#links.values()) link.demandLost(advert, frame);
    for (const connection of this.#connections) if (connection instanceof ActiveMQBridge) connection.demandLost(advert);
  }

  #groupChanged(advert: Advert): void {
    if (this.#links.size === 0) return;
    const frame = encodeAdvisory(this.#advisories.gained(advert));
    for (const link of this.#links.values()) link.groupChanged(advert, frame);
  }

  /** Links that somebody who just subscribed has to wait for. */
  #askable(path: readonly string[]): PeerLink[] {
    const links: PeerLink[] = [];
    for (const link of this.#links.values()) {
      if (link.waitable && link.demandUnknown && !path.includes(link.peerId)) links.push(link);
    }
    return links;
  }

  #demandKnownBehind(path: readonly string[]): Promise<void> | null {
    const links = this.#askable(path);
    if (links.length === 0) return null;
    const wave = new DemandWave(path);
    wave.ask(links);
    return wave.known;
  }

  /** Takes a claim or a retained message from a peer, and tells the others if it is news. */
  #passOn(command: ClusterCommand & { kind: 'claim' | 'retained' }, from: PeerLink): void {
    if (command.path.includes(this.#broker.id)) return;
    const isNews = command.kind === 'claim' ? this.#takeClaim(command.clientId, command.stamp) : this.#takeRetained(command);
    if (!isNews || this.#links.size === 1) return;
    const frame = encodeCommand({ ...command, path: [...command.path, this.#broker.id] });
    for (const link of this.#links.values()) {
      if (link === from || command.path.includes(link.peerId)) continue;
      if (command.kind === 'claim') link.sendClaim(frame);
      else link.sendRetained(frame, command.topic);
    }
  }

  #takeClaim(clientId: string, stamp: Stamp): boolean {
    const key = `${stamp.wallMs}:${stamp.counter}:${stamp.brokerId}`;
    if (this.#seenClaims.has(key)) return false;
    this.#seenClaims.add(key);
    if (this.#seenClaims.size > SEEN_CLAIMS_MAX) this.#seenClaims.delete(this.#seenClaims.values().next().value!);
    this.#broker.clock.observe(stamp);
    this.#broker.sessions.claimedElsewhere(clientId, stamp);
    return true;
  }

  /** @returns whether it changed what is kept here */
  #takeRetained({ topic, message, stamp }: ClusterCommand & { kind: 'retained' }): boolean {
    if (!isTopicName(topic, this.#broker.limits.topicLevels) || isOwnStatistics(topic)) return false;
    const { retained } = this.#broker;
    const had = retained.has(topic);
    this.#broker.retainFromPeer(topic, message, stamp);
    return message === null ? had && !retained.has(topic) : retained.get(topic) === message;
  }

  #tick(): void {
    const now = this.#clock.monotonicMs();
    const late = now - this.#lastTickMs > 2 * HEARTBEAT_MS; // we were busy and have not read yet: silence says nothing about the peers
    this.#lastTickMs = now;
    for (const connection of [...this.#connections]) connection.tick(now, !late);
  }

  #discoveryFor({ discovery }: NetworkConnectorSettings): Discovery {
    return discovery.kind === 'static' ? new StaticDiscovery(discovery.uris) : this.#multicast.discoveryFor(discovery.multicast);
  }
}

/** A URI that peers can dial, as ActiveMQ writes it. */
function serviceUri(address: PeerAddress): string {
  return `tcp://${addressText(address)}`;
}

function dialledView(dialler: PeerDialler): LinkView {
  return {
    peerId: dialler.peerId,
    peerName: '',
    kind: 'unknown',
    address: addressText(dialler.address),
    connector: dialler.settings.name,
    direction: 'initiated',
    state: 'connecting',
    forwardsOut: false,
    forwardsIn: false,
    demand: 0,
    outboxMessages: 0,
    outboxBytes: 0,
    queuedBytes: 0,
    counters: { sent: 0, received: 0, duplicates: 0, dropped: 0 },
  };
}

/** For a connection that is on its way out. */
const CLOSING: ChannelHandler = { onNegotiated() {}, onPublication() {}, onResponse() {}, onCommand() {}, onDrain() {}, onClosed() {} };

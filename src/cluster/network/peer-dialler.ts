import { Channel, type ChannelHandler } from '../../protocols/openwire/channel.ts';
import { type BrokerInfo, type DataStructure, isCommand } from '../../protocols/openwire/wire/commands.ts';
import { BROKER_INFO, CONNECTION_ERROR } from '../../protocols/openwire/wire/structures.ts';
import type { PeerOffer } from '../../protocols/openwire/wire/wire-format-info.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Clock } from '../../timing/clock.ts';
import type { connectTcp } from '../../transport/tcp-connection.ts';
import type { Turn } from '../../transport/turn.ts';
import { addressText, type PeerAddress } from '../discovery/discovery.ts';
import { CONNECT_TIMEOUT_MS, HANDSHAKE_MAX_MS, RETRY_FIRST_MS, RETRY_MAX_MS, SAID_AFTER_FAILURES } from './link-limits.ts';
import type { LinkSettings } from './link-settings.ts';

/** What a dialler needs of the network it dials for. */
export interface DialHost {
  readonly brokerId: string;
  /** Where others can dial us; empty: nowhere. */
  readonly brokerUrl: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly connect: typeof connectTcp;
  readonly topicLevels: number;
  readonly maxFrameSize: number;
  readonly maxInactivityDurationMs: number;
  mapAddress(host: string): string;
  /** Whether there is a link with this broker, so that none need be made. */
  isLinked(peerId: string): boolean;
  /** The peer has said who it is. @returns who takes the connection from here; null when it is not needed and being closed */
  dialled(dialler: PeerDialler, channel: Channel, offer: PeerOffer, peer: BrokerInfo): ChannelHandler | null;
}

/**
 * Keeps one connection to one address, for as long as the address is wanted. It speaks OpenWire: to no server is this one a client of MQTT
 * [MQTT3-7.0.0-1].
 *
 *     waiting ──► connecting ──► linked          this connection is the link, or may become it
 *        ▲            │    └───► dormant         there is a link with that broker already
 *        └────────────┴──────────────┘           it broke: first at once, then with growing waits
 */
export class PeerDialler {
  readonly address: PeerAddress;
  readonly settings: LinkSettings;
  readonly #host: DialHost;
  /** The broker found there last; empty before the first time. */
  #peerId = '';
  #state: 'waiting' | 'connecting' | 'linked' | 'dormant' | 'stopped' = 'waiting';
  #delayMs = RETRY_FIRST_MS;
  #timer: NodeJS.Timeout | null = null;
  #channel: Channel | null = null;
  /** Whether there is still reason to believe that somebody listens there. */
  #wanted = true;
  /** Attempts that failed since there was a link. Trouble is said once, when it lasts. */
  #failures = 0;
  /** A copy of us was found there, and the log has said so. */
  #foundCopy = false;

  constructor(address: PeerAddress, settings: LinkSettings, host: DialHost) {
    this.address = address;
    this.settings = settings;
    this.#host = host;
  }

  get peerId(): string {
    return this.#peerId;
  }

  get connecting(): boolean {
    return this.#state === 'connecting' || (this.#state === 'waiting' && this.#wanted);
  }

  /** True when there is nothing to do: no link, and no reason to try for one. */
  get idle(): boolean {
    return this.#state === 'waiting' && !this.#wanted;
  }

  /** Begins, or tries again without waiting any longer: a sign of life was heard. */
  dialNow(): void {
    this.#wanted = true;
    if (this.#state !== 'waiting') return;
    this.#stopTimer();
    void this.#dial();
  }

  /** Makes no more attempts until `dialNow`. A link that stands goes on: it ends by itself if the peer is really gone. */
  rest(): void {
    this.#wanted = false;
    this.#stopTimer();
  }

  /** A link with this broker came up, whoever dialled. */
  linkedWith(peerId: string): void {
    if (this.#peerId !== peerId || this.#state === 'stopped') return;
    this.#failures = 0;
    this.#delayMs = RETRY_FIRST_MS;
    if (this.#state !== 'waiting') return;
    this.#stopTimer();
    this.#state = 'dormant';
  }

  /** The link with this broker is gone. */
  unlinkedFrom(peerId: string): void {
    if (this.#peerId === peerId && this.#state === 'dormant') this.#wait();
  }

  /** What `dialled` was given is closed. `failure`: why it never became the link, although it was to be; null otherwise. */
  closed(failure: string | null): void {
    this.#channel = null;
    if (this.#state !== 'linked') return;
    if (this.#host.isLinked(this.#peerId)) this.#state = 'dormant';
    else if (failure !== null) this.#failed(failure);
    else this.#wait();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#stopTimer();
    this.#channel?.end();
  }

  async #dial(): Promise<void> {
    const { clock, log, turn, topicLevels, maxFrameSize, maxInactivityDurationMs } = this.#host;
    this.#state = 'connecting';
    const host = this.#host.mapAddress(this.address.host);
    const { port } = this.address;
    let connection: Awaited<ReturnType<typeof connectTcp>>;
    try {
      connection = await this.#host.connect({ host, port, timeoutMs: CONNECT_TIMEOUT_MS, turn });
    } catch (error) {
      this.#failed((error as Error).message);
      return;
    }
    if (this.#stopped) {
      connection.destroy();
      return;
    }
    const handshake = new Handshake(this);
    this.#channel = new Channel(connection, {
      handler: handshake,
      clock,
      log,
      maxFrameSize,
      maxInactivityDurationMs,
      negotiationTimeoutMs: HANDSHAKE_MAX_MS,
      topicLevels,
      host: this.address.host,
    });
    connection.start(this.#channel);
  }

  /** The handshake is done. */
  introduced(channel: Channel, offer: PeerOffer, peer: BrokerInfo): void {
    const peerId = peer.brokerId!.value!;
    this.#peerId = peerId;
    if (peerId === this.#host.brokerId) {
      if (isCopy(this.#host.brokerUrl, peer.brokerUrl ?? '')) {
        this.#refuseCopy(channel, peer);
        return;
      }
      this.#host.log.info('networkConnector found this broker itself: not linked', { address: addressText(this.address) });
      this.stop();
      return;
    }
    this.#state = 'linked';
    const handler = this.#host.dialled(this, channel, offer, peer);
    if (handler === null) this.#state = 'dormant';
    channel.handOver(handler ?? CLOSING);
  }

  /** It may be given a store of its own: it is tried again. */
  #refuseCopy(channel: Channel, { brokerName: name, brokerUrl: url }: BrokerInfo): void {
    if (!this.#foundCopy) this.#host.log.error(COPY_FOUND, { address: addressText(this.address), id: this.#peerId, name, url });
    this.#foundCopy = true;
    channel.fail(COPY_FOUND);
  }

  /** No connection, or no handshake on it. */
  handshakeFailed(reason: string): void {
    this.#channel = null;
    if (this.#state === 'connecting') this.#failed(reason);
  }

  get #stopped(): boolean {
    return this.#state === 'stopped';
  }

  #failed(reason: string): void {
    if (this.#stopped) return;
    const facts = { connector: this.settings.name, address: addressText(this.address), reason };
    this.#failures++;
    if (this.#failures === SAID_AFTER_FAILURES) this.#host.log.warn('cannot link with a broker: trying again until it is there', facts);
    else this.#host.log.debug('no link yet', facts);
    this.#wait();
  }

  #wait(): void {
    this.#state = 'waiting';
    if (!this.#wanted) return;
    this.#timer = setTimeout(() => this.dialNow(), this.#delayMs);
    this.#delayMs = Math.min(this.#delayMs * 2, RETRY_MAX_MS);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

const COPY_FOUND = 'another broker has the id of this one, as with a copy of its data folder: they are not linked';

/** Whether who says to have the same id and this address is another broker. One that does not say where it can be dialled tells nothing. */
export function isCopy(url: string, otherUrl: string): boolean {
  return url !== '' && otherUrl !== '' && url !== otherUrl;
}

/** From the TCP connection to the peer's introduction. */
class Handshake implements ChannelHandler {
  readonly #dialler: PeerDialler;
  #channel: Channel | null = null;
  #offer: PeerOffer | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(dialler: PeerDialler) {
    this.#dialler = dialler;
  }

  onNegotiated(channel: Channel, offer: PeerOffer): void {
    this.#channel = channel;
    this.#offer = offer;
    this.#timer = setTimeout(() => channel.fail(`no BrokerInfo within ${HANDSHAKE_MAX_MS} ms`), HANDSHAKE_MAX_MS);
  }

  onCommand(command: DataStructure): void {
    if (command.kind === CONNECTION_ERROR) {
      this.#channel!.fail(`the peer refuses: ${command.exception?.message ?? 'no reason given'}`);
      return;
    }
    if (command.kind !== BROKER_INFO) {
      if (isCommand(command) && command.responseRequired) this.#channel!.respond(command.commandId);
      return;
    }
    if (command.brokerId?.value == null) {
      this.#channel!.fail('the peer gives no broker id');
      return;
    }
    this.#stopTimer();
    this.#dialler.introduced(this.#channel!, this.#offer!, command);
  }

  onPublication(): void {}

  onResponse(): void {}

  onDrain(): void {}

  onClosed(fault: string | null): void {
    this.#stopTimer();
    this.#dialler.handshakeFailed(fault ?? 'the peer closed the connection before it introduced itself');
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** For a connection that is on its way out. */
const CLOSING: ChannelHandler = { onNegotiated() {}, onPublication() {}, onResponse() {}, onCommand() {}, onDrain() {}, onClosed() {} };

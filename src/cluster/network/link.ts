import type { ChannelHandler } from '../../protocols/openwire/channel.ts';
import type { PeerCounters } from './peer-subscriber.ts';

/**
 * connecting: no link yet, being dialled. syncing: both sides tell each other what they have. up: they have.
 * suspect: nothing heard for a while, nothing waits for it.
 */
export type LinkState = 'connecting' | 'syncing' | 'up' | 'suspect';

/** A link as an operator sees it. A snapshot. */
export interface LinkView {
  /** Empty while it is not known who is there. */
  readonly peerId: string;
  readonly peerName: string;
  /** What is there: a broker of ours, or a real ActiveMQ. */
  readonly kind: 'roundhouse' | 'activemq' | 'unknown';
  readonly address: string;
  /** Name of the networkConnector that dialled; empty where the peer did. */
  readonly connector: string;
  readonly direction: 'initiated' | 'accepted';
  readonly state: LinkState;
  /** Whether messages cross to the peer, and from it. */
  readonly forwardsOut: boolean;
  readonly forwardsIn: boolean;
  /** Filters the peer wants of us. */
  readonly demand: number;
  /** Messages of QoS 1 and 2 kept until the peer acknowledges them, and their bytes. */
  readonly outboxMessages: number;
  readonly outboxBytes: number;
  /** Bytes on their way into the socket. */
  readonly queuedBytes: number;
  readonly counters: Readonly<PeerCounters>;
}

/** A connection with another broker, of whichever kind. */
export interface Link extends ChannelHandler {
  readonly peerId: string;
  view(): LinkView;
  /** Called at every heartbeat. `listened`: what the peer sent until now has been read. */
  tick(nowMs: number, listened: boolean): void;
  /** Says goodbye and closes: this broker stops. */
  shutDown(): void;
}

import type { Channel, ChannelHandler } from './channel.ts';
import type { BrokerInfo } from './wire/commands.ts';
import type { PeerOffer } from './wire/wire-format-info.ts';

/** The network of brokers, as an OpenWire connector sees it: implemented by `cluster/`. */
export interface BrokerLinks {
  /** What this broker says of itself at the beginning of every connection. */
  introduction(): BrokerInfo;
  /** A broker that dialled us has introduced itself. @returns who takes what it says from now on */
  accept(channel: Channel, offer: PeerOffer, peer: BrokerInfo): ChannelHandler;
}

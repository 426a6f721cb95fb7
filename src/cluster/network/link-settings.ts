/** What a networkConnector of an activemq.xml says; the names are ActiveMQ's (OpenWire specification section 15.11). */
export interface NetworkConnectorSettings extends LinkSettings {
  /** As written, for messages. */
  readonly uri: string;
  readonly discovery:
    | { readonly kind: 'static'; readonly uris: readonly { readonly host: string; readonly port: number }[] }
    | { readonly kind: 'multicast'; readonly multicast: MulticastSettings };
}

/** Which messages one direction of a link carries. */
export interface LinkSettings {
  readonly name: string;
  /** null: not said. Between two of ours that means both ways; to a real ActiveMQ it means false. */
  readonly duplex: boolean | null;
  /** Brokers a message may have come through; -1: any number. */
  readonly messageTTL: number;
  /** Brokers a subscription may have come through; -1: any number. */
  readonly consumerTTL: number;
  readonly prefetchSize: number;
  /** How we log in at the broker that we dial; null: we do not. Never told otherwise. */
  readonly userName: string | null;
  readonly password: string | null;
  /** Only `staticallyIncludedDestinations` cross; what the peer asks for is not looked at. */
  readonly staticBridge: boolean;
  /** Empty: all. */
  readonly dynamicallyIncludedDestinations: readonly DestinationPattern[];
  readonly staticallyIncludedDestinations: readonly DestinationPattern[];
  readonly excludedDestinations: readonly DestinationPattern[];
}

/** ActiveMQ's spelling, `*` and `>` are wildcards. */
export interface DestinationPattern {
  readonly kind: 'queue' | 'topic' | 'tempQueue' | 'tempTopic';
  readonly physicalName: string;
}

/** `multicast://default?group=...` (OpenWire specification section 16.2). */
export interface MulticastSettings {
  readonly address: string;
  readonly port: number;
  readonly group: string;
  readonly timeToLive: number;
  readonly keepAliveIntervalMs: number;
}

/** A transportConnector that announces itself. */
export interface ConnectorAnnouncement {
  readonly multicast: MulticastSettings;
  /** Where it is bound; `0.0.0.0` for every address. */
  readonly host: string;
  /** Where peers dial it. */
  readonly published: { readonly host: string; readonly port: number };
}

/** What holds for a direction that no file says anything about. */
export const DEFAULT_LINK_SETTINGS: LinkSettings = {
  name: 'NC',
  duplex: null,
  messageTTL: 1,
  consumerTTL: 1,
  prefetchSize: 1_000,
  userName: null,
  password: null,
  staticBridge: false,
  dynamicallyIncludedDestinations: [],
  staticallyIncludedDestinations: [],
  excludedDestinations: [],
};

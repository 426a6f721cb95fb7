/**
 * What an activemq.xml says, resolved: placeholders replaced, sizes in bytes, times in milliseconds.
 * Names are those of ActiveMQ's schema. What is not here is inert or refused, and said so in a diagnostic.
 */
export interface BrokerModel {
  readonly file: string;
  readonly brokerName: string;
  /** Absolute path. */
  readonly dataDirectory: string;
  readonly persistent: boolean;
  /** Whether what is in the store is thrown away at the start. */
  readonly deleteAllMessagesOnStartup: boolean;
  readonly advisorySupport: boolean;
  readonly transportConnectors: readonly TransportConnectorModel[];
  readonly networkConnectors: readonly NetworkConnectorModel[];
  readonly persistenceAdapter: PersistenceAdapterModel;
  readonly ioExceptionHandler: IOExceptionHandlerModel;
  readonly systemUsage: SystemUsageModel;
  readonly policyEntries: readonly PolicyEntryModel[];
  /** The entry for every destination that no policy entry names; null: none. Its `destination` is `>` of either kind. */
  readonly defaultPolicyEntry: PolicyEntryModel | null;
  /** `<simpleAuthenticationPlugin>`; null: whoever connects is let in. */
  readonly authentication: SimpleAuthenticationModel | null;
  /** Keys and certificates of connectors with TLS; null: the file has none. */
  readonly sslContext: SslContextModel | null;
  /** Queues and topics that exist from the start, without anybody using them. */
  readonly destinations: readonly DestinationModel[];
}

/** What the file says beside the broker, and where its parts stand: what advice points at. */
export interface BrokerSource {
  readonly file: string;
  /** Each is the place of the words themselves, or of the enclosing element when the file does not say. */
  readonly places: {
    readonly broker: Place;
    readonly brokerName: Place;
    readonly dataDirectory: Place;
    readonly persistenceAdapter: Place;
    readonly memoryUsage: Place;
    readonly storeUsage: Place;
    readonly tempUsage: Place;
  };
  /** null: the file has no `<managementContext>`. */
  readonly managementContext: { readonly place: Place; readonly createConnector: boolean } | null;
  /** Spring beans that are no part of the broker. */
  readonly beans: readonly ForeignBean[];
  readonly propertiesFiles: readonly PropertiesFile[];
  /** Properties of a placeholder configurer, or of `-D`, whose names begin with `roundhouse.limit`. */
  readonly settings: readonly Setting[];
}

/** A word of ours where ActiveMQ passes over it. */
export interface Setting {
  readonly place: Place;
  readonly name: string;
  readonly value: string;
}

export interface ForeignBean {
  readonly place: Place;
  /** Empty when it has none. */
  readonly id: string;
  /** Java class name; the element's name where there is no class. */
  readonly className: string;
}

/** One of the placeholder configurer's `locations`. */
export interface PropertiesFile {
  readonly place: Place;
  /** Absolute path. */
  readonly path: string;
  readonly found: boolean;
}

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface TransportConnectorModel {
  readonly place: Place;
  readonly name: string;
  /** As written, for messages and for the announcement to other brokers. */
  readonly uri: string;
  /** `mqtt`, `mqtt+nio`, `tcp`, `nio`, `openwire`... */
  readonly scheme: string;
  /** `0.0.0.0` for every IPv4 address; empty where it listens at a socket file. */
  readonly host: string;
  /** 0: any free port, or a socket file. */
  readonly port: number;
  /** null: it listens on a port. */
  readonly socketFile: SocketFileModel | null;
  /** null: without TLS. */
  readonly tls: TlsModel | null;
  readonly webSocket: boolean;
  readonly maximumConnections: number;
  /** Connections that wait in the kernel until they are accepted; null: ActiveMQ's default. */
  readonly backlog: number | null;
  /** Small writes leave at once (TCP_NODELAY). */
  readonly tcpNoDelay: boolean;
  /** The kernel asks after peers of which nothing is heard (SO_KEEPALIVE). */
  readonly keepAlive: boolean;
  /** Milliseconds that a peer may take to take anything of what it is sent; 0: for ever. */
  readonly soWriteTimeoutMs: number;
  /** null: all clients speak what the scheme says. */
  readonly detection: DetectionModel | null;
  /** null: connections begin with no PROXY header. */
  readonly proxyProtocol: ProxyProtocolModel | null;
  /** Bytes. */
  readonly maxFrameSize: number;
  /** Milliseconds from the accepted connection to its first packet. */
  readonly connectAttemptTimeoutMs: number;
  /** Milliseconds of keep alive for an MQTT client that asks for 0, whole seconds up to 65,535; 0: none. */
  readonly defaultKeepAliveMs: number;
  /** Whether an MQTT client that is silent for longer than its keep alive is let go. */
  readonly useInactivityMonitor: boolean;
  /** Whether MQTT clients may publish to topics that begin with `$`. */
  readonly publishDollarTopics: boolean;
  /** QoS 1 and 2 messages that an MQTT client gets ahead of its acknowledgements; 0: the broker's own bound. */
  readonly subscriptionPrefetch: number;
  /** Whether the Common Name of an MQTT client's certificate is its user name. */
  readonly certificateUserName: boolean;
  /** What OpenWire's WireFormatInfo offers (`wireFormat.*`). */
  readonly maxInactivityDurationMs: number;
  /** Where the connector announces itself, e.g. `multicast://default`; null: nowhere. */
  readonly discovery: MulticastModel | null;
  /** Where others are told to find it. */
  readonly publishedAddress: PublishedAddressModel;
  /** Which brokers MQTT clients are sent to when this one stops; null: they are just told that it does. */
  readonly clusterClients: ClusterClientsModel | null;
}

/** What is published in place of where a connector listens. */
export interface PublishedAddressModel {
  /** What comes of the URI's host: itself, its address, its name, or that with its domain. */
  readonly hostStrategy: 'default' | 'ipAddress' | 'hostName' | 'fqdn';
  /** Another host, by the one that would be published. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<number, number>>;
}

/** Brokers that clients may be sent to. */
export interface ClusterClientsModel {
  /** Regular expressions, each for whole names; empty: brokers of any name. */
  readonly brokerNames: readonly string[];
}

/** A connector that finds out what its clients speak. */
export interface DetectionModel {
  /** Milliseconds from the accepted connection until that must be clear; 0: for ever. */
  readonly timeoutMs: number;
  /** At least one, each once. `maxFrameSize`: bytes. */
  readonly protocols: readonly { readonly name: 'mqtt' | 'openwire'; readonly maxFrameSize: number }[];
}

/** Connections that begin with a PROXY header. */
export interface ProxyProtocolModel {
  /** `required`: each has one and comes from a trusted source; `optional`: those from trusted sources may have one. */
  readonly mode: 'required' | 'optional';
  readonly trusted: readonly NetworkModel[];
}

/** `10.0.0.0/8`: the addresses that have the first `prefixLength` bits of `address`. */
export interface NetworkModel {
  readonly address: string;
  readonly prefixLength: number;
  /** Of IP. */
  readonly version: 4 | 6;
}

/** Where a unix socket is. */
export interface SocketFileModel {
  /** Absolute. */
  readonly path: string;
  /** Permission bits: 0o660 lets owner and group connect; null: what the process's umask leaves. */
  readonly permissions: number | null;
}

/** What a connector asks for in its handshakes. */
export interface TlsModel {
  /** Whether a client must show a certificate, may, or is not asked; one that is shown must be good. */
  readonly clientAuth: 'need' | 'want' | 'none';
  /** A client's certificate has to name the address that the client connects from. */
  readonly verifyHostName: boolean;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL's names with `:` between; null: Node's choice. */
  readonly cipherSuites: string | null;
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface SslContextModel {
  readonly place: Place;
  /** Keys with the certificates of the broker; null: the file has none. */
  readonly keyStore: KeyStoreModel | null;
  /** Certificates that those of clients must come from; null: the file has none. */
  readonly trustStore: KeyStoreModel | null;
  /** Absolute path of a list of revoked certificates; null: none. */
  readonly crlPath: string | null;
}

export interface KeyStoreModel {
  readonly place: Place;
  /** Absolute paths: one file or folder, or PEM files that belong together. */
  readonly paths: readonly string[];
  /** Of the store itself; empty: none. */
  readonly password: string;
  /** Of the key in it. */
  readonly keyPassword: string;
}

/** `multicast://default?group=...`: OpenWire specification section 16.2. */
export interface MulticastModel {
  readonly address: string;
  readonly port: number;
  readonly group: string;
  readonly timeToLive: number;
  readonly keepAliveIntervalMs: number;
}

export interface NetworkConnectorModel {
  readonly place: Place;
  readonly name: string;
  readonly uri: string;
  readonly discovery:
    | { readonly kind: 'static'; readonly uris: readonly { readonly host: string; readonly port: number }[] }
    | { readonly kind: 'multicast'; readonly multicast: MulticastModel };
  /** null: the file does not say. Between two of ours that means both ways; to a real ActiveMQ it means `false`. */
  readonly duplex: boolean | null;
  readonly messageTTL: number;
  readonly consumerTTL: number;
  readonly prefetchSize: number;
  /** How the broker logs in at the other one; null: it does not. */
  readonly userName: string | null;
  readonly password: string | null;
  readonly staticBridge: boolean;
  /** ActiveMQ destination patterns (`>` and `*`, `.` between levels); empty: all. */
  readonly dynamicallyIncludedDestinations: readonly DestinationModel[];
  readonly staticallyIncludedDestinations: readonly DestinationModel[];
  readonly excludedDestinations: readonly DestinationModel[];
}

/** Who may connect. */
export interface SimpleAuthenticationModel {
  readonly users: readonly { readonly userName: string; readonly password: string; readonly groups: readonly string[] }[];
  /** Who a client is that gives neither user name nor password; null: it is not let in. */
  readonly anonymous: { readonly userName: string; readonly groups: readonly string[] } | null;
}

export interface DestinationModel {
  readonly kind: 'queue' | 'topic' | 'tempQueue' | 'tempTopic';
  /** ActiveMQ's spelling. */
  readonly physicalName: string;
}

export interface PersistenceAdapterModel {
  readonly kind: 'kahaDB' | 'memory';
  /** Absolute path; empty for memory. */
  readonly directory: string;
  /** Absolute path of where journal files go that are no longer needed; null: they are removed. */
  readonly archiveDirectory: string | null;
  /** The adapter's own attributes as written, validated. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** What happens while the store cannot write. */
export interface IOExceptionHandlerModel {
  /** Whether connectors stop meanwhile, and start when it can again... */
  readonly stopStartConnectors: boolean;
  /** ...except for whatever error it is, */
  readonly ignoreAllErrors: boolean;
  /** ...and except for lack of space, */
  readonly ignoreNoSpaceErrors: boolean;
  /** which is what an error with this in its message is, in any case of letters. */
  readonly noSpaceMessage: string;
  /** Milliseconds between two attempts to write. */
  readonly resumeCheckSleepPeriodMs: number;
}

export interface SystemUsageModel {
  readonly memoryUsage: UsageModel;
  readonly storeUsage: UsageModel;
  readonly tempUsage: UsageModel;
  readonly sendFailIfNoSpace: boolean;
  readonly sendFailIfNoSpaceAfterTimeoutMs: number;
}

/** Exactly one of the three is set, or none for "no limit". */
export interface UsageModel {
  readonly limitBytes: number | null;
  readonly percentOfJvmHeap: number | null;
  readonly percentLimit: number | null;
}

export interface PolicyEntryModel {
  readonly place: Place;
  readonly destination: DestinationModel;
  /** Plain attributes as written, validated and typed. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** null: none. */
  readonly pendingMessageLimitStrategy:
    | { readonly kind: 'constant'; readonly limit: number }
    | { readonly kind: 'prefetchRate'; readonly multiplier: number }
    | null;
  readonly messageEvictionStrategy: {
    readonly kind: 'oldest' | 'oldestWithLowestPriority' | 'uniqueProperty';
    readonly propertyName: string | null;
    readonly evictExpiredMessagesHighWatermark: number;
  } | null;
  readonly deadLetterStrategy: {
    readonly kind: 'shared' | 'individual' | 'discarding';
    /** The topic of dead letters of topics, or what stands before each (`individual`); null: they would go to a queue, or nowhere. */
    readonly topic: string | null;
    readonly attributes: Readonly<Record<string, string | number | boolean>>;
  } | null;
  readonly slowConsumerStrategy: {
    readonly kind: 'abortSlow' | 'abortSlowAck';
    readonly attributes: Readonly<Record<string, string | number | boolean>>;
  } | null;
}

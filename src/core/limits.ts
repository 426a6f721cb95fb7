import { ConfigError } from '../errors.ts';

/** One bound: what docs/reference/limits.md says of it. Texts are Markdown without line breaks. */
export interface LimitDefinition {
  readonly unit: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** What is bounded, and why. */
  readonly bounds: string;
  /** What happens beyond it. */
  readonly beyond: string;
  /** Whether somebody is refused something then: that is counted (`BrokerCounters.refusedBy`) and logged once. */
  readonly refuses: boolean;
}

/** Two-byte numbers of the protocol: Receive Maximum, Topic Alias Maximum, length of a topic. */
const TWO_BYTES = 65_535;
/** Four-byte numbers of the protocol: intervals in seconds. */
const FOUR_BYTES = 4_294_967_295;
const ANY = Number.MAX_SAFE_INTEGER;
const MIB = 1024 * 1024;

/**
 * Every bound of the broker in one place: unit, default and reason. `--limit name=value` sets one, in a program the option `limits`.
 * A connector has bounds of its own, in its URI: `CONNECTOR_LIMITS`.
 */
export const LIMITS = {
  sessions: {
    unit: 'sessions',
    default: 1_000_000,
    min: 1,
    max: ANY,
    bounds:
      'Sessions of clients, connected or away. One costs a few kilobytes, and a client that makes up a client id for every connection leaves one behind each time.',
    beyond: 'A client that has no session yet is refused: CONNACK 0x97, in MQTT 3 return code 3. Clients that have one come back.',
    refuses: true,
  },
  sessionSubscriptions: {
    unit: 'subscriptions',
    default: 100_000,
    min: 1,
    max: ANY,
    bounds: 'Subscriptions of one session. Each costs memory and, with wildcards, matching time.',
    beyond: 'The filter is refused in SUBACK: 0x97, in MQTT 3 0x80. Subscribing again to what is subscribed to is always granted.',
    refuses: true,
  },
  sessionQueueMessages: {
    unit: 'messages',
    default: 10_000_000,
    min: 1,
    max: ANY,
    bounds:
      'QoS 1 and 2 messages that wait for one session. What bounds them in the first place is `systemUsage`, at whose limits publishers wait and nothing is lost. This is for a session that nobody comes back for: where a message stands takes some 40 bytes of memory, also while the message itself is on disk.',
    beyond: 'The session does not get the newest, which is counted, and said once. Its publisher is not told: other subscribers get it.',
    refuses: false,
  },
  sessionQueueBytes: {
    unit: 'bytes',
    default: 100 * 1024 * MIB,
    min: 1,
    max: ANY,
    bounds:
      'The same in bytes of payload, topic and properties, messages in flight included: as much as the store may take unless a file says otherwise.',
    beyond: 'As `sessionQueueMessages`.',
    refuses: false,
  },
  connectionQueueBytes: {
    unit: 'bytes',
    default: 64 * MIB,
    min: 1,
    max: ANY,
    bounds:
      'Bytes queued on one connection and QoS 0 messages that wait for it: what a client that does not read may cost. How many messages those may be is for `pendingMessageLimitStrategy` in activemq.xml to say.',
    beyond:
      'Of the QoS 0 messages that wait for it the oldest are dropped. At twice as much, which only answers to its own requests can make, nothing is read from it until it has read them.',
    refuses: false,
  },
  inflightMessages: {
    unit: 'messages',
    default: 1_024,
    min: 1,
    max: TWO_BYTES,
    bounds: 'QoS 1 and 2 messages sent and not acknowledged, per client; fewer where the client names a smaller Receive Maximum.',
    beyond: 'Further ones wait in the session.',
    refuses: false,
  },
  packetIdentifiers: {
    unit: 'identifiers',
    default: 32_768,
    min: 1,
    max: TWO_BYTES - 1,
    bounds:
      'Packet Identifiers in use towards one client, messages released and not completed included. Fewer than the 65,535 there are, so that there is always a free one; many more than a window, so that only a client which never completes QoS 2 reaches it.',
    beyond: 'Further messages wait in the session.',
    refuses: false,
  },
  receiveMaximum: {
    unit: 'messages',
    default: TWO_BYTES,
    min: 1,
    max: TWO_BYTES,
    bounds:
      'QoS 2 messages received and not released, per client: our Receive Maximum (MQTT 5.0 section 3.2.2.3.3). The largest there is: an identifier costs a few bytes, and there are clients that send a burst without looking at a smaller one.',
    beyond: 'DISCONNECT 0x93. Earlier versions have no such number.',
    refuses: true,
  },
  topicAliasMaximum: {
    unit: 'aliases',
    default: 256,
    min: 0,
    max: TWO_BYTES,
    bounds: 'Topic aliases that a client may use with us (MQTT 5.0 section 3.2.2.3.8).',
    beyond: 'DISCONNECT 0x94.',
    refuses: true,
  },
  topicAliasBytes: {
    unit: 'bytes',
    default: 256 * 1024,
    min: 0,
    max: ANY,
    bounds:
      'Topic names that the aliases of one connection stand for, in all: a kilobyte for each of 256, where the protocol would allow 16 MB.',
    beyond: 'DISCONNECT 0x97.',
    refuses: true,
  },
  topicLevels: {
    unit: 'levels',
    default: 128,
    min: 1,
    max: TWO_BYTES + 1,
    bounds: 'Levels of a topic name or filter: a deeper one costs matching time that no real fleet needs.',
    beyond:
      'PUBLISH: DISCONNECT 0x90. SUBSCRIBE: 0x8F for this filter. A will: CONNACK 0x90. MQTT 3: the connection is closed, and SUBACK 0x80 for a filter.',
    refuses: true,
  },
  topicBytes: {
    unit: 'bytes',
    default: TWO_BYTES,
    min: 1,
    max: TWO_BYTES,
    bounds: 'A topic name or filter, in UTF-8. The protocol allows 65,535.',
    beyond: 'As `topicLevels`.',
    refuses: true,
  },
  connectPacketBytes: {
    unit: 'bytes',
    default: MIB,
    min: 64,
    max: ANY,
    bounds:
      'A CONNECT packet: its five fields of 64 KB and more User Properties than anybody has. Whoever is not a client yet must not make us hold what a client may send.',
    beyond: 'The connection is closed without an answer.',
    refuses: true,
  },
  sessionExpiryInterval: {
    unit: 's',
    default: FOUR_BYTES,
    min: 0,
    max: FOUR_BYTES,
    bounds: 'How long a session is kept while its client is away. 4294967295: for ever, as its client asks.',
    beyond: 'It is kept for so long. MQTT 5 clients are told in CONNACK (Session Expiry Interval); persistent sessions of MQTT 3 end too.',
    refuses: false,
  },
  retainedMessages: {
    unit: 'messages',
    default: 1_000_000,
    min: 0,
    max: ANY,
    bounds: 'Retained messages. 0: none are kept.',
    beyond: 'A message of a new topic is delivered and not kept. MQTT 5 publishers of QoS 1 and 2 are told: PUBACK or PUBREC 0x97.',
    refuses: true,
  },
  retainedBytes: {
    unit: 'bytes',
    default: 1024 * MIB,
    min: 0,
    max: ANY,
    bounds: 'The same in bytes of payload, topic and properties.',
    beyond: 'As `retainedMessages`.',
    refuses: true,
  },
  retainedTombstones: {
    unit: 'topics',
    default: 100_000,
    min: 0,
    max: ANY,
    bounds: 'Removed retained messages remembered, so that a late older copy from a linked broker does not bring them back.',
    beyond: 'The oldest is forgotten.',
    refuses: false,
  },
  retainedTombstoneBytes: {
    unit: 'bytes',
    default: 32 * MIB,
    min: 0,
    max: ANY,
    bounds: 'Topics of these, in all.',
    beyond: 'The oldest is forgotten.',
    refuses: false,
  },
  retainedTombstoneMs: {
    unit: 'ms',
    default: 3_600_000,
    min: 0,
    max: ANY,
    bounds: 'How long a removed retained message is remembered.',
    beyond: 'It is forgotten.',
    refuses: false,
  },
  connectsPerSecond: {
    unit: 'clients a second',
    default: 0,
    min: 0,
    max: ANY,
    bounds:
      'Clients admitted by each connector, a second’s worth at once. When a whole fleet comes back, admitting it costs more than serving it: what is refused is refused before sessions, take-overs and linked brokers have work with it. 0: no bound.',
    beyond: 'CONNACK 0x9F, in MQTT 3 return code 3.',
    refuses: true,
  },
  addressConnectsPerSecond: {
    unit: 'clients a second',
    default: 0,
    min: 0,
    max: ANY,
    bounds:
      'Clients admitted from one address, at whichever connector, a second’s worth at once: one machine gone wrong must not have the rate of all. Of an IPv6 address its first 64 bits count; behind a proxy, the address in its PROXY header. 0: no bound, and for a good reason: a balancer without PROXY headers and a NAT are one address with a whole fleet behind it.',
    beyond: 'CONNACK 0x9F, in MQTT 3 return code 3; it does not count for `connectsPerSecond`.',
    refuses: true,
  },
  clientConnectsPerMinute: {
    unit: 'times a minute',
    default: 0,
    min: 0,
    max: ANY,
    bounds:
      'How often one client id is admitted, a minute’s worth at once. Two devices with one client id take the connection from each other as fast as they can dial. 0: no bound.',
    beyond: 'CONNACK 0x9F, in MQTT 3 return code 3; whoever has the client id keeps it.',
    refuses: true,
  },
  publishMessagesPerSecond: {
    unit: 'messages a second',
    default: 0,
    min: 0,
    max: ANY,
    bounds: 'PUBLISH packets of one client, a second’s worth at once. 0: no bound.',
    beyond:
      'Nothing is read from it until it is within the bound again, whatever the QoS. With `publishRateDisconnect`: DISCONNECT 0x96, before MQTT 5 the connection is closed.',
    refuses: true,
  },
  publishBytesPerSecond: {
    unit: 'bytes a second',
    default: 0,
    min: 0,
    max: ANY,
    bounds: 'Payload bytes of one client’s PUBLISH packets, a second’s worth at once. 0: no bound.',
    beyond: 'As `publishMessagesPerSecond`.',
    refuses: true,
  },
  publishRateDisconnect: {
    unit: '0 or 1',
    default: 0,
    min: 0,
    max: 1,
    bounds: '1: a client that publishes faster than its bounds is disconnected. 0: it is slowed down.',
    beyond: '',
    refuses: false,
  },
  publisherWaitMs: {
    unit: 'ms',
    default: 120_000,
    min: 0,
    max: ANY,
    bounds:
      'How long a client waits with what it has published and a limit of `<systemUsage>` leaves no room for. Its acknowledgements are withheld meanwhile. 0: without end.',
    beyond:
      'DISCONNECT 0x97, before MQTT 5 the connection is closed: nothing of it was acknowledged, and the client may come again, or elsewhere.',
    refuses: true,
  },
  parkedBytes: {
    unit: 'bytes',
    default: 256 * 1024,
    min: 0,
    max: ANY,
    bounds:
      'PUBLISH packets of one client that wait for room in this way, while the rest of what it sends is heeded: its acknowledgements may be what makes room.',
    beyond: 'Nothing is read from it until they are published, and its keep alive stands still.',
    refuses: false,
  },
  routeCacheTopics: {
    unit: 'topics',
    default: 65_536,
    min: 1,
    max: ANY,
    bounds: 'Topics whose receivers are remembered: a bound on memory, not on topics in use.',
    beyond:
      'Those that have not been published to for longest are forgotten first, more or less; a newcomer is remembered from its second time on.',
    refuses: false,
  },
} as const satisfies Record<string, LimitDefinition>;

export type LimitName = keyof typeof LIMITS;

/** A value for each. */
export type Limits = { readonly [name in LimitName]: number };

/** Bounds that stand in a connector's URI, for the same page. */
export const CONNECTOR_LIMITS = {
  maxFrameSize: {
    option: '`wireFormat.maxFrameSize`, `transport.maxFrameSize`',
    unit: 'bytes',
    default: '268435456 (MQTT), 2147483647 (OpenWire)',
    bounds: 'A packet. MQTT 5 clients are told (Maximum Packet Size).',
    beyond: 'DISCONNECT 0x95; before MQTT 5 the connection is closed.',
  },
  maximumConnections: {
    option: '`maximumConnections`',
    unit: 'connections',
    default: 'none',
    bounds: 'Clients of one connector.',
    beyond: 'CONNACK 0x97, in MQTT 3 return code 3.',
  },
  connectAttemptTimeout: {
    option: '`transport.connectAttemptTimeout`',
    unit: 'ms',
    default: '30000',
    bounds: 'From the connection to its CONNECT.',
    beyond: 'The connection is closed.',
  },
} as const;

/** Bounds that stand in activemq.xml's `<systemUsage>`, and of a `policyEntry`, for the same page. */
export const USAGE_LIMITS = {
  memoryUsage: {
    default: '1 gb',
    bounds:
      'Memory of messages that are kept: for sessions, retained, for linked brokers, waiting to be published. What is stored, too, leaves memory from 70 % on.',
    beyond: 'Who publishes what would have to be kept in memory waits.',
  },
  storeUsage: {
    default: '100 gb',
    bounds: 'Journal files of the store.',
    beyond: 'Who publishes what would have to be stored waits.',
  },
  tempUsage: {
    default: '50 gb',
    bounds: 'Temporary files, which take what waits for clean sessions from 70 % of `memoryUsage` on.',
    beyond: 'It stays in memory, until `memoryUsage` is reached.',
  },
  memoryLimit: {
    default: 'none',
    bounds: 'Memory of messages that wait for subscribers, for each topic under the `policyEntry` that has the attribute.',
    beyond: 'Who publishes to the topic what would have to wait there waits.',
  },
} as const;

/** The limits of `<systemUsage>`, and the one of a topic. */
export type UsageName = keyof typeof USAGE_LIMITS;

/** What somebody can be refused by. */
export type RefusingLimit =
  | { [name in LimitName]: (typeof LIMITS)[name]['refuses'] extends true ? name : never }[LimitName]
  | Extract<keyof typeof CONNECTOR_LIMITS, 'maxFrameSize' | 'maximumConnections'>
  | UsageName;

export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];

export const DEFAULT_LIMITS = Object.fromEntries(LIMIT_NAMES.map((name) => [name, LIMITS[name].default])) as Limits;

/**
 * The defaults with what is given in their place.
 *
 * @throws ConfigError INVALID_LIMIT with every name that is none and every value out of its range
 */
export function limitsWith(given: Readonly<Partial<Record<string, number>>>): Limits {
  const faults = Object.entries(given).map(([name, value]) => limitFault(name, value));
  const said = faults.filter((fault) => fault !== null);
  if (said.length > 0) throw new ConfigError('INVALID_LIMIT', said.join('\n'));
  return { ...DEFAULT_LIMITS, ...given };
}

/** Says why this limit cannot have this value, or null when it can. */
export function limitFault(name: string, value: unknown): string | null {
  if (!Object.hasOwn(LIMITS, name)) return `there is no limit ${name}`;
  const { min, max, unit } = LIMITS[name as LimitName];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return null;
  const range = max === ANY ? `a whole number from ${min} on` : `a whole number from ${min} to ${max}`;
  return `limit ${name}: expected ${range} (${unit}), found ${String(value)}`;
}

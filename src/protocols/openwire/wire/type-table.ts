import type { BaseCommand, DataStructure, Destination, Long, Message, Structures, Throwable, TransactionId } from './structures.ts';
import * as T from './structures.ts';

/** How a field is laid out. OpenWire specification section 3.1. */
export type FieldKind = 'bool' | 'i8' | 'i32' | 'long' | 'str' | 'bytes' | 'raw8' | 'nested' | 'cached' | 'array' | 'throwable';

/** What a nested field may hold: a type or any of its subtypes; `any` is every type with a code. */
export interface NestedTypes extends Structures {
  Destination: Destination;
  TransactionId: TransactionId;
  Message: Message;
  any: DataStructure;
}

/** One field of one type. `V` is what it holds in TypeScript; the compiler checks it against the interfaces of `structures.ts`. */
export interface Field<V> {
  readonly kind: FieldKind;
  /** For nested, cached and array: what may stand there. */
  readonly of: keyof NestedTypes | null;
  /** First and last version that has the field. */
  readonly since: number;
  readonly until: number;
  /** The value where a version lacks the field or a factory is not told: the one a Java peer starts with. */
  readonly initial: V;
}

/** A type of the table with its fields in wire order, those of its base first. */
export interface TypeSpec {
  readonly code: number;
  readonly name: keyof Structures;
  /** First version that has the type. */
  readonly since: number;
  readonly fields: ReadonlyMap<string, Field<unknown>>;
}

/** Versions the codec speaks. */
export const VERSION_MIN = 1;
export const VERSION_MAX = 12;

interface Span {
  readonly since?: number;
  readonly until?: number;
}

function field<V>(kind: FieldKind, of: keyof NestedTypes | null, initial: V, { since = VERSION_MIN, until = VERSION_MAX }: Span): Field<V> {
  return { kind, of, since, until, initial };
}

const bool = (span: Span & { initial?: boolean } = {}): Field<boolean> => field('bool', null, span.initial ?? false, span);
const i8 = (): Field<number> => field('i8', null, 0, {});
const i32 = (span: Span = {}): Field<number> => field('i32', null, 0, span);
const long = (span: Span & { initial?: number } = {}): Field<Long> => field<Long>('long', null, span.initial ?? 0, span);
const str = (span: Span & { initial?: string } = {}): Field<string | null> => field('str', null, span.initial ?? null, span);
const bytes = (span: Span = {}): Field<Buffer | null> => field<Buffer | null>('bytes', null, null, span);
const raw8 = (initial: Buffer): Field<Buffer> => field('raw8', null, initial, {});
const throwable = (span: Span = {}): Field<Throwable | null> => field<Throwable | null>('throwable', null, null, span);

function nested<N extends keyof NestedTypes>(of: N, span: Span = {}): Field<NestedTypes[N] | null> {
  return field<NestedTypes[N] | null>('nested', of, null, span);
}

function cached<N extends keyof NestedTypes>(of: N): Field<NestedTypes[N] | null> {
  return field<NestedTypes[N] | null>('cached', of, null, {});
}

function array<N extends keyof NestedTypes>(of: N, span: Span = {}): Field<readonly (NestedTypes[N] | null)[] | null> {
  return field<readonly (NestedTypes[N] | null)[] | null>('array', of, null, span);
}

/** The fields that `S` adds to its base: each exactly once, in wire order. */
type Own<S, B> = { readonly [K in Exclude<keyof S, keyof B | 'kind'>]-?: Field<S[K]> };

// biome-ignore lint/complexity/noBannedTypes: the base without fields
type Nothing = {};
const NOTHING: Own<Nothing, Nothing> = {};

const baseCommand: Own<BaseCommand, Nothing> = {
  commandId: i32(),
  responseRequired: bool(),
};

const message: Own<T.MessageFields, Nothing> = {
  ...baseCommand,
  producerId: cached('ProducerId'),
  destination: cached('Destination'),
  transactionId: cached('TransactionId'),
  originalDestination: cached('Destination'),
  messageId: nested('MessageId'),
  originalTransactionId: cached('TransactionId'),
  groupId: str(),
  groupSequence: i32(),
  correlationId: str(),
  persistent: bool(),
  expiration: long(),
  priority: i8(),
  replyTo: nested('Destination'),
  timestamp: long(),
  type: str(),
  content: bytes(),
  marshalledProperties: bytes(),
  dataStructure: nested('any'),
  targetConsumerId: cached('ConsumerId'),
  compressed: bool(),
  redeliveryCounter: i32(),
  brokerPath: array('BrokerId'),
  arrival: long(),
  userId: str(),
  receivedByDFBridge: bool(),
  droppable: bool({ since: 2 }),
  cluster: array('BrokerId', { since: 3 }),
  brokerInTime: long({ since: 3 }),
  brokerOutTime: long({ since: 3 }),
  jmsxGroupFirstForConsumer: bool({ since: 10 }),
};

const destination: Own<T.Queue, Nothing> = {
  physicalName: str(),
};

const response: Own<T.Response, Nothing> = {
  ...baseCommand,
  correlationId: i32(),
};

const partialCommand: Own<T.PartialCommand, Nothing> = {
  commandId: i32(),
  data: bytes(),
};

function define<N extends keyof Structures, B>(
  code: Structures[N]['kind'],
  name: N,
  base: B,
  own: Own<Structures[N], B>,
  { since = VERSION_MIN }: Span = {},
): TypeSpec {
  return { code, name, since, fields: new Map(Object.entries({ ...base, ...own })) };
}

/**
 * Every type with a code, as OpenWire specification section 6 lists them. The marshaller, the factories and the documentation of
 * what a field starts as come from here; the compiler proves that no field of an interface is missing or of another type.
 */
export const TYPES: readonly TypeSpec[] = [
  define(T.WIRE_FORMAT_INFO, 'WireFormatInfo', NOTHING, {
    magic: raw8(Buffer.from('ActiveMQ', 'latin1')),
    version: i32(),
    marshalledProperties: bytes(),
  }),
  define(T.BROKER_INFO, 'BrokerInfo', baseCommand, {
    brokerId: cached('BrokerId'),
    brokerUrl: str(),
    peerBrokerInfos: array('BrokerInfo'),
    brokerName: str(),
    slaveBroker: bool(),
    masterBroker: bool(),
    faultTolerantConfiguration: bool(),
    duplexConnection: bool({ since: 2 }),
    networkConnection: bool({ since: 2 }),
    connectionId: long({ since: 2 }),
    brokerUploadUrl: str({ since: 3 }),
    networkProperties: str({ since: 3 }),
  }),
  define(T.CONNECTION_INFO, 'ConnectionInfo', baseCommand, {
    connectionId: cached('ConnectionId'),
    clientId: str(),
    password: str(),
    userName: str(),
    brokerPath: array('BrokerId'),
    brokerMasterConnector: bool(),
    manageable: bool(),
    clientMaster: bool({ since: 2, initial: true }),
    faultTolerant: bool({ since: 6 }),
    failoverReconnect: bool({ since: 6 }),
    clientIp: str({ since: 8 }),
  }),
  define(T.SESSION_INFO, 'SessionInfo', baseCommand, {
    sessionId: cached('SessionId'),
  }),
  define(T.CONSUMER_INFO, 'ConsumerInfo', baseCommand, {
    consumerId: cached('ConsumerId'),
    browser: bool(),
    destination: cached('Destination'),
    prefetchSize: i32(),
    maximumPendingMessageLimit: i32(),
    dispatchAsync: bool(),
    selector: str(),
    clientId: str({ since: 10 }),
    subscriptionName: str(),
    noLocal: bool(),
    exclusive: bool(),
    retroactive: bool(),
    priority: i8(),
    brokerPath: array('BrokerId'),
    additionalPredicate: nested('any'),
    networkSubscription: bool(),
    optimizedAcknowledge: bool(),
    noRangeAcks: bool(),
    networkConsumerPath: array('ConsumerId', { since: 4 }),
  }),
  define(T.PRODUCER_INFO, 'ProducerInfo', baseCommand, {
    producerId: cached('ProducerId'),
    destination: cached('Destination'),
    brokerPath: array('BrokerId'),
    dispatchAsync: bool({ since: 2 }),
    windowSize: i32({ since: 3 }),
  }),
  define(T.TRANSACTION_INFO, 'TransactionInfo', baseCommand, {
    connectionId: cached('ConnectionId'),
    transactionId: cached('TransactionId'),
    type: i8(),
  }),
  define(T.DESTINATION_INFO, 'DestinationInfo', baseCommand, {
    connectionId: cached('ConnectionId'),
    destination: cached('Destination'),
    operationType: i8(),
    timeout: long(),
    brokerPath: array('BrokerId'),
  }),
  define(T.REMOVE_SUBSCRIPTION_INFO, 'RemoveSubscriptionInfo', baseCommand, {
    connectionId: cached('ConnectionId'),
    subscriptionName: str(),
    clientId: str(),
  }),
  define(T.KEEP_ALIVE_INFO, 'KeepAliveInfo', baseCommand, {}),
  define(T.SHUTDOWN_INFO, 'ShutdownInfo', baseCommand, {}),
  define(T.REMOVE_INFO, 'RemoveInfo', baseCommand, {
    objectId: cached('any'),
    lastDeliveredSequenceId: long({ since: 5, initial: -2 }),
  }),
  define(T.CONTROL_COMMAND, 'ControlCommand', baseCommand, {
    command: str(),
  }),
  define(T.FLUSH_COMMAND, 'FlushCommand', baseCommand, {}),
  define(T.CONNECTION_ERROR, 'ConnectionError', baseCommand, {
    exception: throwable(),
    connectionId: nested('ConnectionId'),
  }),
  define(T.CONSUMER_CONTROL, 'ConsumerControl', baseCommand, {
    destination: nested('Destination', { since: 6 }),
    close: bool(),
    consumerId: nested('ConsumerId'),
    prefetch: i32(),
    flush: bool({ since: 2 }),
    start: bool({ since: 2 }),
    stop: bool({ since: 2 }),
  }),
  define(T.CONNECTION_CONTROL, 'ConnectionControl', baseCommand, {
    close: bool(),
    exit: bool(),
    faultTolerant: bool(),
    resume: bool(),
    suspend: bool(),
    connectedBrokers: str({ since: 6, initial: '' }),
    reconnectTo: str({ since: 6, initial: '' }),
    rebalanceConnection: bool({ since: 6 }),
    token: bytes({ since: 8 }),
  }),
  define(
    T.PRODUCER_ACK,
    'ProducerAck',
    baseCommand,
    {
      producerId: nested('ProducerId'),
      size: i32(),
    },
    { since: 3 },
  ),
  define(
    T.MESSAGE_PULL,
    'MessagePull',
    baseCommand,
    {
      consumerId: cached('ConsumerId'),
      destination: cached('Destination'),
      timeout: long(),
      correlationId: str({ since: 3 }),
      messageId: nested('MessageId', { since: 3 }),
    },
    { since: 2 },
  ),
  define(T.MESSAGE_DISPATCH, 'MessageDispatch', baseCommand, {
    consumerId: cached('ConsumerId'),
    destination: cached('Destination'),
    message: nested('Message'),
    redeliveryCounter: i32(),
  }),
  define(T.MESSAGE_ACK, 'MessageAck', baseCommand, {
    destination: cached('Destination'),
    transactionId: cached('TransactionId'),
    consumerId: cached('ConsumerId'),
    ackType: i8(),
    firstMessageId: nested('MessageId'),
    lastMessageId: nested('MessageId'),
    messageCount: i32(),
    poisonCause: throwable({ since: 7 }),
  }),
  define(T.PLAIN_MESSAGE, 'PlainMessage', message, {}),
  define(T.BYTES_MESSAGE, 'BytesMessage', message, {}),
  define(T.MAP_MESSAGE, 'MapMessage', message, {}),
  define(T.OBJECT_MESSAGE, 'ObjectMessage', message, {}),
  define(T.STREAM_MESSAGE, 'StreamMessage', message, {}),
  define(T.TEXT_MESSAGE, 'TextMessage', message, {}),
  define(
    T.BLOB_MESSAGE,
    'BlobMessage',
    message,
    {
      remoteBlobUrl: str(),
      mimeType: str({ initial: 'application/octet-stream' }),
      deletedByBroker: bool(),
    },
    { since: 3 },
  ),
  define(T.RESPONSE, 'Response', response, {}),
  define(T.EXCEPTION_RESPONSE, 'ExceptionResponse', response, {
    exception: throwable(),
  }),
  define(T.DATA_RESPONSE, 'DataResponse', response, {
    data: nested('any'),
  }),
  define(T.DATA_ARRAY_RESPONSE, 'DataArrayResponse', response, {
    data: array('any'),
  }),
  define(T.INTEGER_RESPONSE, 'IntegerResponse', response, {
    result: i32(),
  }),
  define(T.DISCOVERY_EVENT, 'DiscoveryEvent', NOTHING, {
    serviceName: str(),
    brokerName: str(),
  }),
  define(T.JOURNAL_TOPIC_ACK, 'JournalTopicAck', NOTHING, {
    destination: nested('Destination'),
    messageId: nested('MessageId'),
    messageSequenceId: long(),
    subscriptionName: str(),
    clientId: str(),
    transactionId: nested('TransactionId'),
  }),
  define(T.JOURNAL_QUEUE_ACK, 'JournalQueueAck', NOTHING, {
    destination: nested('Destination'),
    messageAck: nested('MessageAck'),
  }),
  define(T.JOURNAL_TRACE, 'JournalTrace', NOTHING, {
    message: str(),
  }),
  define(T.JOURNAL_TRANSACTION, 'JournalTransaction', NOTHING, {
    transactionId: nested('TransactionId'),
    type: i8(),
    wasPrepared: bool(),
  }),
  define(T.SUBSCRIPTION_INFO, 'SubscriptionInfo', NOTHING, {
    clientId: str(),
    destination: cached('Destination'),
    selector: str(),
    subscriptionName: str(),
    subscribedDestination: nested('Destination', { since: 3 }),
    noLocal: bool({ since: 11 }),
  }),
  define(T.PARTIAL_COMMAND, 'PartialCommand', partialCommand, {}),
  define(T.LAST_PARTIAL_COMMAND, 'LastPartialCommand', partialCommand, {}),
  define(T.REPLAY_COMMAND, 'ReplayCommand', baseCommand, {
    firstNakNumber: i32(),
    lastNakNumber: i32(),
  }),
  define(T.MESSAGE_DISPATCH_NOTIFICATION, 'MessageDispatchNotification', baseCommand, {
    consumerId: cached('ConsumerId'),
    destination: cached('Destination'),
    deliverySequenceId: long(),
    messageId: nested('MessageId'),
  }),
  define(T.NETWORK_BRIDGE_FILTER, 'NetworkBridgeFilter', NOTHING, {
    networkTTL: i32({ until: 9 }),
    networkBrokerId: cached('BrokerId'),
    messageTTL: i32({ since: 10 }),
    consumerTTL: i32({ since: 10 }),
  }),
  define(
    T.BROKER_SUBSCRIPTION_INFO,
    'BrokerSubscriptionInfo',
    baseCommand,
    {
      brokerId: nested('BrokerId'),
      brokerName: str(),
      subscriptionInfos: array('ConsumerInfo'),
    },
    { since: 12 },
  ),
  define(T.QUEUE, 'Queue', destination, {}),
  define(T.TOPIC, 'Topic', destination, {}),
  define(T.TEMP_QUEUE, 'TempQueue', destination, {}),
  define(T.TEMP_TOPIC, 'TempTopic', destination, {}),
  define(T.MESSAGE_ID, 'MessageId', NOTHING, {
    textView: str({ since: 10 }),
    producerId: cached('ProducerId'),
    producerSequenceId: long(),
    brokerSequenceId: long(),
  }),
  define(T.LOCAL_TRANSACTION_ID, 'LocalTransactionId', NOTHING, {
    value: long(),
    connectionId: cached('ConnectionId'),
  }),
  define(T.XA_TRANSACTION_ID, 'XATransactionId', NOTHING, {
    formatId: i32(),
    globalTransactionId: bytes(),
    branchQualifier: bytes(),
  }),
  define(T.CONNECTION_ID, 'ConnectionId', NOTHING, {
    value: str(),
  }),
  define(T.SESSION_ID, 'SessionId', NOTHING, {
    connectionId: str(),
    value: long(),
  }),
  define(T.CONSUMER_ID, 'ConsumerId', NOTHING, {
    connectionId: str(),
    sessionId: long(),
    value: long(),
  }),
  define(T.PRODUCER_ID, 'ProducerId', NOTHING, {
    connectionId: str(),
    value: long(),
    sessionId: long(),
  }),
  define(T.BROKER_ID, 'BrokerId', NOTHING, {
    value: str(),
  }),
];

const BY_CODE: readonly (TypeSpec | undefined)[] = byCode();

function byCode(): (TypeSpec | undefined)[] {
  const types: (TypeSpec | undefined)[] = new Array(256).fill(undefined);
  for (const type of TYPES) types[type.code] = type;
  return types;
}

/** The type of a code, or undefined where the code is unused. */
export function typeOf(code: number): TypeSpec | undefined {
  return BY_CODE[code];
}

/** The type codes that a nested field of this type may hold. */
export function codesOf(name: keyof NestedTypes): readonly number[] {
  switch (name) {
    case 'any':
      return TYPES.map((type) => type.code);
    case 'Destination':
      return [T.QUEUE, T.TOPIC, T.TEMP_QUEUE, T.TEMP_TOPIC];
    case 'TransactionId':
      return [T.LOCAL_TRANSACTION_ID, T.XA_TRANSACTION_ID];
    case 'Message':
      return [T.PLAIN_MESSAGE, T.BYTES_MESSAGE, T.MAP_MESSAGE, T.OBJECT_MESSAGE, T.STREAM_MESSAGE, T.TEXT_MESSAGE, T.BLOB_MESSAGE];
    default:
      return TYPES.filter((type) => type.name === name).map((type) => type.code);
  }
}

/**
 * Types whose nested tight form has one bit more in front of it, "a pre-marshalled copy follows".
 * OpenWire specification section 3.1.
 */
export function isMarshalAware(code: number): boolean {
  return code === T.WIRE_FORMAT_INFO || (code >= T.PLAIN_MESSAGE && code <= T.BLOB_MESSAGE);
}

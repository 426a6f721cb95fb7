/**
 * What travels on an OpenWire connection, as TypeScript sees it (OpenWire specification sections 6 and 7).
 *
 * Every value is a plain object whose `kind` is the structure's type code, so that `switch (command.kind)` narrows and is one jump.
 * (`type` would be the obvious name, but messages and transactions have a field of that name on the wire.)
 * The wire tells absent from empty for every string, byte field, array and nested structure; absent is `null`.
 * Make values with the `create…` functions of `commands.ts`: they fill in every field, always in the same order.
 *
 * Ids, destinations and transaction ids may be shared between commands (the value cache does that): never change them.
 */

/** Type codes. OpenWire specification section 6. */
export const WIRE_FORMAT_INFO = 1;
export const BROKER_INFO = 2;
export const CONNECTION_INFO = 3;
export const SESSION_INFO = 4;
export const CONSUMER_INFO = 5;
export const PRODUCER_INFO = 6;
export const TRANSACTION_INFO = 7;
export const DESTINATION_INFO = 8;
export const REMOVE_SUBSCRIPTION_INFO = 9;
export const KEEP_ALIVE_INFO = 10;
export const SHUTDOWN_INFO = 11;
export const REMOVE_INFO = 12;
export const CONTROL_COMMAND = 14;
export const FLUSH_COMMAND = 15;
export const CONNECTION_ERROR = 16;
export const CONSUMER_CONTROL = 17;
export const CONNECTION_CONTROL = 18;
export const PRODUCER_ACK = 19;
export const MESSAGE_PULL = 20;
export const MESSAGE_DISPATCH = 21;
export const MESSAGE_ACK = 22;
export const PLAIN_MESSAGE = 23;
export const BYTES_MESSAGE = 24;
export const MAP_MESSAGE = 25;
export const OBJECT_MESSAGE = 26;
export const STREAM_MESSAGE = 27;
export const TEXT_MESSAGE = 28;
export const BLOB_MESSAGE = 29;
export const RESPONSE = 30;
export const EXCEPTION_RESPONSE = 31;
export const DATA_RESPONSE = 32;
export const DATA_ARRAY_RESPONSE = 33;
export const INTEGER_RESPONSE = 34;
export const DISCOVERY_EVENT = 40;
export const JOURNAL_TOPIC_ACK = 50;
export const JOURNAL_QUEUE_ACK = 52;
export const JOURNAL_TRACE = 53;
export const JOURNAL_TRANSACTION = 54;
export const SUBSCRIPTION_INFO = 55;
export const PARTIAL_COMMAND = 60;
export const LAST_PARTIAL_COMMAND = 61;
export const REPLAY_COMMAND = 65;
export const MESSAGE_DISPATCH_NOTIFICATION = 90;
export const NETWORK_BRIDGE_FILTER = 91;
export const BROKER_SUBSCRIPTION_INFO = 92;
export const QUEUE = 100;
export const TOPIC = 101;
export const TEMP_QUEUE = 102;
export const TEMP_TOPIC = 103;
export const MESSAGE_ID = 110;
export const LOCAL_TRANSACTION_ID = 111;
export const XA_TRANSACTION_ID = 112;
export const CONNECTION_ID = 120;
export const SESSION_ID = 121;
export const CONSUMER_ID = 122;
export const PRODUCER_ID = 123;
export const BROKER_ID = 124;

/** MessageAck.ackType. OpenWire specification section 7.5. */
export const ACK_DELIVERED = 0;
export const ACK_POISON = 1;
export const ACK_STANDARD = 2;
export const ACK_REDELIVERED = 3;
export const ACK_INDIVIDUAL = 4;
export const ACK_UNMATCHED = 5;
export const ACK_EXPIRED = 6;

/** DestinationInfo.operationType. OpenWire specification section 7.5. */
export const DESTINATION_ADD = 0;
export const DESTINATION_REMOVE = 1;

/** TransactionInfo.type. OpenWire specification section 7.5. */
export const TRANSACTION_BEGIN = 0;
export const TRANSACTION_PREPARE = 1;
export const TRANSACTION_COMMIT_ONE_PHASE = 2;
export const TRANSACTION_COMMIT_TWO_PHASE = 3;
export const TRANSACTION_ROLLBACK = 4;
export const TRANSACTION_RECOVER = 5;
export const TRANSACTION_FORGET = 6;
export const TRANSACTION_END = 7;

/**
 * A signed 64-bit integer. Decoded to a number where that is exact (−(2^53 − 1) to 2^53 − 1), to a bigint otherwise;
 * either is taken for encoding. `longToNumber` makes a plain number of it where the last digits do not matter.
 */
export type Long = number | bigint;

/** A Java exception as it travels. `stack` and `cause` cross only when both ends have stack traces enabled. */
export interface Throwable {
  className: string | null;
  message: string | null;
  stack: readonly StackTraceElement[];
  cause: Throwable | null;
}

export interface StackTraceElement {
  className: string | null;
  methodName: string | null;
  fileName: string | null;
  /** -1 not known, -2 native. */
  lineNumber: number;
}

// Identifiers and destinations. OpenWire specification sections 7.1 and 7.2.

export interface ConnectionId {
  readonly kind: typeof CONNECTION_ID;
  readonly value: string | null;
}

export interface SessionId {
  readonly kind: typeof SESSION_ID;
  readonly connectionId: string | null;
  /** -1 is the session that exists in every connection unannounced. */
  readonly value: Long;
}

export interface ConsumerId {
  readonly kind: typeof CONSUMER_ID;
  readonly connectionId: string | null;
  readonly sessionId: Long;
  readonly value: Long;
}

export interface ProducerId {
  readonly kind: typeof PRODUCER_ID;
  readonly connectionId: string | null;
  readonly value: Long;
  readonly sessionId: Long;
}

export interface BrokerId {
  readonly kind: typeof BROKER_ID;
  readonly value: string | null;
}

export interface MessageId {
  readonly kind: typeof MESSAGE_ID;
  /** Version 10 on; set for ids that did not come from an OpenWire producer. */
  readonly textView: string | null;
  readonly producerId: ProducerId | null;
  readonly producerSequenceId: Long;
  /** Given by the broker on arrival; takes no part in equality. */
  readonly brokerSequenceId: Long;
}

export interface LocalTransactionId {
  readonly kind: typeof LOCAL_TRANSACTION_ID;
  readonly value: Long;
  readonly connectionId: ConnectionId | null;
}

export interface XATransactionId {
  readonly kind: typeof XA_TRANSACTION_ID;
  readonly formatId: number;
  readonly globalTransactionId: Buffer | null;
  readonly branchQualifier: Buffer | null;
}

export type TransactionId = LocalTransactionId | XATransactionId;

interface DestinationFields {
  /** Levels separated by dots, without a scheme; may be a composite (`A,topic://B`) or hold wildcards. */
  readonly physicalName: string | null;
}

export interface Queue extends DestinationFields {
  readonly kind: typeof QUEUE;
}

export interface Topic extends DestinationFields {
  readonly kind: typeof TOPIC;
}

export interface TempQueue extends DestinationFields {
  readonly kind: typeof TEMP_QUEUE;
}

export interface TempTopic extends DestinationFields {
  readonly kind: typeof TEMP_TOPIC;
}

export type Destination = Queue | Topic | TempQueue | TempTopic;

/** Brokers a thing has come through, oldest first. */
export type BrokerPath = readonly (BrokerId | null)[];

// Commands.

/** What every command starts with. */
export interface BaseCommand {
  /** The sender's number for this command; answers name it as their correlationId. OpenWire specification section 1. */
  commandId: number;
  responseRequired: boolean;
}

/** The first frame of each side. Not a command: it has no commandId. Built and read by `wire-format-info.ts`. */
export interface WireFormatInfo {
  readonly kind: typeof WIRE_FORMAT_INFO;
  /** Eight bytes, `ActiveMQ`. */
  magic: Buffer;
  version: number;
  marshalledProperties: Buffer | null;
}

export interface BrokerInfo extends BaseCommand {
  readonly kind: typeof BROKER_INFO;
  brokerId: BrokerId | null;
  brokerUrl: string | null;
  peerBrokerInfos: readonly (BrokerInfo | null)[] | null;
  brokerName: string | null;
  slaveBroker: boolean;
  masterBroker: boolean;
  faultTolerantConfiguration: boolean;
  /** Version 2 on, as the three that follow. */
  duplexConnection: boolean;
  networkConnection: boolean;
  connectionId: Long;
  /** Version 3 on, as the next. */
  brokerUploadUrl: string | null;
  /** Text of a Java properties file. OpenWire specification section 15.2. */
  networkProperties: string | null;
}

/** OpenWire specification section 7.3. */
export interface ConnectionInfo extends BaseCommand {
  readonly kind: typeof CONNECTION_INFO;
  connectionId: ConnectionId | null;
  clientId: string | null;
  password: string | null;
  userName: string | null;
  brokerPath: BrokerPath | null;
  brokerMasterConnector: boolean;
  /** The client wants ConnectionControl. */
  manageable: boolean;
  /** Version 2 on; true unless set. */
  clientMaster: boolean;
  /** Version 6 on, as the next. */
  faultTolerant: boolean;
  failoverReconnect: boolean;
  /** Version 8 on; filled in by the server. */
  clientIp: string | null;
}

export interface SessionInfo extends BaseCommand {
  readonly kind: typeof SESSION_INFO;
  sessionId: SessionId | null;
}

/** OpenWire specification section 7.4. */
export interface ConsumerInfo extends BaseCommand {
  readonly kind: typeof CONSUMER_INFO;
  consumerId: ConsumerId | null;
  browser: boolean;
  destination: Destination | null;
  prefetchSize: number;
  maximumPendingMessageLimit: number;
  dispatchAsync: boolean;
  selector: string | null;
  /** Version 10 on. */
  clientId: string | null;
  subscriptionName: string | null;
  noLocal: boolean;
  exclusive: boolean;
  retroactive: boolean;
  /** -128 to 127, higher first. */
  priority: number;
  brokerPath: BrokerPath | null;
  /** A NetworkBridgeFilter, where a bridge set one. */
  additionalPredicate: DataStructure | null;
  networkSubscription: boolean;
  optimizedAcknowledge: boolean;
  noRangeAcks: boolean;
  /** Version 4 on: the consumers this network subscription stands for. */
  networkConsumerPath: readonly (ConsumerId | null)[] | null;
}

export interface ProducerInfo extends BaseCommand {
  readonly kind: typeof PRODUCER_INFO;
  producerId: ProducerId | null;
  /** Null for an anonymous producer. */
  destination: Destination | null;
  brokerPath: BrokerPath | null;
  /** Version 2 on. */
  dispatchAsync: boolean;
  /** Version 3 on, bytes. */
  windowSize: number;
}

export interface TransactionInfo extends BaseCommand {
  readonly kind: typeof TRANSACTION_INFO;
  connectionId: ConnectionId | null;
  transactionId: TransactionId | null;
  /** One of `TRANSACTION_…`. */
  type: number;
}

export interface DestinationInfo extends BaseCommand {
  readonly kind: typeof DESTINATION_INFO;
  connectionId: ConnectionId | null;
  destination: Destination | null;
  /** One of `DESTINATION_…`. */
  operationType: number;
  /** Remove: how long to wait for it to become unused, in ms. */
  timeout: Long;
  brokerPath: BrokerPath | null;
}

export interface RemoveSubscriptionInfo extends BaseCommand {
  readonly kind: typeof REMOVE_SUBSCRIPTION_INFO;
  connectionId: ConnectionId | null;
  subscriptionName: string | null;
  clientId: string | null;
}

export interface KeepAliveInfo extends BaseCommand {
  readonly kind: typeof KEEP_ALIVE_INFO;
}

export interface ShutdownInfo extends BaseCommand {
  readonly kind: typeof SHUTDOWN_INFO;
}

export interface RemoveInfo extends BaseCommand {
  readonly kind: typeof REMOVE_INFO;
  /** A ConnectionId, SessionId, ConsumerId or ProducerId in practice; the wire allows any structure. */
  objectId: DataStructure | null;
  /** Version 5 on; -1 nothing was delivered, -2 not known. */
  lastDeliveredSequenceId: Long;
}

export interface ControlCommand extends BaseCommand {
  readonly kind: typeof CONTROL_COMMAND;
  command: string | null;
}

export interface FlushCommand extends BaseCommand {
  readonly kind: typeof FLUSH_COMMAND;
}

export interface ConnectionError extends BaseCommand {
  readonly kind: typeof CONNECTION_ERROR;
  exception: Throwable | null;
  connectionId: ConnectionId | null;
}

export interface ConsumerControl extends BaseCommand {
  readonly kind: typeof CONSUMER_CONTROL;
  /** Version 6 on, in front of the others. */
  destination: Destination | null;
  close: boolean;
  consumerId: ConsumerId | null;
  prefetch: number;
  /** Version 2 on, as the two that follow. */
  flush: boolean;
  start: boolean;
  stop: boolean;
}

export interface ConnectionControl extends BaseCommand {
  readonly kind: typeof CONNECTION_CONTROL;
  close: boolean;
  exit: boolean;
  faultTolerant: boolean;
  resume: boolean;
  suspend: boolean;
  /** Version 6 on, as the two that follow. */
  connectedBrokers: string | null;
  reconnectTo: string | null;
  rebalanceConnection: boolean;
  /** Version 8 on. */
  token: Buffer | null;
}

/** Version 3 on. */
export interface ProducerAck extends BaseCommand {
  readonly kind: typeof PRODUCER_ACK;
  producerId: ProducerId | null;
  /** Bytes the producer's window gets back. */
  size: number;
}

/** Version 2 on. */
export interface MessagePull extends BaseCommand {
  readonly kind: typeof MESSAGE_PULL;
  consumerId: ConsumerId | null;
  destination: Destination | null;
  timeout: Long;
  /** Version 3 on, as the next. */
  correlationId: string | null;
  messageId: MessageId | null;
}

export interface MessageDispatch extends BaseCommand {
  readonly kind: typeof MESSAGE_DISPATCH;
  consumerId: ConsumerId | null;
  destination: Destination | null;
  /** Null ends a browse or a pull. */
  message: Message | null;
  redeliveryCounter: number;
}

export interface MessageAck extends BaseCommand {
  readonly kind: typeof MESSAGE_ACK;
  destination: Destination | null;
  transactionId: TransactionId | null;
  consumerId: ConsumerId | null;
  /** One of `ACK_…`. */
  ackType: number;
  firstMessageId: MessageId | null;
  lastMessageId: MessageId | null;
  messageCount: number;
  /** Version 7 on. */
  poisonCause: Throwable | null;
}

/** What all kinds of message have. */
export interface MessageFields extends BaseCommand {
  producerId: ProducerId | null;
  destination: Destination | null;
  transactionId: TransactionId | null;
  originalDestination: Destination | null;
  messageId: MessageId | null;
  originalTransactionId: TransactionId | null;
  groupId: string | null;
  groupSequence: number;
  correlationId: string | null;
  persistent: boolean;
  /** Absolute, ms since 1970; 0 never. */
  expiration: Long;
  /** 0 to 9; 4 is normal. */
  priority: number;
  replyTo: Destination | null;
  /** Ms since 1970. */
  timestamp: Long;
  /** JMSType. */
  type: string | null;
  /** The body; read and made by `bodies.ts`. */
  content: Buffer | null;
  /** A primitive map; read and made by `primitive-map.ts`. */
  marshalledProperties: Buffer | null;
  /** What an advisory is about. */
  dataStructure: DataStructure | null;
  targetConsumerId: ConsumerId | null;
  compressed: boolean;
  redeliveryCounter: number;
  brokerPath: BrokerPath | null;
  arrival: Long;
  userId: string | null;
  receivedByDFBridge: boolean;
  /** Version 2 on. */
  droppable: boolean;
  /** Version 3 on, as the two that follow. */
  cluster: BrokerPath | null;
  brokerInTime: Long;
  brokerOutTime: Long;
  /** Version 10 on. */
  jmsxGroupFirstForConsumer: boolean;
}

/** A message without a body: an advisory, or JMS `Message`. */
export interface PlainMessage extends MessageFields {
  readonly kind: typeof PLAIN_MESSAGE;
}

export interface BytesMessage extends MessageFields {
  readonly kind: typeof BYTES_MESSAGE;
}

export interface MapMessage extends MessageFields {
  readonly kind: typeof MAP_MESSAGE;
}

export interface ObjectMessage extends MessageFields {
  readonly kind: typeof OBJECT_MESSAGE;
}

export interface StreamMessage extends MessageFields {
  readonly kind: typeof STREAM_MESSAGE;
}

export interface TextMessage extends MessageFields {
  readonly kind: typeof TEXT_MESSAGE;
}

/** Version 3 on; the body is out of band at `remoteBlobUrl`. */
export interface BlobMessage extends MessageFields {
  readonly kind: typeof BLOB_MESSAGE;
  remoteBlobUrl: string | null;
  mimeType: string | null;
  deletedByBroker: boolean;
}

export type Message = PlainMessage | BytesMessage | MapMessage | ObjectMessage | StreamMessage | TextMessage | BlobMessage;

interface ResponseFields extends BaseCommand {
  /** The commandId of the command that is answered. */
  correlationId: number;
}

export interface Response extends ResponseFields {
  readonly kind: typeof RESPONSE;
}

export interface ExceptionResponse extends ResponseFields {
  readonly kind: typeof EXCEPTION_RESPONSE;
  exception: Throwable | null;
}

export interface DataResponse extends ResponseFields {
  readonly kind: typeof DATA_RESPONSE;
  data: DataStructure | null;
}

export interface DataArrayResponse extends ResponseFields {
  readonly kind: typeof DATA_ARRAY_RESPONSE;
  data: readonly (DataStructure | null)[] | null;
}

export interface IntegerResponse extends ResponseFields {
  readonly kind: typeof INTEGER_RESPONSE;
  result: number;
}

/** The Response family: what may answer a command. */
export type AnyResponse = Response | ExceptionResponse | DataResponse | DataArrayResponse | IntegerResponse;

export interface DiscoveryEvent {
  readonly kind: typeof DISCOVERY_EVENT;
  serviceName: string | null;
  brokerName: string | null;
}

export interface JournalTopicAck {
  readonly kind: typeof JOURNAL_TOPIC_ACK;
  destination: Destination | null;
  messageId: MessageId | null;
  messageSequenceId: Long;
  subscriptionName: string | null;
  clientId: string | null;
  transactionId: TransactionId | null;
}

export interface JournalQueueAck {
  readonly kind: typeof JOURNAL_QUEUE_ACK;
  destination: Destination | null;
  messageAck: MessageAck | null;
}

export interface JournalTrace {
  readonly kind: typeof JOURNAL_TRACE;
  message: string | null;
}

export interface JournalTransaction {
  readonly kind: typeof JOURNAL_TRANSACTION;
  transactionId: TransactionId | null;
  type: number;
  wasPrepared: boolean;
}

/** A durable subscription. */
export interface SubscriptionInfo {
  readonly kind: typeof SUBSCRIPTION_INFO;
  clientId: string | null;
  /** The concrete topic. */
  destination: Destination | null;
  selector: string | null;
  subscriptionName: string | null;
  /** Version 3 on: the one subscribed to, maybe with wildcards. */
  subscribedDestination: Destination | null;
  /** Version 11 on. */
  noLocal: boolean;
}

interface PartialCommandFields {
  commandId: number;
  data: Buffer | null;
}

export interface PartialCommand extends PartialCommandFields {
  readonly kind: typeof PARTIAL_COMMAND;
}

export interface LastPartialCommand extends PartialCommandFields {
  readonly kind: typeof LAST_PARTIAL_COMMAND;
}

export interface ReplayCommand extends BaseCommand {
  readonly kind: typeof REPLAY_COMMAND;
  firstNakNumber: number;
  lastNakNumber: number;
}

export interface MessageDispatchNotification extends BaseCommand {
  readonly kind: typeof MESSAGE_DISPATCH_NOTIFICATION;
  consumerId: ConsumerId | null;
  destination: Destination | null;
  deliverySequenceId: Long;
  messageId: MessageId | null;
}

/** OpenWire specification section 15.4. */
export interface NetworkBridgeFilter {
  readonly kind: typeof NETWORK_BRIDGE_FILTER;
  /** Versions 1 to 9. */
  networkTTL: number;
  networkBrokerId: BrokerId | null;
  /** Version 10 on, as the next. */
  messageTTL: number;
  consumerTTL: number;
}

/** Version 12 on. */
export interface BrokerSubscriptionInfo extends BaseCommand {
  readonly kind: typeof BROKER_SUBSCRIPTION_INFO;
  brokerId: BrokerId | null;
  brokerName: string | null;
  subscriptionInfos: readonly (ConsumerInfo | null)[] | null;
}

/** Every structure with a type code, by its name in OpenWire specification section 6. */
export interface Structures {
  WireFormatInfo: WireFormatInfo;
  BrokerInfo: BrokerInfo;
  ConnectionInfo: ConnectionInfo;
  SessionInfo: SessionInfo;
  ConsumerInfo: ConsumerInfo;
  ProducerInfo: ProducerInfo;
  TransactionInfo: TransactionInfo;
  DestinationInfo: DestinationInfo;
  RemoveSubscriptionInfo: RemoveSubscriptionInfo;
  KeepAliveInfo: KeepAliveInfo;
  ShutdownInfo: ShutdownInfo;
  RemoveInfo: RemoveInfo;
  ControlCommand: ControlCommand;
  FlushCommand: FlushCommand;
  ConnectionError: ConnectionError;
  ConsumerControl: ConsumerControl;
  ConnectionControl: ConnectionControl;
  ProducerAck: ProducerAck;
  MessagePull: MessagePull;
  MessageDispatch: MessageDispatch;
  MessageAck: MessageAck;
  PlainMessage: PlainMessage;
  BytesMessage: BytesMessage;
  MapMessage: MapMessage;
  ObjectMessage: ObjectMessage;
  StreamMessage: StreamMessage;
  TextMessage: TextMessage;
  BlobMessage: BlobMessage;
  Response: Response;
  ExceptionResponse: ExceptionResponse;
  DataResponse: DataResponse;
  DataArrayResponse: DataArrayResponse;
  IntegerResponse: IntegerResponse;
  DiscoveryEvent: DiscoveryEvent;
  JournalTopicAck: JournalTopicAck;
  JournalQueueAck: JournalQueueAck;
  JournalTrace: JournalTrace;
  JournalTransaction: JournalTransaction;
  SubscriptionInfo: SubscriptionInfo;
  PartialCommand: PartialCommand;
  LastPartialCommand: LastPartialCommand;
  ReplayCommand: ReplayCommand;
  MessageDispatchNotification: MessageDispatchNotification;
  NetworkBridgeFilter: NetworkBridgeFilter;
  BrokerSubscriptionInfo: BrokerSubscriptionInfo;
  Queue: Queue;
  Topic: Topic;
  TempQueue: TempQueue;
  TempTopic: TempTopic;
  MessageId: MessageId;
  LocalTransactionId: LocalTransactionId;
  XATransactionId: XATransactionId;
  ConnectionId: ConnectionId;
  SessionId: SessionId;
  ConsumerId: ConsumerId;
  ProducerId: ProducerId;
  BrokerId: BrokerId;
}

/** Any structure with a type code: what a frame holds. */
export type DataStructure = Structures[keyof Structures];

/** A structure with commandId and responseRequired. */
export type Command = Extract<DataStructure, BaseCommand>;

/**
 * The commands of OpenWire: their interfaces, their type codes, and one function to make each.
 *
 * `createConsumerInfo({ consumerId, destination, prefetchSize: 1000 })` gives a whole ConsumerInfo: what is not named starts as it
 * does in a Java peer (null, false, 0, and a few others that `type-table.ts` lists). All values of a type have their fields in the
 * same order, however they were made, which keeps the code that reads them fast.
 */
import { shapeOf } from './shapes.ts';
import * as T from './structures.ts';

export * from './structures.ts';
export { isMarshalAware, TYPES, type TypeSpec, typeOf, VERSION_MAX, VERSION_MIN } from './type-table.ts';

/** Fields to set; the others start as the type table says. */
export type Fields<S> = { readonly [K in Exclude<keyof S, 'kind'>]?: S[K] };

function factory<S extends T.DataStructure>(kind: S['kind']): (fields?: Fields<S>) => S {
  const shape = shapeOf(kind)!;
  const { initial, make } = shape;
  const take = shape.take as (value: Fields<S>, slots: unknown[]) => void;
  const count = initial.length;
  return (fields = {}) => {
    const slots: unknown[] = new Array(count);
    take(fields, slots);
    for (let i = 0; i < count; i++) if (slots[i] === undefined) slots[i] = initial[i];
    return make(slots) as S;
  };
}

export const createWireFormatInfo = factory<T.WireFormatInfo>(T.WIRE_FORMAT_INFO);
export const createBrokerInfo = factory<T.BrokerInfo>(T.BROKER_INFO);
export const createConnectionInfo = factory<T.ConnectionInfo>(T.CONNECTION_INFO);
export const createSessionInfo = factory<T.SessionInfo>(T.SESSION_INFO);
export const createConsumerInfo = factory<T.ConsumerInfo>(T.CONSUMER_INFO);
export const createProducerInfo = factory<T.ProducerInfo>(T.PRODUCER_INFO);
export const createTransactionInfo = factory<T.TransactionInfo>(T.TRANSACTION_INFO);
export const createDestinationInfo = factory<T.DestinationInfo>(T.DESTINATION_INFO);
export const createRemoveSubscriptionInfo = factory<T.RemoveSubscriptionInfo>(T.REMOVE_SUBSCRIPTION_INFO);
export const createKeepAliveInfo = factory<T.KeepAliveInfo>(T.KEEP_ALIVE_INFO);
export const createShutdownInfo = factory<T.ShutdownInfo>(T.SHUTDOWN_INFO);
export const createRemoveInfo = factory<T.RemoveInfo>(T.REMOVE_INFO);
export const createControlCommand = factory<T.ControlCommand>(T.CONTROL_COMMAND);
export const createFlushCommand = factory<T.FlushCommand>(T.FLUSH_COMMAND);
export const createConnectionError = factory<T.ConnectionError>(T.CONNECTION_ERROR);
export const createConsumerControl = factory<T.ConsumerControl>(T.CONSUMER_CONTROL);
export const createConnectionControl = factory<T.ConnectionControl>(T.CONNECTION_CONTROL);
export const createProducerAck = factory<T.ProducerAck>(T.PRODUCER_ACK);
export const createMessagePull = factory<T.MessagePull>(T.MESSAGE_PULL);
export const createMessageDispatch = factory<T.MessageDispatch>(T.MESSAGE_DISPATCH);
export const createMessageAck = factory<T.MessageAck>(T.MESSAGE_ACK);
export const createPlainMessage = factory<T.PlainMessage>(T.PLAIN_MESSAGE);
export const createBytesMessage = factory<T.BytesMessage>(T.BYTES_MESSAGE);
export const createMapMessage = factory<T.MapMessage>(T.MAP_MESSAGE);
export const createObjectMessage = factory<T.ObjectMessage>(T.OBJECT_MESSAGE);
export const createStreamMessage = factory<T.StreamMessage>(T.STREAM_MESSAGE);
export const createTextMessage = factory<T.TextMessage>(T.TEXT_MESSAGE);
export const createBlobMessage = factory<T.BlobMessage>(T.BLOB_MESSAGE);
export const createResponse = factory<T.Response>(T.RESPONSE);
export const createExceptionResponse = factory<T.ExceptionResponse>(T.EXCEPTION_RESPONSE);
export const createDataResponse = factory<T.DataResponse>(T.DATA_RESPONSE);
export const createDataArrayResponse = factory<T.DataArrayResponse>(T.DATA_ARRAY_RESPONSE);
export const createIntegerResponse = factory<T.IntegerResponse>(T.INTEGER_RESPONSE);
export const createDiscoveryEvent = factory<T.DiscoveryEvent>(T.DISCOVERY_EVENT);
export const createJournalTopicAck = factory<T.JournalTopicAck>(T.JOURNAL_TOPIC_ACK);
export const createJournalQueueAck = factory<T.JournalQueueAck>(T.JOURNAL_QUEUE_ACK);
export const createJournalTrace = factory<T.JournalTrace>(T.JOURNAL_TRACE);
export const createJournalTransaction = factory<T.JournalTransaction>(T.JOURNAL_TRANSACTION);
export const createSubscriptionInfo = factory<T.SubscriptionInfo>(T.SUBSCRIPTION_INFO);
export const createPartialCommand = factory<T.PartialCommand>(T.PARTIAL_COMMAND);
export const createLastPartialCommand = factory<T.LastPartialCommand>(T.LAST_PARTIAL_COMMAND);
export const createReplayCommand = factory<T.ReplayCommand>(T.REPLAY_COMMAND);
export const createMessageDispatchNotification = factory<T.MessageDispatchNotification>(T.MESSAGE_DISPATCH_NOTIFICATION);
export const createNetworkBridgeFilter = factory<T.NetworkBridgeFilter>(T.NETWORK_BRIDGE_FILTER);
export const createBrokerSubscriptionInfo = factory<T.BrokerSubscriptionInfo>(T.BROKER_SUBSCRIPTION_INFO);
export const createQueue = factory<T.Queue>(T.QUEUE);
export const createTopic = factory<T.Topic>(T.TOPIC);
export const createTempQueue = factory<T.TempQueue>(T.TEMP_QUEUE);
export const createTempTopic = factory<T.TempTopic>(T.TEMP_TOPIC);
export const createMessageId = factory<T.MessageId>(T.MESSAGE_ID);
export const createLocalTransactionId = factory<T.LocalTransactionId>(T.LOCAL_TRANSACTION_ID);
export const createXATransactionId = factory<T.XATransactionId>(T.XA_TRANSACTION_ID);
export const createConnectionId = factory<T.ConnectionId>(T.CONNECTION_ID);
export const createSessionId = factory<T.SessionId>(T.SESSION_ID);
export const createConsumerId = factory<T.ConsumerId>(T.CONSUMER_ID);
export const createProducerId = factory<T.ProducerId>(T.PRODUCER_ID);
export const createBrokerId = factory<T.BrokerId>(T.BROKER_ID);

/** True for a member of the Response family: what answers a command by its correlationId. */
export function isResponse(structure: T.DataStructure): structure is T.AnyResponse {
  return structure.kind >= T.RESPONSE && structure.kind <= T.INTEGER_RESPONSE;
}

/** True for the kinds of message, 23 to 29. */
export function isMessage(structure: T.DataStructure): structure is T.Message {
  return structure.kind >= T.PLAIN_MESSAGE && structure.kind <= T.BLOB_MESSAGE;
}

/** True for structures with commandId and responseRequired: those that may ask for an answer. */
export function isCommand(structure: T.DataStructure): structure is T.Command {
  return 'responseRequired' in structure;
}

/** A plain number for a long: exact to ±(2^53 − 1), the nearest one beyond. */
export function longToNumber(value: T.Long): number {
  return typeof value === 'number' ? value : Number(value);
}

import * as T from './structures.ts';
import { TYPES, type TypeSpec } from './type-table.ts';

/**
 * How values of one type are taken apart into a list, one slot a field in table order, and put together from one.
 *
 * The marshaller works on such lists, so that it never touches a property by a computed name, which is several times slower than a
 * name in the source. The types that cross a broker link once a message have shapes written out below; the rest use names.
 */
export interface Shape {
  /** Fills `slots`; a field that is missing leaves `undefined`. */
  readonly take: (value: never, slots: unknown[]) => void;
  readonly make: (slots: Slots) => T.DataStructure;
  /** What each field starts as. */
  readonly initial: readonly unknown[];
}

// biome-ignore lint/suspicious/noExplicitAny: the table, not the compiler, knows what each slot holds; shapes.test.ts compares the two
type Slots = readonly any[];

type Written = Omit<Shape, 'initial'>;

function takeMessage(m: T.MessageFields, s: unknown[]): void {
  s[0] = m.commandId;
  s[1] = m.responseRequired;
  s[2] = m.producerId;
  s[3] = m.destination;
  s[4] = m.transactionId;
  s[5] = m.originalDestination;
  s[6] = m.messageId;
  s[7] = m.originalTransactionId;
  s[8] = m.groupId;
  s[9] = m.groupSequence;
  s[10] = m.correlationId;
  s[11] = m.persistent;
  s[12] = m.expiration;
  s[13] = m.priority;
  s[14] = m.replyTo;
  s[15] = m.timestamp;
  s[16] = m.type;
  s[17] = m.content;
  s[18] = m.marshalledProperties;
  s[19] = m.dataStructure;
  s[20] = m.targetConsumerId;
  s[21] = m.compressed;
  s[22] = m.redeliveryCounter;
  s[23] = m.brokerPath;
  s[24] = m.arrival;
  s[25] = m.userId;
  s[26] = m.receivedByDFBridge;
  s[27] = m.droppable;
  s[28] = m.cluster;
  s[29] = m.brokerInTime;
  s[30] = m.brokerOutTime;
  s[31] = m.jmsxGroupFirstForConsumer;
}

function makeMessage<K extends Exclude<T.Message, T.BlobMessage>['kind']>(kind: K, s: Slots): T.MessageFields & { readonly kind: K } {
  return {
    kind,
    commandId: s[0],
    responseRequired: s[1],
    producerId: s[2],
    destination: s[3],
    transactionId: s[4],
    originalDestination: s[5],
    messageId: s[6],
    originalTransactionId: s[7],
    groupId: s[8],
    groupSequence: s[9],
    correlationId: s[10],
    persistent: s[11],
    expiration: s[12],
    priority: s[13],
    replyTo: s[14],
    timestamp: s[15],
    type: s[16],
    content: s[17],
    marshalledProperties: s[18],
    dataStructure: s[19],
    targetConsumerId: s[20],
    compressed: s[21],
    redeliveryCounter: s[22],
    brokerPath: s[23],
    arrival: s[24],
    userId: s[25],
    receivedByDFBridge: s[26],
    droppable: s[27],
    cluster: s[28],
    brokerInTime: s[29],
    brokerOutTime: s[30],
    jmsxGroupFirstForConsumer: s[31],
  };
}

function takeDestination(d: T.Destination, s: unknown[]): void {
  s[0] = d.physicalName;
}

const WRITTEN: ReadonlyMap<number, Written> = new Map<number, Written>([
  [T.PLAIN_MESSAGE, { take: takeMessage, make: (s) => makeMessage(T.PLAIN_MESSAGE, s) }],
  [T.BYTES_MESSAGE, { take: takeMessage, make: (s) => makeMessage(T.BYTES_MESSAGE, s) }],
  [T.MAP_MESSAGE, { take: takeMessage, make: (s) => makeMessage(T.MAP_MESSAGE, s) }],
  [T.OBJECT_MESSAGE, { take: takeMessage, make: (s) => makeMessage(T.OBJECT_MESSAGE, s) }],
  [T.STREAM_MESSAGE, { take: takeMessage, make: (s) => makeMessage(T.STREAM_MESSAGE, s) }],
  [T.TEXT_MESSAGE, { take: takeMessage, make: (s) => makeMessage(T.TEXT_MESSAGE, s) }],
  [T.QUEUE, { take: takeDestination, make: (s) => ({ kind: T.QUEUE, physicalName: s[0] }) }],
  [T.TOPIC, { take: takeDestination, make: (s) => ({ kind: T.TOPIC, physicalName: s[0] }) }],
  [T.TEMP_QUEUE, { take: takeDestination, make: (s) => ({ kind: T.TEMP_QUEUE, physicalName: s[0] }) }],
  [T.TEMP_TOPIC, { take: takeDestination, make: (s) => ({ kind: T.TEMP_TOPIC, physicalName: s[0] }) }],
  [
    T.MESSAGE_ID,
    {
      take: (id: T.MessageId, s) => {
        s[0] = id.textView;
        s[1] = id.producerId;
        s[2] = id.producerSequenceId;
        s[3] = id.brokerSequenceId;
      },
      make: (s) => ({ kind: T.MESSAGE_ID, textView: s[0], producerId: s[1], producerSequenceId: s[2], brokerSequenceId: s[3] }),
    },
  ],
  [
    T.PRODUCER_ID,
    {
      take: (id: T.ProducerId, s) => {
        s[0] = id.connectionId;
        s[1] = id.value;
        s[2] = id.sessionId;
      },
      make: (s) => ({ kind: T.PRODUCER_ID, connectionId: s[0], value: s[1], sessionId: s[2] }),
    },
  ],
  [
    T.CONSUMER_ID,
    {
      take: (id: T.ConsumerId, s) => {
        s[0] = id.connectionId;
        s[1] = id.sessionId;
        s[2] = id.value;
      },
      make: (s) => ({ kind: T.CONSUMER_ID, connectionId: s[0], sessionId: s[1], value: s[2] }),
    },
  ],
  [
    T.BROKER_ID,
    {
      take: (id: T.BrokerId, s) => {
        s[0] = id.value;
      },
      make: (s) => ({ kind: T.BROKER_ID, value: s[0] }),
    },
  ],
  [
    T.MESSAGE_DISPATCH,
    {
      take: (d: T.MessageDispatch, s) => {
        s[0] = d.commandId;
        s[1] = d.responseRequired;
        s[2] = d.consumerId;
        s[3] = d.destination;
        s[4] = d.message;
        s[5] = d.redeliveryCounter;
      },
      make: (s) => ({
        kind: T.MESSAGE_DISPATCH,
        commandId: s[0],
        responseRequired: s[1],
        consumerId: s[2],
        destination: s[3],
        message: s[4],
        redeliveryCounter: s[5],
      }),
    },
  ],
  [
    T.MESSAGE_ACK,
    {
      take: (a: T.MessageAck, s) => {
        s[0] = a.commandId;
        s[1] = a.responseRequired;
        s[2] = a.destination;
        s[3] = a.transactionId;
        s[4] = a.consumerId;
        s[5] = a.ackType;
        s[6] = a.firstMessageId;
        s[7] = a.lastMessageId;
        s[8] = a.messageCount;
        s[9] = a.poisonCause;
      },
      make: (s) => ({
        kind: T.MESSAGE_ACK,
        commandId: s[0],
        responseRequired: s[1],
        destination: s[2],
        transactionId: s[3],
        consumerId: s[4],
        ackType: s[5],
        firstMessageId: s[6],
        lastMessageId: s[7],
        messageCount: s[8],
        poisonCause: s[9],
      }),
    },
  ],
  [
    T.RESPONSE,
    {
      take: (r: T.Response, s) => {
        s[0] = r.commandId;
        s[1] = r.responseRequired;
        s[2] = r.correlationId;
      },
      make: (s) => ({ kind: T.RESPONSE, commandId: s[0], responseRequired: s[1], correlationId: s[2] }),
    },
  ],
]);

function shapeByNames(type: TypeSpec): Written {
  const names = [...type.fields.keys()];
  return {
    take: (value: Record<string, unknown>, slots) => {
      for (let i = 0; i < names.length; i++) slots[i] = value[names[i]!];
    },
    make: (slots) => {
      const value: Record<string, unknown> = { kind: type.code };
      for (let i = 0; i < names.length; i++) value[names[i]!] = slots[i];
      return value as unknown as T.DataStructure;
    },
  };
}

const SHAPES: readonly (Shape | undefined)[] = shapes();

function shapes(): (Shape | undefined)[] {
  const byCode: (Shape | undefined)[] = new Array(256).fill(undefined);
  for (const type of TYPES) {
    const initial = Array.from(type.fields.values(), (field) => field.initial);
    byCode[type.code] = { ...(WRITTEN.get(type.code) ?? shapeByNames(type)), initial };
  }
  return byCode;
}

/** The shape of a type, or undefined where the code is unused. */
export function shapeOf(code: number): Shape | undefined {
  return SHAPES[code];
}

import type { Broker } from './broker.ts';
import type { BrokerCounters } from './counters.ts';
import type { Traffic } from './ports.ts';
import type { Gauge } from './usage.ts';

type Used = Pick<Gauge, 'bytes' | 'percent'>;

/** All that `$SYS` says, at one moment. */
export interface SysSnapshot {
  readonly version: string;
  readonly uptimeMs: number;
  readonly counters: BrokerCounters;
  readonly traffic: Traffic;
  readonly sessions: number;
  readonly subscriptions: number;
  readonly sharedSubscriptions: number;
  readonly retained: number;
  readonly retainedBytes: number;
  /** Summed up over all sessions. */
  readonly queued: number;
  readonly inflight: number;
  readonly heldBytes: number;
  /** What is the matter with the store; null: nothing. */
  readonly storeFailure: Error | null;
  readonly heapBytes: number;
  readonly heapBytesMax: number;
  readonly usage: { readonly memory: Used; readonly store: Used; readonly temp: Used; readonly waiting: number };
}

/** One topic below `$SYS/broker/`. */
export interface SysValue {
  /** Below `$SYS/broker/`, in mosquitto's spelling. */
  readonly topic: string;
  readonly meaning: string;
  value(snapshot: SysSnapshot): string | number;
}

/** A count whose growth is published as well: `load/<topic>/{1min,5min,15min}`. */
export interface SysLoad {
  readonly topic: string;
  readonly meaning: string;
  total(snapshot: SysSnapshot): number;
}

const publishReceived = ({ counters }: SysSnapshot) => sum(counters.publishReceived);
const publishSent = ({ counters }: SysSnapshot) => sum(counters.publishSent);
const messagesReceived = ({ counters }: SysSnapshot) => counters.packetsReceived;
const messagesSent = (snapshot: SysSnapshot) => publishSent(snapshot) + snapshot.counters.answersSent;
const connected = ({ counters }: SysSnapshot) => counters.clientsConnected;
const away = (snapshot: SysSnapshot) => snapshot.sessions - snapshot.counters.clientsConnected;
const stored = ({ retained, queued, inflight }: SysSnapshot) => retained + queued + inflight;

/** Topics with one value each, in the order of the documentation. */
export const SYS_VALUES: readonly SysValue[] = [
  { topic: 'version', meaning: 'Name and version of the broker.', value: ({ version }) => `roundhouse version ${version}` },
  { topic: 'uptime', meaning: 'Time since the start: `N seconds`.', value: ({ uptimeMs }) => `${Math.floor(uptimeMs / 1000)} seconds` },
  { topic: 'clients/total', meaning: 'Sessions of clients, connected or away.', value: ({ sessions }) => sessions },
  { topic: 'clients/connected', meaning: 'Clients that are connected.', value: connected },
  { topic: 'clients/active', meaning: 'The same (an older name).', value: connected },
  { topic: 'clients/disconnected', meaning: 'Sessions whose client is away.', value: away },
  { topic: 'clients/inactive', meaning: 'The same (an older name).', value: away },
  {
    topic: 'clients/maximum',
    meaning: 'The most clients that were connected at a time.',
    value: ({ counters }) => counters.clientsMaximum,
  },
  {
    topic: 'clients/expired',
    meaning: 'Sessions that ended because their Session Expiry Interval had passed.',
    value: ({ counters }) => counters.sessionsExpired,
  },
  {
    topic: 'clients/too slow',
    meaning: 'Clients disconnected by a `slowConsumerStrategy`. Not of mosquitto.',
    value: ({ counters }) => counters.slowClients,
  },
  { topic: 'messages/received', meaning: 'MQTT packets of all kinds received.', value: messagesReceived },
  { topic: 'messages/sent', meaning: 'MQTT packets of all kinds sent.', value: messagesSent },
  {
    topic: 'messages/stored',
    meaning: 'Messages that the broker keeps: retained ones, and those that wait for sessions, once for each of them.',
    value: stored,
  },
  {
    topic: 'messages/inflight',
    meaning: 'QoS 1 and 2 messages sent to clients and not acknowledged.',
    value: ({ inflight }) => inflight,
  },
  { topic: 'publish/messages/received', meaning: 'PUBLISH packets received.', value: publishReceived },
  { topic: 'publish/messages/sent', meaning: 'PUBLISH packets sent.', value: publishSent },
  {
    topic: 'publish/messages/dropped',
    meaning: 'Copies of messages that did not reach their receiver.',
    value: ({ counters }) => counters.dropped,
  },
  {
    topic: 'publish/messages/expired',
    meaning: 'Copies of messages that expired while they waited for their receiver. Not of mosquitto.',
    value: ({ counters }) => counters.expired,
  },
  { topic: 'publish/bytes/received', meaning: 'Bytes of their payloads.', value: ({ counters }) => counters.publishBytesReceived },
  { topic: 'publish/bytes/sent', meaning: 'Bytes of their payloads.', value: ({ counters }) => counters.publishBytesSent },
  {
    topic: 'bytes/received',
    meaning: 'Bytes received by all connectors and links; what TLS or WebSocket add is not counted.',
    value: ({ traffic }) => traffic.bytesReceived,
  },
  { topic: 'bytes/sent', meaning: 'Bytes sent likewise.', value: ({ traffic }) => traffic.bytesSent },
  { topic: 'subscriptions/count', meaning: 'Subscriptions of clients that are not shared.', value: ({ subscriptions }) => subscriptions },
  { topic: 'shared_subscriptions/count', meaning: 'Shared ones.', value: ({ sharedSubscriptions }) => sharedSubscriptions },
  { topic: 'retained messages/count', meaning: 'Retained messages, these included.', value: ({ retained }) => retained },
  { topic: 'store/messages/count', meaning: 'As `messages/stored`.', value: stored },
  {
    topic: 'store/messages/bytes',
    meaning: 'Their payloads, topics and properties.',
    value: ({ retainedBytes, heldBytes }) => retainedBytes + heldBytes,
  },
  {
    topic: 'store/state',
    meaning: '`working`, or why the store cannot write: nothing is acknowledged then that has to be stored. Not of mosquitto.',
    value: ({ storeFailure }) => storeFailure?.message ?? 'working',
  },
  { topic: 'heap/current', meaning: 'Bytes of memory that objects and buffers take.', value: ({ heapBytes }) => heapBytes },
  { topic: 'heap/maximum', meaning: 'The most that was seen.', value: ({ heapBytesMax }) => heapBytesMax },
  ...gaugeValues('memory', 'messages that are kept take', ({ usage }) => usage.memory),
  ...gaugeValues('store', 'journal files take', ({ usage }) => usage.store),
  ...gaugeValues('temp', 'temporary files take', ({ usage }) => usage.temp),
  {
    topic: 'usage/waiting',
    meaning: 'Publishers that wait because a limit of `<systemUsage>`, or the `memoryLimit` of a topic, is reached. Not of mosquitto.',
    value: ({ usage }) => usage.waiting,
  },
  {
    topic: 'probes/count',
    meaning: 'Connections that came, said nothing and went, as health checks do. Not of mosquitto.',
    value: ({ counters }) => counters.probes,
  },
  {
    topic: 'protocol errors/count',
    meaning: 'Connections closed, or refused, because of what the client sent. Not of mosquitto.',
    value: ({ counters }) => counters.protocolErrors,
  },
];

/** Counts that are averaged. */
export const SYS_LOADS: readonly SysLoad[] = [
  { topic: 'messages/received', meaning: 'MQTT packets received.', total: messagesReceived },
  { topic: 'messages/sent', meaning: 'MQTT packets sent.', total: messagesSent },
  { topic: 'publish/dropped', meaning: 'Copies of messages dropped.', total: ({ counters }) => counters.dropped },
  { topic: 'publish/received', meaning: 'PUBLISH packets received.', total: publishReceived },
  { topic: 'publish/sent', meaning: 'PUBLISH packets sent.', total: publishSent },
  { topic: 'bytes/received', meaning: 'Bytes received.', total: ({ traffic }) => traffic.bytesReceived },
  { topic: 'bytes/sent', meaning: 'Bytes sent.', total: ({ traffic }) => traffic.bytesSent },
  { topic: 'sockets', meaning: 'Connections accepted by MQTT connectors.', total: ({ counters }) => counters.sockets },
  { topic: 'connections', meaning: 'CONNECT packets received.', total: ({ counters }) => counters.connects },
];

/** Looks at the broker now. Walks through its sessions: for a few times a minute. */
export function takeSnapshot(
  broker: Broker,
  rest: Pick<SysSnapshot, 'version' | 'uptimeMs' | 'traffic' | 'heapBytes' | 'heapBytesMax'>,
): SysSnapshot {
  const { usage } = broker;
  let queued = 0;
  let inflight = 0;
  let heldBytes = 0;
  for (const session of broker.sessions.values()) {
    queued += session.queued;
    inflight += session.inflight;
    heldBytes += session.heldBytes;
  }
  return {
    ...rest,
    counters: broker.counters,
    sessions: broker.sessions.size,
    subscriptions: broker.subscriptions.ordinary,
    sharedSubscriptions: broker.subscriptions.shared,
    retained: broker.retained.size,
    retainedBytes: broker.retained.bytes,
    queued,
    inflight,
    heldBytes,
    storeFailure: broker.store.failure,
    usage: { memory: usedOf(usage.memory), store: usedOf(usage.store), temp: usedOf(usage.temp), waiting: usage.waiting },
  };
}

function gaugeValues(name: string, what: string, gauge: (snapshot: SysSnapshot) => Used): SysValue[] {
  return [
    { topic: `usage/${name}/bytes`, meaning: `Bytes that ${what}. Not of mosquitto.`, value: (snapshot) => gauge(snapshot).bytes },
    {
      topic: `usage/${name}/percent`,
      meaning: `The same as a share of its limit in \`<systemUsage>\`; 0 without one. Not of mosquitto.`,
      value: (snapshot) => gauge(snapshot).percent,
    },
  ];
}

function usedOf({ bytes, percent }: Gauge): Used {
  return { bytes, percent };
}

function sum([qos0, qos1, qos2]: readonly [number, number, number]): number {
  return qos0 + qos1 + qos2;
}

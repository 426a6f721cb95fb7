import type { FigureName } from './figures.ts';
import type { LoadOptions } from './load.ts';
import type { Storage } from './peers.ts';

/** A traffic pattern, without where and how long. */
export type Load = Omit<LoadOptions, 'host' | 'port' | 'subscriberPort' | 'warmupSeconds' | 'seconds' | 'brokerPid'>;

/** What a round does with one broker. */
export type Measurement =
  /** Deliveries and their latency under one load. */
  | { readonly kind: 'load'; readonly load: Load }
  /** One load beside another on the same broker, one after the other. */
  | { readonly kind: 'two-loads'; readonly load: Load; readonly reference: Load }
  /** Latency under a share of what the first broker delivers at most with the same clients and this window. */
  | { readonly kind: 'paced'; readonly load: Load; readonly share: number; readonly fullWindow: number }
  /** Latency of paced clients, first alone, then while others send as fast as they can. */
  | { readonly kind: 'fairness'; readonly load: Load; readonly flood: Load }
  /** How fast clients connect: CONNECT to CONNACK, all kept open. */
  | { readonly kind: 'connects'; readonly clients: number }
  /** What connections cost that do nothing. A broker of its own for each round. */
  | { readonly kind: 'idle'; readonly clients: number }
  /** A load while there are only its own subscriptions, and beside many others. A broker of its own for each round. */
  | { readonly kind: 'matching'; readonly load: Load; readonly clients: number; readonly subscriptionsPerClient: number }
  /** A load, and another on the same program that keeps everything in memory. */
  | { readonly kind: 'with-and-without-store'; readonly load: Load; readonly reference: Load }
  /** Latency, beside that of a program which only writes, syncs and answers. */
  | { readonly kind: 'sync-latency'; readonly load: Load }
  /** Messages queue for a session that is away, and are sent to it when it returns. */
  | { readonly kind: 'replay'; readonly messages: number; readonly payloadBytes: number }
  /** Bytes written under a load, one of whose topics a session that is away hears as well. */
  | { readonly kind: 'written'; readonly load: Load };

/** What a figure is to reach. With both, either will do. Reached means at least, or at most for figures of which less is better. */
export interface Threshold {
  /** Times what the row compares with. */
  readonly ratio?: number;
  /** The figure itself, in its own unit. */
  readonly value?: number;
}

/** A broker that only rows which name it are compared with. */
export const ACTIVEMQ = 'activemq';

/** One line of the table. */
export interface Row {
  /** The name in floors.json. */
  readonly name: string;
  readonly title: string;
  readonly figure: FigureName;
  /** What the figure is divided by: the first broker's, ActiveMQ's, another of the same broker in the same round, or nothing. */
  readonly against: 'baseline' | typeof ACTIVEMQ | FigureName | null;
  /** What we want to reach; null: nothing in particular. */
  readonly bar: Threshold | null;
  /** Whether waiting for the disk is a part of the figure: then processor time never decides. */
  readonly waitsForDisk?: boolean;
}

/** Something that brokers are compared in. */
export interface Scenario {
  readonly name: string;
  readonly measurement: Measurement;
  readonly rows: readonly Row[];
  /** Where the brokers keep sessions and their messages. */
  readonly storage: Storage;
  /** Whether the first broker has no part in it. */
  readonly isOwn?: boolean;
  /** Rounds that are enough: each takes long. */
  readonly roundsMax?: number;
}

/** Bytes; what a sensor's reading takes. */
const SMALL_PAYLOAD = 64;

const basis: Load = {
  mode: 'pair',
  prefix: 'load',
  publishers: 1,
  subscribers: 1,
  qos: 0,
  payloadBytes: SMALL_PAYLOAD,
  window: 20,
  version: 4,
  userProperties: 0,
  topics: 1,
  persistent: false,
  rate: 0,
};

/** Messages under way that a paced publisher is never held up by: latency must not hide in messages that were not sent. */
const PACED_WINDOW = 1_000;

/** Rounds of what starts a Java program, or takes long. */
const DURABLE_ROUNDS_MAX = 3;

/** Every scenario, by the name that `--scenario` takes. Floors are in floors.json. */
export const SCENARIOS: readonly Scenario[] = [
  throughput('qos0-1-pair', 'QoS 0, 1 pair, window 200', { window: 200 }, 6),
  throughput('qos0-10-pairs', 'QoS 0, 10 pairs, window 100', { publishers: 10, window: 100 }, 6),
  throughput('qos0-100-pairs', 'QoS 0, 100 pairs, window 20', { publishers: 100 }, 6),
  throughput('fanout-100', 'QoS 0, fan-out 1 to 100, window 20', { mode: 'fanout', subscribers: 100 }, 4),
  throughput('fanout-1000', 'QoS 0, fan-out 1 to 1000, window 20', { mode: 'fanout', subscribers: 1_000 }, 4),
  throughput('fanin-100', 'QoS 0, fan-in 100 to 1, window 20', { mode: 'fanin', publishers: 100 }, 4),
  throughput('qos1-10-pairs', 'QoS 1, 10 pairs, window 20', { publishers: 10, qos: 1 }, 5),
  throughput('qos2-10-pairs', 'QoS 2, 10 pairs, window 20', { publishers: 10, qos: 2 }, 5),
  throughput('qos0-1kb', 'QoS 0, 10 pairs, window 20, 1 KB', { publishers: 10, payloadBytes: 1024 }, 3),
  throughput('qos0-16kb', 'QoS 0, 10 pairs, window 20, 16 KB', { publishers: 10, payloadBytes: 16_384 }, 1.5),
  {
    name: 'mqtt5-user-properties',
    storage: 'memory',
    measurement: {
      kind: 'two-loads',
      load: { ...basis, publishers: 10, window: 100, version: 5, userProperties: 2 },
      reference: { ...basis, publishers: 10, window: 100 },
    },
    rows: [
      {
        name: 'mqtt5-user-properties',
        title: 'MQTT 5 with 2 User Properties, against its own 3.1.1, QoS 0, 10 pairs, window 100',
        figure: 'deliveries',
        against: 'referenceDeliveries',
        bar: { ratio: 0.75 },
      },
    ],
  },
  // One message per wake-up: the worst case, in which system calls are all the cost.
  throughput('qos0-100-pairs-window-1', 'QoS 0, 100 pairs, window 1', { publishers: 100, window: 1 }, 0.9),
  throughput('qos0-1000-pairs-window-1', 'QoS 0, 1000 pairs, window 1', { publishers: 1_000, window: 1 }, 0.9),
  {
    name: 'paced-100-pairs',
    storage: 'memory',
    measurement: { kind: 'paced', load: { ...basis, publishers: 100, window: PACED_WINDOW }, share: 0.5, fullWindow: 20 },
    rows: [
      {
        name: 'paced-100-pairs',
        title: "QoS 0, 100 pairs at half of the first broker's most: p99",
        figure: 'p99',
        against: 'baseline',
        bar: { ratio: 1.5, value: 2 },
      },
    ],
  },
  {
    name: 'connects',
    storage: 'memory',
    measurement: { kind: 'connects', clients: 10_000 },
    rows: [{ name: 'connects', title: 'connects, 10,000 clients', figure: 'connects', against: 'baseline', bar: { ratio: 0.6 } }],
  },
  {
    name: 'idle',
    storage: 'memory',
    measurement: { kind: 'idle', clients: 10_000 },
    rows: [
      {
        name: 'idle-resident',
        title: 'resident memory, each of 10,000 idle connections',
        figure: 'residentBytes',
        against: null,
        bar: { value: 6 * 1024 },
      },
      { name: 'idle-collected', title: '… behind a garbage collection', figure: 'collectedBytes', against: null, bar: null },
      { name: 'idle-heap', title: '… JavaScript heap and buffers', figure: 'heapBytes', against: null, bar: null },
    ],
  },
  matching('matching', 'matching with 1,000,000 subscriptions', 2_000, true),
  {
    name: 'fairness',
    storage: 'memory',
    measurement: {
      kind: 'fairness',
      load: { ...basis, publishers: 99, window: PACED_WINDOW, rate: 100 },
      flood: { ...basis, prefix: 'flood', window: 5_000 },
    },
    rows: [
      {
        name: 'fairness',
        title: '99 paced pairs beside one at full speed, against themselves alone: p99',
        figure: 'p99',
        against: 'p99Alone',
        bar: { ratio: 3, value: 5 },
      },
    ],
  },
  ...durable('', 'disk', 'persistent sessions, synced'),
  ...durable('-each', 'disk-each', 'persistent sessions, each message synced'),
  {
    name: 'durable-clean',
    storage: 'disk',
    isOwn: true,
    measurement: {
      kind: 'with-and-without-store',
      load: { ...basis, publishers: 10, qos: 1 },
      reference: { ...basis, publishers: 10, qos: 1 },
    },
    rows: [
      {
        name: 'durable-clean',
        title: 'QoS 1, 10 pairs, window 20, clean sessions, with a store against without one',
        figure: 'deliveries',
        against: 'referenceDeliveries',
        bar: { ratio: 0.95 },
      },
    ],
  },
  {
    name: 'durable-replay',
    storage: 'disk',
    isOwn: true,
    roundsMax: DURABLE_ROUNDS_MAX,
    measurement: { kind: 'replay', messages: 1_000_000, payloadBytes: SMALL_PAYLOAD },
    rows: [
      {
        name: 'durable-replay',
        title: 'QoS 1, 1,000,000 messages to a session that returns, acknowledged',
        figure: 'deliveries',
        against: null,
        bar: { value: 150_000 },
      },
      { name: 'durable-queue', title: '… queued for it while it was away, synced', figure: 'queued', against: null, bar: null },
    ],
  },
  written('durable-written-64', 'bytes written for each of payload, 64 B, each message written', SMALL_PAYLOAD, 2.5),
  written('durable-written-1kb', 'bytes written for each of payload, 1 KB, each message written', 1024, 1.2),
  // Beyond the table.
  throughput('qos1-10-pairs-persistent', 'QoS 1, 10 pairs, window 20, persistent sessions', { publishers: 10, qos: 1, persistent: true }),
  throughput('mqtt5-100-pairs', 'MQTT 5, QoS 0, 100 pairs, window 20', { publishers: 100, version: 5 }),
  throughput('mqtt5-qos1-10-pairs', 'MQTT 5, QoS 1, 10 pairs, window 20', { publishers: 10, qos: 1, version: 5 }),
  // More topics than a broker will remember the receivers of.
  matching('matching-cold', 'matching with 1,000,000 subscriptions, 200,000 topics', 20_000, false),
];

/** Whether a scenario has something to reach: those are what runs without further arguments. */
export function hasBar({ rows }: Scenario): boolean {
  return rows.some(({ bar }) => bar !== null);
}

/** Whether each round needs a broker that nothing has happened to: memory that an earlier round left would count. */
export function needsFreshBroker({ kind }: Measurement): boolean {
  return kind === 'idle' || kind === 'matching';
}

/** Whether a scenario compares with ActiveMQ. */
export function needsActiveMQ({ rows }: Scenario): boolean {
  return rows.some(({ against }) => against === ACTIVEMQ);
}

/** The scenarios with these names, in that order. */
export function selectScenarios(names: readonly string[]): Scenario[] {
  return names.map((name) => {
    const found = SCENARIOS.find((candidate) => candidate.name === name);
    if (found === undefined)
      throw new Error(`--scenario ${name}: expected one of ${SCENARIOS.map((candidate) => candidate.name).join(', ')}`);
    return found;
  });
}

/** @param ratio the deliveries to reach, times the first broker's */
function throughput(name: string, title: string, difference: Partial<Load>, ratio?: number): Scenario {
  return {
    name,
    storage: 'memory',
    measurement: { kind: 'load', load: { ...basis, ...difference } },
    rows: [{ name, title, figure: 'deliveries', against: 'baseline', bar: ratio === undefined ? null : { ratio } }],
  };
}

/** @param ratio the deliveries to reach, times those of what it is compared with */
/**
 * Promises kept by a disk.
 * @param suffix of the names
 * @param how the title says it
 */
function durable(suffix: string, storage: Storage, how: string): Scenario[] {
  const load: Load = { ...basis, qos: 1, persistent: true };
  const row = (name: string, title: string, against: Row['against'], ratio?: number): Row => ({
    name: name + suffix,
    title,
    figure: 'deliveries',
    against,
    bar: ratio === undefined ? null : { ratio },
    waitsForDisk: true,
  });
  return [
    {
      name: `durable-10-pairs${suffix}`,
      storage,
      roundsMax: DURABLE_ROUNDS_MAX,
      measurement: { kind: 'load', load: { ...load, publishers: 10 } },
      rows: [
        row('durable-10-pairs', `QoS 1, 10 pairs, window 20, ${how}, against unsynced`, 'baseline', 1.5),
        row('durable-10-pairs-activemq', '… against ActiveMQ, synced', ACTIVEMQ, 20),
      ],
    },
    {
      name: `durable-100-pairs${suffix}`,
      storage,
      roundsMax: DURABLE_ROUNDS_MAX,
      measurement: { kind: 'load', load: { ...load, publishers: 100 } },
      rows: [
        row('durable-100-pairs', `QoS 1, 100 pairs, window 20, ${how}, against unsynced`, 'baseline'),
        row('durable-100-pairs-activemq', '… against ActiveMQ, synced', ACTIVEMQ, 10),
      ],
    },
    {
      name: `durable-latency${suffix}`,
      storage,
      isOwn: true,
      measurement: { kind: 'sync-latency', load: { ...load, window: 1 } },
      rows: [
        {
          name: `durable-latency${suffix}`,
          title: `QoS 1, 1 pair, window 1, ${how}, against write, fdatasync and a round trip: p50`,
          figure: 'p50',
          against: 'p50Probe',
          bar: { ratio: 1.5 },
        },
      ],
    },
    {
      name: `durable-cost${suffix}`,
      storage,
      isOwn: true,
      roundsMax: DURABLE_ROUNDS_MAX,
      measurement: {
        kind: 'with-and-without-store',
        load: { ...load, publishers: 100 },
        reference: { ...load, publishers: 100 },
      },
      rows: [row('durable-cost', `QoS 1, 100 pairs, window 20, ${how}, against in memory`, 'referenceDeliveries', 0.6)],
    },
  ];
}

/** @param most bytes written for each of payload */
function written(name: string, title: string, payloadBytes: number, most: number): Scenario {
  return {
    name,
    storage: 'disk-each',
    isOwn: true,
    roundsMax: 1,
    measurement: { kind: 'written', load: { ...basis, publishers: 10, qos: 1, persistent: true, payloadBytes } },
    rows: [{ name, title, figure: 'writtenBytes', against: null, bar: { value: most } }],
  };
}

/** @param topics of each of ten publishers */
function matching(name: string, title: string, topics: number, hasBars: boolean): Scenario {
  const load: Load = { ...basis, mode: 'fleet', publishers: 10, topics, window: 100 };
  const bar = (threshold: Threshold): Threshold | null => (hasBars ? threshold : null);
  return {
    name,
    storage: 'memory',
    measurement: { kind: 'matching', load, clients: 1_000, subscriptionsPerClient: 999 },
    rows: [
      {
        name: `${name}-publish`,
        title: `${title}: deliveries, against itself with 1,000`,
        figure: 'deliveries',
        against: 'referenceDeliveries',
        bar: bar({ ratio: 0.8 }),
      },
      { name: `${name}-subscribe`, title: '… subscribing', figure: 'subscribes', against: 'baseline', bar: null },
      { name: `${name}-resident`, title: '… resident memory, each', figure: 'residentBytes', against: null, bar: null },
      {
        name: `${name}-collected`,
        title: '… behind a garbage collection',
        figure: 'collectedBytes',
        against: null,
        bar: bar({ value: 250 }),
      },
      { name: `${name}-heap`, title: '… JavaScript heap and buffers', figure: 'heapBytes', against: null, bar: null },
    ],
  };
}

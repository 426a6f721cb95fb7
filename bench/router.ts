/**
 * Routing at scale: a broker without sockets, with a thousand subscriptions and with a million.
 *
 *     node dist/bench/router.js [--subscriptions 1000,1000000] [--clients 1000] [--json]
 *
 * Times are processor time of the whole process, collection of garbage included: medians of five runs. Memory is all that a subscription
 * takes after a collection: in the router, in its session's table, and the text of its filter.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Broker } from '../src/core/broker.ts';
import { Router } from '../src/core/router.ts';
import { MqttProtocol } from '../src/protocols/mqtt/protocol.ts';
import type { MqttSession } from '../src/protocols/mqtt/session.ts';
import { silentLog } from '../src/telemetry/log.ts';
import type { Connection, ConnectionHandler } from '../src/transport/connection.ts';
import { crowdFilters, crowdTopic } from './fleet.ts';
import { connectFrame, publishTemplate } from './frames.ts';

/** What is measured, and how it is said. */
const FIGURES = {
  subscribe: 'subscribe, k/s',
  unsubscribe: 'unsubscribe, k/s',
  bytes: 'bytes a subscription',
  crowdSubscribe: '10,000 clients subscribe to one filter, k/s',
  crowdUnsubscribe: 'and unsubscribe, k/s',
  matchRemembered: 'match, 1,000 topics again and again, k/s',
  matchNew: 'match, nothing remembered, k/s',
  publishSame: 'PUBLISH to 1,000 topics again and again, µs',
  publishNew: 'PUBLISH to 1,000,000 topics, µs',
  publishChurn: 'PUBLISH to 1,000 topics, a subscription changes every 20th time, µs',
};

type Figures = Record<keyof typeof FIGURES, number>;

const ROUNDS = 5;
/** Subscriptions made, at least, for the rates of subscribing. */
const SUBSCRIBES = 300_000;
/** Subscriptions of a client, at least: one of each kind and as many as it takes to be like the others. */
const CLIENT_SUBSCRIPTIONS = 20;
const CROWD = 10_000;
const SAME_TOPICS = 1_000;
const NEW_TOPICS = 1_000_000;
/** Matches in one run. */
const MATCHES = 200_000;
/** Publishes in one run. */
const PUBLISHES = 200_000;
/** Packets in one read of a socket. */
const READ_PACKETS = 32;
/** Publishes for each subscription that comes or goes. */
const CHURN = 20;
/** Filters that come and go: some match what is published, `#` does not come for it would receive everything. */
const CHURN_FILTERS = ['+/nowhere/+', 'fleet/r3/s07/+/nothing', 'fleet/r3/s07/d99999/config/+', 'fleet/r3/s07/d99999', '+/+/+/+/module/#'];

const CONNECTOR = {
  name: 'memory',
  maxFrameSize: 1_000_000,
  connectAttemptTimeoutMs: 30_000,
  defaultKeepAliveMs: 0,
  useInactivityMonitor: false,
  certificateUserName: false,
  elsewhere: () => null,
  publishDollarTopics: false,
  subscriptionPrefetch: 0,
  maxInactivityDurationMs: 30_000,
};

/** Takes what the broker writes and forgets it. */
class NullConnection implements Connection {
  static readonly #output = Buffer.alloc(65_536);
  readonly id = 0;
  readonly remoteAddress = 'memory:0';
  readonly peerCertificate = null;
  readonly serverName = null;
  readonly refusal = null;
  readonly connector = 'memory';
  readonly queuedBytes = 0;
  readonly unsentBytes = 0;
  readonly writable = true;
  readonly output = NullConnection.#output;

  reserve(): number {
    return 0;
  }

  admit(): boolean {
    return true;
  }

  write(): void {}
  writeCopy(): void {}
  end(): void {}
  destroy(): void {}
  pause(): void {}
  resume(): void {}
  countProbe(): void {}
}

/** A broker with so many of a fleet's subscriptions. */
class Fleet {
  readonly size: number;
  readonly router: Router;
  readonly publisher: ConnectionHandler;
  readonly #protocol: MqttProtocol;
  readonly #sessions: MqttSession[] = [];
  /** Subscriptions of each client. */
  readonly #perClient: number;
  #changes = 0;

  constructor(size: number, clients: number) {
    const broker = new Broker({ id: 'bench', name: 'bench', log: silentLog });
    this.size = size;
    this.router = broker.router;
    this.#protocol = new MqttProtocol(broker);
    const count = Math.min(clients, size / CLIENT_SUBSCRIPTIONS);
    this.#perClient = size / count;
    if (!Number.isInteger(count) || !Number.isInteger(this.#perClient))
      throw new Error(`${size} subscriptions: expected a multiple of ${count}`);
    this.publisher = this.#connect('publisher');
    for (let i = 0; i < count; i++) {
      this.#connect(`client-${i}`);
      this.#sessions.push(broker.sessions.get(`client-${i}`) as MqttSession);
    }
  }

  #connect(clientId: string): ConnectionHandler {
    const handler = this.#protocol.accept(new NullConnection(), CONNECTOR);
    const packet = connectFrame(clientId, 4, true, 0);
    handler.onData(packet, 0, packet.length);
    return handler;
  }

  /** @returns seconds */
  subscribe(): number {
    return this.#forAll((session, filter) => void session.subscribe(filter, 0, false, false, 0));
  }

  /** @returns seconds */
  unsubscribe(): number {
    return this.#forAll((session, filter) => void session.unsubscribe(filter));
  }

  #forAll(act: (session: MqttSession, filter: string) => void): number {
    let seconds = 0;
    for (let client = 0; client < this.#sessions.length; client++) {
      const session = this.#sessions[client]!;
      const filters = crowdFilters(client, this.#perClient).map(decoded);
      seconds += cpuSeconds(() => {
        for (const filter of filters) act(session, filter);
      });
    }
    return seconds;
  }

  /** The i-th of topics that go to subscriptions here and there. */
  topic(i: number): string {
    for (let at = Math.imul(i, 0x9e37_79b1) >>> 0; ; at++) {
      const topic = crowdTopic(Math.floor(at / this.#perClient) % this.#sessions.length, this.#perClient, at % this.#perClient, i);
      if (topic !== null) return topic;
    }
  }

  /** One more subscription comes, or the last that came goes. */
  change(): void {
    const turn = this.#changes >> 1;
    const session = this.#sessions[(turn * 7) % this.#sessions.length]!;
    const filter = CHURN_FILTERS[turn % CHURN_FILTERS.length]!;
    if (this.#changes++ % 2 === 0) session.subscribe(filter, 0, false, false, 0);
    else session.unsubscribe(filter);
  }

  stop(): void {
    this.#protocol.stop(null);
  }
}

function measure(subscriptions: number, clients: number): Figures {
  const fleet = new Fleet(subscriptions, clients);
  const before = memoryBytes();
  let subscribing = fleet.subscribe();
  if (fleet.router.size !== subscriptions) throw new Error(`${fleet.router.size} subscriptions where ${subscriptions} were made`);
  const bytes = (memoryBytes() - before) / subscriptions;
  const figures = { bytes, ...measureMatches(fleet), ...measurePublishes(fleet) };

  let unsubscribing = fleet.unsubscribe();
  const cycles = Math.floor(SUBSCRIBES / subscriptions);
  for (let i = 0; i < cycles; i++) {
    subscribing += fleet.subscribe();
    unsubscribing += fleet.unsubscribe();
  }
  if (fleet.router.size !== 0) throw new Error(`${fleet.router.size} subscriptions are left`);
  fleet.stop();
  const subscribes = (subscriptions * (cycles + 1)) / 1_000;
  return { subscribe: subscribes / subscribing, unsubscribe: subscribes / unsubscribing, ...figures, ...measureCrowd() };
}

function measureMatches(fleet: Fleet): Pick<Figures, 'matchRemembered' | 'matchNew'> {
  const forgetful = new Router(1);
  for (const subscription of fleet.router.subscriptions()) forgetful.subscribe(subscription);
  const same = Array.from({ length: SAME_TOPICS }, (_, i) => decoded(fleet.topic(i)));
  const fresh = Array.from({ length: MATCHES }, (_, i) => decoded(fleet.topic(i)));
  let routes = 0;
  const rate = (router: Router, topics: readonly string[]): number => {
    const times = MATCHES / topics.length;
    const seconds = medianOf(() =>
      cpuSeconds(() => {
        for (let t = 0; t < times; t++) for (let i = 0; i < topics.length; i++) routes += router.match(topics[i]!).direct.length;
      }),
    );
    return MATCHES / seconds / 1_000;
  };
  const rates = { matchRemembered: rate(fleet.router, same), matchNew: rate(forgetful, fresh) };
  if (routes < MATCHES) throw new Error('topics without receivers');
  return rates;
}

function measurePublishes(fleet: Fleet): Pick<Figures, 'publishSame' | 'publishNew' | 'publishChurn'> {
  const same = reads(fleet, SAME_TOPICS);
  const fresh = reads(fleet, NEW_TOPICS);
  let at = 0;
  let owed = 0;
  const microseconds = (from: readonly Buffer[], changes: number): number => {
    const seconds = medianOf(() =>
      cpuSeconds(() => {
        for (let sent = 0; sent < PUBLISHES; sent += READ_PACKETS) {
          const read = from[at++ % from.length]!;
          fleet.publisher.onData(read, 0, read.length);
          for (owed += changes * READ_PACKETS; owed >= 1; owed--) fleet.change();
        }
      }),
    );
    return (seconds / PUBLISHES) * 1e6;
  };
  return { publishSame: microseconds(same, 0), publishNew: microseconds(fresh, 0), publishChurn: microseconds(same, 1 / CHURN) };
}

/** PUBLISH packets as a socket reads them, many at a time. */
function reads(fleet: Fleet, topics: number): Buffer[] {
  const buffers: Buffer[] = [];
  for (let from = 0; from < topics; from += READ_PACKETS) {
    const packets: Buffer[] = [];
    for (let i = from; i < from + READ_PACKETS; i++)
      packets.push(publishTemplate(fleet.topic(i % topics), 0, { version: 4, qos: 0, payloadBytes: 64, userProperties: 0 }).bytes);
    buffers.push(Buffer.concat(packets));
  }
  return buffers;
}

/** Many clients and one filter: what grows with their square is seen here. */
function measureCrowd(): Pick<Figures, 'crowdSubscribe' | 'crowdUnsubscribe'> {
  const broker = new Broker({ id: 'bench', name: 'bench', log: silentLog });
  const protocol = new MqttProtocol(broker);
  const sessions: MqttSession[] = [];
  for (let i = 0; i < CROWD; i++) {
    const packet = connectFrame(`client-${i}`, 4, true, 0);
    protocol.accept(new NullConnection(), CONNECTOR).onData(packet, 0, packet.length);
    sessions.push(broker.sessions.get(`client-${i}`) as MqttSession);
  }
  const subscribe = medianOf(() => {
    for (const session of sessions) session.unsubscribe('fleet/+/all');
    return cpuSeconds(() => {
      for (const session of sessions) session.subscribe('fleet/+/all', 0, false, false, 0);
    });
  });
  const unsubscribe = medianOf(() => {
    for (const session of sessions) session.subscribe('fleet/+/all', 0, false, false, 0);
    return cpuSeconds(() => {
      for (const session of sessions) session.unsubscribe('fleet/+/all');
    });
  });
  protocol.stop(null);
  return { crowdSubscribe: CROWD / subscribe / 1_000, crowdUnsubscribe: CROWD / unsubscribe / 1_000 };
}

/** A text as a decoder makes it: with characters of its own. */
function decoded(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function medianOf(run: () => number): number {
  return Array.from({ length: ROUNDS }, run).toSorted((a, b) => a - b)[ROUNDS >> 1]!;
}

/** Processor time that `run` takes, in seconds. */
function cpuSeconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Bytes in use after a collection of garbage. */
function memoryBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage(); // `external` has the array buffers
  return heapUsed + external;
}

/** Each size in a process of its own, with a heap of its own. */
function measureApart(subscriptions: number, clients: string): Figures {
  const words = ['--expose-gc', fileURLToPath(import.meta.url), '--here', `--subscriptions=${subscriptions}`, `--clients=${clients}`];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })) as Figures;
}

function table(sizes: readonly number[], figures: readonly Figures[]): string {
  const cell = (value: number): string => value.toLocaleString('en', { maximumSignificantDigits: 3 }).padStart(12);
  const head = ''.padEnd(70) + sizes.map((size) => size.toLocaleString('en').padStart(12)).join('');
  const names = Object.keys(FIGURES) as (keyof Figures)[];
  return [head, ...names.map((name) => FIGURES[name].padEnd(70) + figures.map((each) => cell(each[name])).join(''))].join('\n');
}

const { values } = parseArgs({
  options: {
    subscriptions: { type: 'string', default: '1000,1000000' },
    clients: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
    here: { type: 'boolean', default: false },
  },
});
const sizes = values.subscriptions.split(',').map(Number);
if (values.here) {
  console.log(JSON.stringify(measure(sizes[0]!, Number(values.clients))));
} else {
  const figures = sizes.map((size) => measureApart(size, values.clients));
  console.log(values.json ? JSON.stringify(Object.fromEntries(sizes.map((size, i) => [size, figures[i]]))) : table(sizes, figures));
}

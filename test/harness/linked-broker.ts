/** Brokers for tests: each with its OpenWire listener on a free port and its part of the network, in this process. */

import type { LinkView } from '../../src/cluster/network/link.ts';
import { DEFAULT_LINK_SETTINGS, type LinkSettings, type NetworkConnectorSettings } from '../../src/cluster/network/link-settings.ts';
import { Network, type NetworkOptions } from '../../src/cluster/network/network.ts';
import { Broker, createBrokerId } from '../../src/core/broker.ts';
import type { Stamp } from '../../src/core/hybrid-clock.ts';
import { Message, type MessageProperties, type QoS } from '../../src/core/message.ts';
import type { AuthenticationMechanism, Authenticator, Session } from '../../src/core/ports.ts';
import type { Store } from '../../src/core/store.ts';
import { AWAY, READY, type Readiness, type Subscriber, Subscription } from '../../src/core/subscription.ts';
import { parseShared } from '../../src/core/topic-filter.ts';
import { OpenWireProtocol } from '../../src/protocols/openwire/protocol.ts';
import type { Facts, Log } from '../../src/telemetry/log.ts';
import { connectTcp, type TcpConnection } from '../../src/transport/tcp-connection.ts';
import { TcpListener } from '../../src/transport/tcp-listener.ts';
import { Turn } from '../../src/transport/turn.ts';
import { IDLE } from './idle-session.ts';

/** One received message, as a subscriber keeps it. */
export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: MessageProperties | null;
  readonly expiresAtMs: number;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly facts: Facts;
}

/** A client without a protocol: keeps what it gets. */
export class TestClient implements Subscriber {
  readonly kind = 'client';
  readonly id: string;
  readonly publisher = this;
  readonly received: Received[] = [];
  readiness: Readiness = READY;
  connected = true;
  readonly #broker: Broker;

  constructor(id: string, broker: Broker) {
    this.id = id;
    this.#broker = broker;
  }

  /** `$share/...` as well. */
  subscribe(filter: string, qos: QoS = 2): this {
    const options = { subscriber: this, qos, noLocal: false, retainAsPublished: true, identifier: 0 };
    this.#broker.subscribe(new Subscription({ ...parseShared(filter), ...options }));
    return this;
  }

  unsubscribe(filter: string): void {
    const shared = parseShared(filter);
    this.#broker.router.unsubscribe(shared.filter, shared.group, this);
  }

  /** As a member of shared subscriptions it is ready, behind, or away. */
  is(readiness: Readiness, ...filters: readonly string[]): void {
    this.readiness = readiness;
    this.connected = readiness !== AWAY;
    for (const { filter, group } of filters.map(parseShared)) this.#broker.router.group(filter, group!)!.moved(this);
  }

  publish(topic: string, payload: string | Buffer, qos: QoS = 0, retain = false, properties: MessageProperties | null = null): void {
    const body = Buffer.from(payload);
    this.#broker.publish(new Message(topic, qos, retain, body, 0, body.length, true, properties, 0, this, null));
    body.fill(0xee); // the read buffer it came in is used for something else now
  }

  deliver(message: Message): void {
    const { topic, qos, retain, properties, expiresAtMs } = message;
    this.received.push({ topic, payload: message.payload.toString(), qos, retain, properties, expiresAtMs });
  }

  get payloads(): string[] {
    return this.received.map(({ payload }) => payload);
  }
}

interface Dialled {
  readonly connections: Set<TcpConnection>;
  dead: boolean;
}

export class TestBroker {
  readonly broker: Broker;
  readonly network: Network;
  readonly lines: LogLine[] = [];
  readonly #listener: TcpListener;
  readonly #protocol: OpenWireProtocol;
  readonly #dialled: Dialled;
  #clients = 0;

  private constructor(
    broker: Broker,
    network: Network,
    listener: TcpListener,
    protocol: OpenWireProtocol,
    dialled: Dialled,
    lines: LogLine[],
  ) {
    this.#dialled = dialled;
    this.broker = broker;
    this.network = network;
    this.#listener = listener;
    this.#protocol = protocol;
    this.lines = lines;
  }

  static async start(
    options: {
      name?: string;
      id?: string;
      port?: number;
      wallNow?: () => number;
      authenticator?: Authenticator;
      mechanisms?: readonly AuthenticationMechanism[];
      store?: Store;
      /** Called before the broker looks for others. */
      begin?: (broker: Broker) => void;
    } & Partial<Omit<NetworkOptions, 'broker' | 'turn'>> = {},
  ): Promise<TestBroker> {
    const lines: LogLine[] = [];
    const id = options.id ?? createBrokerId('test', process.pid, Date.now(), Math.floor(Math.random() * 1e9));
    const { wallNow, authenticator = null, mechanisms = [], store, begin = () => {} } = options;
    const broker = new Broker({
      id,
      name: options.name ?? 'broker2',
      log: recordingLog(lines),
      ...(wallNow ? { wallNow } : {}),
      ...(store ? { store } : {}),
      authenticator,
      mechanisms,
    });
    const turn = new Turn();
    let protocol: OpenWireProtocol | null = null;
    const listener = new TcpListener({
      name: 'openwire',
      host: '127.0.0.1',
      port: options.port ?? 0,
      maximumConnections: 100,
      turn,
      log: broker.log,
      onConnection: (connection) =>
        protocol!.accept(connection, {
          name: 'openwire',
          maxFrameSize: 104_857_600,
          connectAttemptTimeoutMs: 500,
          defaultKeepAliveMs: 0,
          useInactivityMonitor: true,
          publishDollarTopics: false,
          subscriptionPrefetch: 0,
          certificateUserName: false,
          elsewhere: () => null,
          maxInactivityDurationMs: 30_000,
        }),
    });
    await listener.listen();
    const dialled: Dialled = { connections: new Set(), dead: false };
    const network = new Network({
      connectors: [],
      connect: async (to) => {
        if (dialled.dead) throw new Error('dead');
        const connection = await connectTcp(to);
        if (dialled.dead) {
          connection.destroy();
          throw new Error('dead');
        }
        dialled.connections.add(connection);
        return connection;
      },
      listening: { host: '127.0.0.1', port: listener.port },
      ...options,
      broker,
      turn,
    });
    broker.cluster = network;
    begin(broker);
    protocol = new OpenWireProtocol(broker, network);
    await network.start();
    return new TestBroker(broker, network, listener, protocol, dialled, lines);
  }

  get id(): string {
    return this.broker.id;
  }

  get port(): number {
    return this.#listener.port;
  }

  client(): TestClient {
    return new TestClient(`${this.broker.name}-client-${++this.#clients}`, this.broker);
  }

  /** Connects a session with this client id; `takenOver` tells when another broker ended it. */
  session(clientId: string): Session & { takenOver: boolean } {
    const claimedAt: Stamp = this.broker.clock.next();
    const session = {
      clientId,
      connected: true,
      ...IDLE,
      claimedAt,
      takenOver: false,
      takeOver() {
        this.takenOver = true;
        this.connected = false;
      },
      connectedElsewhere() {
        if (this.connected) this.takeOver();
      },
      discard() {},
      dismiss() {},
    };
    this.broker.sessions.set(session);
    this.network.clientClaimed(clientId, claimedAt);
    return session;
  }

  link(peer: TestBroker): LinkView | undefined {
    return this.network.links().find(({ peerId }) => peerId === peer.id);
  }

  /** Ends as a killed process does: sockets close, nobody says goodbye, nobody dials again. */
  async kill(): Promise<void> {
    this.#dialled.dead = true;
    this.#listener.close();
    this.cutLinks();
    await this.network.stop();
  }

  /** Breaks all connections with other brokers, as a network does. */
  cutLinks(): void {
    for (const connection of [...this.#listener.connections, ...this.#dialled.connections]) connection.destroy();
  }

  async stop(): Promise<void> {
    this.#listener.close();
    this.#protocol.stop();
    await this.network.stop();
  }
}

/** A networkConnector `static:(...)` to these ports. */
export function staticConnector(ports: readonly number[], settings: Partial<LinkSettings> = {}): NetworkConnectorSettings {
  const uris = ports.map((port) => ({ host: '127.0.0.1', port }));
  return {
    ...DEFAULT_LINK_SETTINGS,
    uri: `static:(${ports.map((port) => `tcp://127.0.0.1:${port}`).join(',')})`,
    discovery: { kind: 'static', uris },
    ...settings,
  };
}

/** Waits until `condition` holds. Fails, with what it was, after a time that no sound run needs. */
export async function until(condition: () => boolean, what: string, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Waits until the link between two brokers is up on both sides. */
export async function linked(a: TestBroker, b: TestBroker): Promise<void> {
  await until(() => a.link(b)?.state === 'up' && b.link(a)?.state === 'up', `${a.broker.name} and ${b.broker.name} are linked`);
}

function recordingLog(lines: LogLine[]): Log {
  const write =
    (level: string) =>
    (message: string, facts: Facts = {}): void => {
      lines.push({ level, message, facts });
      if (process.env.ROUNDHOUSE_TEST_LOG) console.error(level, message, JSON.stringify(facts));
    };
  const log: Log = { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug'), child: () => log };
  return log;
}

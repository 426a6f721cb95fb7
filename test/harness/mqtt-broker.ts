import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Broker, createBrokerId } from '../../src/core/broker.ts';
import type { DestinationPolicies } from '../../src/core/destination-policies.ts';
import type { Limits } from '../../src/core/limits.ts';
import type { AuthenticationMechanism, Authenticator } from '../../src/core/ports.ts';
import type { Store } from '../../src/core/store.ts';
import { MqttProtocol } from '../../src/protocols/mqtt/protocol.ts';
import type { ConnectorOptions } from '../../src/protocols/protocol.ts';
import { type Log, silentLog } from '../../src/telemetry/log.ts';
import { FakeClock } from '../../src/timing/clock.ts';
import type { PlaceCounters } from '../../src/transport/places.ts';
import type { Stage } from '../../src/transport/stage.ts';
import { TcpListener } from '../../src/transport/tcp-listener.ts';
import { Turn } from '../../src/transport/turn.ts';
import type { ConnectFields, Level } from './mqtt-bytes.ts';
import { MqttPeer, PEER_WAIT_MS, type PeerOptions } from './mqtt-peer.ts';

export interface TestBrokerOptions {
  readonly limits?: Partial<Limits>;
  readonly policies?: DestinationPolicies;
  readonly connector?: Partial<ConnectorOptions>;
  /** What a connection goes through before MQTT, within `connectAttemptTimeoutMs` of the connector. */
  readonly stages?: readonly Stage[];
  /** Default: 10,000. */
  readonly maximumConnections?: number;
  /** Time stands still and passes only with `TestBroker.pass`. */
  readonly fakeClock?: boolean;
  /** The same, by a clock that others see, too. */
  readonly clock?: FakeClock;
  /** What outlives the broker: taken up when it listens. Default: nothing does. */
  readonly store?: Store;
  readonly log?: Log;
  readonly authenticator?: Authenticator;
  readonly mechanisms?: readonly AuthenticationMechanism[];
}

/** What tests announce as the largest packet, in bytes: CONNACK of MQTT 5 has it as `27 05f5e100`. */
export const MAX_FRAME_SIZE = 100_000_000;

let brokers = 0;

/** A broker that speaks MQTT on a free port of the loopback interface, in this process, until the test ends. */
export class TestBroker {
  readonly broker: Broker;
  readonly protocol: MqttProtocol;
  /** What the broker logged at `error`: a mistake of ours that it has survived. */
  readonly errors: string[] = [];
  readonly #clock: FakeClock | null;
  readonly #listener: TcpListener;

  constructor(options: TestBrokerOptions) {
    this.#clock = options.clock ?? (options.fakeClock === true ? new FakeClock() : null);
    const clock = this.#clock;
    const log = options.log ?? { ...silentLog, error: (message, facts) => this.errors.push(`${message} ${JSON.stringify(facts ?? {})}`) };
    this.broker = new Broker({
      id: createBrokerId('test', process.pid, 0, brokers++),
      name: 'test',
      log,
      limits: options.limits ?? {},
      ...(options.policies === undefined ? {} : { policies: options.policies }),
      authenticator: options.authenticator ?? null,
      mechanisms: options.mechanisms ?? [],
      ...(options.store === undefined ? {} : { store: options.store }),
      ...(clock === null ? {} : { wallNow: () => clock.wallMs() }),
    });
    this.protocol = clock === null ? new MqttProtocol(this.broker) : new MqttProtocol(this.broker, clock);
    const connector: ConnectorOptions = {
      name: 'mqtt',
      maxFrameSize: MAX_FRAME_SIZE,
      connectAttemptTimeoutMs: 30_000,
      defaultKeepAliveMs: 0,
      useInactivityMonitor: true,
      publishDollarTopics: false,
      subscriptionPrefetch: 0,
      certificateUserName: false,
      elsewhere: () => null,
      maxInactivityDurationMs: 30_000,
      ...options.connector,
    };
    this.#listener = new TcpListener({
      name: 'mqtt',
      host: '127.0.0.1',
      port: 0,
      maximumConnections: options.maximumConnections ?? 10_000,
      stages: options.stages ?? [],
      stagesTimeoutMs: connector.connectAttemptTimeoutMs,
      onProbe: () => this.broker.counters.probes++,
      turn: new Turn(),
      log,
      onConnection: (connection) => this.protocol.accept(connection, connector),
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  /** What became of accepted connections. */
  get placeCounters(): Readonly<PlaceCounters> {
    return this.#listener.counters;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#listener.connections.size;
  }

  listen(): Promise<void> {
    this.broker.restoreRetained();
    this.protocol.restore();
    this.protocol.goOn();
    return this.#listener.listen();
  }

  /** Lets `ms` milliseconds pass on the fake clock; what is due fires. */
  pass(ms: number): void {
    if (this.#clock === null) throw new Error('this broker runs on the real clock');
    this.#clock.advance(ms);
    this.protocol.timers.advance();
  }

  /** Resolves when the broker has seen that this client's connection is gone. */
  async disconnected(clientId: string): Promise<void> {
    await this.until(() => this.broker.sessions.get(clientId)?.connected !== true, `the end of ${clientId}'s connection`);
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + PEER_WAIT_MS;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`waited ${PEER_WAIT_MS} ms for ${what}`);
      await delay(2);
    }
  }

  /** A client that has connected. */
  async client(level: Level, fields: ConnectFields = {}, sessionPresent = false): Promise<MqttPeer> {
    return (await this.dial({ level })).connect(fields, sessionPresent);
  }

  /** A bare connection, without CONNECT. */
  dial(options?: PeerOptions): Promise<MqttPeer> {
    return MqttPeer.dial(this.port, options);
  }

  stop(): void {
    this.#listener.close();
    this.protocol.stop(null);
    for (const connection of this.#listener.connections) connection.destroy();
  }
}

export async function startBroker(t: Pick<TestContext, 'after'>, options: TestBrokerOptions = {}): Promise<TestBroker> {
  const broker = new TestBroker(options);
  await broker.listen();
  t.after(() => {
    broker.stop();
    assert.deepEqual(broker.errors, [], 'the broker has logged errors');
  });
  return broker;
}

import type { Broker, Redirection } from '../../core/broker.ts';
import { FaultLog } from '../../telemetry/fault-log.ts';
import type { Facts } from '../../telemetry/log.ts';
import { type Clock, systemClock } from '../../timing/clock.ts';
import { TimerWheel } from '../../timing/timer-wheel.ts';
import type { Connection, ConnectionHandler } from '../../transport/connection.ts';
import type { ConnectorOptions, Protocol } from '../protocol.ts';
import { ConnectRates } from './connect-rates.ts';
import { MqttConnection } from './connection.ts';
import { MqttSession } from './session.ts';
import { recogniseConnect } from './wire/recognise-connect.ts';

/** MQTT 3.1, 3.1.1 and 5.0 for one broker, over connections that lose and reorder nothing [MQTT-4.2.0-1]. No client needs more than that
 * [MQTT3-7.0.0-2]. */
export class MqttProtocol implements Protocol {
  readonly name = 'mqtt';
  readonly schemes = ['mqtt', 'mqtt+nio', 'mqtt+ssl', 'mqtt+nio+ssl', 'ws', 'wss', 'mqtt+unix'];
  readonly broker: Broker;
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly connections = new Set<MqttConnection>();
  readonly connectRates: ConnectRates;
  readonly #faults: FaultLog;
  /** null: the broker does not stop. */
  #whenStopping: ((options: ConnectorOptions) => Redirection) | null = null;

  constructor(broker: Broker, clock: Clock = systemClock) {
    this.broker = broker;
    this.connectRates = new ConnectRates(broker.limits);
    this.clock = clock;
    this.timers = new TimerWheel({ clock });
    this.#faults = new FaultLog(broker.log, () => clock.monotonicMs(), 'more clients broke the protocol or were refused');
  }

  sniff(bytes: Buffer, start: number, end: number): 'yes' | 'no' | 'maybe' {
    const recognised = recogniseConnect(bytes, start, end);
    return recognised === 'begun' || recognised === 'complete' ? 'yes' : recognised;
  }

  restore(): void {
    const { broker } = this;
    for (const stored of broker.store.sessions()) {
      const session = new MqttSession(stored.clientId, broker, this.timers, broker.clock.next(), stored);
      broker.sessions.set(session);
      session.restore();
    }
  }

  goOn(): void {
    for (const session of [...this.broker.sessions.values()]) if (session instanceof MqttSession) session.goOn();
  }

  accept(connection: Connection, options: ConnectorOptions): ConnectionHandler {
    this.broker.counters.sockets++;
    const handler = new MqttConnection(connection, options, this);
    this.connections.add(handler);
    return handler;
  }

  /** Says what a client did wrong. */
  sayFault(message: string, facts: Facts): void {
    this.#faults.say(message, facts);
  }

  /** Where the next client of this connector is sent instead of being let in; null: it is let in. */
  redirectionOf(options: ConnectorOptions): Redirection | null {
    return this.#whenStopping === null ? this.broker.redirection : this.#whenStopping(options);
  }

  disconnectClients(text: string): void {
    for (const connection of this.connections)
      connection.shutDown({ reason: 'useAnotherServer', text, serverReference: connection.options.elsewhere() });
  }

  stop(serverReference: string | null): void {
    const redirectionOf = ({ elsewhere }: ConnectorOptions): Redirection => ({
      reason: 'useAnotherServer',
      text: 'the broker stops',
      serverReference: serverReference ?? elsewhere(),
    });
    this.#whenStopping = redirectionOf;
    // What is on its way to a member of a group goes to members at other brokers, not to the next one here that leaves.
    const sessions = [...this.broker.sessions.values()].filter((session) => session instanceof MqttSession);
    for (const session of sessions) session.leaveGroups();
    for (const session of sessions) session.handOverGroups();
    for (const connection of this.connections) connection.shutDown(redirectionOf(connection.options));
    if (!this.broker.store.outlivesProcess) for (const session of sessions) session.endWithBroker();
    this.timers.clear();
  }
}

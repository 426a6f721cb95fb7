import type { Broker } from '../../core/broker.ts';
import { type Clock, systemClock } from '../../timing/clock.ts';
import { TimerWheel } from '../../timing/timer-wheel.ts';
import type { Connection, ConnectionHandler } from '../../transport/connection.ts';
import type { ConnectorOptions, Protocol } from '../protocol.ts';
import { MqttConnection } from './connection.ts';

/** MQTT 3.1, 3.1.1 and 5.0 for one broker. */
export class MqttProtocol implements Protocol {
  readonly name = 'mqtt';
  readonly schemes = ['mqtt', 'mqtt+nio'];
  readonly broker: Broker;
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly connections = new Set<MqttConnection>();
  /** Counts since the start. */
  readonly counters = { protocolErrors: 0 };

  constructor(broker: Broker, clock: Clock = systemClock) {
    this.broker = broker;
    this.clock = clock;
    this.timers = new TimerWheel({ clock });
  }

  accept(connection: Connection, options: ConnectorOptions): ConnectionHandler {
    const handler = new MqttConnection(connection, options, this);
    this.connections.add(handler);
    return handler;
  }

  stop(): void {
    for (const connection of this.connections) connection.shutDown();
    this.timers.clear();
  }
}

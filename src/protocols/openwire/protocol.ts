import type { Broker } from '../../core/broker.ts';
import type { Facts } from '../../telemetry/log.ts';
import { type Clock, systemClock } from '../../timing/clock.ts';
import type { Connection, ConnectionHandler } from '../../transport/connection.ts';
import type { ConnectorOptions, Protocol } from '../protocol.ts';
import type { BrokerLinks } from './broker-links.ts';
import { Channel } from './channel.ts';
import { OpenWireConnection } from './connection.ts';
import { sniffWireFormatInfo } from './wire/wire-format-info.ts';

/** OpenWire for one broker: the connectors that other brokers dial. */
export class OpenWireProtocol implements Protocol {
  readonly name = 'openwire';
  readonly schemes = ['tcp', 'nio', 'openwire', 'ssl', 'nio+ssl'];
  readonly #broker: Broker;
  readonly #links: BrokerLinks;
  readonly #clock: Clock;
  /** Those of which it is not known yet who they are; links of brokers belong to `links`. */
  readonly #channels = new Map<OpenWireConnection, Channel>();
  /** What has been said at `warn` already; whoever is refused comes again and again. */
  readonly #said = new Set<string>();

  constructor(broker: Broker, links: BrokerLinks, clock: Clock = systemClock) {
    this.#broker = broker;
    this.#links = links;
    this.#clock = clock;
  }

  sniff(bytes: Buffer, start: number, end: number): 'yes' | 'no' | 'maybe' {
    return sniffWireFormatInfo(bytes, start, end);
  }

  accept(connection: Connection, options: ConnectorOptions): ConnectionHandler {
    const handler = new OpenWireConnection(
      {
        broker: this.#broker,
        links: this.#links,
        connector: options.name,
        loginTimeoutMs: options.connectAttemptTimeoutMs,
        sayClientsUnsupported: (address) => this.#sayOnce('clients', CLIENTS_UNSUPPORTED, { address }),
        sayRefused: (address, reason) =>
          this.#sayOnce(address.replace(/:\d+$/, ''), 'a broker may not link with this one', { address, reason }),
        handedOver: (handed) => this.#channels.delete(handed),
        closed: (closed) => this.#onClosed(closed),
      },
      connection.remoteAddress,
    );
    const channel = new Channel(connection, {
      handler,
      clock: this.#clock,
      log: this.#broker.log,
      maxFrameSize: options.maxFrameSize,
      maxInactivityDurationMs: options.maxInactivityDurationMs,
      negotiationTimeoutMs: options.connectAttemptTimeoutMs,
      topicLevels: this.#broker.limits.topicLevels,
      host: null,
    });
    this.#channels.set(handler, channel);
    return channel;
  }

  stop(): void {
    for (const channel of this.#channels.values()) channel.end();
  }

  #onClosed(connection: OpenWireConnection): boolean {
    const channel = this.#channels.get(connection);
    this.#channels.delete(connection);
    if (channel?.wasProbe !== true) return false;
    this.#broker.counters.probes++;
    channel.connection.countProbe();
    return true;
  }

  #sayOnce(about: string, message: string, facts: Facts): void {
    const { log } = this.#broker;
    if (this.#said.has(about)) log.debug(message, facts);
    else log.warn(message, facts);
    if (this.#said.size < SAID_MAX) this.#said.add(about);
  }
}

/** Hosts remembered, of which something was said: a bound on memory, and with it on lines. */
const SAID_MAX = 1_000;

const CLIENTS_UNSUPPORTED = 'an OpenWire client was refused: OpenWire clients are not supported yet, only links between brokers';

import { hostname } from 'node:os';
import type { BrokerModel, TransportConnectorModel } from '../config/activemq/model.ts';
import { Broker, createBrokerId } from '../core/broker.ts';
import type { Limits } from '../core/limits.ts';
import { CodedError, ConfigError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import { TcpListener } from '../transport/tcp-listener.ts';
import { Turn } from '../transport/turn.ts';
import type { MapAddress } from './address-map.ts';
import { type DataDirectory, openDataDirectory } from './data-directory.ts';
import { formatAddress } from './listen-address.ts';
import { ProtocolRegistry } from './registry.ts';

/** How long connections may take to write their last bytes and close when the broker stops, in milliseconds. */
const CLOSE_WAIT_MS = 2_000;
/** How often it is looked whether they have, in milliseconds. */
const CLOSE_LOOK_MS = 10;

export interface BrokerServerOptions {
  readonly log: Log;
  /** What stands in for an address that the file names. */
  readonly mapAddress?: MapAddress;
  readonly limits?: Partial<Limits>;
}

/** One transportConnector that listens. */
export interface ListeningConnector {
  readonly name: string;
  /** As the URI has it: `mqtt`, `mqtt+nio`, `tcp`. */
  readonly scheme: string;
  /** `mqtt`, `openwire`. */
  readonly protocol: string;
  readonly host: string;
  /** The port itself, also where the URI says 0. */
  readonly port: number;
}

/**
 * One broker with everything that an activemq.xml asks for.
 *
 * Start: store folder, broker, connectors. Stop: connectors take no more connections, clients are told, connections close, the store
 * folder is given up.
 */
export class BrokerServer {
  readonly model: BrokerModel;
  readonly broker: Broker;
  readonly #log: Log;
  readonly #mapAddress: MapAddress;
  readonly #registry: ProtocolRegistry;
  readonly #turn = new Turn();
  readonly #listeners: { model: TransportConnectorModel; protocol: string; host: string; listener: TcpListener }[] = [];
  #directory: DataDirectory | null = null;
  #up = false;

  constructor(model: BrokerModel, options: BrokerServerOptions) {
    this.model = model;
    this.#log = options.log;
    this.#mapAddress = options.mapAddress ?? ((host) => host);
    this.broker = new Broker({
      id: createBrokerId(hostname(), process.pid, Date.now(), Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)),
      name: model.brokerName,
      log: options.log,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
    this.#registry = new ProtocolRegistry(this.broker);
  }

  /** What listens, in the file's order. */
  get connectors(): ListeningConnector[] {
    return this.#listeners.map(({ model, protocol, host, listener }) => ({
      name: model.name,
      scheme: model.scheme,
      protocol,
      host,
      port: listener.port,
    }));
  }

  /**
   * @throws ConfigError with the file's line and what could not be had: a port, a host, the store folder; nothing stays open then
   */
  async start(): Promise<void> {
    const { persistenceAdapter } = this.model;
    try {
      if (persistenceAdapter.kind !== 'memory') this.#directory = await openDataDirectory(persistenceAdapter.directory);
      for (const connector of this.model.transportConnectors) await this.#listen(connector);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#up = true;
    this.#log.info('broker is up', {
      brokerName: this.model.brokerName,
      brokerId: this.broker.id,
      store: this.#directory?.path ?? 'memory',
    });
  }

  async stop(): Promise<void> {
    for (const { listener } of this.#listeners) listener.close();
    for (const protocol of this.#registry.protocols) protocol.stop();
    await this.#closed();
    this.#listeners.length = 0;
    await this.#directory?.release();
    this.#directory = null;
    if (this.#up) this.#log.info('broker stopped', { brokerName: this.model.brokerName });
    this.#up = false;
  }

  async #listen(model: TransportConnectorModel): Promise<void> {
    const protocol = this.#registry.get(model.scheme);
    const place = `${model.place.file}:${model.place.line}`;
    if (protocol === undefined)
      throw new ConfigError('UNKNOWN_SCHEME', `${place}: connector "${model.name}": nothing here speaks ${model.scheme}`);
    const host = this.#mapAddress(model.host);
    const options = {
      name: model.name,
      maxFrameSize: model.maxFrameSize,
      connectAttemptTimeoutMs: model.connectAttemptTimeoutMs,
      defaultKeepAliveMs: model.defaultKeepAliveMs,
      maxInactivityDurationMs: model.maxInactivityDurationMs,
    };
    const listener = new TcpListener({
      name: model.name,
      host,
      port: model.port,
      maximumConnections: model.maximumConnections,
      turn: this.#turn,
      log: this.#log,
      onConnection: (connection) => protocol.accept(connection, options),
    });
    try {
      await listener.listen();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      throw new ConfigError(error.code, `${place}: ${error.message}`, error);
    }
    this.#listeners.push({ model, protocol: protocol.name, host, listener });
    this.#log.info('connector listens', { connector: model.name, protocol: protocol.name, address: formatAddress(host, listener.port) });
  }

  /** Waits until every connection is closed; one whose peer does not take its last bytes is cut. */
  async #closed(): Promise<void> {
    const deadline = performance.now() + CLOSE_WAIT_MS;
    const open = () => this.#listeners.flatMap(({ listener }) => [...listener.connections]);
    while (open().length > 0) {
      if (performance.now() >= deadline) for (const connection of open()) connection.destroy();
      await new Promise((resolve) => setTimeout(resolve, CLOSE_LOOK_MS));
    }
  }
}

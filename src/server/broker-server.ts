import { hostname } from 'node:os';
import type { ClientAddress, ClientCarriage } from '../cluster/network/client-addresses.ts';
import { Network } from '../cluster/network/network.ts';
import type { BrokerModel, TransportConnectorModel } from '../config/activemq/model.ts';
import { Broker, createBrokerId } from '../core/broker.ts';
import { ExpirySearch } from '../core/expiry-search.ts';
import type { Limits } from '../core/limits.ts';
import type { AuthenticationMechanism, Authenticator } from '../core/ports.ts';
import { SlowConsumers } from '../core/slow-consumers.ts';
import { SysTopics } from '../core/sys-topics.ts';
import { CodedError, ConfigError } from '../errors.ts';
import type { BrokerLinks } from '../protocols/openwire/broker-links.ts';
import type { ConnectorOptions, Protocol } from '../protocols/protocol.ts';
import { UserList } from '../security/user-list.ts';
import type { SpillFiles } from '../store/journal/spill.ts';
import type { JournalStore } from '../store/journal/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Connection, ConnectionHandler } from '../transport/connection.ts';
import { TcpListener } from '../transport/tcp-listener.ts';
import { Turn } from '../transport/turn.ts';
import type { MapAddress } from './address-map.ts';
import { stagesOf } from './connector-stages.ts';
import { type DataDirectory, openDataDirectory } from './data-directory.ts';
import { destinationPolicies, EXPIRE_MESSAGES_PERIOD_MS } from './destination-policies.ts';
import { formatAddress } from './listen-address.ts';
import { usedMemoryBytes } from './machine.ts';
import { openSpill, openStore, stopsConnectors } from './open-store.ts';
import { programVersion } from './program-version.ts';
import { type HostAndPort, publishedAddress } from './published-address.ts';
import { ProtocolRegistry } from './registry.ts';
import { ServerReferences } from './server-references.ts';
import { openTlsRenewal, type TlsRenewal } from './tls-renewal.ts';
import { FittedLimits } from './usage-limits.ts';

/** How long connections may take to write their last bytes and close when the broker stops, in milliseconds. */
const CLOSE_WAIT_MS = 2_000;
/** Pause before a connector that was stopped for the store's sake tries again to listen, in milliseconds. */
const LISTEN_AGAIN_MS = 1_000;
/** How often it is looked whether they have, in milliseconds. */
const CLOSE_LOOK_MS = 10;

export interface BrokerServerOptions {
  readonly log: Log;
  /** What stands in for an address that the file names. */
  readonly mapAddress?: MapAddress;
  readonly limits: Partial<Limits>;
  /** Seconds between two updates of `$SYS`; 0: none. */
  readonly sysIntervalSeconds: number;
  /** Decides who may connect, where the file leaves that to the program. */
  readonly authenticator?: Authenticator;
  /** Ways to prove who one is in several steps. */
  readonly mechanisms?: readonly AuthenticationMechanism[];
}

/** One transportConnector that listens. */
export interface ListeningConnector {
  readonly name: string;
  /** As the URI has it: `mqtt`, `mqtt+nio`, `tcp`. */
  readonly scheme: string;
  /** `mqtt`, `openwire`; `auto` where that is found out of each client. */
  readonly protocol: string;
  /** Empty for a socket file. */
  readonly host: string;
  /** The port itself, also where the URI says 0; 0 for a socket file. */
  readonly port: number;
  /** Of a socket file; null for a port. */
  readonly path: string | null;
}

/** A connector and its socket. */
interface OpenConnector {
  readonly model: TransportConnectorModel;
  readonly host: string;
  readonly listener: TcpListener;
  /** Where others find it; null for a socket file, and until that is known. */
  published: HostAndPort | null;
}

/**
 * One broker with everything that an activemq.xml asks for.
 *
 * Start: the store folder; connectors that other brokers dial; the links; connectors for clients, which so find a broker that is part of
 * its network. Stop: connectors take no more connections, clients are told, with linked brokers that they may go to, links say goodbye with what clients left behind (wills),
 * connections close, the store folder is given up.
 */
export class BrokerServer {
  readonly model: BrokerModel;
  readonly broker: Broker;
  readonly #log: Log;
  readonly #mapAddress: MapAddress;
  readonly #registry: ProtocolRegistry;
  readonly #turn = new Turn();
  readonly #users: UserList | null;
  readonly #open: OpenConnector[] = [];
  /** Connectors that are stopped until the store can write again. */
  #suspended: OpenConnector[] = [];
  /** Stopping and starting them, one behind the other. */
  #suspending: Promise<void> = Promise.resolve();
  #network: Network | null = null;
  #directory: DataDirectory | null = null;
  #store: JournalStore | null = null;
  /** null: there is no disk for what memory is too short for. */
  #spill: SpillFiles | null = null;
  /** null: no connector has TLS. */
  #tlsRenewal: TlsRenewal | null = null;
  readonly #limits: FittedLimits;
  readonly #sysTopics: SysTopics;
  readonly #slowConsumers: SlowConsumers;
  /** null: the file wants none. */
  readonly #expirySearch: ExpirySearch | null;
  /** Where clients of connectors with `updateClusterClients` may go; empty until the broker stops. */
  readonly #elsewhere = new Map<TransportConnectorModel, ServerReferences>();
  #isUp = false;

  constructor(model: BrokerModel, options: BrokerServerOptions) {
    this.model = model;
    this.#log = options.log;
    this.#mapAddress = options.mapAddress ?? ((host) => host);
    const { authentication } = model;
    if (authentication !== null && options.authenticator !== undefined) {
      const message = `${model.file}: <simpleAuthenticationPlugin> says who may connect, and so does the program's authenticator: one of them must go`;
      throw new ConfigError('CONFIGURATION', message);
    }
    this.#users = authentication === null ? null : new UserList(authentication, options.log);
    this.broker = new Broker({
      id: createBrokerId(hostname(), process.pid, Date.now(), Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)),
      name: model.brokerName,
      log: options.log,
      limits: options.limits,
      policies: destinationPolicies(model),
      authenticator: options.authenticator ?? this.#users,
      mechanisms: [...(this.#users === null ? [] : [this.#users.scram]), ...(options.mechanisms ?? [])],
    });
    this.#limits = new FittedLimits(model, this.broker.usage, options.log);
    // The network is made when it is known where it can be dialled; no connection is accepted before.
    const links: BrokerLinks = {
      introduction: () => this.#network!.introduction(),
      accept: (channel, offer, peer) => this.#network!.accept(channel, offer, peer),
    };
    this.#registry = new ProtocolRegistry(this.broker, links);
    const strategies = new Set(this.broker.policies.all.flatMap(({ slowConsumerStrategy }) => slowConsumerStrategy ?? []));
    this.#slowConsumers = new SlowConsumers(this.broker, strategies);
    const periods = this.broker.policies.all.map(({ expireMessagesPeriodMs }) => expireMessagesPeriodMs);
    const expirePeriodMs = periods.length === 0 ? EXPIRE_MESSAGES_PERIOD_MS : Math.min(...periods);
    this.#expirySearch = Number.isFinite(expirePeriodMs) ? new ExpirySearch(this.broker, expirePeriodMs) : null;
    this.#sysTopics = new SysTopics({
      broker: this.broker,
      version: programVersion(),
      intervalSeconds: options.sysIntervalSeconds,
      traffic: this.#turn,
      heapBytes: usedMemoryBytes,
    });
  }

  /** What listens. */
  get connectors(): ListeningConnector[] {
    return this.#open.map(({ model, host, listener }) => ({
      name: model.name,
      scheme: model.scheme,
      protocol: this.#spokenAt(model),
      host,
      port: listener.port,
      path: model.socketFile?.path ?? null,
    }));
  }

  /** Null until the broker is up. */
  get network(): Network | null {
    return this.#network;
  }

  /**
   * @throws ConfigError with the file's line and what could not be had: a port, a host, the store folder; nothing stays open then
   */
  async start(): Promise<void> {
    const { persistenceAdapter, transportConnectors } = this.model;
    try {
      await this.#users?.ready();
      if (persistenceAdapter.kind !== 'memory') this.#directory = await openDataDirectory(persistenceAdapter.directory);
      await this.#limits.start(this.#directory?.path ?? null);
      if (this.#directory !== null) {
        const { usage } = this.broker;
        const { path } = this.#directory;
        this.#spill = await openSpill(path, usage, this.#log);
        usage.spill = this.#spill;
        this.#store = await openStore(path, this.model, usage, this.#log, (error) => this.#onStoreFailure(error));
        this.broker.takeStore(this.#store);
        this.broker.restoreRetained();
        for (const protocol of this.#registry.protocols) protocol.restore?.();
      }
      if (transportConnectors.some(({ tls }) => tls !== null)) this.#tlsRenewal = openTlsRenewal(this.model.sslContext!, this.#log);
      const forPeers = transportConnectors.filter((model) => this.#protocolsOf(model).some(({ name }) => name === 'openwire'));
      for (const model of forPeers) await this.#listen(model);
      this.#network = this.#createNetwork();
      this.broker.cluster = this.#network;
      await this.#network.start();
      for (const protocol of this.#registry.protocols) protocol.goOn?.();
      for (const model of transportConnectors) if (!forPeers.includes(model)) await this.#listen(model);
      this.#network.announceClientAddresses(this.#clientAddresses());
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#isUp = true;
    this.#sysTopics.start();
    this.#slowConsumers.start();
    this.#expirySearch?.start();
    const { brokerName } = this.model;
    this.#log.info('broker is up', { brokerName, brokerId: this.broker.id, store: this.#directory?.path ?? 'memory' });
  }

  /**
   * @param serverReference where MQTT 5 clients are told to go meanwhile, as `host:port`; null: to linked brokers that are up, where their
   *   connector says so (`updateClusterClients`)
   */
  async stop(serverReference: string | null = null): Promise<void> {
    const wasUp = this.#isUp;
    this.#sysTopics.stop();
    this.#slowConsumers.stop();
    this.#expirySearch?.stop();
    this.#tlsRenewal?.stop();
    this.#isUp = false;
    await this.#suspending;
    for (const { listener } of this.#open) listener.close();
    this.#findElsewhere();
    for (const protocol of this.#registry.protocols) protocol.stop(serverReference);
    await this.#network?.stop();
    await connectionsClosed([...this.#open, ...this.#suspended]);
    this.#open.length = 0;
    this.#suspended = [];
    await this.#store?.close();
    this.#store = null;
    await this.#spill?.close();
    this.#spill = null;
    this.#limits.stop();
    this.broker.usage.close();
    await this.#directory?.release();
    this.#directory = null;
    if (wasUp) this.#log.info('broker stopped', { brokerName: this.model.brokerName });
  }

  /** Reads keys and certificates again, for handshakes from now on. What cannot be used is logged, and leaves all as it was. */
  renewCertificates(): void {
    this.#tlsRenewal?.renew();
  }

  #onStoreFailure(error: Error | null): void {
    if (!this.#isUp) return;
    if (error !== null && !stopsConnectors(error, this.model.ioExceptionHandler)) return;
    this.#suspending = this.#suspending.then(() => (error === null ? this.#resumeConnectors() : this.#suspendConnectors()));
  }

  async #suspendConnectors(): Promise<void> {
    if (!this.#isUp || this.#suspended.length > 0) return;
    this.#suspended = this.#open.splice(0).map((open) => {
      const { model, listener } = open;
      return { ...open, model: model.socketFile === null ? { ...model, port: listener.port } : model };
    });
    for (const { listener } of this.#suspended) listener.close();
    for (const protocol of this.#registry.protocols) protocol.disconnectClients?.('the store cannot write');
    await connectionsClosed(this.#suspended);
    this.#log.warn('connectors are stopped until the store can write', {
      connectors: this.#suspended.map(({ model }) => model.name).join(', '),
    });
  }

  async #resumeConnectors(): Promise<void> {
    for (const { model } of this.#suspended.splice(0)) {
      while (this.#isUp) {
        try {
          await this.#listen(model);
          break;
        } catch (error) {
          this.#log.error('a connector cannot listen again, and tries on', { connector: model.name, reason: (error as Error).message });
          await new Promise((resolve) => setTimeout(resolve, LISTEN_AGAIN_MS));
        }
      }
    }
  }

  /** What may be spoken: one, or several of which it is found out. */
  #protocolsOf(model: TransportConnectorModel): Protocol[] {
    const { detection, scheme, name } = model;
    const found =
      detection === null ? [this.#registry.get(scheme)] : detection.protocols.map((spoken) => this.#registry.named(spoken.name));
    return found.map((protocol) => {
      if (protocol !== undefined) return protocol;
      throw new ConfigError('UNKNOWN_SCHEME', `${placeOf(model)}: connector "${name}": nothing here speaks ${scheme}`);
    });
  }

  #spokenAt(model: TransportConnectorModel): string {
    return model.detection === null ? this.#protocolsOf(model)[0]!.name : 'auto';
  }

  #connectorOptions(model: TransportConnectorModel, protocol: string): ConnectorOptions {
    return {
      name: model.name,
      maxFrameSize: model.detection?.protocols.find(({ name }) => name === protocol)?.maxFrameSize ?? model.maxFrameSize,
      connectAttemptTimeoutMs: model.connectAttemptTimeoutMs,
      defaultKeepAliveMs: model.defaultKeepAliveMs,
      useInactivityMonitor: model.useInactivityMonitor,
      publishDollarTopics: model.publishDollarTopics,
      subscriptionPrefetch: model.subscriptionPrefetch,
      certificateUserName: model.certificateUserName,
      elsewhere: () => this.#elsewhere.get(model)?.next() ?? null,
      maxInactivityDurationMs: model.maxInactivityDurationMs,
    };
  }

  async #listen(model: TransportConnectorModel): Promise<void> {
    const host = model.socketFile === null ? this.#mapAddress(model.host) : '';
    const protocols = this.#protocolsOf(model);
    const accepting = new Map(
      protocols.map((protocol) => [protocol.name, { protocol, options: this.#connectorOptions(model, protocol.name) }]),
    );
    const [only] = accepting.values();
    let listener: TcpListener;
    try {
      listener = new TcpListener({
        name: model.name,
        host,
        port: model.port,
        socketFile: model.socketFile,
        maximumConnections: model.maximumConnections,
        ...(model.backlog === null ? {} : { backlog: model.backlog }),
        socket: { noDelay: model.tcpNoDelay, keepAlive: model.keepAlive },
        writeTimeoutMs: model.soWriteTimeoutMs,
        stages: stagesOf(model, protocols, this.#tlsRenewal),
        stagesTimeoutMs: model.detection?.timeoutMs ?? model.connectAttemptTimeoutMs,
        onProbe: () => this.broker.counters.probes++,
        turn: this.#turn,
        log: this.#log,
        onConnection: (connection, spoken) => {
          if (this.#network === null) return tooEarly(connection);
          const { protocol, options } = (spoken === null ? only : accepting.get(spoken))!;
          return protocol.accept(connection, options);
        },
      });
      await listener.listen();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      throw new ConfigError(error.code, `${placeOf(model)}: ${error.message}`, error);
    }
    const open: OpenConnector = { model, host, listener, published: null };
    this.#open.push(open);
    if (model.socketFile === null) open.published = await publishedAddress(model.publishedAddress, { host, port: listener.port });
    const address = model.socketFile?.path ?? formatAddress(host, listener.port);
    this.#log.info('connector listens', { connector: model.name, protocol: this.#spokenAt(model), address });
  }

  /** Looks where clients may go, while there are links. */
  #findElsewhere(): void {
    for (const { model } of this.#open) {
      if (model.clusterClients === null) continue;
      const names = model.clusterClients.brokerNames.map((name) => new RegExp(`^(?:${name})$`));
      const isWanted = (brokerName: string) => names.length === 0 || names.some((name) => name.test(brokerName));
      this.#elsewhere.set(model, new ServerReferences(this.#network?.clientAddresses(carriageOf(model), isWanted) ?? []));
    }
  }

  /** Connectors that an MQTT client can dial: one that needs a PROXY header is found by the address of its proxy, if that is published. */
  #clientAddresses(): ClientAddress[] {
    const found: ClientAddress[] = [];
    for (const { model, published, listener } of this.#open) {
      if (published === null || this.#protocolsOf(model).every(({ name }) => name !== 'mqtt')) continue;
      const { hosts, ports } = model.publishedAddress;
      const isMapped = Object.keys(hosts).length > 0 || Object.hasOwn(ports, listener.port);
      if (model.proxyProtocol?.mode === 'required' && !isMapped) continue;
      found.push({ carriage: carriageOf(model), authority: formatAddress(published.host, published.port) });
    }
    return found;
  }

  /** Peers are told the connectors' real ports, also where the file leaves them to the system. They dial without TLS. */
  #createNetwork(): Network {
    const first = this.#open.find(({ model }) => model.tls === null);
    return new Network({
      broker: this.broker,
      turn: this.#turn,
      connectors: this.model.networkConnectors,
      announcements: this.#open.flatMap(({ model, host, published }) =>
        model.discovery === null || published === null ? [] : [{ multicast: model.discovery, host, published }],
      ),
      listening: first?.published ?? null,
      isDialled: this.#open.length > 0,
      mapAddress: this.#mapAddress,
    });
  }
}

/** Waits until every connection is closed; one whose peer does not take its last bytes is cut. */
async function connectionsClosed(connectors: readonly OpenConnector[]): Promise<void> {
  const deadline = performance.now() + CLOSE_WAIT_MS;
  const connections = () => connectors.flatMap(({ listener }) => [...listener.connections]);
  while (connections().length > 0) {
    if (performance.now() >= deadline) for (const connection of connections()) connection.destroy();
    await new Promise((resolve) => setTimeout(resolve, CLOSE_LOOK_MS));
  }
}

/** What carries MQTT at a connector that speaks it. */
function carriageOf({ tls, webSocket }: TransportConnectorModel): ClientCarriage {
  if (webSocket) return tls === null ? 'ws' : 'wss';
  return tls === null ? 'mqtt' : 'mqtt+ssl';
}

function placeOf({ place }: TransportConnectorModel): string {
  return `${place.file}:${place.line}`;
}

/** In the moment between a connector's opening and the network's: the peer dials again right away. */
function tooEarly(connection: Connection): ConnectionHandler {
  connection.destroy();
  return { onData: () => {}, onDrain: () => {}, onClose: () => {} };
}

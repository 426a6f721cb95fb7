import type { BoundAddress } from '../balancer/listener.ts';
import { formatDiagnostic, hasErrors } from '../config/diagnostic.ts';
import type { BrokerCounters } from '../core/counters.ts';
import { type Limits, limitsWith } from '../core/limits.ts';
import type { AuthenticationMechanism, Authenticator } from '../core/ports.ts';
import type { Gauge } from '../core/usage.ts';
import { CodedError, ConfigError } from '../errors.ts';
import { createLog, type Log, type LogLevel } from '../telemetry/log.ts';
import { type AddressPair, createAddressMap, parseAddressPair } from './address-map.ts';
import { type BalancerServer, startBalancerServer } from './balancer-server.ts';
import { BrokerServer, type ListeningConnector } from './broker-server.ts';
import type { Unit } from './deployment.ts';
import {
  type ActiveSubscription,
  InProcessClient,
  type PublishOptions,
  type ReceivedMessage,
  type SubscribeOptions,
} from './in-process-client.ts';
import { expectSysInterval, SYS_INTERVAL_SECONDS } from './limit-options.ts';
import { type InlineFile, readDeployment } from './read-deployment.ts';

/** What may be said to a broker and to a balancer. */
export interface EmbeddingOptions {
  /** Placeholders of activemq.xml, as `-D name=value` sets them. */
  readonly definitions?: Readonly<Record<string, string>>;
  /** What stands in for addresses that the configuration names, as `--map-address A=B`. */
  readonly mapAddress?: Readonly<Record<string, string>>;
  /** Where log lines go: a log of the program's own, or a level for lines on standard error; `warn` unless given. */
  readonly log?: Log | LogLevel;
}

/** Who may connect, where no file says it. */
export interface SecurityOptions {
  /** Asked about every client and every broker that links to this one, unless it comes with an Authentication Method. */
  readonly authenticator?: Authenticator;
  /** Authentication Methods of MQTT 5. Without an authenticator beside them nobody else is let in. */
  readonly mechanisms?: readonly AuthenticationMechanism[];
}

/** Where a broker's configuration is: in a file, in a text, or in the options themselves. */
export type BrokerConfiguration = { readonly file: string } | { readonly xml: string } | BrokerInWords;

/** A broker without an activemq.xml. */
export interface BrokerInWords {
  readonly brokerName?: string;
  /** URIs as in activemq.xml: `mqtt://127.0.0.1:1883?maximumConnections=1000`; port 0 for any free one. */
  readonly transportConnectors: readonly string[];
  /** URIs as in activemq.xml: `static:(tcp://127.0.0.1:61616)`, `multicast://default`. */
  readonly networkConnectors?: readonly string[];
  /** Where the broker keeps what survives it; nothing does unless given. */
  readonly dataDirectory?: string;
}

/** What is said to a broker beside its configuration. */
export interface BrokerSettings {
  /** As `--limit name=value`, bytes as numbers; each in place of what a file says. docs/reference/limits.md has all. */
  readonly limits?: Partial<Limits>;
  /** Seconds between two updates of `$SYS/broker/...`, as `--sys-interval`; 10 unless given, 0 for none. */
  readonly sysIntervalSeconds?: number;
}

export type StartBrokerOptions = BrokerConfiguration & BrokerSettings & EmbeddingOptions & SecurityOptions;

export type StartBalancerOptions = ({ readonly file: string } | { readonly cfg: string }) & EmbeddingOptions;

export interface DisconnectOptions {
  /** For clients that want reasons. */
  readonly reasonString?: string;
}

export interface RedirectOptions {
  /** Where to go, as `host:port`, several with spaces between (MQTT 5.0 section 4.11); unless given the client has to know. */
  readonly serverReference?: string;
  /** true: clients should not come back. */
  readonly permanently?: boolean;
  /** For clients that want reasons. */
  readonly reasonString?: string;
}

export interface StopOptions {
  /** Where MQTT 5 clients may go meanwhile. */
  readonly serverReference?: string;
}

/** What is used of one thing. */
export interface Use {
  readonly bytes: number;
  /** Infinity: there is none. */
  readonly limitBytes: number;
  /** Whole percent of the limit; 0 without one. */
  readonly percent: number;
  /** Publishers that wait because the limit is reached. */
  readonly waiting: number;
}

export interface BrokerUsage {
  readonly memory: Use;
  readonly store: Use;
  readonly temp: Use;
}

/** Bytes of the longest UTF-8 Encoded String (MQTT 5.0 section 1.5.4). */
const STRING_BYTES_MAX = 65_535;

/** A broker that runs in this program. */
export class EmbeddedBroker {
  readonly #server: BrokerServer;
  readonly #client: InProcessClient;
  #stopped = false;

  constructor(server: BrokerServer) {
    this.#server = server;
    this.#client = new InProcessClient(server.broker);
  }

  /** Made at each start, unique in the network. */
  get id(): string {
    return this.#server.broker.id;
  }

  get name(): string {
    return this.#server.broker.name;
  }

  /** What it has done and seen since its start; the numbers go on. */
  get counters(): Readonly<BrokerCounters> {
    return this.#server.broker.counters;
  }

  /** Why the store cannot write, so that nothing is acknowledged that has to be stored; null: it can. */
  get storeFailure(): Error | null {
    return this.#server.broker.store.failure;
  }

  /** What its messages take of memory and disk, against the limits of `<systemUsage>`. */
  get usage(): BrokerUsage {
    const { usage } = this.#server.broker;
    const use = ({ bytes, limitBytes, percent, waiting }: Gauge): Use => ({ bytes, limitBytes, percent, waiting });
    return { memory: use(usage.memory), store: use(usage.store), temp: use(usage.temp) };
  }

  /** What listens, with the ports that the system gave. */
  get connectors(): readonly ListeningConnector[] {
    return this.#server.connectors;
  }

  /**
   * Publishes to every subscriber, here and at linked brokers.
   *
   * @returns how many receivers at this broker it was handed to, linked brokers among them
   * @throws CodedError BROKER_STOPPED after `stop`; INVALID_MESSAGE when topic, payload or properties are not what MQTT allows;
   *   NO_SPACE (retryable) when somebody would have to keep the message and a limit of `<systemUsage>` is reached
   */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): number {
    this.#expectRunning();
    return this.#client.publish(topic, payload, options);
  }

  /**
   * Resolves when the subscription is known here and at every linked broker: what is published anywhere after that arrives. Retained
   * messages come first. Listeners are never called from within `publish`.
   *
   * @param filter a topic filter (`demo/#`), or `$share/group/filter`
   * @throws CodedError INVALID_FILTER
   */
  subscribe(filter: string, listener: (message: ReceivedMessage) => void, options?: SubscribeOptions): Promise<ActiveSubscription> {
    this.#expectRunning();
    return this.#client.subscribe(filter, listener, options);
  }

  /**
   * Ends a client's connection, which MQTT 5 clients are told the reason of (DISCONNECT 0x98). Its session stays, its will is published, and
   * it may come again.
   *
   * @returns false when the client is not connected here
   * @throws CodedError INVALID_TEXT when the reason is not what MQTT can carry
   */
  disconnectClient(clientId: string, { reasonString }: DisconnectOptions = {}): boolean {
    this.#expectRunning();
    const text = textOf('disconnectClient', 'reasonString', reasonString);
    return this.#server.broker.sessions.dismiss(clientId, { reason: 'administrativeAction', text, serverReference: null });
  }

  /**
   * Sends clients elsewhere: those that are connected, and those to come until this is called with null. MQTT 5 clients are told where
   * (DISCONNECT and CONNACK 0x9C, or 0x9D for good, with the Server Reference); others find themselves disconnected.
   *
   * @throws CodedError INVALID_TEXT when a text is not what MQTT can carry
   */
  redirectClients(redirection: RedirectOptions | null): void {
    this.#expectRunning();
    this.#server.broker.redirect(
      redirection && {
        reason: redirection.permanently === true ? 'serverMoved' : 'useAnotherServer',
        text: textOf('redirectClients', 'reasonString', redirection.reasonString),
        serverReference: textOf('redirectClients', 'serverReference', redirection.serverReference),
      },
    );
  }

  /**
   * Tells clients and linked brokers, closes their connections, and gives the store folder up.
   *
   * @param options `serverReference`: where MQTT 5 clients may go meanwhile, as `host:port`, several with spaces between
   * @throws CodedError INVALID_TEXT when that is not what MQTT can carry
   */
  stop({ serverReference }: StopOptions = {}): Promise<void> {
    const reference = textOf('stop', 'serverReference', serverReference);
    this.#stopped = true;
    return this.#server.stop(reference);
  }

  #expectRunning(): void {
    if (this.#stopped) throw new CodedError('BROKER_STOPPED', `broker ${this.name} has been stopped`, 'config');
  }
}

/** A balancer that runs in this program. */
export class EmbeddedBalancer {
  readonly #server: BalancerServer;

  constructor(server: BalancerServer) {
    this.#server = server;
  }

  /** What is listened on, with the ports that the system gave. */
  get addresses(): readonly BoundAddress[] {
    return this.#server.addresses;
  }

  /** Closes everything, sessions too. */
  stop(): Promise<void> {
    return this.#server.stop();
  }
}

/**
 * Starts a broker in this program.
 *
 * @param configuration options, or the path of an activemq.xml
 * @throws ConfigError CONFIGURATION with every error in the configuration, INVALID_LIMIT, INVALID_SYS_INTERVAL, or with what the broker could
 *   not have (a port, its folder)
 */
export async function startBroker(configuration: string | StartBrokerOptions): Promise<EmbeddedBroker> {
  const options: StartBrokerOptions = typeof configuration === 'string' ? { file: configuration } : configuration;
  const source = brokerSource(options);
  const log = logOf(options);
  const { limits = {}, sysIntervalSeconds = SYS_INTERVAL_SECONDS } = options;
  expectSysInterval(sysIntervalSeconds);
  limitsWith(limits);
  const unit = await readOne(source, options, limits, 'broker', log);
  const { authenticator, mechanisms = [] } = options;
  const server = new BrokerServer(unit.model, {
    log,
    mapAddress: createAddressMap(addressPairs(options)),
    ...(authenticator === undefined ? {} : { authenticator }),
    mechanisms,
    limits: unit.limits,
    sysIntervalSeconds,
  });
  await server.start();
  return new EmbeddedBroker(server);
}

/**
 * Starts a balancer in this program.
 *
 * @param configuration options, or the path of a haproxy.cfg
 * @throws ConfigError as `startBroker`
 */
export async function startBalancer(configuration: string | StartBalancerOptions): Promise<EmbeddedBalancer> {
  const options: StartBalancerOptions = typeof configuration === 'string' ? { file: configuration } : configuration;
  const log = logOf(options);
  const source = 'file' in options ? options.file : { file: 'haproxy.cfg', text: options.cfg };
  const unit = await readOne(source, options, {}, 'balancer', log);
  return new EmbeddedBalancer(await startBalancerServer(unit.model, { log, mapAddress: createAddressMap(addressPairs(options)) }));
}

function brokerSource(options: BrokerConfiguration): string | InlineFile {
  if (options === undefined || !('file' in options || 'xml' in options || Array.isArray(options.transportConnectors)))
    throw new ConfigError('CONFIGURATION', 'startBroker: expected a path, or options with file, xml or transportConnectors');
  if ('file' in options) return options.file;
  return { file: 'activemq.xml', text: 'xml' in options ? options.xml : writeXml(options) };
}

/** As a file, so that one reader judges all and messages name what is wrong. */
function writeXml({ brokerName = 'localhost', transportConnectors, networkConnectors = [], dataDirectory }: BrokerInWords): string {
  const element = (name: string, uri: string) => `<${name} uri="${escapeXml(uri)}"/>`;
  return `<broker xmlns="http://activemq.apache.org/schema/core" brokerName="${escapeXml(brokerName)}" persistent="${dataDirectory !== undefined}"
  ${dataDirectory === undefined ? '' : `dataDirectory="${escapeXml(dataDirectory)}"`}>
  <networkConnectors>${networkConnectors.map((uri) => element('networkConnector', uri)).join('\n')}</networkConnectors>
  <transportConnectors>
    ${transportConnectors.map((uri) => element('transportConnector', uri)).join('\n    ')}
  </transportConnectors>
</broker>
`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

async function readOne<K extends Unit['kind']>(
  source: string | InlineFile,
  options: EmbeddingOptions,
  limits: Partial<Limits>,
  kind: K,
  log: Log,
): Promise<Extract<Unit, { kind: K }>> {
  const definitions = new Map(Object.entries(options.definitions ?? {}));
  const { units, diagnostics } = await readDeployment([source], { definitions, addressPairs: addressPairs(options), limits }, kind);
  for (const d of diagnostics) if (d.severity === 'warning') log.warn('configuration', { said: formatDiagnostic(d) });
  const [unit] = units;
  if (unit === undefined || hasErrors(diagnostics)) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic);
    throw new ConfigError('CONFIGURATION', errors.join('\n'));
  }
  return unit as Extract<Unit, { kind: K }>;
}

/** @throws CodedError INVALID_TEXT */
function textOf(where: string, name: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  if (!/[\0\ud800-\udfff]/u.test(text) && Buffer.byteLength(text) <= STRING_BYTES_MAX) return text;
  throw new CodedError('INVALID_TEXT', `${where}: ${name} is Unicode text without U+0000 of at most ${STRING_BYTES_MAX} bytes`, 'client');
}

function addressPairs({ mapAddress = {} }: EmbeddingOptions): AddressPair[] {
  return Object.entries(mapAddress).map(([from, to]) => parseAddressPair(`${from}=${to}`));
}

function logOf({ log = 'warn' }: EmbeddingOptions): Log {
  return typeof log === 'string' ? createLog({ level: log }) : log;
}

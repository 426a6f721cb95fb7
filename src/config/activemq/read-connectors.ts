import { type ConnectorUri, parseConnectorUri } from '../connector-uri.ts';
import { readDetection } from './auto-options.ts';
import type { Bean } from './bind.ts';
import { describe } from './dispositions.ts';
import type { MulticastModel, TransportConnectorModel } from './model.ts';
import { type OptionValues, readOptions } from './option-values.ts';
import { readProxyOptions } from './proxy-options.ts';
import { readClusterClients, readPublishedAddress } from './read-cluster-clients.ts';
import { readMulticast } from './read-discovery.ts';
import type { Reading } from './reading.ts';
import { type Carriage, SCHEMES, type Spoken } from './schemes.ts';
import { INT_MAX } from './sizes.ts';
import { type LocatedText, trimmed } from './source-text.ts';
import { didYouMean } from './suggestion.ts';
import { readTlsOptions } from './tls-options.ts';
import { connectorOptions } from './uri-options.ts';

/** Bytes of the largest MQTT packet ActiveMQ takes, and its default (MQTTWireFormat). */
export const MQTT_FRAME_SIZE_MAX = 256 * 1024 * 1024;
/** Bytes of the largest OpenWire frame: its size prefix is a signed 32-bit number. OpenWire specification section 1. */
export const OPENWIRE_FRAME_SIZE_MAX = INT_MAX;
const FRAME_SIZE_MAX = { mqtt: MQTT_FRAME_SIZE_MAX, openwire: OPENWIRE_FRAME_SIZE_MAX } as const;
/** Milliseconds, ActiveMQ's default. */
const CONNECT_ATTEMPT_TIMEOUT_MS = 30_000;
/** Milliseconds, ActiveMQ's default. OpenWire specification section 2. */
const MAX_INACTIVITY_DURATION_MS = 30_000;

const DEFAULT_KEEP_ALIVE = 'transport.defaultKeepAlive';
/** Seconds of the longest keep alive: its two bytes hold no more (MQTT 5.0 section 3.1.2.10). */
const KEEP_ALIVE_MAX_S = 65_535;

/** Bytes of a socket file's path: what `sun_path` of unix(7) holds, without its closing zero. */
const SOCKET_PATH_MAX = 107;

/** The ports a broker listens on. */
export function readTransportConnectors(beans: readonly Bean[], reading: Reading): TransportConnectorModel[] {
  const connectors: TransportConnectorModel[] = [];
  const byPort = new Map<number, TransportConnectorModel[]>();
  const byName = new Map<string, TransportConnectorModel>();
  for (const bean of beans) {
    const connector = readTransportConnector(bean, reading);
    if (connector === null) continue;
    const { place, name, host, port, socketFile } = connector;
    const samePort = byPort.get(port) ?? [];
    const sameAddress =
      socketFile === null
        ? samePort.find((other) => port !== 0 && overlaps(other.host, host))
        : samePort.find((other) => other.socketFile?.path === socketFile.path);
    const sameName = byName.get(name);
    if (sameAddress !== undefined) {
      const what = socketFile === null ? `port ${port}` : `socket file ${socketFile.path}`;
      reading.error(place, 'uri', `${what} is taken by the connector ${sameAddress.name} of line ${sameAddress.place.line}`);
    } else if (sameName !== undefined) {
      reading.warn(place, 'name', `the connector of line ${sameName.place.line} has the name ${name} too`);
    }
    samePort.push(connector);
    byPort.set(port, samePort);
    if (sameName === undefined) byName.set(name, connector);
    connectors.push(connector);
  }
  return connectors;
}

function readTransportConnector(bean: Bean, reading: Reading): TransportConnectorModel | null {
  const uriValue = bean.values.get('uri');
  if (uriValue === undefined) {
    reading.error(bean.place, 'transportConnector', '<transportConnector> needs a uri, such as uri="mqtt://0.0.0.0:1883"');
    return null;
  }
  const uri = trimmed(uriValue.text);
  const listener = readListener(uri, reading);
  const discovery = readDiscoveryUri(bean, listener, reading);
  if (listener === null) return null;
  const { parsed, protocol, carriage, socketPath } = listener;
  const options = readOptions(parsed.options, connectorOptions(protocol, carriage), uri, reading);
  const frameSizeMax = protocol === 'mqtt' ? FRAME_SIZE_MAX.mqtt : FRAME_SIZE_MAX.openwire;
  const connectAttemptTimeoutMs = options.number(
    CONNECT_ATTEMPT_TIMEOUT_MS,
    'transport.connectAttemptTimeout',
    'wireFormat.connectAttemptTimeout',
    'wireFormat.mqtt.connectAttemptTimeout',
  );
  return {
    place: bean.place,
    name: bean.values.get('name')?.text.text.trim() || uri.text,
    uri: uri.text,
    scheme: parsed.scheme,
    host: parsed.host,
    port: parsed.port ?? 0,
    socketFile: socketPath === null ? null : { path: socketPath, permissions: options.numberOrNull('permissions') },
    tls: carriage.tls ? readTlsOptions(options, uri, reading) : null,
    webSocket: carriage.webSocket,
    maximumConnections: options.number(INT_MAX, 'maximumConnections'),
    backlog: options.numberOrNull('backlog'),
    tcpNoDelay: options.flag(true, 'transport.tcpNoDelay'),
    keepAlive: options.flag(false, 'transport.keepAlive'),
    soWriteTimeoutMs: options.number(0, 'transport.soWriteTimeout'),
    detection: protocol === 'auto' ? readDetection(options, connectAttemptTimeoutMs, FRAME_SIZE_MAX) : null,
    proxyProtocol: readProxyOptions(options, uri, reading),
    maxFrameSize: Math.min(frameSizeMax, options.number(frameSizeMax, 'wireFormat.maxFrameSize', 'transport.maxFrameSize')),
    connectAttemptTimeoutMs,
    defaultKeepAliveMs: readDefaultKeepAlive(options, uri, reading),
    useInactivityMonitor: options.flag(true, 'transport.useInactivityMonitor'),
    publishDollarTopics: options.flag(false, 'transport.publishDollarTopics'),
    subscriptionPrefetch: Math.max(0, options.number(0, 'transport.activeMQSubscriptionPrefetch')),
    certificateUserName: options.text('off', 'transport.certificateUserName') === 'cn',
    maxInactivityDurationMs: options.number(
      MAX_INACTIVITY_DURATION_MS,
      'wireFormat.default.maxInactivityDuration',
      'wireFormat.maxInactivityDuration',
    ),
    discovery,
    publishedAddress: readPublishedAddress(bean, reading),
    clusterClients: readClusterClients(bean, reading),
  };
}

/**
 * In whole seconds up to 65,535, as MQTT has it: a client of MQTT 5 is told the very time that holds for it (Server Keep Alive), and what is
 * between two seconds would end it before the time that it was told.
 */
function readDefaultKeepAlive(options: OptionValues, uri: LocatedText, reading: Reading): number {
  const written = options.number(0, DEFAULT_KEEP_ALIVE);
  const read = Math.min(Math.ceil(written / 1000), KEEP_ALIVE_MAX_S) * 1000;
  if (read !== written) {
    const message = `${DEFAULT_KEEP_ALIVE}: ${written} ms is read as ${read}: a keep alive of MQTT is a whole number of seconds, ${KEEP_ALIVE_MAX_S} at most`;
    reading.warn(uri.at(Math.max(0, uri.text.indexOf(DEFAULT_KEEP_ALIVE))), DEFAULT_KEEP_ALIVE, message);
  }
  return read;
}

/** A connector's URI and what its scheme means. */
interface Listener {
  readonly parsed: ConnectorUri;
  readonly protocol: Spoken;
  readonly carriage: Carriage;
  /** Of a socket file; null: it listens on a port. */
  readonly socketPath: string | null;
}

function readListener(uri: LocatedText, reading: Reading): Listener | null {
  const parsed = parseConnectorUri(uri.text);
  if (parsed.kind === 'problem') {
    reading.error(uri.at(parsed.index), 'uri', `uri: ${parsed.message}`);
    return null;
  }
  const rule = Object.hasOwn(SCHEMES, parsed.scheme) ? SCHEMES[parsed.scheme] : undefined;
  if (rule === undefined) {
    const suggestion = didYouMean(parsed.scheme, Object.keys(SCHEMES));
    reading.error(
      uri.at(0),
      parsed.scheme,
      `unknown scheme ${parsed.scheme}: expected mqtt, mqtt+ssl, ws, wss, mqtt+unix, tcp, ssl or another that docs/reference/activemq-xml.md lists${suggestion}`,
    );
    return null;
  }
  if (rule.protocol === null) {
    reading.error(uri.at(0), parsed.scheme, describe(`scheme ${parsed.scheme}`, rule.disposition));
    return null;
  }
  if (parsed.kind === 'composite') {
    reading.error(uri.at(0), 'uri', 'a connector listens on one host and port, such as mqtt://0.0.0.0:1883');
    return null;
  }
  const { protocol, carriage } = rule;
  if (carriage.socket === 'unix') {
    const socketPath = readSocketPath(parsed, uri, reading);
    return socketPath === null ? null : { parsed, protocol, carriage, socketPath };
  }
  if (parsed.host === '' || parsed.host === '*') {
    reading.error(uri.at(parsed.hostIndex), 'uri', 'the URI names no host: write 0.0.0.0 for every address of this machine');
    return null;
  }
  if (parsed.port === null) {
    reading.error(
      uri.at(parsed.hostIndex),
      'uri',
      `the URI names no port: write ${parsed.scheme}://${parsed.host}:${usualPort(protocol, carriage)}`,
    );
    return null;
  }
  return { parsed, protocol, carriage, socketPath: null };
}

function usualPort(protocol: Spoken, { tls, webSocket }: Carriage): number {
  if (webSocket) return tls ? 61619 : 61614;
  if (protocol === 'mqtt') return tls ? 8883 : 1883;
  return tls ? 61617 : 61616;
}

/** `mqtt+unix:///run/roundhouse/mqtt.sock` */
function readSocketPath({ scheme, host, port, path, hostIndex }: ConnectorUri, uri: LocatedText, reading: Reading): string | null {
  const fault = (message: string): null => {
    reading.error(uri.at(hostIndex), 'uri', message);
    return null;
  };
  const example = `${scheme}:///run/roundhouse/mqtt.sock`;
  if (host !== '' || port !== null) return fault(`a socket file has an absolute path behind three slashes: write ${example}`);
  if (path === '' || path.endsWith('/')) return fault(`the URI names no socket file: write ${example}`);
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return fault('"%" must be followed by two hexadecimal digits');
  }
  const bytes = Buffer.byteLength(decoded);
  if (bytes > SOCKET_PATH_MAX) return fault(`the path of a socket file has at most ${SOCKET_PATH_MAX} bytes, this one has ${bytes}`);
  return decoded;
}

/** @param listener null: its URI is wrong, which has been said */
function readDiscoveryUri(bean: Bean, listener: Listener | null, reading: Reading): MulticastModel | null {
  const value = bean.values.get('discoveryUri');
  if (value === undefined) return null;
  const discovery = readMulticast(trimmed(value.text), 'discoveryUri', reading);
  if (discovery !== null && listener !== null && (listener.protocol === 'mqtt' || listener.carriage.tls)) {
    reading.warn(
      value.place,
      'discoveryUri',
      'discoveryUri announces a connector that other brokers cannot link to: links need tcp:// or nio://',
    );
    return null;
  }
  return discovery;
}

/** Whether two hosts cannot both be listened on with one port. */
function overlaps(a: string, b: string): boolean {
  const isAny = (host: string) => host === '0.0.0.0' || host === '::';
  return a === b || isAny(a) || isAny(b);
}

import type { UriOption } from '../connector-uri.ts';
import { BECAUSE, type Disposition, describe, each, honoured, inert, type Rules, refused } from './dispositions.ts';
import type { Reading } from './reading.ts';
import { INT_MAX } from './sizes.ts';
import type { LocatedText } from './source-text.ts';
import { didYouMean, listed } from './suggestion.ts';
import { parseInteger } from './values.ts';

/** What a URI's options may be; the names of honoured whole numbers and their ranges stand beside the rules. */
export interface OptionTable {
  readonly rules: Rules;
  readonly numbers: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
}

const TLS = refused('asks for TLS', BECAUSE.notOpen);
const SOCKETS = inert('tunes sockets', BECAUSE.socketTuning);
const TRACE = inert('logs every command', 'commands are not logged');
const RECONNECT = inert('says when a lost link is tried again', 'a link is tried again within 100 ms, at least every 500 ms');

/** Options of any port: bare ones are the listener's, `transport.` ones each connection's. */
const LISTENER: Rules = {
  maximumConnections: honoured('is how many clients may be connected at once'),
  'wireFormat.maxFrameSize': honoured('is the largest packet in bytes; a client that sends more is closed'),
  ...each(
    'backlog soTimeout socketBufferSize connectionTimeout useQueueForAccept daemon joinOnStop stackSize minmumWireFormatVersion ' +
      'transport.tcpNoDelay transport.soLinger transport.keepAlive transport.soTimeout transport.soWriteTimeout ' +
      'transport.socketBufferSize transport.ioBufferSize transport.connectionTimeout transport.useLocalHost transport.closeAsync ' +
      'transport.typeOfService transport.diffServ transport.trafficClass transport.daemon transport.minmumWireFormatVersion',
    SOCKETS,
  ),
  ...each(
    'trace logWriterName dynamicManagement startLogging jmxPort transport.trace transport.logWriterName ' +
      'transport.dynamicManagement transport.startLogging transport.jmxPort',
    TRACE,
  ),
  wireFormat: inert('names the codec', 'the scheme says it'),
  'transport.threadName': inert('names threads', BECAUSE.threads),
  allowLinkStealing: inert('lets a new client take the connection of one with its id', 'MQTT asks for that, so it is always so'),
  ...each(
    'needClientAuth wantClientAuth enabledProtocols enabledCipherSuites verifyHostName transport.needClientAuth ' +
      'transport.wantClientAuth transport.enabledProtocols transport.enabledCipherSuites transport.enabledSuites transport.verifyHostName',
    TLS,
  ),
};

export const MQTT_OPTIONS: OptionTable = {
  rules: {
    ...LISTENER,
    'transport.maxFrameSize': honoured('is the largest packet in bytes; the same as wireFormat.maxFrameSize'),
    ...each(
      'transport.connectAttemptTimeout wireFormat.connectAttemptTimeout',
      honoured('is the time in ms a client has from connecting to its CONNECT packet; 0: for ever'),
    ),
    'transport.defaultKeepAlive': honoured('is the keep alive in ms of a client that asks for none; 0: none'),
    'transport.useInactivityMonitor': inert('checks keep alives', 'a keep alive that a client asks for is always checked'),
    'transport.activeMQSubscriptionPrefetch': inert(
      'is how many messages a client gets ahead',
      'MQTT 5 clients say it (Receive Maximum), and others have a bound of their own',
    ),
    'transport.subscriptionStrategy': inert('keeps subscriptions as virtual topics', 'they are kept as MQTT sessions'),
    'transport.publishDollarTopics': inert('lets clients publish to topics that begin with $', 'MQTT leaves those to the broker'),
    'wireFormat.version': inert('is the version of the codec', 'each client says which MQTT it speaks'),
    ...each('maxInactivityDuration maxInactivityDurationInitalDelay', inert('checks silent connections', 'MQTT has keep alives')),
  },
  numbers: {
    maximumConnections: { min: 0, max: INT_MAX },
    'wireFormat.maxFrameSize': { min: 1, max: Number.MAX_SAFE_INTEGER },
    'transport.maxFrameSize': { min: 1, max: Number.MAX_SAFE_INTEGER },
    'transport.connectAttemptTimeout': { min: 0, max: INT_MAX },
    'wireFormat.connectAttemptTimeout': { min: 0, max: INT_MAX },
    'transport.defaultKeepAlive': { min: 0, max: INT_MAX },
  },
};

/** What an OpenWire codec offers its peer (OpenWire specification section 2). */
const OPENWIRE_FORMAT: Rules = {
  'wireFormat.maxInactivityDuration': honoured('is the silence in ms after which a connection counts as lost; 0: never'),
  ...each(
    'wireFormat.maxInactivityDurationInitalDelay wireFormat.version wireFormat.cacheEnabled wireFormat.cacheSize ' +
      'wireFormat.tightEncodingEnabled wireFormat.tcpNoDelayEnabled wireFormat.sizePrefixDisabled wireFormat.stackTraceEnabled ' +
      'wireFormat.maxFrameSizeEnabled wireFormat.host wireFormat.providerName wireFormat.providerVersion wireFormat.platformDetails',
    inert('is what the codec offers', BECAUSE.negotiated),
  ),
};

export const OPENWIRE_OPTIONS: OptionTable = {
  rules: {
    ...LISTENER,
    ...OPENWIRE_FORMAT,
    ...each(
      'maxInactivityDuration maxInactivityDurationInitalDelay transport.useInactivityMonitor transport.useKeepAlive ' +
        'transport.keepAliveResponseRequired transport.readCheckTime transport.writeCheckTime transport.initialDelayTime ' +
        'transport.ignoreRemoteWireFormat transport.ignoreAllWireFormatInfo',
      inert('checks silent connections', 'write wireFormat.maxInactivityDuration instead'),
    ),
    ...each(
      'transport.connectAttemptTimeout',
      inert('bounds the time a client has to begin', 'the negotiation of OpenWire has a time of its own'),
    ),
  },
  numbers: {
    maximumConnections: { min: 0, max: INT_MAX },
    'wireFormat.maxFrameSize': { min: 1, max: Number.MAX_SAFE_INTEGER },
    'wireFormat.maxInactivityDuration': { min: 0, max: INT_MAX },
  },
};

/** Options of a neighbour's URI inside `static:(...)`. */
export const NEIGHBOUR_OPTIONS: OptionTable = {
  rules: {
    ...OPENWIRE_FORMAT,
    'wireFormat.maxInactivityDuration': inert('is the silence after which a link counts as lost', BECAUSE.negotiated),
    'wireFormat.maxFrameSize': inert('is the largest frame', BECAUSE.negotiated),
    ...each(
      'connectionTimeout soTimeout socketBufferSize ioBufferSize soLinger soWriteTimeout keepAlive tcpNoDelay useLocalHost closeAsync ' +
        'daemon typeOfService diffServ minmumWireFormatVersion useInactivityMonitor useKeepAlive maxInactivityDuration ' +
        'maxInactivityDurationInitalDelay',
      SOCKETS,
    ),
    ...each('trace logWriterName dynamicManagement startLogging jmxPort', TRACE),
    'socket.verifyHostName': TLS,
    verifyHostName: TLS,
  },
  numbers: {},
};

export const STATIC_OPTIONS: OptionTable = {
  rules: each(
    'initialReconnectDelay maxReconnectDelay useExponentialBackOff backOffMultiplier maxReconnectAttempts minConnectTime',
    RECONNECT,
  ),
  numbers: {},
};

/** OpenWire specification section 16.2. */
export const MULTICAST_OPTIONS: OptionTable = {
  rules: {
    group: honoured('is the group of brokers that see each other'),
    timeToLive: honoured('is how many routers an announcement crosses'),
    keepAliveInterval: honoured('is the time in ms between two announcements'),
    ...each('initialReconnectDelay maxReconnectDelay useExponentialBackOff backOffMultiplier maxReconnectAttempts', RECONNECT),
    loopBackMode: inert('says whether brokers of one machine hear each other', 'they always do'),
    ...each(
      'interface networkInterface joinNetworkInterface',
      refused(
        'confines announcements to one network',
        'this is not supported yet, and a broker must not be announced more widely than its file says',
      ),
    ),
  },
  numbers: { timeToLive: { min: 0, max: 255 }, keepAliveInterval: { min: 1, max: INT_MAX } },
};

/**
 * Judges the options of one URI.
 *
 * @param uri the URI's whole text, that the options' indexes point into
 * @returns the honoured ones: numbers as numbers
 */
export function readOptions(
  options: readonly UriOption[],
  table: OptionTable,
  uri: LocatedText,
  reading: Reading,
): ReadonlyMap<string, string | number> {
  const values = new Map<string, string | number>();
  const seen = new Set<string>();
  for (const option of options) {
    const place = uri.at(option.nameIndex);
    const name = option.name.startsWith('wireformat.') ? `wireFormat.${option.name.slice('wireformat.'.length)}` : option.name;
    const disposition = ruleOf(table, name);
    if (disposition === undefined) {
      reading.error(place, option.name, describeUnknown(option.name, name, table));
      continue;
    }
    if (name !== option.name) reading.warn(place, option.name, `option ${option.name} is read as ${name}, its spelling since ActiveMQ 5.9`);
    if (seen.has(name)) reading.warn(place, name, `option ${name} is given twice; the last one counts`);
    seen.add(name);
    if (disposition.kind === 'refused') reading.error(place, name, describe(`option ${name}`, disposition));
    if (disposition.kind === 'inert') reading.warn(place, name, describe(`option ${name}`, disposition));
    if (disposition.kind !== 'honoured') continue;
    const range = table.numbers[name];
    if (range === undefined) {
      values.set(name, option.value);
      continue;
    }
    const parsed = parseInteger(option.value, range.min, range.max);
    if ('problem' in parsed) {
      const hint = /^\s*\d+\s*[kmg]?b?\s*$/i.test(option.value) ? ' (options take no units)' : '';
      reading.error(uri.at(option.valueIndex), name, `${name}: ${parsed.problem}${hint}`);
    } else {
      values.set(name, parsed.value as number);
    }
  }
  return values;
}

function describeUnknown(written: string, name: string, table: OptionTable): string {
  const names = Object.keys(table.rules);
  const honouredNames = names.filter((known) => table.rules[known]!.kind === 'honoured');
  const expected = listed(
    [...honouredNames, `${honouredNames.length === 0 ? 'one' : 'another'} that docs/reference/activemq-xml.md lists`],
    'or',
  );
  return `unknown option ${written} (ActiveMQ: "Invalid connect parameters"): expected ${expected}${didYouMean(name, names)}`;
}

function ruleOf(table: OptionTable, name: string): Disposition | undefined {
  if (Object.hasOwn(table.rules, name)) return table.rules[name];
  return name.startsWith('transport.socket.') || name.startsWith('socket.') ? SOCKETS : undefined;
}

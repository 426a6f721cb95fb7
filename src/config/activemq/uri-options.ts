import { AUTO_OPTIONS, formatOptionsOf } from './auto-options.ts';
import { BECAUSE, each, honoured, inert, type Rules, refused } from './dispositions.ts';
import { flag, integer, type OptionTable, type ValueReader, word } from './option-values.ts';
import { PROXY_OPTIONS } from './proxy-options.ts';
import type { Carriage, Spoken } from './schemes.ts';
import { INT_MAX } from './sizes.ts';
import { TLS_OPTION_NAMES, TLS_OPTIONS } from './tls-options.ts';

const TLS = refused('asks for TLS', BECAUSE.notOpen);
const SOCKETS = inert('tunes sockets', BECAUSE.socketTuning);
const TRACE = inert('logs every command', 'commands are not logged');
/** Java socket properties that an option may name. */
const SOCKET_PROPERTIES: Rules = { 'transport.socket.': SOCKETS, 'socket.': SOCKETS };
const RECONNECT = inert('says when a lost link is tried again', 'a link is tried again within 100 ms, at least every 500 ms');

/** Options of any port: bare ones are the listener's, `transport.` ones each connection's. */
const LISTENER: Rules = {
  maximumConnections: honoured(
    'is how many clients may be connected at once; an MQTT client beyond it is told (CONNACK 3, or 0x97 in MQTT 5)',
  ),
  'wireFormat.maxFrameSize': honoured('is the largest packet in bytes; a client that sends more is closed'),
  ...PROXY_OPTIONS.rules,
  backlog: honoured('is how many connections may wait in the kernel until they are accepted; the kernel has a bound of its own'),
  'transport.tcpNoDelay': honoured('lets small writes leave at once; so it is here unless this is false'),
  'transport.keepAlive': honoured('lets the kernel ask after peers of which nothing is heard (SO_KEEPALIVE)'),
  'transport.soWriteTimeout': honoured('is the time in ms after which a peer that takes nothing of what it is sent is closed; 0: never'),
  ...each(
    'soTimeout transport.soTimeout',
    inert('is the time that one read may take', 'a read that takes longer is just made again, in ActiveMQ too'),
  ),
  ...each(
    'socketBufferSize transport.socketBufferSize transport.ioBufferSize',
    inert('is the size of buffers', 'the kernel sizes its own by what a connection needs'),
  ),
  ...each(
    'transport.soLinger transport.typeOfService transport.diffServ transport.trafficClass',
    inert('tunes sockets', 'Node does not offer it'),
  ),
  ...each(
    'useQueueForAccept daemon joinOnStop stackSize transport.daemon transport.closeAsync',
    inert('is about the threads of a port', BECAUSE.threads),
  ),
  ...each(
    'connectionTimeout transport.connectionTimeout transport.useLocalHost',
    inert('is about connecting', 'a connector is connected to'),
  ),
  ...each(
    'minmumWireFormatVersion transport.minmumWireFormatVersion',
    inert('is the oldest version of OpenWire that is spoken', 'ours speaks them all'),
  ),
  ...each(
    'trace logWriterName dynamicManagement startLogging jmxPort transport.trace transport.logWriterName ' +
      'transport.dynamicManagement transport.startLogging transport.jmxPort',
    TRACE,
  ),
  wireFormat: inert('names the codec', 'the scheme says it'),
  'transport.threadName': inert('names threads', BECAUSE.threads),
  allowLinkStealing: inert('lets a new client take the connection of one with its id', 'MQTT asks for that, so it is always so'),
  ...each(TLS_OPTION_NAMES, refused('asks for TLS', 'this scheme is without: write mqtt+ssl, wss or ssl')),
};

/** How those are read. */
const LISTENER_VALUES: OptionTable['values'] = {
  ...PROXY_OPTIONS.values,
  maximumConnections: integer(0, INT_MAX),
  'wireFormat.maxFrameSize': integer(1, Number.MAX_SAFE_INTEGER),
  backlog: integer(1, INT_MAX),
  'transport.tcpNoDelay': flag,
  'transport.keepAlive': flag,
  'transport.soWriteTimeout': integer(0, INT_MAX),
};

export const MQTT_OPTIONS: OptionTable = {
  rules: {
    ...LISTENER,
    'transport.maxFrameSize': honoured('is the largest packet in bytes; the same as wireFormat.maxFrameSize'),
    ...each(
      'transport.connectAttemptTimeout wireFormat.connectAttemptTimeout',
      honoured('is the time in ms a client has from connecting to its CONNECT packet; 0: for ever'),
    ),
    'transport.defaultKeepAlive': honoured(
      'is the keep alive in ms of a client that asks for none, in whole seconds up to 65,535; 0: none',
    ),
    'transport.useInactivityMonitor': honoured('lets clients go that are silent for longer than 1.5 times their keep alive; false: never'),
    'transport.activeMQSubscriptionPrefetch': honoured(
      'is how many messages a client gets ahead of its acknowledgements; 0 or less: the usual number (1024 here)',
    ),
    'transport.subscriptionStrategy': inert('keeps subscriptions as virtual topics', 'they are kept as MQTT sessions'),
    'transport.certificateUserName': honoured(
      "says what a client's certificate, verified by TLS or by a trusted proxy (PROXY header), is for (not in ActiveMQ): cn takes its Common Name for the user name and asks for no password; off, which is so unless given",
    ),
    'transport.publishDollarTopics': honoured('lets clients publish to topics that begin with $; false: such messages go nowhere'),
    'wireFormat.version': inert('is the version of the codec', 'each client says which MQTT it speaks'),
    ...each('maxInactivityDuration maxInactivityDurationInitalDelay', inert('checks silent connections', 'MQTT has keep alives')),
  },
  values: {
    ...LISTENER_VALUES,
    'transport.maxFrameSize': integer(1, Number.MAX_SAFE_INTEGER),
    'transport.connectAttemptTimeout': integer(0, INT_MAX),
    'wireFormat.connectAttemptTimeout': integer(0, INT_MAX),
    'transport.defaultKeepAlive': integer(0, INT_MAX),
    'transport.useInactivityMonitor': flag,
    'transport.activeMQSubscriptionPrefetch': integer(-1, INT_MAX),
    'transport.publishDollarTopics': flag,
    'transport.certificateUserName': word('off', 'cn'),
  },
  families: SOCKET_PROPERTIES,
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
  values: {
    ...LISTENER_VALUES,
    'wireFormat.maxInactivityDuration': integer(0, INT_MAX),
  },
  families: SOCKET_PROPERTIES,
};

/** Permission bits as chmod(1) takes them: `660`. */
const permissionBits: ValueReader = (text) => {
  const matched = /^\s*0?([0-7]{3})\s*$/.exec(text);
  return matched === null
    ? { problem: `expected three octal digits, such as 660, found "${text}"` }
    : { value: Number.parseInt(matched[1]!, 8) };
};

/** What a connector at a socket file may have beside the options of one at a port. */
export const SOCKET_FILE_OPTIONS: OptionTable = {
  rules: {
    permissions: honoured('is who may connect, as permission bits of the socket file (not in ActiveMQ); what umask leaves unless given'),
  },
  values: { permissions: permissionBits },
};

/** What a connector with WebSocket may have beside the options of one without. */
export const WEBSOCKET_OPTIONS: OptionTable = {
  rules: {},
  values: {},
  families: {
    'http.': inert('tunes the web server', 'there is no Jetty here'),
    'websocket.': inert('tunes Jetty', 'there is no Jetty here'),
  },
};

/** All that the URI of a connector may say. */
export function connectorOptions(spoken: Spoken, { socket, tls, webSocket }: Carriage): OptionTable {
  const tables = [...protocolOptions(spoken)];
  if (tls) tables.push(TLS_OPTIONS);
  if (socket === 'unix') tables.push(SOCKET_FILE_OPTIONS);
  if (webSocket) tables.push(WEBSOCKET_OPTIONS);
  return {
    rules: Object.assign({}, ...tables.map(({ rules }) => rules)),
    values: Object.assign({}, ...tables.map(({ values }) => values)),
    families: Object.assign({}, ...tables.map(({ families }) => families)),
  };
}

/** Where two say something of one option, the last one counts. */
function protocolOptions(spoken: Spoken): readonly OptionTable[] {
  switch (spoken) {
    case 'mqtt':
      return [MQTT_OPTIONS];
    case 'openwire':
      return [OPENWIRE_OPTIONS];
    case 'auto':
      return [
        OPENWIRE_OPTIONS,
        MQTT_OPTIONS,
        formatOptionsOf('openwire', OPENWIRE_OPTIONS),
        formatOptionsOf('mqtt', MQTT_OPTIONS),
        AUTO_OPTIONS,
      ];
  }
}

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
  values: {},
};

export const STATIC_OPTIONS: OptionTable = {
  rules: each(
    'initialReconnectDelay maxReconnectDelay useExponentialBackOff backOffMultiplier maxReconnectAttempts minConnectTime',
    RECONNECT,
  ),
  values: {},
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
  values: { timeToLive: integer(0, 255), keepAliveInterval: integer(1, INT_MAX) },
};

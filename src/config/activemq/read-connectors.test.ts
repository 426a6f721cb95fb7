import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerFile, readText, said } from '../../../test/harness/activemq-file.ts';
import type { TransportConnectorModel } from './model.ts';
import { MQTT_FRAME_SIZE_MAX, OPENWIRE_FRAME_SIZE_MAX } from './read-connectors.ts';
import { SCHEMES } from './schemes.ts';
import { INT_MAX } from './sizes.ts';

const MQTT_NAMES =
  'maximumConnections, wireFormat.maxFrameSize, transport.proxyProtocol, transport.proxyProtocolTrusted, backlog, transport.tcpNoDelay or another that docs/reference/activemq-xml.md lists';

/** A file with these connectors, one a line from line 3 on. */
function connectors(...elements: string[]): string {
  return brokerFile('', '', `<transportConnectors>\n${elements.join('\n')}</transportConnectors>`).replace('\n\n', '\n');
}

const connector = (uri: string, attributes = '') => `<transportConnector uri="${uri}"${attributes}/>`;

function read(uri: string, attributes = ''): TransportConnectorModel {
  const { model, diagnostics } = readText(connectors(connector(uri, attributes)));
  assert.deepEqual(diagnostics, []);
  return model!.transportConnectors[0]!;
}

function saidOf(...elements: string[]): string[] {
  return said(connectors(...elements)).map((line) => line.replace('broker.xml:', ''));
}

/** With TLS for those that need it. */
const SSL_CONTEXT = '<sslContext><sslContext keyStore="broker.p12" keyStorePassword="secret" trustStore="trust.pem"/></sslContext>';

function readWithTls(uri: string): TransportConnectorModel {
  const { model, diagnostics } = readText(
    connectors(connector(uri)).replace('<transportConnectors>', `${SSL_CONTEXT}<transportConnectors>`),
  );
  assert.deepEqual(diagnostics, []);
  return model!.transportConnectors[0]!;
}

test('schemes for MQTT and for links between brokers are honoured', () => {
  const honoured = Object.entries(SCHEMES).filter(([, { protocol }]) => protocol !== null);
  assert.deepEqual(
    honoured.map(([name, { protocol }]) => `${name} ${protocol}`),
    [
      'mqtt mqtt',
      'mqtt+nio mqtt',
      'tcp openwire',
      'nio openwire',
      'openwire openwire',
      'mqtt+ssl mqtt',
      'mqtt+nio+ssl mqtt',
      'ws mqtt',
      'wss mqtt',
      'mqtt+unix mqtt',
      'ssl openwire',
      'nio+ssl openwire',
      'auto auto',
      'auto+nio auto',
      'auto+ssl auto',
      'auto+nio+ssl auto',
    ],
  );
  for (const [scheme, { carriage }] of honoured) {
    if (carriage.socket === 'unix') continue;
    const { scheme: read_, host, port, tls, webSocket } = readWithTls(`${scheme}://0.0.0.0:1234`);
    assert.deepEqual([read_, host, port], [scheme, '0.0.0.0', 1234]);
    assert.equal(tls !== null, /ssl|wss/.test(scheme));
    assert.equal(webSocket, /^wss?$/.test(scheme));
  }
});

test('a socket file is a path behind three slashes, with permissions if it likes', () => {
  const { host, port, socketFile, scheme } = read('mqtt+unix:///run/my%20fleet/mqtt.sock?permissions=660&amp;maximumConnections=5');
  assert.deepEqual([scheme, host, port, socketFile], ['mqtt+unix', '', 0, { path: '/run/my fleet/mqtt.sock', permissions: 0o660 }]);
  assert.deepEqual(read('mqtt+unix:/run/mqtt.sock').socketFile, { path: '/run/mqtt.sock', permissions: null });
  assert.deepEqual(read(`mqtt+unix:///${'x'.repeat(106)}`).socketFile!.path.length, 107);
});

test('the options of TLS, bare or with transport. before them', () => {
  const DEFAULT = { clientAuth: 'none', verifyHostName: false, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', cipherSuites: null };
  assert.deepEqual(readWithTls('mqtt+ssl://h:1').tls, DEFAULT);
  for (const prefix of ['', 'transport.']) {
    const tls = (options: string) => readWithTls(`mqtt+nio+ssl://h:1?${options.replaceAll('~', prefix)}`).tls!;
    assert.deepEqual(tls('~needClientAuth=true&amp;~verifyHostName=true'), { ...DEFAULT, clientAuth: 'need', verifyHostName: true });
    assert.deepEqual(tls('~wantClientAuth=true'), { ...DEFAULT, clientAuth: 'want' });
    assert.deepEqual(tls('~wantClientAuth=true&amp;~needClientAuth=true'), { ...DEFAULT, clientAuth: 'need' });
    assert.deepEqual(tls('~needClientAuth=false'), DEFAULT);
    assert.deepEqual(tls('~enabledProtocols=TLSv1.3'), { ...DEFAULT, minVersion: 'TLSv1.3' });
    assert.deepEqual(tls('~enabledProtocols=TLSv1.2,%20SSLv2Hello'), { ...DEFAULT, maxVersion: 'TLSv1.2' });
    assert.deepEqual(tls('~enabledCipherSuites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,AES256-SHA'), {
      ...DEFAULT,
      cipherSuites: 'ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA',
    });
  }
});

test('every other scheme of ActiveMQ is known and refused, with its reason', () => {
  for (const [scheme, { protocol, disposition }] of Object.entries(SCHEMES)) {
    if (protocol !== null) continue;
    assert.deepEqual(saidOf(connector(`${scheme}://0.0.0.0:1234`)), [
      `3:26: error: scheme ${scheme} ${disposition.does}: ${disposition.here}`,
    ]);
  }
});

test('TLS schemes that nothing here speaks yet are refused, since the broker would be more open than its file says', () => {
  for (const scheme of ['https'])
    assert.match(saidOf(connector(`${scheme}://0.0.0.0:1`))[0]!, /error: .* a broker must not start more open than its file says$/);
});

test('a connector with TLS needs a key store, and one that asks for certificates a trust store', () => {
  assert.deepEqual(saidOf(connector('mqtt+ssl://h:1', ' name="m"')), [
    '3:1: error: connector m needs a key and a certificate for TLS: write <sslContext><sslContext keyStore="..." keyStorePassword="..."/></sslContext>',
  ]);
  const withContext = (context: string, uri: string) =>
    said(connectors(connector(uri, ' name="m"')).replace('<transportConnectors>', `${context}<transportConnectors>`)).map((line) =>
      line.replace('broker.xml:', ''),
    );
  assert.deepEqual(withContext('<sslContext><sslContext trustStore="t"/></sslContext>', 'wss://h:1'), [
    '3:1: error: connector m needs a key and a certificate for TLS: write a keyStore in <sslContext>',
  ]);
  for (const option of ['needClientAuth', 'transport.wantClientAuth'])
    assert.deepEqual(withContext('<sslContext><sslContext keyStore="k"/></sslContext>', `ssl://h:1?${option}=true`), [
      '3:1: error: connector m asks clients for certificates, and no trustStore in <sslContext> says who vouches for them',
    ]);
});

test('defaults are those of ActiveMQ', () => {
  assert.deepEqual(read('mqtt://127.0.0.1:1883'), {
    place: { file: 'broker.xml', line: 3, column: 1 },
    name: 'mqtt://127.0.0.1:1883',
    uri: 'mqtt://127.0.0.1:1883',
    scheme: 'mqtt',
    host: '127.0.0.1',
    port: 1883,
    socketFile: null,
    tls: null,
    webSocket: false,
    maximumConnections: INT_MAX,
    backlog: null,
    tcpNoDelay: true,
    keepAlive: false,
    soWriteTimeoutMs: 0,
    detection: null,
    proxyProtocol: null,
    maxFrameSize: MQTT_FRAME_SIZE_MAX,
    connectAttemptTimeoutMs: 30_000,
    defaultKeepAliveMs: 0,
    useInactivityMonitor: true,
    publishDollarTopics: false,
    subscriptionPrefetch: 0,
    certificateUserName: false,
    maxInactivityDurationMs: 30_000,
    discovery: null,
    publishedAddress: { hostStrategy: 'default', hosts: {}, ports: {} },
    clusterClients: null,
  });
  assert.equal(read('tcp://127.0.0.1:61616').maxFrameSize, OPENWIRE_FRAME_SIZE_MAX);
});

test('the options of an MQTT connector', () => {
  const mqtt = read(
    'mqtt://h:1?maximumConnections=5&amp;wireFormat.maxFrameSize=1000&amp;transport.connectAttemptTimeout=700&amp;transport.defaultKeepAlive=60000',
    ' name="m"',
  );
  assert.deepEqual(
    [mqtt.name, mqtt.maximumConnections, mqtt.maxFrameSize, mqtt.connectAttemptTimeoutMs, mqtt.defaultKeepAliveMs],
    ['m', 5, 1000, 700, 60_000],
  );
  const { useInactivityMonitor, publishDollarTopics, subscriptionPrefetch } = read(
    'mqtt://h:1?transport.useInactivityMonitor=false&amp;transport.publishDollarTopics=TRUE&amp;transport.activeMQSubscriptionPrefetch=10',
  );
  assert.deepEqual([useInactivityMonitor, publishDollarTopics, subscriptionPrefetch], [false, true, 10]);
  assert.equal(read('mqtt://h:1?transport.certificateUserName=cn').certificateUserName, true);
  assert.equal(read('mqtt://h:1?transport.activeMQSubscriptionPrefetch=-1').subscriptionPrefetch, 0);
  assert.equal(read('mqtt://h:1?wireFormat.connectAttemptTimeout=700').connectAttemptTimeoutMs, 700);
  assert.equal(read('mqtt://h:1?transport.maxFrameSize=1000').maxFrameSize, 1000);
  assert.equal(read('mqtt://h:1?wireFormat.maxFrameSize=999999999999').maxFrameSize, MQTT_FRAME_SIZE_MAX);
});

test('a default keep alive is a whole number of seconds that fits into two bytes', () => {
  for (const [written, meant] of [
    [0, 0],
    [1, 1_000],
    [1_500, 2_000],
    [65_535_000, 65_535_000],
    [65_535_001, 65_535_000],
    [2_147_483_647, 65_535_000],
  ] as const) {
    const { model, diagnostics } = readText(connectors(connector(`auto://h:1?backlog=1&amp;transport.defaultKeepAlive=${written}`)));
    assert.equal(model!.transportConnectors[0]!.defaultKeepAliveMs, meant);
    const said = `3:51: warning: transport.defaultKeepAlive: ${written} ms is read as ${meant}: a keep alive of MQTT is a whole number of seconds, 65535 at most`;
    assert.deepEqual(
      diagnostics.map(({ line, column, severity, message }) => `${line}:${column}: ${severity}: ${message}`),
      written === meant ? [] : [said],
    );
  }
});

test('the options of sockets', () => {
  for (const scheme of ['mqtt', 'tcp']) {
    const { backlog, tcpNoDelay, keepAlive, soWriteTimeoutMs } = read(
      `${scheme}://h:1?backlog=50&amp;transport.tcpNoDelay=false&amp;transport.keepAlive=true&amp;transport.soWriteTimeout=3000`,
    );
    assert.deepEqual([backlog, tcpNoDelay, keepAlive, soWriteTimeoutMs], [50, false, true, 3000]);
  }
});

test('where clients are sent when the broker stops, and where others are told to find a connector', () => {
  const policy = (inside: string) => {
    const element = `<transportConnector uri="mqtt://h:1">${inside}</transportConnector>`;
    const { model, diagnostics } = readText(connectors(element));
    return model?.transportConnectors[0]?.publishedAddress ?? diagnostics.map(({ message }) => message);
  };
  assert.deepEqual(read('mqtt://h:1', ' updateClusterClients="true"').clusterClients, { brokerNames: [] });
  assert.deepEqual(read('mqtt://h:1', ' updateClusterClients="true" updateClusterFilter="eu-.*, us-1"').clusterClients, {
    brokerNames: ['eu-.*', 'us-1'],
  });
  assert.equal(read('mqtt://h:1', ' updateClusterClients="false"').clusterClients, null);
  assert.deepEqual(saidOf(connector('mqtt://h:1', ' updateClusterFilter="x"')), [
    '3:38: warning: updateClusterFilter has no effect without updateClusterClients="true"',
  ]);
  assert.deepEqual(saidOf(connector('mqtt://h:1', ' updateClusterClients="true" updateClusterFilter="a,(b"')), [
    '3:89: error: updateClusterFilter: expected regular expressions with commas between, found "(b"',
  ]);
  const published = { hostStrategy: 'fqdn', hosts: { h: 'fleet.example' }, ports: { 1: 1883 } };
  const maps =
    '<hostMapping><map><entry key="h" value="fleet.example"/></map></hostMapping><portMapping><entry key="1" value="1883"/></portMapping>';
  const nested = `<publishedAddressPolicy publishedHostStrategy="fqdn">${maps}</publishedAddressPolicy>`;
  assert.deepEqual(policy(`<publishedAddressPolicy>${nested}</publishedAddressPolicy>`), published);
  assert.deepEqual(policy(nested), published);
  assert.deepEqual(policy('<publishedAddressPolicy publishedHostStrategy="NAME"/>'), [
    'publishedHostStrategy: expected DEFAULT, IPADDRESS, HOSTNAME or FQDN, found "NAME"',
  ]);
  assert.deepEqual(policy('<publishedAddressPolicy><portMapping><entry key="1" value="70000"/></portMapping></publishedAddressPolicy>'), [
    'portMapping: expected a whole number from 1 to 65535, found 70000',
  ]);
});

test('the options of the PROXY protocol', () => {
  for (const scheme of ['mqtt', 'tcp']) {
    const options = 'transport.proxyProtocol=required&amp;transport.proxyProtocolTrusted=10.0.0.0/8,%20192.0.2.1,::1,2001:db8::/32';
    assert.deepEqual(read(`${scheme}://h:1?${options}`).proxyProtocol, {
      mode: 'required',
      trusted: [
        { address: '10.0.0.0', prefixLength: 8, version: 4 },
        { address: '192.0.2.1', prefixLength: 32, version: 4 },
        { address: '::1', prefixLength: 128, version: 6 },
        { address: '2001:db8::', prefixLength: 32, version: 6 },
      ],
    });
  }
  assert.equal(
    read('mqtt://h:1?transport.proxyProtocol=optional&amp;transport.proxyProtocolTrusted=0.0.0.0/0').proxyProtocol!.mode,
    'optional',
  );
  assert.equal(read('mqtt://h:1?transport.proxyProtocol=off').proxyProtocol, null);
});

test('a connector that finds out what its clients speak has the options of each protocol, for both or for one', () => {
  const both = [
    { name: 'mqtt', maxFrameSize: MQTT_FRAME_SIZE_MAX },
    { name: 'openwire', maxFrameSize: OPENWIRE_FRAME_SIZE_MAX },
  ];
  assert.deepEqual(read('auto://h:1').detection, { timeoutMs: 30_000, protocols: both });
  assert.equal(read('auto+nio://h:1?transport.connectAttemptTimeout=700').detection!.timeoutMs, 700);
  assert.equal(read('auto://h:1?protocolDetectionTimeOut=500&amp;transport.connectAttemptTimeout=700').detection!.timeoutMs, 500);
  assert.equal(read('auto://h:1?protocolDetectionTimeOut=-1').detection!.timeoutMs, 0);
  const sizes = (options: string) => read(`auto://h:1?${options}`).detection!.protocols.map(({ maxFrameSize }) => maxFrameSize);
  assert.deepEqual(sizes('wireFormat.maxFrameSize=1000'), [1000, 1000]);
  assert.deepEqual(sizes('wireFormat.maxFrameSize=1000&amp;wireFormat.mqtt.maxFrameSize=500'), [500, 1000]);
  assert.deepEqual(sizes('wireFormat.default.maxFrameSize=2000'), [MQTT_FRAME_SIZE_MAX, 2000]);
  assert.deepEqual(
    ['mqtt', 'default', 'default,%20mqtt'].map((names) => read(`auto://h:1?auto.protocols=${names}`).detection!.protocols),
    [both.slice(0, 1), both.slice(1), both],
  );
  const of = read('auto://h:1?wireFormat.default.maxInactivityDuration=5&amp;transport.publishDollarTopics=true&amp;backlog=9');
  assert.deepEqual([of.maxInactivityDurationMs, of.publishDollarTopics, of.backlog], [5, true, 9]);
  assert.equal(read('auto://h:1', ' discoveryUri="multicast://default"').discovery!.group, 'default');
});

test('the options of an OpenWire connector', () => {
  const openwire = read('nio://h:1?wireFormat.maxFrameSize=5000&amp;wireFormat.maxInactivityDuration=0');
  assert.deepEqual([openwire.maxFrameSize, openwire.maxInactivityDurationMs], [5000, 0]);
});

for (const [uri, expected] of [
  [
    'mqtt://h:1?maximumConnection=1',
    `3:37: error: unknown option maximumConnection (ActiveMQ: "Invalid connect parameters"): expected ${MQTT_NAMES}; did you mean maximumConnections?`,
  ],
  [
    'mqtt://h:1?a=1&amp;wireFormat.cacheEnabled=true',
    `3:45: error: unknown option wireFormat.cacheEnabled (ActiveMQ: "Invalid connect parameters"): expected ${MQTT_NAMES}`,
  ],
  ['mqtt://h:1?maximumConnections=-1', '3:56: error: maximumConnections: expected a whole number from 0 to 2147483647, found -1'],
  [
    'mqtt://h:1?wireFormat.maxFrameSize=100mb',
    '3:61: error: wireFormat.maxFrameSize: expected a whole number, found "100mb" (options take no units)',
  ],
  [
    'mqtt://h:1?transport.needClientAuth=true',
    '3:37: error: option transport.needClientAuth asks for TLS: this scheme is without: write mqtt+ssl, wss or ssl',
  ],
  ['tcp://h:1?needClientAuth=true', '3:36: error: option needClientAuth asks for TLS: this scheme is without: write mqtt+ssl, wss or ssl'],
  ['mqtt://h:1?transport.useInactivityMonitor=no', '3:68: error: transport.useInactivityMonitor: expected true or false, found "no"'],
  [
    'mqtt://h:1?transport.subscriptionStrategy=mqtt-virtual-topic-subscriptions',
    '3:37: warning: option transport.subscriptionStrategy: in ActiveMQ it keeps subscriptions as virtual topics; they are kept as MQTT sessions, so it has no effect',
  ],
  [
    'tcp://h:1?wireFormat.cacheEnabled=true',
    '3:36: warning: option wireFormat.cacheEnabled: in ActiveMQ it is what the codec offers; the two ends of a link agree on it, and ours makes its own offer, so it has no effect',
  ],
  [
    'tcp://h:1?transport.socket.oobInline=true',
    '3:36: warning: option transport.socket.oobInline: in ActiveMQ it tunes sockets; sockets are set up for low latency by the program, so it has no effect',
  ],
  [
    'tcp://h:1?wireformat.maxFrameSize=1',
    '3:36: warning: option wireformat.maxFrameSize is read as wireFormat.maxFrameSize, its spelling since ActiveMQ 5.9',
  ],
  [
    'tcp://h:1?maximumConnections=1&amp;maximumConnections=2',
    '3:61: warning: option maximumConnections is given twice; the last one counts',
  ],
  [
    'mqtt://h:1?transport.soTimeout=1',
    '3:37: warning: option transport.soTimeout: in ActiveMQ it is the time that one read may take; a read that takes longer is just made again, in ActiveMQ too, so it has no effect',
  ],
  [
    'mqtt://h:1?transport.proxyProtocol=required',
    '3:26: error: transport.proxyProtocol=required needs transport.proxyProtocolTrusted: who sends a PROXY header may claim to be anybody, so list your proxies, such as 10.0.0.0/8,::1 (0.0.0.0/0,::/0 is everybody)',
  ],
  ['mqtt://h:1?transport.proxyProtocol=yes', '3:61: error: transport.proxyProtocol: expected off, optional or required, found "yes"'],
  [
    'mqtt://h:1?transport.proxyProtocolTrusted=::1',
    '3:26: warning: option transport.proxyProtocolTrusted has no effect without transport.proxyProtocol=required or optional',
  ],
  [
    'mqtt://h:1?transport.proxyProtocolTrusted=10.0.0.0/8,localhost',
    '3:68: error: transport.proxyProtocolTrusted: expected addresses and networks such as 10.0.0.0/8 or ::1 with commas between, found "localhost"',
  ],
  [
    'mqtt://h:1?transport.proxyProtocolTrusted=10.0.0.0/33',
    '3:68: error: transport.proxyProtocolTrusted: expected a prefix length from 0 to 32 behind 10.0.0.0, found "33"',
  ],
  [
    'mqtt://h:1?transport.proxyProtocolTrusted=::1/',
    '3:68: error: transport.proxyProtocolTrusted: expected a prefix length from 0 to 128 behind ::1, found ""',
  ],
  ['auto://h', '3:33: error: the URI names no port: write auto://h:61616'],
  ['auto://h:1?auto.protocols=default,stomp', '3:52: error: auto.protocols: stomp is not supported yet: expected mqtt and default'],
  [
    'auto://h:1?auto.protocols=openwire',
    '3:52: error: auto.protocols: expected mqtt and default (which is OpenWire) with commas between, found "openwire"',
  ],
  [
    'auto://h:1?wireFormat.stomp.maxFrameSize=1',
    '3:37: warning: option wireFormat.stomp.maxFrameSize: in ActiveMQ it is for a protocol; that one is not supported yet, and its clients are closed, so it has no effect',
  ],
  [
    'mqt://h:1',
    '3:26: error: unknown scheme mqt: expected mqtt, mqtt+ssl, ws, wss, mqtt+unix, tcp, ssl or another that docs/reference/activemq-xml.md lists; did you mean mqtt?',
  ],
  [
    'mqtts://h:1',
    '3:26: error: unknown scheme mqtts: expected mqtt, mqtt+ssl, ws, wss, mqtt+unix, tcp, ssl or another that docs/reference/activemq-xml.md lists; did you mean mqtt?',
  ],
  [
    'MQTT://h:1',
    '3:26: error: unknown scheme MQTT: expected mqtt, mqtt+ssl, ws, wss, mqtt+unix, tcp, ssl or another that docs/reference/activemq-xml.md lists; did you mean mqtt?',
  ],
  [
    'h:1883',
    '3:26: error: unknown scheme h: expected mqtt, mqtt+ssl, ws, wss, mqtt+unix, tcp, ssl or another that docs/reference/activemq-xml.md lists',
  ],
  ['0.0.0.0:1883', '3:26: error: uri: a URI begins with a scheme, such as tcp://'],
  ['mqtt://0.0.0.0', '3:33: error: the URI names no port: write mqtt://0.0.0.0:1883'],
  ['tcp://0.0.0.0', '3:32: error: the URI names no port: write tcp://0.0.0.0:61616'],
  ['mqtt://:1883', '3:33: error: the URI names no host: write 0.0.0.0 for every address of this machine'],
  ['mqtt://*:1883', '3:33: error: the URI names no host: write 0.0.0.0 for every address of this machine'],
  ['mqtt://h:70000', '3:35: error: uri: port 70000 is above 65535'],
  ['ws://0.0.0.0', '3:31: error: the URI names no port: write ws://0.0.0.0:61614'],
  ['mqtt+ssl://0.0.0.0', '3:37: error: the URI names no port: write mqtt+ssl://0.0.0.0:8883'],
  [
    'mqtt+ssl://h:1?enabledProtocols=TLSv1.4',
    '3:58: error: enabledProtocols: expected TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3 with commas between, found "TLSv1.4"',
  ],
  [
    'mqtt+ssl://h:1?enabledProtocols=SSLv2Hello',
    '3:58: error: enabledProtocols: expected TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3 with commas between, found none',
  ],
  [
    'mqtt+ssl://h:1?enabledProtocols=TLSv1.1,TLSv1.3',
    '3:58: error: enabledProtocols: there is no leaving out a version between others, found "TLSv1.1,TLSv1.3"',
  ],
  ['mqtt+ssl://h:1?enabledProtocols=TLSv1.1,TLSv1.2', '3:26: warning: TLSv1.1 is not secure any more: let clients have TLSv1.2'],
  [
    'mqtt+ssl://h:1?enabledCipherSuites=SSL_RSA_WITH_RC4_128_MD5',
    '3:61: error: enabledCipherSuites: there is no cipher suite SSL_RSA_WITH_RC4_128_MD5 here; names are such as TLS_AES_256_GCM_SHA384 or TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  ],
  ['mqtt+ssl://h:1?needClientAuth=maybe', '3:56: error: needClientAuth: expected true or false, found "maybe"'],
  [
    'mqtt+ssl://h:1?verifyHostName=true',
    '3:26: warning: verifyHostName is about the certificates of clients, and needClientAuth or wantClientAuth asks for none',
  ],
  [
    'mqtt+unix://run/x.sock',
    '3:38: error: a socket file has an absolute path behind three slashes: write mqtt+unix:///run/roundhouse/mqtt.sock',
  ],
  ['mqtt+unix://h:1', '3:38: error: a socket file has an absolute path behind three slashes: write mqtt+unix:///run/roundhouse/mqtt.sock'],
  ['mqtt+unix://', '3:38: error: the URI names no socket file: write mqtt+unix:///run/roundhouse/mqtt.sock'],
  ['mqtt+unix:///run/', '3:38: error: the URI names no socket file: write mqtt+unix:///run/roundhouse/mqtt.sock'],
  ['mqtt+unix:///run/%zz', '3:38: error: "%" must be followed by two hexadecimal digits'],
  ['mqtt+unix:///run/x?permissions=rw', '3:57: error: permissions: expected three octal digits, such as 660, found "rw"'],
  [
    'mqtt://h:1?permissions=660',
    `3:37: error: unknown option permissions (ActiveMQ: "Invalid connect parameters"): expected ${MQTT_NAMES}`,
  ],
  [
    'ws://h:1?http.enableTrace=true',
    '3:35: warning: option http.enableTrace: in ActiveMQ it tunes the web server; there is no Jetty here, so it has no effect',
  ],
  ['mqtt:(tcp://h:1)', '3:26: error: a connector listens on one host and port, such as mqtt://0.0.0.0:1883'],
  ['mqtt://h:1 ?x=1', '3:36: error: uri: white space is not allowed in a URI'],
  ['', '3:26: error: uri: the URI is empty'],
] as const) {
  test(`connector ${uri}: ${expected.slice(0, 60)}`, () => {
    assert.ok(saidOf(connector(uri)).includes(expected), saidOf(connector(uri)).join('\n'));
  });
}

test('connectors of one address are an error, those of one name a warning', () => {
  assert.deepEqual(saidOf(connector('mqtt://0.0.0.0:1', ' name="a"'), connector('tcp://127.0.0.1:1', ' name="b"')), [
    '4:1: error: port 1 is taken by the connector a of line 3',
  ]);
  assert.deepEqual(saidOf(connector('mqtt://127.0.0.1:1'), connector('tcp://127.0.0.2:1')), []);
  assert.deepEqual(saidOf(connector('mqtt://h:0'), connector('tcp://h:0')), []);
  assert.deepEqual(saidOf(connector('mqtt://h:1', ' name="a"'), connector('tcp://h:2', ' name="a"')), [
    '4:1: warning: the connector of line 3 has the name a too',
  ]);
});

test('connectors at one socket file are an error', () => {
  assert.deepEqual(
    saidOf(connector('mqtt+unix:///run/a', ' name="a"'), connector('mqtt+unix:///run/b'), connector('mqtt+unix:///run/a', ' name="c"')),
    ['5:1: error: socket file /run/a is taken by the connector a of line 3'],
  );
});

test('a connector without uri is an error', () => {
  assert.deepEqual(
    saidOf('<transportConnector name="m"/>')[0],
    '3:1: error: <transportConnector> needs a uri, such as uri="mqtt://0.0.0.0:1883"',
  );
});

test('discoveryUri announces an OpenWire connector', () => {
  const announced = (uri: string) => read('tcp://h:1', ` discoveryUri="${uri}"`).discovery;
  const DEFAULT = { address: '239.255.2.3', port: 6155, group: 'default', timeToLive: 1, keepAliveIntervalMs: 500 };
  assert.deepEqual(announced('multicast://default'), DEFAULT);
  assert.deepEqual(announced('multicast://default?group=fleet&amp;timeToLive=3&amp;keepAliveInterval=200'), {
    ...DEFAULT,
    group: 'fleet',
    timeToLive: 3,
    keepAliveIntervalMs: 200,
  });
  assert.deepEqual(announced('multicast://239.1.2.3:7000'), { ...DEFAULT, address: '239.1.2.3', port: 7000 });
});

for (const [uri, expected] of [
  ['multicast://192.168.1.1', '3:63: error: 192.168.1.1 is no multicast address: expected 224.0.0.0 to 239.255.255.255, or "default"'],
  ['multicast://my.host', '3:63: error: expected multicast://default or an IPv4 multicast address, found "my.host"'],
  [
    'multicast://default?grp=x',
    '3:71: error: unknown option grp (ActiveMQ: "Invalid connect parameters"): expected group, timeToLive, keepAliveInterval or another that docs/reference/activemq-xml.md lists',
  ],
  ['multicast://default?group=', '3:51: error: discoveryUri: the group has no name'],
  [
    'multicast://default?networkInterface=eth1',
    '3:71: error: option networkInterface confines announcements to one network: this is not supported yet, and a broker must not be announced more widely than its file says',
  ],
  ['static:(tcp://h:1)', '3:51: error: discoveryUri announces a connector by multicast://default, found "static:(tcp://h:1)"'],
  [
    'zeroconf:_activemq',
    '3:51: error: scheme zeroconf finds brokers by Zeroconf: this is not supported; use multicast://default or static:(...)',
  ],
  ['multicats://default', '3:51: error: discoveryUri: unknown scheme multicats: expected static or multicast; did you mean multicast?'],
] as const) {
  test(`discoveryUri ${uri} is refused`, () => {
    assert.deepEqual(saidOf(connector('tcp://h:1', ` discoveryUri="${uri}"`))[0], expected);
  });
}

test('announcing a connector with TLS does nothing, which is said', () => {
  const text = connectors(connector('ssl://h:1', ' discoveryUri="multicast://default"')).replace(
    '<transportConnectors>',
    `${SSL_CONTEXT}<transportConnectors>`,
  );
  assert.deepEqual(readText(text).model!.transportConnectors[0]!.discovery, null);
  assert.match(
    said(text)[0]!,
    /warning: discoveryUri announces a connector that other brokers cannot link to: links need tcp:\/\/ or nio:\/\/$/,
  );
});

test('announcing an MQTT connector does nothing, which is said', () => {
  const text = connectors(connector('mqtt://h:1', ' discoveryUri="multicast://default"'));
  assert.deepEqual(readText(text).model!.transportConnectors[0]!.discovery, null);
  assert.deepEqual(said(text), [
    'broker.xml:3:38: warning: discoveryUri announces a connector that other brokers cannot link to: links need tcp:// or nio://',
  ]);
});

test('a connector that decides who may consume what is refused', () => {
  const inside =
    '<transportConnector uri="mqtt://h:1"><messageAuthorizationPolicy><bean xmlns="http://www.springframework.org/schema/beans" class="x.Y"/></messageAuthorizationPolicy></transportConnector>';
  assert.match(saidOf(inside)[0]!, /^3:38: error: <messageAuthorizationPolicy> decides message by message who may consume it/);
});

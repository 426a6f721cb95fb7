import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerFile, readText, saidOfBroker } from '../../../test/harness/activemq-file.ts';
import type { NetworkConnectorModel } from './model.ts';

const connectors = (...elements: string[]) => `<networkConnectors>${elements.join('\n')}</networkConnectors>`;

function read(attributes: string, inside = ''): NetworkConnectorModel {
  const { model, diagnostics } = readText(brokerFile(connectors(`<networkConnector ${attributes}>${inside}</networkConnector>`)));
  assert.deepEqual(diagnostics, []);
  return model!.networkConnectors[0]!;
}

function saidOf(...elements: string[]): string[] {
  return saidOfBroker(connectors(...elements)).map((line) => line.replace('broker.xml:', ''));
}

for (const [uri, uris] of [
  ['static:(tcp://a:61616)', ['a 61616']],
  ['static:(tcp://a:61616,nio://b:61617, tcp://[::1]:61618)', ['a 61616', 'b 61617', '::1 61618']],
  ['static://(tcp://a:61616)', ['a 61616']],
  ['static://tcp://a:61616', ['a 61616']],
  ['simple:(tcp://a:61616)', ['a 61616']],
] as const) {
  test(`${uri} lists neighbours`, () => {
    const { model } = readText(brokerFile(connectors(`<networkConnector uri="${uri}"/>`)));
    const { discovery } = model!.networkConnectors[0]!;
    assert.ok(discovery.kind === 'static');
    assert.deepEqual(
      discovery.uris.map(({ host, port }) => `${host} ${port}`),
      uris,
    );
  });
}

test('multicast names a group', () => {
  const multicast = { address: '239.255.2.3', port: 6155, group: 'default', timeToLive: 1, keepAliveIntervalMs: 500 };
  assert.deepEqual(read('uri="multicast://default"').discovery, { kind: 'multicast', multicast });
  assert.deepEqual(read('uri="multicast://default?group=fleet"').discovery, {
    kind: 'multicast',
    multicast: { ...multicast, group: 'fleet' },
  });
  assert.deepEqual(read('uri="multicast://224.1.2.3:6000"').discovery, {
    kind: 'multicast',
    multicast: { ...multicast, address: '224.1.2.3', port: 6000 },
  });
});

test('a name in place of a multicast address is read as a group, with a warning', () => {
  const element = '<networkConnector uri="multicast://fleet"/>';
  const { model } = readText(brokerFile(connectors(element)));
  const { discovery } = model!.networkConnectors[0]!;
  assert.ok(discovery.kind === 'multicast');
  assert.deepEqual([discovery.multicast.address, discovery.multicast.group], ['239.255.2.3', 'fleet']);
  assert.deepEqual(saidOf(element), [
    '2:55: warning: "fleet" is read as the group multicast://default?group=fleet; ActiveMQ would look it up as a host name',
  ]);
});

test('the URI of one broker is read as a list of one, with a warning', () => {
  const element = '<networkConnector uri="tcp://a:61616"/>';
  const { model } = readText(brokerFile(connectors(element)));
  assert.deepEqual(model!.networkConnectors[0]!.discovery, { kind: 'static', uris: [{ host: 'a', port: 61616 }] });
  assert.deepEqual(saidOf(element), ['2:43: warning: ActiveMQ links to listed brokers with static:(tcp://a:61616); it is read as that']);
});

test('all that a link is told', () => {
  assert.deepEqual(
    read(
      'name="to-b" uri="static:(tcp://b:1)" duplex="true" networkTTL="3" consumerTTL="-1" conduitSubscriptions="true" prefetchSize="10" userName="us" password=" secret" staticBridge="true"',
      `<dynamicallyIncludedDestinations><topic physicalName="a.>"/><queue physicalName="queue://q"/></dynamicallyIncludedDestinations>
       <staticallyIncludedDestinations><topic physicalName="s,t"/></staticallyIncludedDestinations>
       <excludedDestinations><tempTopic physicalName="x"/></excludedDestinations>`,
    ),
    {
      place: { file: 'broker.xml', line: 2, column: 20 },
      name: 'to-b',
      uri: 'static:(tcp://b:1)',
      discovery: { kind: 'static', uris: [{ host: 'b', port: 1 }] },
      duplex: true,
      messageTTL: 3,
      consumerTTL: -1,
      prefetchSize: 10,
      userName: 'us',
      password: ' secret',
      staticBridge: true,
      dynamicallyIncludedDestinations: [
        { kind: 'topic', physicalName: 'a.>' },
        { kind: 'queue', physicalName: 'q' },
      ],
      staticallyIncludedDestinations: [
        { kind: 'topic', physicalName: 's' },
        { kind: 'topic', physicalName: 't' },
      ],
      excludedDestinations: [{ kind: 'tempTopic', physicalName: 'x' }],
    },
  );
});

test('words that would make ActiveMQ deliver copies, or deliver later, have no effect and say so', () => {
  assert.deepEqual(saidOf('<networkConnector uri="static:(tcp://b:1)" conduitSubscriptions="off"/>'), [
    '2:63: warning: conduitSubscriptions="false" has no effect: a message crosses a link once, however many subscribe; in ActiveMQ subscribers to topics would get copies',
  ]);
  assert.match(
    saidOf('<networkConnector uri="static:(tcp://b:1)" dynamicOnly="true"/>').join(),
    /^2:63: warning: dynamicOnly: .* so it has no effect$/,
  );
});

test('duplex is known to be absent, true or false', () => {
  assert.equal(read('uri="static:(tcp://b:1)"').duplex, null);
  assert.equal(read('uri="static:(tcp://b:1)" duplex="true"').duplex, true);
  assert.equal(read('uri="static:(tcp://b:1)" duplex="false"').duplex, false);
});

test('links of one name get names of their own', () => {
  const link = (port: number, name = '') => `<networkConnector uri="static:(tcp://h:${port})"${name}/>`;
  const inside = connectors(link(1), link(2), link(3, ' name="NC-2"'), link(4, ' name="NC"'));
  const { model, diagnostics } = readText(brokerFile(inside));
  assert.deepEqual(
    model!.networkConnectors.map(({ name }) => name),
    ['NC', 'NC-2', 'NC-2-2', 'NC-3'],
  );
  assert.match(
    diagnostics[0]!.message,
    /^the network connector of line 2 has the name NC too, and names must differ: this one is read as NC-2$/,
  );
});

for (const [element, expected] of [
  [
    '<networkConnector/>',
    '2:20: error: <networkConnector> needs a uri, such as uri="static:(tcp://host:61616)" or uri="multicast://default"',
  ],
  [
    '<networkConnector uri="masterslave:(tcp://a:1,tcp://b:2)"/>',
    '2:43: error: scheme masterslave links to whichever of several brokers is the master: this is not supported yet; list the brokers in static:(...)',
  ],
  [
    '<networkConnector uri="failover:(tcp://a:1)"/>',
    '2:43: error: scheme failover reconnects by itself to one of several brokers: this is not supported for links; list the brokers in static:(...)',
  ],
  [
    '<networkConnector uri="statik:(tcp://a:1)"/>',
    '2:43: error: uri: unknown scheme statik: expected static or multicast; did you mean static?',
  ],
  ['<networkConnector uri="static:()"/>', '2:43: error: static:(...) lists no broker: write static:(tcp://host:61616)'],
  ['<networkConnector uri="static:(tcp://a:1"/>', '2:50: error: uri: this "(" has no closing ")"'],
  ['<networkConnector uri="static:(tcp://a)"/>', '2:51: error: a neighbour is written as tcp://host:61616, found "tcp://a"'],
  ['<networkConnector uri="static:(tcp://a:1,ssl://b:2)"/>', '2:61: error: no link to ssl://: links over TLS are not supported yet'],
  [
    '<networkConnector uri="static:(mqtt://a:1)"/>',
    '2:51: error: no link to mqtt://: links speak OpenWire: name the tcp:// connector of the other broker',
  ],
  [
    '<networkConnector uri="static:(vm://a)"/>',
    '2:51: error: no link to vm://: it lets code in the same Java machine connect: there is no Java here',
  ],
  ['<networkConnector uri="static:(tpc://a:1)"/>', '2:51: error: unknown scheme tpc: links need tcp:// or nio://; did you mean tcp?'],
  [
    '<networkConnector uri="static:(failover:(tcp://a:1,tcp://b:2))"/>',
    '2:51: error: no link to failover://: it reconnects by itself to one of several brokers: this is not supported for links; list the brokers in static:(...)',
  ],
  [
    '<networkConnector uri="static:(tcp://a:1?soTimout=5)"/>',
    '2:61: error: unknown option soTimout (ActiveMQ: "Invalid connect parameters"): expected one that docs/reference/activemq-xml.md lists; did you mean soTimeout?',
  ],
  [
    '<networkConnector uri="static:(tcp://a:1)?discovered.soTimout=5"/>',
    '2:73: error: unknown option soTimout (ActiveMQ: "Invalid connect parameters"): expected one that docs/reference/activemq-xml.md lists; did you mean soTimeout?',
  ],
  [
    '<networkConnector uri="static:(tcp://a:1)?maxReconnectDelay=5000"/>',
    '2:62: warning: option maxReconnectDelay: in ActiveMQ it says when a lost link is tried again; a link is tried again within 100 ms, at least every 500 ms, so it has no effect',
  ],
  ['<networkConnector uri="static:(tcp://a:1)" prefetchSize="0"/>', '2:77: error: prefetchSize: expected at least 1, found 0'],
  [
    '<networkConnector uri="static:(tcp://a:1)" remotePassword="secret"/>',
    '2:63: warning: remotePassword: in ActiveMQ it logs in for the way back of a duplex link; one connection carries both ways, and who dials logs in once: userName and password, so it has no effect',
  ],
  [
    '<networkConnector uri="static:(tcp://a:1)"><sslContext><sslContext/></sslContext></networkConnector>',
    '2:63: error: <sslContext> names the keys and certificates of TLS links: this is not supported yet, and a broker must not start more open than its file says',
  ],
  [
    '<networkConnector uri="static:(tcp://a:1)"><excludedDestinations><topic/></excludedDestinations></networkConnector>',
    '2:85: error: <topic> needs a physicalName',
  ],
  [
    '<ldapNetworkConnector uri="ldap://h"/>',
    '2:20: error: <ldapNetworkConnector> finds neighbours in an LDAP directory: this is not supported; use <networkConnector uri="static:(...)">',
  ],
  [
    '<networkConnectr uri="x"/>',
    '2:20: error: unknown element <networkConnectr> in <networkConnectors>: expected <networkConnector>, <ldapNetworkConnector> or <multicastNetworkConnector>; did you mean <networkConnector>?',
  ],
] as const) {
  test(`${element.slice(0, 90)} gets its message`, () => {
    assert.ok(saidOf(element).includes(expected), saidOf(element).join('\n'));
  });
}

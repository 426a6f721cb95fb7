import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerModel, BrokerSource, NetworkConnectorModel, TransportConnectorModel } from '../config/activemq/model.ts';
import type { ProxyModel, Server } from '../config/haproxy/model.ts';
import { createAddressMap } from './address-map.ts';
import type { BalancerUnit, BrokerUnit } from './deployment.ts';
import { adviseDeployment, adviseOpenFiles, adviseSessions } from './deployment-advice.ts';

const noMap = createAddressMap([]);

interface BrokerSketch {
  brokerName?: string;
  connectors?: Partial<TransportConnectorModel>[];
  links?: Partial<NetworkConnectorModel>[];
}

/** A unit with just what the advice looks at. */
function broker(name: string, { brokerName = name, connectors = [], links = [] }: BrokerSketch): BrokerUnit {
  const file = `${name}.xml`;
  const model = {
    file,
    brokerName,
    transportConnectors: connectors.map((connector, i) => ({
      place: { file, line: 10 + i, column: 5 },
      scheme: 'tcp',
      host: '0.0.0.0',
      maximumConnections: 1000,
      discovery: null,
      ...connector,
    })),
    networkConnectors: links.map((link, i) => ({ place: { file, line: 50 + i, column: 5 }, uri: 'static:x', duplex: null, ...link })),
  };
  const place = { file, line: 3, column: 5 };
  const source = { places: { broker: place, brokerName: place } };
  return { kind: 'broker', name, file, model: model as unknown as BrokerModel, source: source as unknown as BrokerSource, limits: {} };
}

function balancer(servers: Partial<Server>[]): BalancerUnit {
  const file = 'haproxy.cfg';
  const proxies = [
    { name: 'agents', servers: servers.map((server, i) => ({ place: { file, line: 40 + i }, name: `s${i + 1}`, maxconn: 0, ...server })) },
  ];
  return { kind: 'balancer', name: 'haproxy', file, model: { proxies } as unknown as ProxyModel };
}

const to = (port: number, host = '127.0.0.1'): Partial<NetworkConnectorModel> => ({
  discovery: { kind: 'static', uris: [{ host, port }] },
});
const MULTICAST = { address: '239.255.2.3', port: 6155, group: 'default', timeToLive: 1, keepAliveIntervalMs: 500 };

function said(units: Parameters<typeof adviseDeployment>[0], mapAddress = noMap): string[] {
  return adviseDeployment(units, mapAddress).map((d) => `${d.file}:${d.line}: ${d.severity}: ${d.message}`);
}

test('brokers that link to each other, with names of their own, need no advice', () => {
  const a = broker('a', { connectors: [{ port: 61616 }], links: [to(61626)] });
  const b = broker('b', { connectors: [{ port: 61626 }], links: [to(61616, 'localhost')] });
  assert.deepEqual(said([a, b]), []);
});

test('equal broker names are a note at the second file', () => {
  const [note, ...rest] = said([
    broker('a', { brokerName: 'x', connectors: [{ port: 1 }], links: [to(2)] }),
    broker('b', { brokerName: 'x', connectors: [{ port: 2 }], links: [to(1)] }),
  ]);
  assert.match(note!, /^b\.xml:3: note: brokerName "x" is also that of a\.xml/);
  assert.deepEqual(rest, []);
});

test('a link that only one of two has is a note, since it goes both ways here; with multicast, too', () => {
  const expected = /^b\.xml:50: note: \S+ is the only link between b and a: ActiveMQ would forward one way over it, from b/;
  const byAddress = said([
    broker('a', { connectors: [{ port: 61616 }] }),
    broker('b', { connectors: [{ port: 61626 }], links: [to(61616)] }),
  ]);
  const byMulticast = said([
    broker('a', { connectors: [{ port: 61616, discovery: MULTICAST }] }),
    broker('b', {
      connectors: [{ port: 61626, discovery: MULTICAST }],
      links: [{ discovery: { kind: 'multicast', multicast: MULTICAST } }],
    }),
  ]);
  for (const [first, ...rest] of [byAddress, byMulticast]) {
    assert.match(first!, expected);
    assert.deepEqual(rest, []);
  }
});

test('duplex="true" says that both ways are meant; duplex="false" without a way back is a warning', () => {
  const a = broker('a', { connectors: [{ port: 61616 }] });
  assert.deepEqual(said([a, broker('b', { links: [{ ...to(61616), duplex: true }] })]), []);
  assert.match(
    said([a, broker('b', { links: [{ ...to(61616), duplex: false }] })])[0]!,
    /warning: .*published at a does not reach subscribers at b/,
  );
});

test('a broker that no link reaches is a warning; one reached through another is not', () => {
  const a = broker('a', { connectors: [{ port: 1 }] });
  const b = broker('b', { connectors: [{ port: 2 }], links: [{ ...to(1), duplex: true }] });
  const c = broker('c', { connectors: [{ port: 3 }], links: [{ ...to(2), duplex: true }] });
  const d = broker('d', { connectors: [{ port: 4, discovery: MULTICAST }] });
  assert.deepEqual(said([a, b, c]), []);
  const [warning, ...rest] = said([a, b, c, d]);
  assert.match(warning!, /^d\.xml:3: warning: no networkConnector links d with a/);
  assert.deepEqual(rest, []);
});

test("a server's maxconn is held against its connector's maximumConnections", () => {
  const a = broker('a', { connectors: [{ port: 1883, maximumConnections: 1000 }] });
  assert.deepEqual(said([a, balancer([{ host: '10.0.0.1', port: 1883, maxconn: 1000 }])]), []);
  assert.match(
    said([a, balancer([{ host: '10.0.0.1', port: 1883, maxconn: 2000 }])])[0]!,
    /warning: .*closes those beyond maximumConnections=1000/,
  );
});

test('a server where no broker listens is a warning, if others of its backend are brokers of these files', () => {
  const a = broker('a', { connectors: [{ port: 1883, host: '172.17.0.10' }] });
  const mapAddress = createAddressMap([['172.17.0.10', '127.0.0.1']]);
  assert.deepEqual(said([a, balancer([{ host: '10.0.0.9', port: 1 }])], mapAddress), []);
  assert.deepEqual(
    said(
      [
        a,
        balancer([
          { host: '127.0.0.1', port: 1883 },
          { host: '172.17.0.10', port: 1885 },
        ]),
      ],
      mapAddress,
    ),
    ['haproxy.cfg:41: warning: server s2 is at 127.0.0.1:1885, where no broker of these files listens'],
  );
});

test('connections that the machine has no descriptors for are a warning at the largest connector', () => {
  const a = broker('a', {
    connectors: [
      { port: 1, maximumConnections: 100 },
      { port: 2, maximumConnections: 900 },
      { port: 3, maximumConnections: 2_147_483_647 },
    ],
  });
  assert.deepEqual(adviseOpenFiles([a], 1_064), []);
  assert.deepEqual(adviseOpenFiles([a], null), []);
  const [warning, ...rest] = adviseOpenFiles([a], 1_063);
  assert.equal(warning!.line, 11);
  assert.match(warning!.message, /add up to 1000, but a process may have 1063 /);
  assert.deepEqual(rest, []);
});

test('a connector for more clients than there can be sessions is a warning; one without a bound, or for links, is not', () => {
  const a = broker('a', {
    connectors: [
      { port: 1, name: 'few', scheme: 'mqtt', maximumConnections: 100 },
      { port: 2, name: 'many', scheme: 'mqtt+nio', maximumConnections: 101 },
      { port: 3, name: 'any', scheme: 'mqtt', maximumConnections: 2_147_483_647 },
      { port: 4, name: 'links', scheme: 'tcp', maximumConnections: 900 },
    ],
  });
  const [warning, ...rest] = adviseSessions([{ ...a, limits: { sessions: 100 } }]);
  assert.equal(warning!.line, 11);
  assert.match(warning!.message, /^connector many takes 101 clients, but there can be 100 sessions/);
  assert.deepEqual(rest, []);
});

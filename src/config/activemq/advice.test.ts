import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFile, readText } from '../../../test/harness/activemq-file.ts';
import { REPOSITORY_ROOT } from '../../../test/harness/repository-root.ts';
import { formatDiagnostic } from '../diagnostic.ts';
import { type AdviceOptions, type AdvisedBroker, adviseBrokers } from './advice.ts';
import { readActiveMQ } from './read.ts';

const GB = 1024 ** 3;
const MACHINE: AdviceOptions = { memoryBytes: 8 * GB, balancerServers: [] };

function broker(text: string, disk: AdvisedBroker['disk'] = null): AdvisedBroker {
  const { model, source } = readText(text);
  assert.ok(model !== null && source !== null);
  return { model, source, disk };
}

function classic(name: string, disk: AdvisedBroker['disk']): AdvisedBroker {
  const { model, source } = readActiveMQ(readFileSync(join(REPOSITORY_ROOT, 'test/fixtures/classic', name)), name, {
    defines: new Map(),
    env: {},
    readFile: () => null,
    dataDirectoryDefault: `/srv/data/${name.slice(0, -'.xml'.length)}`,
    workingDirectory: '/srv',
    hostname: 'station',
  });
  assert.ok(model !== null && source !== null);
  return { model, source, disk };
}

const said = (brokers: readonly AdvisedBroker[], options: AdviceOptions = MACHINE) => adviseBrokers(brokers, options).map(formatDiagnostic);

test('the classic files get advice on what they mean on this machine, with the place of each', () => {
  const disk = { totalBytes: 100 * GB, freeBytes: 72.4 * GB };
  const balancerServers = [
    { place: { file: 'haproxy.cfg', line: 37 }, name: 's1', host: '172.17.0.10', port: 1883 },
    { place: { file: 'haproxy.cfg', line: 38 }, name: 's2', host: '172.17.0.10', port: 1884 },
  ];
  const ofBoth = (file: string, port: number, link: number, line: number, server: string, discovered: string[]) => [
    `${file}:32:5: note: ActiveMQ 5.17 and later do not start with this bean, since its class is gone; here it does no harm: remove it before the file is used there`,
    ...discovered,
    `${file}:121:14: note: connector openwire is announced to the group "default": every broker on this network that looks there links with it, without a password; remove discoveryUri where neighbours list this broker in static:(...)`,
    `${file}:97:21: warning: the limit of 100 GB is more than the 72.4 GB free at /srv/data/${file.slice(0, -4)}/kahadb, and will be lowered to that: write a smaller one`,
    `${file}:70:9: note: nothing in this file lets tools look into the broker (createConnector="false", and no web console); connections and traffic are on the balancer's statistics page`,
    `${file}:120:14: warning: connector mqtt+nio listens on every address of this machine and asks for no password: whoever reaches port ${port} can read and publish everything; give it an inner address (mqtt+nio://127.0.0.1:${port}), run with --map-address 0.0.0.0=127.0.0.1, or keep the port behind a firewall`,
    `${file}:121:14: warning: connector openwire listens on every address of this machine and asks for no password: whoever reaches port ${link} can link a broker to this one; give it an inner address (tcp://127.0.0.1:${link}), run with --map-address 0.0.0.0=127.0.0.1, or keep the port behind a firewall`,
    `${file}:120:14: note: clients of connector mqtt+nio that come through server ${server} (haproxy.cfg:${line}) are logged with the balancer's address, since it has no PROXY protocol to tell theirs; the balancer's own log has them`,
  ];
  assert.deepEqual(said([classic('activemq-1.xml', disk), classic('activemq-2.xml', disk)], { memoryBytes: 8 * GB, balancerServers }), [
    ...ofBoth('activemq-1.xml', 1883, 61616, 37, 's1', []),
    ...ofBoth('activemq-2.xml', 1884, 61626, 38, 's2', [
      'activemq-2.xml:106:13: note: links with every broker on this network that announces itself in the group "default", without a password; to link with brokers you know, write uri="static:(tcp://host:61616)"',
    ]),
  ]);
});

test('a file alone is told which way its link goes', () => {
  const link = (attributes: string) =>
    brokerFile(
      `<networkConnectors><networkConnector uri="static:(tcp://h:1)"${attributes}/></networkConnectors><managementContext><managementContext createConnector="true"/></managementContext>`,
    );
  assert.deepEqual(said([broker(link(''))]), [
    'broker.xml:2:20: note: ActiveMQ forwards one way over this link, from this broker to the other; between Roundhouse brokers it forwards both ways: write duplex="false" where one way is meant',
  ]);
  assert.deepEqual(said([broker(link(' duplex="false"'))]), [
    'broker.xml:2:20: note: duplex="false": what is published at the other broker does not come here, unless that one has a network connector back',
  ]);
  assert.deepEqual(said([broker(link(' duplex="true"'))]), []);
  assert.deepEqual(said([broker(link('')), broker(link(''))]), []);
});

test('a broker that asks for passwords is not open, and its links have to log in', () => {
  const text = (attributes: string, login: string) =>
    brokerFile(
      `<plugins><simpleAuthenticationPlugin${attributes}><users><authenticationUser username="a" password="b"/></users></simpleAuthenticationPlugin></plugins>
<networkConnectors><networkConnector uri="static:(tcp://h:1)" duplex="true"${login}/></networkConnectors><managementContext><managementContext createConnector="true"/></managementContext>`,
      '',
      '<transportConnectors><transportConnector name="o" uri="tcp://0.0.0.0:1" discoveryUri="multicast://default"/></transportConnectors>',
    );
  assert.deepEqual(said([broker(text('', ' userName="a" password="b"'))]), []);
  assert.deepEqual(said([broker(text('', ''))]), [
    'broker.xml:3:20: note: the link NC does not log in: a neighbour that asks for a password, as this broker does, refuses it; write userName="..." password="..."',
  ]);
  assert.equal(said([broker(text(' anonymousAccessAllowed="true"', ''))]).length, 2, 'whoever gives no name is let in');
});

test('limits within the machine need no advice, those beyond do', () => {
  const limits = (memory: string, store: string, temp: string, rest = '') =>
    brokerFile(
      `<systemUsage><systemUsage><memoryUsage><memoryUsage ${memory}/></memoryUsage>
<storeUsage><storeUsage ${store}/></storeUsage>
<tempUsage><tempUsage ${temp}/></tempUsage></systemUsage></systemUsage>${rest}<managementContext><managementContext createConnector="true"/></managementContext>`,
    );
  const disk = { totalBytes: 100 * GB, freeBytes: 50 * GB };
  assert.deepEqual(said([broker(limits('limit="8gb"', 'limit="50gb"', 'percentLimit="50"'), disk)]), []);
  assert.deepEqual(said([broker(limits('limit="9gb"', 'percentLimit="51"', 'limit="51gb"'), disk)]), [
    'broker.xml:2:40: warning: the limit of 9 GB is more than the 8 GB of memory there are, and will be lowered to 70 % of that: write a smaller one',
    'broker.xml:3:13: warning: the limit of 51 GB is more than the 50 GB free at /etc/fleet/activemq-data/localhost/KahaDB, and will be lowered to that: write a smaller one',
    'broker.xml:4:12: warning: the limit of 51 GB is more than the 50 GB free at /etc/fleet/activemq-data/localhost/KahaDB, and will be lowered to that: write a smaller one',
  ]);
  assert.deepEqual(said([broker(limits('limit="9gb"', 'limit="51gb"', 'limit="51gb"'))], { ...MACHINE, memoryBytes: null }), []);
  const inMemory = limits(
    'limit="1gb"',
    'limit="51gb"',
    'limit="51gb"',
    '<persistenceAdapter><memoryPersistenceAdapter/></persistenceAdapter>',
  );
  assert.deepEqual(said([broker(inMemory, disk)]).length, 1);
});

test('a default limit is advised on at the broker', () => {
  const [first] = adviseBrokers([broker(brokerFile(''), { totalBytes: 10 * GB, freeBytes: 5 * GB })], MACHINE);
  assert.deepEqual([first!.keyword, first!.line, first!.column], ['storeUsage', 1, 60]);
});

test('a server of a balancer belongs to the connector it leads to', () => {
  const text = brokerFile('<managementContext createConnector="true"/>');
  const at = (host: string, port: number) =>
    said([broker(text)], { ...MACHINE, balancerServers: [{ place: { file: 'h.cfg', line: 1 }, name: 's', host, port }] });
  assert.equal(at('127.0.0.1', 1883).length, 1);
  assert.deepEqual(at('127.0.0.1', 1884), []);
  assert.deepEqual(at('10.0.0.1', 1883), []);
});

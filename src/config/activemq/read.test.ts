// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what is tested
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFile, readText, said, saidOfBroker } from '../../../test/harness/activemq-file.ts';
import { REPOSITORY_ROOT } from '../../../test/harness/repository-root.ts';
import { formatDiagnostic } from '../diagnostic.ts';
import { MESSAGE_LENGTH_MAX, readActiveMQ } from './read.ts';
import { DIAGNOSTICS_MAX } from './reading.ts';

const BEANS = 'http://www.springframework.org/schema/beans';
const CORE = 'http://activemq.apache.org/schema/core';

/** While the store cannot write, in a file that says nothing of it. */
const WAITING = {
  stopStartConnectors: false,
  ignoreAllErrors: false,
  ignoreNoSpaceErrors: true,
  noSpaceMessage: 'space',
  resumeCheckSleepPeriodMs: 1_000,
};

function readClassic(name: 'activemq-1.xml' | 'activemq-2.xml') {
  return readActiveMQ(readFileSync(join(REPOSITORY_ROOT, 'test/fixtures/classic', name)), name, {
    defines: new Map(),
    env: {},
    readFile: () => null,
    dataDirectoryDefault: `/srv/data/${name.slice(0, -'.xml'.length)}`,
    workingDirectory: '/srv',
    hostname: 'station',
  });
}

for (const name of ['activemq-1.xml', 'activemq-2.xml'] as const) {
  test(`${name} of the classic deployment says what has no effect, and nothing else`, () => {
    assert.deepEqual(readClassic(name).diagnostics.map(formatDiagnostic), [
      `${name}:27:20: warning: properties file /srv/credentials.properties does not exist: ActiveMQ would not start (an empty file is enough for it), here only a placeholder that needs it fails`,
      `${name}:32:5: warning: bean class io.fabric8.insight.log.log4j.Log4jLogQuery: in ActiveMQ it shows recent log lines to JMX tools; there is no JMX here, so it has no effect`,
      `${name}:70:9: warning: <managementContext>: in ActiveMQ it opens the broker to JMX tools; there is no JMX here, so it has no effect`,
      `${name}:128:13: warning: bean class org.apache.activemq.hooks.SpringContextHook: in ActiveMQ it closes the Spring context, and with it the web console, when the broker stops; there is no Spring context here, so it has no effect`,
    ]);
  });
}

test('the classic files are read as they are written', () => {
  const [one, two] = [readClassic('activemq-1.xml').model!, readClassic('activemq-2.xml').model!];
  const connector = (file: string, line: number, port: number) => ({
    place: { file, line, column: 14 },
    name: 'mqtt+nio',
    uri: `mqtt+nio://0.0.0.0:${port}?maximumConnections=10000&wireFormat.maxFrameSize=104857600`,
    scheme: 'mqtt+nio',
    host: '0.0.0.0',
    port,
    socketFile: null,
    tls: null,
    webSocket: false,
    maximumConnections: 10_000,
    backlog: null,
    tcpNoDelay: true,
    keepAlive: false,
    soWriteTimeoutMs: 0,
    detection: null,
    proxyProtocol: null,
    maxFrameSize: 104_857_600,
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
  const multicast = { address: '239.255.2.3', port: 6155, group: 'default', timeToLive: 1, keepAliveIntervalMs: 500 };
  const openwire = (file: string, line: number, port: number) => ({
    ...connector(file, line, port),
    name: 'openwire',
    uri: `tcp://0.0.0.0:${port}?maximumConnections=1000&wireFormat.maxFrameSize=104857600`,
    scheme: 'tcp',
    maximumConnections: 1000,
    backlog: null,
    tcpNoDelay: true,
    keepAlive: false,
    soWriteTimeoutMs: 0,
    detection: null,
    proxyProtocol: null,
    discovery: multicast,
  });
  const common = (file: string, folder: string) => ({
    file,
    brokerName: 'broker2',
    dataDirectory: folder,
    persistent: true,
    deleteAllMessagesOnStartup: false,
    advisorySupport: true,
    persistenceAdapter: {
      kind: 'kahaDB',
      directory: `${folder}/kahadb`,
      archiveDirectory: null,
      attributes: { directory: `${folder}/kahadb` },
    },
    ioExceptionHandler: WAITING,
    systemUsage: {
      memoryUsage: { limitBytes: null, percentOfJvmHeap: 70, percentLimit: null },
      storeUsage: { limitBytes: 107_374_182_400, percentOfJvmHeap: null, percentLimit: null },
      tempUsage: { limitBytes: 53_687_091_200, percentOfJvmHeap: null, percentLimit: null },
      sendFailIfNoSpace: false,
      sendFailIfNoSpaceAfterTimeoutMs: 0,
    },
    policyEntries: [
      {
        place: { file, line: 45, column: 17 },
        destination: { kind: 'topic', physicalName: '>' },
        attributes: {},
        pendingMessageLimitStrategy: { kind: 'constant', limit: 1000 },
        messageEvictionStrategy: null,
        deadLetterStrategy: null,
        slowConsumerStrategy: null,
      },
    ],
    defaultPolicyEntry: null,
    authentication: null,
    sslContext: null,
    destinations: [],
  });
  assert.deepEqual(one, {
    ...common('activemq-1.xml', '/srv/data/activemq-1'),
    transportConnectors: [connector('activemq-1.xml', 120, 1883), openwire('activemq-1.xml', 121, 61616)],
    networkConnectors: [],
  });
  assert.deepEqual(two, {
    ...common('activemq-2.xml', '/srv/data/activemq-2'),
    transportConnectors: [connector('activemq-2.xml', 120, 1884), openwire('activemq-2.xml', 121, 61626)],
    networkConnectors: [
      {
        place: { file: 'activemq-2.xml', line: 106, column: 13 },
        name: 'NC',
        uri: 'multicast://default',
        discovery: { kind: 'multicast', multicast },
        duplex: null,
        messageTTL: 1,
        consumerTTL: 1,
        prefetchSize: 1000,
        userName: null,
        password: null,
        staticBridge: false,
        dynamicallyIncludedDestinations: [],
        staticallyIncludedDestinations: [],
        excludedDestinations: [],
      },
    ],
  });
});

test('the source of a classic file knows where its parts stand and what stands beside the broker', () => {
  const at = (line: number, column: number) => ({ file: 'activemq-1.xml', line, column });
  assert.deepEqual(readClassic('activemq-1.xml').source, {
    file: 'activemq-1.xml',
    places: {
      broker: at(40, 5),
      brokerName: at(40, 60),
      dataDirectory: at(40, 81),
      persistenceAdapter: at(82, 13),
      memoryUsage: at(94, 21),
      storeUsage: at(97, 21),
      tempUsage: at(100, 21),
    },
    managementContext: { place: at(70, 9), createConnector: false },
    beans: [
      { place: at(32, 5), id: 'logQuery', className: 'io.fabric8.insight.log.log4j.Log4jLogQuery' },
      { place: at(128, 13), id: '', className: 'org.apache.activemq.hooks.SpringContextHook' },
    ],
    propertiesFiles: [{ place: at(27, 20), path: '/srv/credentials.properties', found: false }],
    settings: [],
  });
});

test("a broker that says nothing has ActiveMQ's defaults", () => {
  const { model, diagnostics } = readText(`<broker xmlns="${CORE}"/>`);
  assert.deepEqual(diagnostics.map(formatDiagnostic), [
    'broker.xml:1:1: warning: the broker has no transport connector, so no client can reach it',
  ]);
  const gb = 1024 ** 3;
  const usage = (limitBytes: number) => ({ limitBytes, percentOfJvmHeap: null, percentLimit: null });
  assert.deepEqual(model, {
    file: 'broker.xml',
    brokerName: 'localhost',
    dataDirectory: '/etc/fleet/activemq-data',
    persistent: true,
    deleteAllMessagesOnStartup: false,
    advisorySupport: true,
    transportConnectors: [],
    networkConnectors: [],
    persistenceAdapter: {
      kind: 'kahaDB',
      directory: '/etc/fleet/activemq-data/localhost/KahaDB',
      archiveDirectory: null,
      attributes: {},
    },
    ioExceptionHandler: WAITING,
    systemUsage: {
      memoryUsage: usage(gb),
      storeUsage: usage(100 * gb),
      tempUsage: usage(50 * gb),
      sendFailIfNoSpace: false,
      sendFailIfNoSpaceAfterTimeoutMs: 0,
    },
    policyEntries: [],
    defaultPolicyEntry: null,
    authentication: null,
    sslContext: null,
    destinations: [],
  });
});

test('the prefix form, the plain form and Spring beans of the same classes mean the same', () => {
  const plain = readText(
    brokerFile(
      `<persistenceAdapter><kahaDB directory="/k" journalMaxFileLength="64mb"/></persistenceAdapter>
       <systemUsage><systemUsage><memoryUsage><memoryUsage limit="1mb"/></memoryUsage><storeUsage><storeUsage limit="1gb"/></storeUsage><tempUsage><tempUsage limit="1gb"/></tempUsage></systemUsage></systemUsage>`,
      ' brokerName="b"',
      '',
    ),
  ).model!;
  const prefixed = readText(`<beans xmlns="${BEANS}" xmlns:amq="${CORE}"><amq:broker brokerName="b">
    <amq:persistenceAdapter><amq:kahaDB directory="/k" journalMaxFileLength="64mb"/></amq:persistenceAdapter>
    <amq:systemUsage><amq:systemUsage><amq:memoryUsage><amq:memoryUsage limit="1mb"/></amq:memoryUsage>
    <amq:storeUsage><amq:storeUsage limit="1gb"/></amq:storeUsage><amq:tempUsage><amq:tempUsage limit="1gb"/></amq:tempUsage></amq:systemUsage></amq:systemUsage>
  </amq:broker></beans>`).model!;
  const shorthand = readText(
    brokerFile(
      `<persistenceAdapter><kahaDB directory="/k"><journalMaxFileLength>64mb</journalMaxFileLength></kahaDB></persistenceAdapter>
       <systemUsage><memoryUsage limit="1mb"/><storeUsage limit="1gb"/><tempUsage limit="1gb"/></systemUsage>`,
      ' brokerName="b"',
      '',
    ),
  ).model!;
  const usage = (name: string, limit: string) =>
    `<property name="${name}"><bean class="org.apache.activemq.usage.${name[0]!.toUpperCase()}${name.slice(1)}"><property name="limit" value="${limit}"/></bean></property>`;
  const spring = readText(`<beans xmlns="${BEANS}" xmlns:p="http://www.springframework.org/schema/p">
    <bean id="kaha" class="org.apache.activemq.store.kahadb.KahaDBPersistenceAdapter" p:directory="/k"><property name="journalMaxFileLength"><value>64mb</value></property></bean>
    <bean class="org.apache.activemq.broker.BrokerService"><property name="brokerName" value="b"/><property name="persistenceAdapter" ref="kaha"/>
      <property name="systemUsage"><bean class="org.apache.activemq.usage.SystemUsage">${usage('memoryUsage', '1mb')}${usage('storeUsage', '1gb')}${usage('tempUsage', '1gb')}</bean></property>
    </bean></beans>`).model!;
  for (const model of [prefixed, shorthand, spring]) assert.deepEqual(model, plain);
  assert.equal(plain.persistenceAdapter.attributes.journalMaxFileLength, 64 * 1024 ** 2);
  assert.equal(plain.systemUsage.storeUsage.limitBytes, 1024 ** 3);
});

test('a bean beside the broker can be referred to by #id, by <ref> and with p:...-ref', () => {
  const beside = `<bean id="kaha" class="org.apache.activemq.store.kahadb.KahaDBPersistenceAdapter"><property name="directory" value="/k"/></bean>`;
  for (const broker of [
    `<broker xmlns="${CORE}" persistenceAdapter="#kaha"/>`,
    `<broker xmlns="${CORE}"><persistenceAdapter><ref xmlns="${BEANS}" bean="kaha"/></persistenceAdapter></broker>`,
    `<bean class="org.apache.activemq.broker.BrokerService" xmlns:p="http://www.springframework.org/schema/p" p:persistenceAdapter-ref="kaha"/>`,
  ]) {
    const { model } = readText(`<beans xmlns="${BEANS}">${beside}${broker}</beans>`);
    assert.equal(model?.persistenceAdapter.directory, '/k');
  }
});

test('what cannot be referred to is an error at the reference', () => {
  const text = `<beans xmlns="${BEANS}"><bean id="auth" class="x.Y"/>
<broker xmlns="${CORE}" plugins="#aut"/></beans>`;
  assert.deepEqual(
    said(text).filter((line) => line.includes('error')),
    ['broker.xml:2:66: error: no bean beside the broker has the id "aut"; did you mean auth?'],
  );
});

test('a bean that refers to itself is an error, not an endless loop', () => {
  const policy = 'org.apache.activemq.broker.region.policy.RetainedMessageSubscriptionRecoveryPolicy';
  const text = `<beans xmlns="${BEANS}"><bean id="self" class="${policy}"><property name="wrapped" ref="self"/></bean>
<broker xmlns="${CORE}"><destinationPolicy><policyEntries><policyEntry topic=">" subscriptionRecoveryPolicy="#self"/></policyEntries></destinationPolicy></broker></beans>`;
  assert.deepEqual(
    said(text).filter((line) => line.includes('error')),
    ['broker.xml:1:197: error: the bean with the id "self" refers to itself'],
  );
});

test('authentication cannot be hidden behind a reference or a Spring bean', () => {
  const notOpen = 'this is not supported yet, and a broker must not start more open than its file says';
  assert.deepEqual(
    said(`<beans xmlns="${BEANS}">
<bean id="auth" class="org.apache.activemq.security.JaasAuthenticationPlugin"/>
<bean id="shiro" class="org.apache.activemq.shiro.ShiroPlugin"/>
<broker xmlns="${CORE}" plugins="#auth,#shiro"/></beans>`).filter((line) => line.includes('error')),
    [
      `broker.xml:2:1: error: bean class org.apache.activemq.security.JaasAuthenticationPlugin asks clients to log in by JAAS: ${notOpen}`,
      'broker.xml:3:1: error: bean class org.apache.activemq.shiro.ShiroPlugin is not known: a plugin may decide who is let in, and a broker must not start more open than its file says',
    ],
  );
});

test('a plugin beside the broker that nothing refers to is not in force in ActiveMQ either', () => {
  const { model, diagnostics } = readText(
    `<beans xmlns="${BEANS}"><simpleAuthenticationPlugin xmlns="${CORE}" id="auth"/><broker xmlns="${CORE}"/></beans>`,
  );
  assert.ok(model);
  assert.match(diagnostics[0]!.message, /it stands beside the broker and nothing refers to it, so it has no effect$/);
});

const NOT_OPEN = 'this is not supported yet, and a broker must not start more open than its file says';
const NOT_LOST = 'this is not supported yet, and a broker must not drop what its file promises to deliver';
const NOT_KEPT = 'this store is not supported; use <kahaDB>, or <memoryPersistenceAdapter> to keep nothing';

for (const [inside, ...expected] of [
  [
    '<plugins>\n <jaasAuthenticationPlugin configuration="activemq"/>\n <authorizationPlugin/>\n</plugins>',
    `3:2: error: <jaasAuthenticationPlugin> asks clients to log in by JAAS: ${NOT_OPEN}`,
    `4:2: error: <authorizationPlugin> says who may read, write and create what: ${NOT_OPEN}`,
  ],
  [
    '<sslContext><sslContext keyStore="broker.ks"><trustManagers><bean xmlns="http://www.springframework.org/schema/beans" class="x.Y"/></trustManagers></sslContext></sslContext>',
    `2:46: error: <trustManagers> does part of TLS by a Java object: ${NOT_OPEN}`,
  ],
  [
    '<messageAuthorizationPolicy><bean xmlns="http://www.springframework.org/schema/beans" class="x.Y"/></messageAuthorizationPolicy>',
    `2:1: error: <messageAuthorizationPolicy> decides message by message who may consume it: ${NOT_OPEN}`,
  ],
  [
    '<persistenceAdapter><jdbcPersistenceAdapter dataSource="#ds"/></persistenceAdapter>',
    `2:21: error: <jdbcPersistenceAdapter> keeps messages in a database: ${NOT_KEPT}`,
  ],
  [
    '<persistenceAdapter><mKahaDB directory="x"/></persistenceAdapter>',
    `2:21: error: <mKahaDB> keeps messages in several stores by destination: ${NOT_KEPT}`,
  ],
  [
    '<persistenceAdapter><replicatedLevelDB directory="x" replicas="3"/></persistenceAdapter>',
    '2:21: error: <replicatedLevelDB>: the replicated LevelDB store was removed in ActiveMQ 5.17, and a replicated store is not supported yet; use <kahaDB>',
  ],
  [
    '<persistenceAdapter><bean xmlns="http://www.springframework.org/schema/beans" class="com.example.Store"/></persistenceAdapter>',
    `2:21: error: bean class com.example.Store is not known: ${NOT_KEPT}`,
  ],
  [
    '<persistenceFactory><journalPersistenceAdapterFactory/></persistenceFactory>',
    `2:1: error: <persistenceFactory> keeps messages in a database with a journal before it: ${NOT_KEPT}`,
  ],
  [
    '<jmsBridgeConnectors><jmsQueueConnector/></jmsBridgeConnectors>',
    `2:1: error: <jmsBridgeConnectors> forwards messages to and from another JMS provider: ${NOT_LOST}`,
  ],
  [
    '<destinationInterceptors><virtualDestinationInterceptor><virtualDestinations><compositeTopic name="a"><forwardTo><topic physicalName="b"/></forwardTo></compositeTopic></virtualDestinations></virtualDestinationInterceptor></destinationInterceptors>',
    '2:1: warning: <destinationInterceptors>: in ActiveMQ it feeds queues from topics (virtual topics) and mirrors queues; MQTT clients use topics, and nothing else consumes from queues yet, so it has no effect',
    `2:78: error: <compositeTopic> forwards what is sent to one destination to others: ${NOT_LOST}`,
  ],
  [
    '<proxyConnectors/>',
    '2:1: error: <proxyConnectors> listens on a port and forwards its clients to another broker: this is not supported; use a balancer',
  ],
] as const) {
  test(`refused: ${inside.slice(0, 60).replaceAll('\n', ' ')}`, () => {
    assert.deepEqual(
      saidOfBroker(inside),
      expected.map((line) => `broker.xml:${line}`),
    );
    assert.equal(readText(brokerFile(inside)).model, null);
  });
}

for (const [inside, attributes, ...expected] of [
  [
    '',
    ' useJmx="true"',
    '1:115: warning: useJmx: in ActiveMQ it switches management by JMX on or off; there is no JMX here, so it has no effect',
  ],
  [
    '<plugins><statisticsBrokerPlugin/></plugins>',
    '',
    '2:10: warning: <statisticsBrokerPlugin>: in ActiveMQ it answers JMS clients that ask for statistics; it concerns JMS clients, and MQTT clients are the only ones yet, so it has no effect',
  ],
  [
    '<services><bean xmlns="http://www.springframework.org/schema/beans" id="s" class="com.example.Service"/></services>',
    '',
    '2:11: warning: bean class com.example.Service: in ActiveMQ it is Java code; there is no Java here, so it has no effect',
  ],
  [
    '<shutdownHooks/>',
    '',
    '2:1: warning: <shutdownHooks>: in ActiveMQ it runs Java code when the broker stops; there is no Java here, so it has no effect',
  ],
  [
    '<tempDataStore><pListStoreImpl directory="/t" indexPageSize="4096"/></tempDataStore>',
    '',
    '2:1: warning: <tempDataStore>: in ActiveMQ it is where waiting messages go when memory is short; they go to the folder tmp_storage in that of the store, so it has no effect',
  ],
] as const) {
  test(`inert, said once: ${inside}${attributes}`, () => {
    assert.deepEqual(
      saidOfBroker(inside, attributes),
      expected.map((line) => `broker.xml:${line}`),
    );
    assert.ok(readText(brokerFile(inside, attributes)).model);
  });
}

test('inside what is inert, unknown words and wrong values are still errors', () => {
  assert.deepEqual(saidOfBroker('<tempDataStore><pListStoreImpl directry="/t" lazyInit="perhaps"/></tempDataStore>').slice(1), [
    'broker.xml:2:32: error: unknown attribute directry of <pListStoreImpl>: it is none of the 13 that docs/reference/activemq-xml.md lists; did you mean directory?',
    'broker.xml:2:56: error: lazyInit: expected true or false, found "perhaps"',
  ]);
});

for (const [inside, attributes, expected] of [
  [
    '',
    ' brokerNam="x"',
    '1:115: error: unknown attribute brokerNam of <broker>: it is none of the 92 that docs/reference/activemq-xml.md lists; did you mean brokerName?',
  ],
  [
    '<systemUsag/>',
    '',
    '2:1: error: unknown element <systemUsag> of <broker>: it is none of the 92 that docs/reference/activemq-xml.md lists; did you mean <systemUsage>?',
  ],
  [
    '<persistenceAdapter><kahaDb/></persistenceAdapter>',
    '',
    '2:21: error: unknown element <kahaDb> in <persistenceAdapter>: expected <kahaDB>, <memoryPersistenceAdapter>, <mKahaDB>, <jdbcPersistenceAdapter> or <journalPersistenceAdapter>; did you mean <kahaDB>?',
  ],
  [
    '<persistenceAdapter><policyEntry/></persistenceAdapter>',
    '',
    '2:21: error: <policyEntry> cannot stand in <persistenceAdapter>: expected <kahaDB>, <memoryPersistenceAdapter>, <mKahaDB>, <jdbcPersistenceAdapter> or <journalPersistenceAdapter>',
  ],
  ['<kahaDB/>', '', '2:1: error: <kahaDB> cannot stand directly in <broker>: put it inside <persistenceAdapter>'],
  [
    '<destinationPolicy><policyMap><policyEntry topic=">"/></policyMap></destinationPolicy>',
    '',
    '2:31: error: <policyEntry> cannot stand directly in <policyMap>: put it inside <defaultEntry> or <policyEntries>',
  ],
  [
    '<systemUsage sendFailIfNoSpace="true"><systemUsage/></systemUsage>',
    '',
    '2:14: error: <systemUsage> takes no attributes: write it on the inner <systemUsage>',
  ],
  [
    '<persistenceAdapter>\n<kahaDB/>\n<kahaDB/></persistenceAdapter>',
    '',
    '4:1: error: <persistenceAdapter> holds one element; the first is in line 3',
  ],
  [
    '<persistenceAdapter>kahaDB</persistenceAdapter>',
    '',
    '2:21: error: persistenceAdapter takes no text: expected <kahaDB>, <memoryPersistenceAdapter>, <mKahaDB>, <jdbcPersistenceAdapter> or <journalPersistenceAdapter> inside <persistenceAdapter>',
  ],
  [
    '<bean xmlns="http://www.springframework.org/schema/beans" class="x.Y"/>',
    '',
    '2:1: error: <bean> cannot stand directly in <broker>: a bean stands inside the element of the property it is for',
  ],
  [
    '<x xmlns="http://example.com"/>',
    '',
    '2:1: error: <x> is in the namespace "http://example.com": ActiveMQ\'s elements are in "http://activemq.apache.org/schema/core"',
  ],
  [
    '<persistenceAdapter><kahaDB xmlns="http://example.com"/></persistenceAdapter>',
    '',
    '2:21: error: <kahaDB> is in the namespace "http://example.com": ActiveMQ\'s elements are in "http://activemq.apache.org/schema/core"',
  ],
  ['', ' persistent="yes"', '1:127: error: persistent: expected true or false, found "yes"'],
  ['', ' taskRunnerPriority="high"', '1:135: error: taskRunnerPriority: expected a whole number, found "high"'],
  [
    '',
    ' maxSchedulerRepeatAllowed="3000000000"',
    '1:142: error: maxSchedulerRepeatAllowed: expected a whole number from -2147483648 to 2147483647, found 3000000000',
  ],
  ['', ' persistent="#x"', '1:127: error: persistent needs a value; "#x" refers to a bean'],
  [
    '',
    ' constructor="1"',
    '1:115: error: unknown attribute constructor of <broker>: it is none of the 92 that docs/reference/activemq-xml.md lists',
  ],
] as const) {
  test(`an error with its place: ${inside}${attributes}`, () => {
    assert.ok(saidOfBroker(inside, attributes).includes(`broker.xml:${expected}`), saidOfBroker(inside, attributes).join('\n'));
    assert.equal(readText(brokerFile(inside, attributes)).model, null);
  });
}

test('what is no element at all is an error even where any Java object may stand', () => {
  assert.deepEqual(saidOfBroker('<services><servce/></services>')[1], 'broker.xml:2:11: error: unknown element <servce> in <services>');
});

test('booleans are read as ActiveMQ reads each: strictly, or as Spring does', () => {
  assert.deepEqual(saidOfBroker('', ' persistent="TRUE"'), []);
  for (const word of ['on', 'yes', '1', 'Off', 'no', '0', ' true ']) {
    assert.deepEqual(
      saidOfBroker(`<networkConnectors><networkConnector uri="static:(tcp://h:1)" staticBridge="${word}"/></networkConnectors>`),
      [],
      word,
    );
  }
});

test('what is given twice counts as the last says, with a warning', () => {
  const { model, diagnostics } = readText(
    brokerFile(
      '<brokerName>inner</brokerName>\n<destinations><topic physicalName="a"/></destinations>\n<destinations><topic physicalName="b"/></destinations>',
      ' brokerName="outer"',
    ),
  );
  assert.deepEqual(diagnostics.map(formatDiagnostic), [
    'broker.xml:2:1: warning: <brokerName> is given twice, first in line 1; as in ActiveMQ the last one counts',
    'broker.xml:4:1: warning: <destinations> is given twice, first in line 3; as in ActiveMQ the last one counts',
  ]);
  assert.deepEqual([model!.brokerName, model!.destinations], ['inner', [{ kind: 'topic', physicalName: 'b' }]]);
});

test('text between elements means nothing, and is said', () => {
  assert.deepEqual(saidOfBroker('\n  stray <plugins/>'), ['broker.xml:3:3: warning: the text here means nothing: <broker> holds elements']);
});

test('Spring attributes, attributes of other namespaces and descriptions are no properties', () => {
  assert.deepEqual(
    saidOfBroker(
      '<description xmlns="http://www.springframework.org/schema/beans">mine</description><destinations><queue id="q" physicalName="x"/></destinations>',
      ' id="b" depends-on="x" lazy-init="false" init-method="start" xml:lang="en" xmlns:x="u" x:any="1"',
    ),
    [],
  );
});

test('what stands beside the broker is inert, each with its reason', () => {
  assert.deepEqual(
    said(`<beans xmlns="${BEANS}" xmlns:camel="http://camel.apache.org/schema/spring">
<import resource="jetty.xml"/>
<import resource="other.xml"/>
<alias name="a" alias="b"/>
<camel:camelContext/>
<bean id="ds" class="org.apache.commons.dbcp2.BasicDataSource"/>
<bean class="org.fusesource.insight.log.log4j.Log4jLogQuery"/>
<bean class="com.example.Other"/>
<bean/>
<connectionFactory xmlns="${CORE}" brokerURL="tcp://h:1"/>
<beans><description>nested</description><broker xmlns="${CORE}"><transportConnectors><transportConnector uri="mqtt://h:1"/></transportConnectors></broker></beans>
</beans>`),
    [
      '2:1: warning: <import>: in ActiveMQ it adds the beans of jetty.xml; there is no Jetty web console here, so it has no effect',
      '3:1: warning: <import>: in ActiveMQ it adds the beans of other.xml; beans beside the broker are Java, so it has no effect',
      '4:1: warning: <alias>: in ActiveMQ it gives a bean a second name; beans beside the broker are Java, so it has no effect',
      '5:1: warning: <camel:camelContext>: in ActiveMQ it is read by a Spring extension; there is none here, so it has no effect',
      '6:1: warning: bean class org.apache.commons.dbcp2.BasicDataSource: in ActiveMQ it connects to a database; there is no store in a database, so it has no effect',
      '7:1: warning: bean class org.fusesource.insight.log.log4j.Log4jLogQuery: in ActiveMQ it shows recent log lines to JMX tools; there is no JMX here, so it has no effect',
      '8:1: warning: bean class com.example.Other: in ActiveMQ it is Java code; there is no Java here, so it has no effect',
      '9:1: warning: <bean>: in ActiveMQ it is Java code; there is no Java here, so it has no effect',
      '10:1: warning: <connectionFactory>: in ActiveMQ it makes connections for Java code in the same machine; it stands beside the broker and nothing refers to it, so it has no effect',
    ].map((line) => `broker.xml:${line}`),
  );
});

for (const [title, text, expected] of [
  ['no broker', `<beans xmlns="${BEANS}"/>`, `1:1: error: the file has no <broker xmlns="${CORE}">`],
  [
    'two brokers',
    `<beans xmlns="${BEANS}" xmlns:a="${CORE}"><a:broker/>\n<a:broker/></beans>`,
    '2:1: error: one file describes one broker; the first is in line 1',
  ],
  [
    'a broker in no namespace',
    '<beans><broker/></beans>',
    `1:8: error: <broker> is in the namespace "", not ActiveMQ's: write <broker xmlns="${CORE}">`,
  ],
  [
    "a broker in Spring's namespace",
    `<beans xmlns="${BEANS}"><broker/></beans>`,
    `1:60: error: <broker> is in the namespace "${BEANS}", not ActiveMQ's: write <broker xmlns="${CORE}">`,
  ],
  [
    'a misspelled broker',
    `<beans xmlns="${BEANS}" xmlns:a="${CORE}"><a:brokr/></beans>`,
    '1:109: error: unknown element <a:brokr>: expected <broker>; did you mean <broker>?',
  ],
  [
    'some other root',
    '<html/>',
    `1:1: error: unknown element <html>: expected <broker xmlns="${CORE}"> or Spring's <beans>, <bean>, <import>`,
  ],
  [
    'an unknown element beside the broker',
    `<beans xmlns="${BEANS}"><imports/></beans>`,
    `1:60: error: unknown element <imports>: expected <broker xmlns="${CORE}"> or Spring's <beans>, <bean>, <import>; did you mean <import>?`,
  ],
] as const) {
  test(`a file with ${title} is refused`, () => {
    assert.ok(said(text).includes(`broker.xml:${expected}`), said(text).join('\n'));
    assert.equal(readText(text).model, null);
  });
}

test('a broker name is made to do for object names, as in ActiveMQ', () => {
  const { model, diagnostics } = readText(brokerFile('', ' brokerName=" Werk 3/Süd "'));
  assert.equal(model!.brokerName, 'Werk_3_S_d');
  assert.deepEqual(diagnostics.map(formatDiagnostic), [
    'broker.xml:1:127: warning: brokerName "Werk 3/Süd" is read as "Werk_3_S_d", as in ActiveMQ: letters, digits and . _ - : only',
  ]);
  assert.equal(readText(brokerFile('', ' useLocalHostBrokerName="true"')).model!.brokerName, 'station');
  assert.equal(readText(brokerFile('', ' useLocalHostBrokerName="true" brokerName="b"')).model!.brokerName, 'b');
});

test('paths are relative to the working directory', () => {
  const { model } = readText(brokerFile('<persistenceAdapter><kahaDB directory="store"/></persistenceAdapter>', ' dataDirectory="data"'));
  assert.deepEqual([model!.dataDirectory, model!.persistenceAdapter.directory], ['/etc/fleet/data', '/etc/fleet/store']);
});

test('a memory store comes from its element or from persistent="false"', () => {
  const memory = { kind: 'memory', directory: '', archiveDirectory: null, attributes: {} };
  assert.deepEqual(readText(brokerFile('', ' persistent="false"')).model!.persistenceAdapter, memory);
  assert.deepEqual(
    readText(brokerFile('<persistenceAdapter><memoryPersistenceAdapter/></persistenceAdapter>')).model!.persistenceAdapter,
    memory,
  );
  const both = readText(brokerFile('<persistenceAdapter><kahaDB directory="/k"/></persistenceAdapter>', ' persistent="false"'));
  assert.deepEqual(both.model!.persistenceAdapter, memory);
  assert.deepEqual(both.diagnostics.map(formatDiagnostic), [
    'broker.xml:2:21: warning: persistent="false" keeps messages in memory: this store is not used',
  ]);
});

test("KahaDB's properties are read by their types", () => {
  const inside = `<persistenceAdapter><kahaDB directory="/k" journalMaxFileLength="4gb" journalDiskSyncInterval="soon"
  journalDiskSyncStrategy="SOMETIMES" checksumJournalFiles="true" indexCacheSize="20000"/></persistenceAdapter>`;
  assert.deepEqual(saidOfBroker(inside), [
    'broker.xml:2:66: error: journalMaxFileLength: 4gb is 4294967296 bytes, more than the largest value possible here, 2147483647',
    'broker.xml:2:96: error: journalDiskSyncInterval: expected a whole number, found "soon"',
    'broker.xml:3:28: error: journalDiskSyncStrategy: expected ALWAYS, PERIODIC, NEVER, found "SOMETIMES"',
    'broker.xml:3:39: warning: checksumJournalFiles: in ActiveMQ it says what is checked at the start; every record is checked when it is read, and a damaged one is named and passed over, so it has no effect',
    "broker.xml:3:67: warning: indexCacheSize: in ActiveMQ it tunes KahaDB's index; the store has no KahaDB index, so it has no effect",
  ]);
  const { model } = readText(
    brokerFile(
      '<persistenceAdapter><kahaDB directory="/k" journalDiskSyncStrategy="periodic" journalDiskSyncInterval="5000" enableJournalDiskSyncs="off" indexCacheSize="1"/></persistenceAdapter>',
    ),
  );
  assert.deepEqual(model!.persistenceAdapter.attributes, {
    directory: '/k',
    journalDiskSyncStrategy: 'periodic',
    journalDiskSyncInterval: 5000,
    enableJournalDiskSyncs: false,
  });
});

test('a file of nothing but mistakes does not bury its first ones, nor an error under warnings', () => {
  const many = saidOfBroker('<nonsense/>\n'.repeat(1000));
  assert.equal(many.length, DIAGNOSTICS_MAX + 1);
  assert.match(many[0]!, /^broker\.xml:2:1: error: unknown element <nonsense>/);
  assert.equal(many.at(-1), 'broker.xml: error: 800 more problems are not shown');
  const warnings = `<services>${'<bean xmlns="http://www.springframework.org/schema/beans" class="x.Y"/>\n'.repeat(1000)}</services><wrong/>`;
  assert.ok(saidOfBroker(warnings).some((line) => line.includes('error: unknown element <wrong>')));
});

test('a message about a name as long as the file is cut', () => {
  const [first] = readText(brokerFile(`<${'x'.repeat(100_000)}/>`)).diagnostics;
  assert.equal(first!.message.length, MESSAGE_LENGTH_MAX + '...'.length);
});

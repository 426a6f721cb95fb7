// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what is tested
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readText } from '../../../test/harness/activemq-file.ts';
import { formatDiagnostic } from '../diagnostic.ts';
import type { ReadOptions } from './read.ts';

const CONFIGURER = 'org.springframework.beans.factory.config.PropertyPlaceholderConfigurer';

/** A file whose broker has this data directory, and whose configurer has these properties. */
function file(dataDirectory: string, properties = '', className = CONFIGURER): string {
  return `<beans xmlns="http://www.springframework.org/schema/beans">
<bean class="${className}">
${properties}
</bean>
<broker xmlns="http://activemq.apache.org/schema/core" dataDirectory="${dataDirectory}"><transportConnectors><transportConnector uri="mqtt://h:1"/></transportConnectors></broker>
</beans>`;
}

const MQTT_NAMES =
  'maximumConnections, wireFormat.maxFrameSize, transport.proxyProtocol, transport.proxyProtocolTrusted, backlog, transport.tcpNoDelay or another that docs/reference/activemq-xml.md lists';

const located = (location: string) => `<property name="locations"><value>${location}</value></property>`;

/** Files of a machine, by path. */
function reads(files: Record<string, string>): Partial<ReadOptions> {
  return { readFile: (path) => files[path] ?? null };
}

function directory(text: string, options: Partial<ReadOptions> = {}): string | string[] {
  const { model, diagnostics } = readText(text, options);
  return model === null ? diagnostics.map(formatDiagnostic) : model.dataDirectory;
}

for (const [name, value] of [
  ['activemq.conf', '/etc/fleet'],
  ['activemq.base', '/etc/fleet'],
  ['activemq.home', '/etc/fleet'],
  ['activemq.data', '/var/fleet/broker'],
  ['activemq.hostname', '/etc/fleet/station'],
] as const) {
  test(`\${${name}} is defined without anybody defining it, and -D redefines it`, () => {
    assert.equal(directory(file(`\${${name}}`)), value);
    assert.equal(directory(file(`\${${name}}`), { defines: new Map([[name, '/elsewhere']]) }), '/elsewhere');
  });
}

test('-D comes before the environment, the environment before properties files, and these before defaults', () => {
  const text = file('/${x:default}', located('file:/p.properties'));
  const sources = { defines: new Map([['x', 'define']]), env: { x: 'env' }, ...reads({ '/p.properties': 'x=file' }) };
  assert.equal(directory(text, sources), '/define');
  assert.equal(directory(text, { ...sources, defines: new Map() }), '/env');
  assert.equal(directory(text, { ...sources, defines: new Map(), env: {} }), '/file');
  assert.equal(directory(text, { readFile: () => '' }), '/default');
});

for (const [title, properties, path] of [
  ['a file: URL', located('file:${activemq.conf}/credentials.properties'), '/etc/fleet/credentials.properties'],
  ['a file: URL with three slashes', located('file:///p.properties'), '/p.properties'],
  ['a relative file: URL', located('file:sub/p.properties'), '/etc/fleet/sub/p.properties'],
  ['a classpath: URL', located('classpath:credentials.properties'), '/etc/fleet/credentials.properties'],
  ['a bare name', located('credentials.properties'), '/etc/fleet/credentials.properties'],
  ['an absolute path', located('/p.properties'), '/p.properties'],
  ['one of a list with commas', located('file:/other.properties, file:/p.properties'), '/p.properties'],
  [
    'one of a <list>',
    '<property name="locations"><list><value>file:/other.properties</value><value>file:/p.properties</value></list></property>',
    '/p.properties',
  ],
  ['location as an attribute', '<property name="location" value="file:/p.properties"/>', '/p.properties'],
] as const) {
  test(`a properties file is found by ${title}`, () => {
    assert.equal(directory(file('${x}', properties), reads({ [path]: 'x=/found', '/other.properties': '' })), '/found');
  });
}

test('a later file replaces what an earlier one says, and files what the configurer itself says', () => {
  const files = reads({ '/1': 'x=/one\ny=1', '/2': 'x=/two' });
  const inline = '<property name="properties"><props><prop key="x">/inline</prop><prop key="z">/only</prop></props></property>';
  assert.equal(directory(file('${x}', `${inline}${located('file:/1,file:/2')}`), files), '/two');
  assert.equal(directory(file('${x}${y}', located('file:/2,file:/1')), files), '/one1');
  assert.equal(directory(file('${z}', inline)), '/only');
  assert.equal(directory(file('${z}', '<property name="properties"><value>z=/text</value></property>')), '/text');
});

test("Spring's context:property-placeholder and newer configurer classes do the same", () => {
  const files = reads({ '/p': 'x=/found' });
  assert.equal(
    directory(file('${x}', located('file:/p'), 'org.springframework.context.support.PropertySourcesPlaceholderConfigurer'), files),
    '/found',
  );
  const context = file('${x}').replace(
    /<bean .*<\/bean>/s,
    '<context:property-placeholder xmlns:context="http://www.springframework.org/schema/context" location="file:/p"/>',
  );
  assert.equal(directory(context, files), '/found');
});

test('properties that begin with roundhouse.limit are no placeholders: the one that a placeholder would stand for is a setting, with its place', () => {
  const inline =
    '<property name="properties"><props><prop key="roundhouse.limit.a">1</prop><prop key="roundhouse.limit.b">1</prop><prop key="roundhouse.x">1</prop></props></property>';
  const text = file('/d', `${inline}${located('file:/p')}`);
  const found = readText(text, {
    ...reads({ '/p': 'roundhouse.limit.b=2\n\nroundhouse.limits.c=2\nroundhouse.limit.d=2\nother=2' }),
    defines: new Map([['roundhouse.limit.d', '3']]),
  });
  assert.deepEqual(found.source!.settings, [
    { name: 'roundhouse.limit.a', value: '1', place: { file: 'broker.xml', line: 3, column: 36 } },
    { name: 'roundhouse.limit.b', value: '2', place: { file: '/p', line: 1, column: 0 } },
    { name: 'roundhouse.limits.c', value: '2', place: { file: '/p', line: 3, column: 0 } },
    { name: 'roundhouse.limit.d', value: '3', place: { file: 'broker.xml', line: 0, column: 0 } },
  ]);
});

const MISSING =
  'properties file /p does not exist: ActiveMQ would not start (an empty file is enough for it), here only a placeholder that needs it fails';

test('a missing properties file is a warning, unless the configurer says that it may be missing', () => {
  const text = file('/d', located('file:/p'));
  const { model, source, diagnostics } = readText(text);
  assert.ok(model);
  assert.deepEqual(diagnostics.map(formatDiagnostic), [`broker.xml:3:35: warning: ${MISSING}`]);
  assert.deepEqual(source!.propertiesFiles, [{ place: { file: 'broker.xml', line: 3, column: 35 }, path: '/p', found: false }]);
  assert.deepEqual(readText(file('/d', `${located('file:/p')}<property name="ignoreResourceNotFound" value="true"/>`)).diagnostics, []);
});

test('a placeholder that needs the missing file is an error at its place', () => {
  assert.deepEqual(directory(file('/a/${activemq.username}', located('file:/p'))), [
    `broker.xml:3:35: warning: ${MISSING}`,
    'broker.xml:5:74: error: ${activemq.username} is not defined: not by -D activemq.username=..., not in the environment and not in /p, which does not exist',
  ]);
});

test('a placeholder that nobody defines is an error that says where it was looked for', () => {
  assert.deepEqual(directory(file('${x}', located('file:/1,file:/2')), reads({ '/1': '', '/2': '' })), [
    'broker.xml:5:71: error: ${x} is not defined: not by -D x=..., not in the environment and not in /1 or /2',
  ]);
  assert.deepEqual(directory(file('${a:${b}}')), ['broker.xml:5:71: error: ${b} is not defined: not by -D b=..., not in the environment']);
});

test('names of every object are defined by nobody', () => {
  assert.deepEqual(directory(file('${constructor}')), [
    'broker.xml:5:71: error: ${constructor} is not defined: not by -D constructor=..., not in the environment',
  ]);
});

test('ignoreUnresolvablePlaceholders leaves it as it is, with a warning', () => {
  const { model, diagnostics } = readText(file('/${x}', '<property name="ignoreUnresolvablePlaceholders" value="true"/>'));
  assert.equal(model!.dataDirectory, '/${x}');
  assert.deepEqual(diagnostics.map(formatDiagnostic), ['broker.xml:5:72: warning: ${x} is not defined and stays as it is']);
});

test('an encrypted value is refused where it is needed, and only there', () => {
  const files = reads({ '/p': 'x=ENC(mYRkg+4Q4hua1kvpCCI2hg==)' });
  const jasypt = 'org.jasypt.spring.properties.EncryptablePropertyPlaceholderConfigurer';
  assert.deepEqual(directory(file('${x}', located('file:/p'), jasypt), files), [
    'broker.xml:5:71: error: the value of x in /p is encrypted, and ENC(...) is not decrypted here: write it in clear, or set -D x=...',
  ]);
  assert.equal(directory(file('/d', located('file:/p'), jasypt), files), '/d');
  assert.equal(directory(file('${x}', located('file:/p'), jasypt), { ...files, defines: new Map([['x', '/clear']]) }), '/clear');
});

test('values of properties files may hold placeholders themselves', () => {
  assert.equal(directory(file('${x}', located('file:/p')), reads({ '/p': 'x=${activemq.data}/${y}\ny=sub' })), '/var/fleet/broker/sub');
});

test('placeholders are replaced in attributes, in text and in every part of a URI', () => {
  const { model } = readText(
    `<broker xmlns="http://activemq.apache.org/schema/core"><brokerName>\${name}</brokerName><transportConnectors>
<transportConnector name="\${name}" uri="\${scheme}://\${host}:\${port}?maximumConnections=\${n}"/></transportConnectors></broker>`,
    { env: { name: 'b', scheme: 'mqtt', host: 'h', port: '1883', n: '7' } },
  );
  const [connector] = model!.transportConnectors;
  assert.deepEqual(
    [model!.brokerName, connector!.name, connector!.uri, connector!.maximumConnections],
    ['b', 'b', 'mqtt://h:1883?maximumConnections=7', 7],
  );
});

test('what is wrong with a replaced value is reported at the placeholder', () => {
  const { diagnostics } = readText(
    '<broker xmlns="http://activemq.apache.org/schema/core"><transportConnectors>\n<transportConnector uri="mqtt://h:1?maximumConnections=${n}&amp;maximumConnection=1"/></transportConnectors></broker>',
    { env: { n: 'many' } },
  );
  assert.deepEqual(diagnostics.map(formatDiagnostic), [
    'broker.xml:2:56: error: maximumConnections: expected a whole number, found "many"',
    `broker.xml:2:65: error: unknown option maximumConnection (ActiveMQ: "Invalid connect parameters"): expected ${MQTT_NAMES}; did you mean maximumConnections?`,
  ]);
});

test('what a configurer says otherwise is inert or refused', () => {
  assert.deepEqual(
    directory(file('${x}', '<property name="placeholderPrefix" value="@{"/>', CONFIGURER))[0],
    'broker.xml:3:1: warning: property placeholderPrefix of the placeholder configurer has no effect here',
  );
  assert.deepEqual(directory(file('/d', located('http://h/p'))), [
    'broker.xml:3:35: error: a properties file is named by a file: URL, found "http://h/p"',
  ]);
  assert.deepEqual(directory(file('/d', located('file:${nowhere}/p'))), [
    'broker.xml:3:40: error: ${nowhere} is not defined; it is needed to find a properties file',
  ]);
});

test('a properties file that cannot be read is an error that says why', () => {
  const readFile = () => {
    throw new Error('EACCES: permission denied');
  };
  assert.deepEqual(directory(file('/d', located('file:/p')), { readFile }), [
    'broker.xml:3:35: error: properties file /p cannot be read: EACCES: permission denied',
  ]);
});

test('a mistake in a properties file is reported in that file', () => {
  assert.deepEqual(directory(file('/d', located('file:/p')), reads({ '/p': 'a=1\nb=\\u12' })), [
    '/p:2: error: \\u must be followed by four hexadecimal digits',
  ]);
});

test("Spring's expressions are refused", () => {
  assert.deepEqual(directory(file("#{systemProperties['x']}")), [
    'broker.xml:5:71: error: Spring expressions #{...} are not evaluated here: write the value itself',
  ]);
});

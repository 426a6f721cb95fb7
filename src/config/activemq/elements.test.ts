import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../../../test/harness/repository-root.ts';
import { describe, inert, refused } from './dispositions.ts';
import { elementDisposition, elementsInOrder, hasOwnRule, propertyDisposition } from './elements.ts';
import { ELEMENTS, elementOfClass } from './schema.ts';

/** Rows of the table made from ActiveMQ's own classes: element, property, Java type, default, editor. */
const ROWS = readFileSync(join(REPOSITORY_ROOT, 'test/fixtures/activemq/xbean-5.17.2.tsv'), 'utf8')
  .replace(/\n$/, '')
  .split('\n')
  .map((line) => line.split('\t') as [string, string, string, string, string]);
const CLASS_ROWS = ROWS.filter(([, property]) => property === '*' || property === '-');
const PROPERTY_ROWS = ROWS.filter(([, property]) => property !== '*' && property !== '-');

test('the table has the 149 elements and 1569 rows of ActiveMQ 5.17.2, and all elements are known', () => {
  assert.equal(ROWS.length, 1569);
  assert.equal(CLASS_ROWS.length, 149);
  assert.deepEqual([...ELEMENTS.keys()].sort(), CLASS_ROWS.map(([element]) => element).sort());
  for (const [element, , className] of CLASS_ROWS) assert.equal(ELEMENTS.get(element)!.className, className);
});

test('every property of the table is known, with its type', () => {
  for (const [element, property, type] of PROPERTY_ROWS) {
    assert.equal(ELEMENTS.get(element)!.properties.get(property)?.type, type, `${element}.${property}`);
  }
});

test('properties beyond the table are the few that it lacks', () => {
  const inTable = new Set(PROPERTY_ROWS.map(([element, property]) => `${element}.${property}`));
  const beyond = [...ELEMENTS.values()].flatMap(({ name, properties }) =>
    [...properties.keys()].map((property) => `${name}.${property}`).filter((key) => !inTable.has(key)),
  );
  assert.deepEqual(
    beyond
      .map((key) => key.replace(/\..*/, ''))
      .filter((name, i, all) => all.indexOf(name) === i)
      .sort(),
    [
      'abortSlowAckConsumerStrategy',
      'abortSlowConsumerStrategy',
      'broker',
      'managementContext',
      'oldestMessageEvictionStrategy',
      'oldestMessageWithLowestPriorityEvictionStrategy',
      'partitionBrokerPlugin',
      'runtimeConfigurationPlugin',
      'uniquePropertyMessageEvictionStrategy',
    ],
  );
});

test('the editor that ActiveMQ reads a property with decides how it is read here', () => {
  const kinds: Record<string, string> = { BooleanEditor: 'boolean', MemoryPropertyEditor: 'size', MemoryIntPropertyEditor: 'size' };
  for (const [element, property, type, , editor] of PROPERTY_ROWS) {
    const { kind } = ELEMENTS.get(element)!.properties.get(property)!;
    if (editor !== '') assert.equal(kind.kind, kinds[editor], `${element}.${property}`);
    else if (type === 'boolean') assert.deepEqual(kind, { kind: 'boolean', strict: false });
    else if (type === 'int' || type === 'long') assert.deepEqual(kind, { kind: 'integer', type });
  }
});

test('a default is that of the table, where it is a plain value', () => {
  for (const [element, property, default_] of [
    ['broker', 'brokerName', 'localhost'],
    ['networkConnector', 'prefetchSize', '1000'],
    ['kahaDB', 'journalMaxFileLength', '33554432'],
    ['policyEntry', 'topicPrefetch', '32767'],
    ['broker', 'brokerId', ''],
    ['systemUsage', 'memoryUsage', ''],
    ['virtualTopic', 'postfix', ''],
  ] as const) {
    assert.equal(ELEMENTS.get(element)!.properties.get(property)!.default, default_, `${element}.${property}`);
  }
});

test('every element and every property has a disposition with a sentence', () => {
  let properties = 0;
  for (const element of ELEMENTS.values()) {
    const own = elementDisposition(element.name);
    assert.ok(own.does.length > 0 && (own.kind === 'honoured' || own.here.length > 0), element.name);
    for (const property of element.properties.keys()) {
      const disposition = propertyDisposition(element.name, property);
      assert.ok(
        disposition.does.length > 0 && (disposition.kind === 'honoured' || disposition.here.length > 0),
        `${element.name}.${property}`,
      );
      properties++;
    }
  }
  assert.equal(ELEMENTS.size, 149);
  assert.ok(properties >= PROPERTY_ROWS.length);
});

test('no property of an honoured element but inner wiring goes without a rule of its own', () => {
  const without: string[] = [];
  for (const { name, properties } of ELEMENTS.values()) {
    if (elementDisposition(name).kind !== 'honoured') continue;
    for (const property of properties.values()) {
      if (!hasOwnRule(name, property.name) && property.kind.kind !== 'bean') without.push(`${name}.${property.name}`);
    }
  }
  assert.deepEqual(without, ['kahaDB.usageManager', 'memoryPersistenceAdapter.usageManager', 'storeUsage.store', 'tempUsage.store']);
});

test('rules are for properties that exist', () => {
  for (const { name, properties } of ELEMENTS.values()) {
    for (const { kind } of properties.values()) {
      if (kind.kind !== 'element' && kind.kind !== 'elements') continue;
      for (const accepted of kind.accepts) assert.ok(ELEMENTS.has(accepted), `${name} accepts ${accepted}`);
    }
  }
  assert.deepEqual(new Set(elementsInOrder().map(({ name }) => name)), new Set(ELEMENTS.keys()));
});

test('whatever decides who may do what is refused, element and property', () => {
  for (const element of [
    'authorizationEntry',
    'authorizationMap',
    'authorizationPlugin',
    'cachedLDAPAuthorizationMap',
    'jaasAuthenticationPlugin',
    'jaasCertificateAuthenticationPlugin',
    'jaasDualAuthenticationPlugin',
    'lDAPAuthorizationMap',
    'simpleAuthorizationMap',
    'tempDestinationAuthorizationEntry',
  ]) {
    assert.equal(elementDisposition(element).kind, 'refused', element);
    for (const property of ELEMENTS.get(element)!.properties.keys()) assert.equal(propertyDisposition(element, property).kind, 'refused');
  }
  for (const [element, property] of [
    ['broker', 'messageAuthorizationPolicy'],
    ['sslContext', 'trustManagers'],
    ['transportConnector', 'messageAuthorizationPolicy'],
    ['networkConnector', 'sslContext'],
    ['networkConnector', 'connectionFilter'],
  ] as const) {
    assert.equal(propertyDisposition(element, property).kind, 'refused', `${element}.${property}`);
  }
});

test('names that are also those of every object are no elements and have no rules', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    assert.equal(ELEMENTS.get(name), undefined);
    assert.throws(() => elementDisposition(name), { code: 'INVARIANT', message: `broken invariant: element ${name} has a disposition` });
    assert.equal(hasOwnRule('broker', name), false);
  }
});

test('public names that ActiveMQ misspells are known as it spells them', () => {
  for (const [element, property] of [
    ['policyEntry', 'doOptimzeMessageStorage'],
    ['policyEntry', 'inactiveTimoutBeforeGC'],
    ['policyEntry', 'inactiveTimeoutBeforeGC'],
    ['statements', 'removeMessageStatment'],
    ['networkConnector', 'useBrokerNameAsIdSees'],
    ['kahaDB', 'ignoreMissingJournalfiles'],
  ] as const) {
    assert.ok(ELEMENTS.get(element)!.properties.has(property), `${element}.${property}`);
  }
  assert.ok(ELEMENTS.has('simpleJmsMessageConvertor'));
});

test("a Spring bean's class leads to the element that means the same", () => {
  assert.equal(elementOfClass('org.apache.activemq.store.kahadb.KahaDBPersistenceAdapter')?.name, 'kahaDB');
  assert.equal(elementOfClass('org.apache.activemq.broker.BrokerService')?.name, 'brokerService');
  assert.equal(elementOfClass('com.example.Unknown'), undefined);
});

test('dispositions become sentences', () => {
  assert.equal(
    describe('useJmx', inert('opens JMX', 'there is none here')),
    'useJmx: in ActiveMQ it opens JMX; there is none here, so it has no effect',
  );
  assert.equal(describe('<sslContext>', refused('names keys', 'not supported yet')), '<sslContext> names keys: not supported yet');
});

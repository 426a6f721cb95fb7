import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerFile, readText } from '../../test/harness/activemq-file.ts';
import type { DestinationPolicies } from '../core/destination-policies.ts';
import { destinationPolicies } from './destination-policies.ts';

function policiesOf(entries: string, rest = ''): DestinationPolicies {
  const { model, diagnostics } = readText(
    brokerFile(`<destinationPolicy><policyMap><policyEntries>${entries}</policyEntries>${rest}</policyMap></destinationPolicy>`),
  );
  assert.deepEqual(diagnostics, []);
  return destinationPolicies(model!);
}

test("a file's entries are for MQTT's topics: . stands for /, * for one level, > for all below", () => {
  const policies = policiesOf('<policyEntry topic=">"/><policyEntry topic="orders.*"/><policyEntry topic="a/b.c"/>');
  assert.equal(policies.of('orders/1')!.destination, 'orders.*');
  assert.equal(policies.of('orders/1/2')!.destination, '>');
  assert.equal(policies.of('a.b/c')!.destination, 'a/b.c');
});

test('a name with commas is an entry for each', () => {
  const policies = policiesOf('<policyEntry topic="a,b.>"/>');
  assert.equal(policies.of('a')!.destination, 'a');
  assert.equal(policies.of('b/c')!.destination, 'b.>');
  assert.equal(policies.of('c'), null);
});

test('entries for queues and temporary destinations say nothing about topics', () => {
  assert.equal(policiesOf('<policyEntry queue=">"/><policyEntry tempTopic="true"/>').of('a'), null);
});

test('the default entry is for topics that no other names', () => {
  const policies = policiesOf('<policyEntry topic="a"/>', '<defaultEntry><policyEntry/></defaultEntry>');
  assert.equal(policies.of('a')!.destination, 'a');
  assert.equal(policies.of('b')!.destination, '>');
});

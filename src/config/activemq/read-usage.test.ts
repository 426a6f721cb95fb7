import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerFile, readText, saidOfBroker } from '../../../test/harness/activemq-file.ts';
import type { SystemUsageModel } from './model.ts';

const MB = 1024 ** 2;
const NONE = { limitBytes: null, percentOfJvmHeap: null, percentLimit: null };

/** `<systemUsage>` whose three limits have these attributes; null leaves one out. */
function usage(memory: string | null, store: string | null, temp: string | null, attributes = ''): string {
  const part = (name: string, limits: string | null) => (limits === null ? '' : `\n<${name}><${name} ${limits}/></${name}>`);
  return `<systemUsage><systemUsage${attributes}>${part('memoryUsage', memory)}${part('storeUsage', store)}${part('tempUsage', temp)}</systemUsage></systemUsage>`;
}

function read(inside: string): SystemUsageModel {
  const { model, diagnostics } = readText(brokerFile(inside));
  assert.deepEqual(diagnostics, []);
  return model!.systemUsage;
}

function saidOf(inside: string): string[] {
  return saidOfBroker(inside).map((line) => line.replace('broker.xml:', ''));
}

test('limits are sizes or percentages', () => {
  const model = read(
    usage('percentOfJvmHeap="70"', 'limit="100 gb"', 'percentLimit="25"', ' sendFailIfNoSpace="true" sendFailIfNoSpaceAfterTimeout="3000"'),
  );
  assert.deepEqual(model, {
    memoryUsage: { ...NONE, percentOfJvmHeap: 70 },
    storeUsage: { ...NONE, limitBytes: 100 * 1024 * MB },
    tempUsage: { ...NONE, percentLimit: 25 },
    sendFailIfNoSpace: true,
    sendFailIfNoSpaceAfterTimeoutMs: 3000,
  });
});

test('a percentage of a total is a size', () => {
  assert.deepEqual(read(usage('limit="1mb"', 'percentLimit="50" total="10mb"', 'limit="1mb"')).storeUsage, { ...NONE, limitBytes: 5 * MB });
});

test('a limit that is not given is no limit, with a warning', () => {
  const inside = usage('limit="1mb"', null, null);
  assert.deepEqual(saidOf(inside), [
    '2:14: warning: <systemUsage> without <storeUsage> means no limit for the store, as in ActiveMQ; add <storeUsage><storeUsage limit="..."/></storeUsage>',
    '2:14: warning: <systemUsage> without <tempUsage> means no limit for temporary files, as in ActiveMQ; add <tempUsage><tempUsage limit="..."/></tempUsage>',
  ]);
  const { storeUsage, tempUsage } = readText(brokerFile(inside)).model!.systemUsage;
  assert.deepEqual([storeUsage, tempUsage], [NONE, NONE]);
});

for (const [memory, ...expected] of [
  ['limit="0"', '3:27: warning: <memoryUsage> with no limit above 0 means no limit for memory, as in ActiveMQ'],
  ['percentOfJvmHeap="0"', '3:14: warning: <memoryUsage> with no limit above 0 means no limit for memory, as in ActiveMQ'],
  ['limit="64 mbb"', '3:34: error: limit: unit must be b, kb, mb or gb, found "mbb"'],
  ['limit="-1"', '3:34: error: limit: expected a size such as 64mb or "100 gb" (digits and one of b, kb, mb, gb), found "-1"'],
  ['percentOfJvmHeap="101"', '3:45: error: percentOfJvmHeap: expected a percentage from 0 to 100, found 101'],
  ['percentOfJvmHeap="70%"', '3:45: error: percentOfJvmHeap: expected a whole number, found "70%"'],
  ['limit="1mb" percentOfJvmHeap="70"', '3:27: warning: percentOfJvmHeap is given too, and it is what counts, as in ActiveMQ'],
  [
    'limit="1mb" usagePortion="0.5"',
    '3:39: warning: usagePortion: in ActiveMQ it takes a share of the limit; write the limit itself, so it has no effect',
  ],
  [
    'percentLimit="50" limit="1mb"',
    '3:27: error: unknown attribute percentLimit of <memoryUsage>: it is none of the 10 that docs/reference/activemq-xml.md lists',
  ],
] as const) {
  test(`memoryUsage ${memory} gets its message`, () => {
    assert.deepEqual(saidOf(usage(memory, 'limit="1gb"', 'limit="1gb"')), expected);
  });
}

test('a limit that Java computes is refused', () => {
  const inside = usage('limit="1mb"', 'limit="1gb"', 'limit="1gb"').replace(
    '<memoryUsage limit="1mb"/>',
    '<memoryUsage><limiter><defaultUsageCapacity limit="5"/></limiter></memoryUsage>',
  );
  assert.equal(saidOf(inside)[0], '3:14: warning: <memoryUsage> with no limit above 0 means no limit for memory, as in ActiveMQ');
  assert.equal(saidOf(inside)[1], '3:27: error: <limiter> is the limit, computed by a Java object: write limit="..." instead');
});

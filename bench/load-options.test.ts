import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { formatLoadOptions, loadArguments, parseLoadOptions } from './load-options.ts';
import { SCENARIOS, selectScenarios } from './scenarios.ts';

const parse = (args: string[]) => parseLoadOptions(parseArgs({ args, options: loadArguments }).values);

test('every scenario survives the way through the command line', () => {
  const loads = SCENARIOS.flatMap(({ measurement }) => [
    ...('load' in measurement ? [measurement.load] : []),
    ...('reference' in measurement ? [measurement.reference] : []),
    ...('flood' in measurement ? [measurement.flood] : []),
  ]);
  assert.ok(loads.length >= SCENARIOS.length);
  for (const load of loads) {
    const options = { ...load, host: '127.0.0.1', port: 1883, subscriberPort: 1884, warmupSeconds: 0.5, seconds: 2, brokerPid: 42 };
    assert.deepEqual(parse(formatLoadOptions(options)), options);
  }
});

test('subscribers connect to the same port unless told otherwise', () => {
  assert.equal(parse(['--port=2000']).subscriberPort, 2000);
  assert.equal(parse(['--port=2000', '--subscriber-port=2001']).subscriberPort, 2001);
});

test('a wrong argument is named, with what was expected and what came', () => {
  assert.throws(() => parse(['--port=0']), /--port: expected a whole number from 1 to 65535, got "0"/);
  assert.throws(() => parse(['--qos=3']), /--qos: expected 0, 1, 2, got "3"/);
  assert.throws(() => parse(['--mode=star']), /--mode: expected pair, fanout, fanin, fleet, got "star"/);
  assert.throws(() => parse(['--rate=-1']), /--rate: expected a number, 0 or more, got "-1"/);
  assert.throws(() => parse(['--host=localhost']), /--host: expected an address of IPv4, got "localhost"/);
  assert.throws(() => parse(['--prefix=a/b']), /--prefix: expected a topic level without wildcards, got "a\/b"/);
  assert.throws(() => parse(['--window=1.5']), /--window/);
});

test('scenarios are found by name, each name is there once, and an unknown one is told the others', () => {
  assert.equal(new Set(SCENARIOS.map(({ name }) => name)).size, SCENARIOS.length);
  assert.deepEqual(
    selectScenarios(['fanout-100', 'qos0-100-pairs']).map(({ name }) => name),
    ['fanout-100', 'qos0-100-pairs'],
  );
  assert.throws(() => selectScenarios(['fast']), /--scenario fast: expected one of qos0-1-pair, /);
});

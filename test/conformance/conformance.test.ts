import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';
import { citationsIn, idsInTests, sourceCitations, testsIn } from './citations.ts';
import { coverage, gapOf } from './coverage.ts';
import { MQTT_3_1_1 } from './mqtt-3.1.1.ts';
import { MQTT_5_0 } from './mqtt-5.0.ts';
import { renderConformancePage } from './page.ts';

test('the tables have the 251 statements of MQTT 5.0 and the 141 of MQTT 3.1.1, each once and in order', () => {
  for (const [statements, count] of [
    [MQTT_5_0, 251],
    [MQTT_3_1_1, 141],
  ] as const) {
    assert.equal(statements.length, count);
    const ids = statements.map(({ id }) => id);
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })),
    );
    for (const id of ids) assert.match(id, /^MQTT3?-\d+\.\d+\.\d+-\d+$/);
  }
  const known = new Set(MQTT_5_0.map(({ id }) => id));
  for (const { id, same } of MQTT_3_1_1)
    for (const other of same) assert.ok(known.has(other), `${id} is the same as ${other}, which there is not`);
});

test('every id cited in a source or a test is a statement of MQTT 5.0 or 3.1.1', () => {
  const known = new Set([...MQTT_5_0, ...MQTT_3_1_1].map(({ id }) => id));
  const unknown = [...sourceCitations(), ...idsInTests()].filter(({ id }) => !known.has(id));
  assert.deepEqual(unknown, []);
});

test('every statement that has to do with a server stands at a line and in the name of a test, or is an exception with its reason', () => {
  const gaps = coverage().versions.flatMap(({ coverage }) => coverage.flatMap((row) => gapOf(row) ?? []));
  assert.deepEqual(gaps, []);
});

test('the conformance page is up to date; if not: npm run build && node scripts/mqtt-conformance.mjs', () => {
  assert.equal(readFileSync(join(REPOSITORY_ROOT, 'docs/reference/mqtt-conformance.md'), 'utf8'), renderConformancePage());
});

test('an id in a source is one that is obeyed, or with ! an exception whose reason is the sentence behind it', () => {
  const text = `
    // [MQTT-1.2.3-4] and ![MQTT3-1.2.3-5]: a reason
    // of two lines. More is not part of it.
    const code = 'wrong [MQTT-3.3.1-2]'; /** ![MQTT-9.9.9-9]: another. */
    /**
     * ![MQTT-8.8.8-8]: a long
     * one.
     */`;
  assert.deepEqual(
    citationsIn('x.ts', text).map(({ id, exception }) => [id, exception]),
    [
      ['MQTT-1.2.3-4', null],
      ['MQTT3-1.2.3-5', 'a reason of two lines.'],
      ['MQTT-3.3.1-2', null],
      ['MQTT-9.9.9-9', 'another.'],
      ['MQTT-8.8.8-8', 'a long one.'],
    ],
  );
  assert.throws(() => citationsIn('x.ts', '// ![MQTT-1.2.3-4] without a reason'), /x\.ts: !\[MQTT-1\.2\.3-4\] is to be followed/);
});

test('the statements in the name of a test are found, also where a table puts them there, and whether it speaks MQTT 3.1.1', () => {
  const text = `
    import { startBroker } from '../harness/mqtt-broker.ts';
    const LEVELS = [3, 4, 5];
    const WRONG: Row[] = [
      { what: 'one [MQTT-1.1.1-1]', v4: '00', v5: '00' },
      { what: 'two [MQTT-1.1.1-2] (section 3.8)', v5: '00' },
      { what: 'three' },
    ];
    test('plain [MQTT-2.2.2-2]', () => broker.client(5));
    for (const level of LEVELS) test(\`level \${level} [MQTT-2.2.2-3]\`, () => broker.client(level));
    for (const { what, v4, v5 } of WRONG) {
      test(\`PUBLISH with \${what} ends [MQTT-2.2.2-4]\`, () => { for (const x of [[4, v4], [5, v5]]) send(x); });
    }
    for (const [code, what] of [[1, 'four [MQTT-1.1.1-4]']] as const) test(\`\${what} has \${code}\`, () => broker.dial());`;
  assert.deepEqual(
    testsIn('x.test.ts', text).map(({ ids, section, name, coversMqtt3 }) => [name, ids.join(' '), section, coversMqtt3]),
    [
      ['plain', 'MQTT-2.2.2-2', null, false],
      ['level ...', 'MQTT-2.2.2-3', null, true],
      ['PUBLISH with ... ends', 'MQTT-2.2.2-4', null, true],
      ['PUBLISH with one ends', 'MQTT-1.1.1-1 MQTT-2.2.2-4', null, true],
      ['PUBLISH with two ends', 'MQTT-1.1.1-2 MQTT-2.2.2-4', '3.8', false],
      ['... has ...', '', null, true],
      ['four has ...', 'MQTT-1.1.1-4', null, true],
    ],
  );
});

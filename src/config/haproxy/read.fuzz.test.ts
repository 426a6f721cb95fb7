// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of haproxy.cfg are part of what is mixed
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { REPOSITORY_ROOT } from '../../../test/harness/repository-root.ts';
import { hasErrors } from '../diagnostic.ts';
import { adviseHAProxy } from './advice.ts';
import {
  BALANCE_ALGORITHMS,
  BIND_KEYWORDS,
  GLOBAL_KEYWORDS,
  HTTP_REQUEST_ACTIONS,
  OTHER_SECTIONS,
  PROXY_KEYWORDS,
  PROXY_OPTIONS,
  SERVER_KEYWORDS,
  STATS_KEYWORDS,
  TCP_ACTIONS,
} from './keywords.ts';
import { readHAProxy } from './read.ts';
import { renderHAProxyReport } from './report.ts';

const CLASSIC = readFileSync(join(REPOSITORY_ROOT, 'test/fixtures/classic/haproxy.cfg'));

/** Reads it, and holds what is promised of any result: it does not throw, and errors and a model exclude each other. */
function read(input: string | Buffer) {
  const result = readHAProxy([{ file: 'x.cfg', text: input }], { environment: { HOME: '/root', LIST: 'a b' }, hostName: 'here' });
  assert.equal(result.model === null, hasErrors(result.diagnostics));
  const lines = (typeof input === 'string' ? input : input.toString('latin1')).split('\n').length;
  for (const { line, column, message, text, level, severity } of result.diagnostics) {
    assert.ok(message.length > 0 && text.startsWith('config : '));
    assert.ok(line >= 0 && line <= lines && column >= 0, `${line}:${column} of ${lines} lines: ${message}`);
    assert.ok(severity !== 'error' || level === 'ALERT');
  }
  const { exitCode, stderr } = renderHAProxyReport(result.diagnostics, {
    pid: 1,
    version: 'x',
    executable: 'x',
    hasListener: result.hasListener,
    verbose: true,
    diagnosticMode: true,
    check: true,
  });
  assert.equal(exitCode === 1, result.model === null);
  assert.equal(stderr === '', result.diagnostics.length === 0);
  if (result.model !== null) adviseHAProxy(result.model, { openFilesLimit: 1_024 });
  return result;
}

test('the classic file that is cut anywhere is read, or refused for its last line', () => {
  for (let length = 0; length <= CLASSIC.length; length++) {
    const { model, diagnostics } = read(CLASSIC.subarray(0, length));
    const endsInLineFeed = length === 0 || CLASSIC[length - 1] === 0x0a;
    if (!endsInLineFeed) assert.ok(model === null && diagnostics.some(({ message }) => message.startsWith('Missing LF')), `${length}`);
  }
});

test('any bytes are read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      read(Buffer.from(bytes));
    }),
    { numRuns: 500 },
  );
});

const names = (...tables: ReadonlyMap<string, unknown>[]) => tables.flatMap((table) => [...table.keys()]);
const WORDS: readonly string[] = [
  ...names(
    GLOBAL_KEYWORDS,
    PROXY_KEYWORDS,
    PROXY_OPTIONS,
    BIND_KEYWORDS,
    SERVER_KEYWORDS,
    STATS_KEYWORDS,
    TCP_ACTIONS,
    HTTP_REQUEST_ACTIONS,
    BALANCE_ALGORITHMS,
  ),
  ...OTHER_SECTIONS.flatMap(({ name, keywords }) => [name, ...keywords]),
];

const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...WORDS) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...[
        'a',
        'b',
        '1',
        '0',
        '-1',
        '5s',
        '99999999999999999999',
        '1k',
        'abc',
        '10.0.0.1:1883',
        '*:80',
        ':1-3',
        '[::1]:5',
        'host:1',
        '/run/x',
        'fd@3',
      ],
      ...[
        'no',
        'default',
        'if',
        'unless',
        '{',
        '}',
        'src',
        'http',
        'tcp',
        'global',
        'from',
        'a:b',
        'local0',
        'info',
        'stdout',
        '%[src]',
        'roundrobin',
      ],
      ...[
        '"',
        "'",
        '\\',
        '\\x4',
        '#',
        '"$HOME"',
        '"${NOPE}"',
        '"${LIST[*]}"',
        '"${',
        '.if',
        '.endif',
        '.else',
        '.elif',
        'defined(A',
        '!1',
        '[',
        ']',
      ],
      ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'],
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 8, unit: 'binary' }) },
);
const line = fc.array(word, { maxLength: 8 }).map((words) => words.join(' '));
const section = fc.constantFrom(
  'global',
  'defaults',
  'defaults d',
  'frontend f',
  'backend b',
  'listen l',
  'listen m from d',
  'resolvers r',
  'peers p',
);

test('any mixture of keywords, values and quotes is read', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 1, arbitrary: section }, { weight: 5, arbitrary: line }), { maxLength: 25 }), (lines) => {
      read(`${lines.join('\n')}\n`);
    }),
    { numRuns: 1_500 },
  );
});

test('any keyword with any values is read in every section', () => {
  fc.assert(
    fc.property(
      section,
      fc.constantFrom('', 'option ', 'stats ', 'bind :1 ', 'server s 10.0.0.1:1 ', 'tcp-request content ', 'balance '),
      line,
      (head, start, rest) => {
        read(`${head}\n ${start}${rest}\n`);
      },
    ),
    { numRuns: 3_000 },
  );
});

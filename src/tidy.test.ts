import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { REPOSITORY_ROOT } from '../test/harness/repository-root.ts';

/**
 * Who may import whom (ARCHITECTURE.md has the picture). The first row whose pattern fits a file is its rule.
 *
 * In `may`, `folder/` is everything below a folder, `folder/*` only the files in it, `$1` what the pattern's group found, and `LOWEST`
 * the lowest level. Node's own modules may be imported everywhere.
 */
const RULES: readonly { readonly files: RegExp; readonly may: readonly string[]; readonly sentence: string }[] = [
  {
    files: /^(src\/protocols\/[^/]+\/wire\/)/,
    may: ['$1', 'src/bytes/', 'src/errors.ts'],
    sentence: 'a wire/ folder imports bytes/ and errors.ts alone, so that a codec can be used without a broker',
  },
  { files: /^src\/errors\.ts$/, may: [], sentence: 'errors.ts stands below everything and imports nothing' },
  {
    files: /^src\/bytes\//,
    may: ['src/bytes/', 'src/errors.ts'],
    sentence: 'bytes/ knows bytes and nothing else: it imports errors.ts alone',
  },
  {
    files: /^(src\/(?:timing|telemetry)\/)/,
    may: ['$1', 'src/errors.ts'],
    sentence: 'the folders of the lowest level do not see each other',
  },
  {
    files: /^src\/core\//,
    may: ['src/core/', 'LOWEST'],
    sentence: 'core/ knows no socket, no protocol, no disk and no configuration: it imports the lowest level alone',
  },
  {
    files: /^src\/transport\//,
    may: ['src/transport/', 'LOWEST'],
    sentence: 'transport/ carries bytes and knows neither protocols nor the broker: it imports the lowest level alone',
  },
  {
    files: /^(src\/config\/[^/]+\/)/,
    may: ['$1', 'src/config/*', 'src/errors.ts'],
    sentence: 'config/ turns text into models: it imports errors.ts and its own, and its two formats do not see each other',
  },
  { files: /^src\/config\//, may: ['src/config/*', 'src/errors.ts'], sentence: 'config/ imports errors.ts and its own alone' },
  {
    files: /^(src\/protocols\/[^/]+\/)/,
    may: ['$1', 'src/protocols/*', 'src/core/', 'src/transport/', 'LOWEST'],
    sentence: 'a protocol imports core/ and transport/, and never its sibling: what they share stands in protocols/ itself',
  },
  {
    files: /^src\/protocols\//,
    may: ['src/protocols/*', 'src/core/', 'src/transport/', 'LOWEST'],
    sentence: 'what all protocols share imports core/ and transport/, and no protocol',
  },
  {
    files: /^(src\/store\/[^/]+\/)/,
    may: ['$1', 'src/store/*', 'src/core/', 'LOWEST'],
    sentence: 'a store imports core/, and never its sibling: what they share stands in store/ itself',
  },
  { files: /^src\/store\//, may: ['src/store/*', 'src/core/', 'LOWEST'], sentence: 'what all stores share imports core/, and no store' },
  { files: /^src\/security\//, may: ['src/security/', 'src/core/', 'LOWEST'], sentence: 'security/ imports core/ alone' },
  {
    files: /^src\/cluster\//,
    may: ['src/cluster/', 'src/core/', 'src/protocols/openwire/', 'src/protocols/*', 'src/transport/', 'LOWEST'],
    sentence: 'cluster/ imports core/, transport/ and protocols/openwire/',
  },
  {
    files: /^src\/balancer\//,
    may: ['src/balancer/', 'src/transport/', 'src/config/', 'src/protocols/mqtt/wire/', 'LOWEST'],
    sentence: 'balancer/ imports transport/, config/ and protocols/mqtt/wire/, and never core/: it runs without a broker',
  },
  { files: /^src\/management\//, may: ['src/management/', 'src/core/', 'LOWEST'], sentence: 'management/ imports core/ alone' },
  {
    files: /^src\/(server\/.*|main\.ts|index\.ts|[a-z-]+\.test\.ts)$/,
    may: ['src/'],
    sentence: 'server/, main.ts and index.ts put everything together',
  },
];

/** `LOWEST` in a rule. */
const LOWEST = ['src/bytes/', 'src/timing/', 'src/telemetry/', 'src/errors.ts'];

/** main.ts and index.ts are entrances: nobody imports them. */
const ENTRANCES = ['src/main.ts', 'src/index.ts'];

/** Packages of package.json's `dependencies`, and the only files that know them. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  commander: /^src\/main\.ts$/,
  pino: /^src\/telemetry\//,
  'pino-pretty': /^src\/telemetry\//,
  saxes: /^src\/config\/activemq\/xml\.ts$/,
};

/** Client libraries of engines: imported only by files named after the engine. */
const ENGINES: readonly { readonly engine: RegExp; readonly packages: RegExp }[] = [
  { engine: /zookeeper/, packages: /^(node-)?zookeeper/ },
  { engine: /jetstream|nats/, packages: /^(nats|@nats-io\/.*)$/ },
  { engine: /postgres/, packages: /^(pg|postgres)$/ },
  { engine: /amqp/, packages: /^rhea$/ },
];

/** House advice: a longer file may hide a second idea. Tables and state machines may well be longer. */
const ADVISED_LINES = 400;

interface Import {
  readonly specifier: string;
  readonly line: number;
}

test('imports point down only, siblings do not see each other, wire/ stands alone, engines stay in their files', () => {
  const faults: string[] = [];
  for (const file of sources()) {
    const text = readFileSync(join(REPOSITORY_ROOT, file), 'utf8');
    for (const { specifier, line } of importsOf(file, text)) {
      const fault = faultOf(file, specifier, (path) => existsSync(join(REPOSITORY_ROOT, path)));
      if (fault !== null) faults.push(`${file}:${line}: imports '${specifier}': ${fault}`);
    }
  }
  assert.deepEqual(faults, [], faults.join('\n'));
});

test('house advice on long files', (t) => {
  for (const file of sources()) {
    const lines = readFileSync(join(REPOSITORY_ROOT, file), 'utf8').split('\n').length;
    if (lines > ADVISED_LINES && !file.endsWith('.test.ts')) t.diagnostic(`${file} has ${lines} lines: is there a second idea in it?`);
  }
});

test('every file under src/ has a rule', () => {
  assert.deepEqual(
    sources().filter((file) => ruleOf(file) === undefined),
    [],
  );
});

for (const [file, specifier, expected] of [
  ['src/core/broker.ts', '../transport/turn.ts', /core\/ knows no socket/],
  ['src/core/broker.ts', '../telemetry/log.ts', null],
  ['src/core/broker.ts', './router.ts', null],
  ['src/transport/turn.ts', '../core/broker.ts', /transport\/ carries bytes/],
  ['src/config/activemq/read.ts', '../diagnostic.ts', null],
  ['src/config/activemq/read.ts', '../haproxy/model.ts', /two formats do not see each other/],
  ['src/config/activemq/read.ts', '../../telemetry/log.ts', /config\/ turns text into models/],
  ['src/protocols/mqtt/connection.ts', '../protocol.ts', null],
  ['src/protocols/mqtt/connection.ts', '../../core/broker.ts', null],
  ['src/protocols/mqtt/connection.ts', '../openwire/protocol.ts', /never its sibling/],
  ['src/protocols/mqtt/wire/connect.ts', '../../../bytes/utf8.ts', null],
  ['src/protocols/mqtt/wire/connect.ts', './property.ts', null],
  ['src/protocols/mqtt/wire/connect.ts', '../connection.ts', /a wire\/ folder imports bytes\//],
  ['src/protocols/protocol.ts', './mqtt/protocol.ts', /and no protocol/],
  ['src/store/journal/store.ts', '../postgres/store.ts', /never its sibling/],
  ['src/store/journal/store.ts', '../records.ts', null],
  ['src/cluster/network/network.ts', '../../protocols/openwire/protocol.ts', null],
  ['src/cluster/network/network.ts', '../../protocols/mqtt/protocol.ts', /cluster\/ imports core\//],
  ['src/balancer/balancer.ts', '../core/message.ts', /never core\//],
  ['src/balancer/balancer.ts', '../protocols/mqtt/wire/connect.ts', null],
  ['src/balancer/balancer.ts', '../protocols/mqtt/connect.ts', /protocols\/mqtt\/wire/],
  ['src/bytes/utf8.ts', '../telemetry/log.ts', /bytes\/ knows bytes/],
  ['src/server/registry.ts', '../protocols/mqtt/protocol.ts', null],
  ['src/server/registry.ts', '../main.ts', /an entrance/],
  ['src/server/registry.ts', './no-such-file.ts', /there is no such file/],
  ['src/server/registry.ts', './registry', /ends in \.ts/],
  ['src/server/registry.ts', '../../bench/load.ts', /outside src/],
  ['src/server/registry.ts', 'fs', /'node:fs'/],
  ['src/server/registry.ts', 'node:fs', null],
  ['src/server/registry.ts', 'commander', /only src\/main\.ts/],
  ['src/main.ts', 'commander', null],
  ['src/main.ts', 'mqtt', /not among the runtime dependencies/],
  ['src/main.test.ts', 'mqtt', null],
  ['src/store/journal/store.ts', 'pg', /named after its engine/],
  ['src/store/postgres/store.ts', 'pg', /not among the runtime dependencies/],
] as const) {
  test(`${file} ${expected === null ? 'may' : 'must not'} import ${specifier}`, () => {
    const fault = faultOf(file, specifier, (path) => !path.includes('no-such-file'));
    if (expected === null) assert.equal(fault, null);
    else assert.match(fault ?? 'no fault found', expected);
  });
}

test('every form of import is seen', () => {
  const text = `
    import './a.ts';
    import type { B } from './b.ts';
    export * from './c.ts';
    const d = await import('./d.ts');
    type E = import('./e.ts').E;
    const f = await import(somewhere);
    // import './comment.ts'
    const s = "import './string.ts'";
  `;
  assert.deepEqual(
    importsOf('x.ts', text).map((found) => found.specifier),
    ['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', NOT_LITERAL],
  );
  assert.match(faultOf('src/main.ts', NOT_LITERAL, () => true) ?? '', /in so many words/);
});

const NOT_LITERAL = '(computed)';

function sources(): string[] {
  return readdirSync(join(REPOSITORY_ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => `src/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'))
    .sort();
}

function importsOf(file: string, text: string): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    found.push({ specifier: specifier && ts.isStringLiteralLike(specifier) ? specifier.text : NOT_LITERAL, line });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier);
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier) add(node, node.moduleSpecifier);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node, node.arguments[0]);
    else if (ts.isImportTypeNode(node)) add(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The sentence of the rule that this import breaks; null when it breaks none. */
function faultOf(file: string, specifier: string, exists: (path: string) => boolean): string | null {
  if (specifier === NOT_LITERAL) return 'a dynamic import names its module in so many words';
  if (!specifier.startsWith('.')) return packageFault(file, specifier);
  if (!specifier.endsWith('.ts')) return 'a relative import ends in .ts';
  const target = posix.join(posix.dirname(file), specifier);
  if (isTest(file) && target.startsWith('test/')) return null;
  if (!target.startsWith('src/')) return 'it leads outside src/';
  if (!exists(target)) return 'there is no such file';
  if (ENTRANCES.includes(target) && !isTest(file)) return 'main.ts and index.ts are an entrance each: nothing imports them';
  const rule = ruleOf(file);
  if (rule === undefined || rule.allowed.some((allowed) => reaches(allowed, target))) return null;
  return rule.sentence;
}

function ruleOf(file: string): { allowed: string[]; sentence: string } | undefined {
  for (const { files, may, sentence } of RULES) {
    const match = files.exec(file);
    if (match) return { allowed: may.flatMap((entry) => (entry === 'LOWEST' ? LOWEST : entry.replace('$1', match[1] ?? ''))), sentence };
  }
  return undefined;
}

function reaches(allowed: string, target: string): boolean {
  if (allowed.endsWith('/*')) return posix.dirname(target) === allowed.slice(0, -2);
  return allowed.endsWith('/') ? target.startsWith(allowed) : target === allowed;
}

function packageFault(file: string, specifier: string): string | null {
  if (specifier.startsWith('node:')) return null;
  if (builtinModules.includes(specifier)) return `a module of Node's is written 'node:${specifier}'`;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const engine = ENGINES.find((entry) => entry.packages.test(name));
  if (engine && !engine.engine.test(file)) return "an engine's client library is imported only by files named after its engine";
  if (isTest(file)) return null;
  const allowed = PACKAGES[name];
  if (allowed === undefined) return 'it is not among the runtime dependencies that src/ may use (package.json, PACKAGES in tidy.test.ts)';
  return allowed.test(file) ? null : `only ${allowed.source.replace(/[\\^$]/g, '')} may import it`;
}

function isTest(file: string): boolean {
  return /\.(test|contract)\.ts$/.test(file);
}

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';
import { loadSetup } from './script-modules.ts';

const setup = await loadSetup();

/** A folder with these files, removed after the test. */
function makeClone(t: TestContext, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'roundhouse-setup-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) write(root, path, text);
  return root;
}

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

test('the required Node version is compared number by number, and an older one is told both versions', () => {
  for (const version of ['20.19.0', '20.20.2', '21.0.0', '22.1.0', '100.0.0']) setup.checkNodeVersion('>=20.19', version);
  for (const version of ['20.18.3', '20.9.0', '18.99.0', '9.20.0']) {
    assert.throws(
      () => setup.checkNodeVersion('>=20.19', version),
      (error: Error) => error instanceof setup.SetupError && error.message.includes('20.19') && error.message.includes(version),
    );
  }
});

test('a Node range that the set-up cannot read is refused, not ignored', () => {
  assert.throws(() => setup.checkNodeVersion('^20', '20.20.0'), /engines\.node is "\^20"/);
});

test('the npm that runs the script is used again; another package manager is not', () => {
  assert.deepEqual(setup.npmCommand('/opt/npm/bin/npm-cli.js'), [process.execPath, ['/opt/npm/bin/npm-cli.js']]);
  assert.deepEqual(setup.npmCommand('/opt/yarn/bin/yarn.js'), ['npm', []]);
  assert.deepEqual(setup.npmCommand(undefined), ['npm', []]);
});

test('advice for a failed npm goes by its error code', () => {
  assert.match(setup.adviceForNpm('npm error code EAI_AGAIN\nnpm error getaddrinfo registry'), /registry cannot be reached/);
  assert.match(setup.adviceForNpm('npm error code EUSAGE'), /disagree/);
  assert.match(setup.adviceForNpm('npm error code EACCES'), /cannot be written/);
  assert.match(setup.adviceForNpm('npm error code ENOSPC'), /disk is full/);
  assert.match(setup.adviceForNpm('npm error something new'), /last lines/);
});

test('an installation matches its lock when every package is there at its version and none besides', () => {
  const wanted = { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b-linux': { version: '2.0.0', optional: true } };
  assert.equal(setup.isInstallOf({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b-linux': { version: '2.0.0' } }, wanted), true);
  assert.equal(setup.isInstallOf({ 'node_modules/a': { version: '1.0.0' } }, wanted), true, 'an optional package may be absent');
  assert.equal(setup.isInstallOf({ 'node_modules/a': { version: '1.0.1' } }, wanted), false, 'another version');
  assert.equal(setup.isInstallOf({}, wanted), false, 'a missing package');
  assert.equal(setup.isInstallOf({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/old': { version: '1.0.0' } }, wanted), false);
});

test('dependencies count as missing without node_modules, as matching when npm put them there, as stamped after a set-up', (t) => {
  const lock = JSON.stringify({ packages: { '': {}, 'node_modules/a': { version: '1.0.0' } } });
  const root = makeClone(t, { 'package-lock.json': lock });
  assert.equal(setup.installState(root, 'digest'), 'missing');
  write(root, 'node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }));
  assert.equal(setup.installState(root, 'digest'), 'matching');
  write(root, 'node_modules/.roundhouse-lock-hash', 'digest\n');
  assert.equal(setup.installState(root, 'digest'), 'stamped');
  write(root, 'package-lock.json', lock.replace('1.0.0', '1.0.1'));
  assert.equal(setup.installState(root, 'digest of the changed lock'), 'missing');
});

test('the fingerprint changes with a content or a name, and not with a time', (t) => {
  const root = makeClone(t, { 'src/a.ts': 'one', 'src/b.ts': 'two' });
  const before = setup.fingerprintOf(root, ['src/a.ts', 'src/b.ts']);
  utimesSync(join(root, 'src/a.ts'), 1, 1);
  assert.equal(setup.fingerprintOf(root, ['src/a.ts', 'src/b.ts']), before);
  assert.notEqual(setup.fingerprintOf(root, ['src/a.ts']), before);
  write(root, 'src/a.ts', 'changed');
  assert.notEqual(setup.fingerprintOf(root, ['src/a.ts', 'src/b.ts']), before);
});

test('a source without output is missing, a declaration file has none', (t) => {
  const root = makeClone(t, { 'src/a.ts': '', 'src/deep/b.ts': '', 'src/types.d.ts': '', 'dist/src/a.js': '' });
  const sources = setup.listSources(root);
  assert.deepEqual(sources, ['src/a.ts', 'src/deep/b.ts', 'src/types.d.ts']);
  assert.deepEqual(setup.missingOutputs(root, sources), ['src/deep/b.ts']);
});

test('what a deleted source has left in dist is removed with its empty folder, and nothing else is', (t) => {
  const gone = ['dist/src/old/gone.test.js', 'dist/src/old/gone.test.js.map', 'dist/src/old/gone.test.d.ts', 'dist/test/gone.js'];
  const kept = ['dist/src/a.js', 'dist/src/a.js.map', 'dist/src/a.d.ts', 'dist/src/data.json', 'dist/.tsbuildinfo'];
  const root = makeClone(t, Object.fromEntries(['src/a.ts', 'test/b.ts', ...gone, ...kept].map((path) => [path, ''])));
  setup.removeOrphans(root, setup.listSources(root));
  for (const path of kept) assert.ok(existsSync(join(root, path)), `${path} stays`);
  for (const path of gone) assert.ok(!existsSync(join(root, path)), `${path} goes`);
  assert.ok(!existsSync(join(root, 'dist/src/old')));
});

test('set-up builds what changed, once, and says so; without a change it does nothing', (t) => {
  const root = makeClone(t, {
    'package.json': JSON.stringify({ type: 'module', engines: { node: '>=20.19' } }),
    'package-lock.json': JSON.stringify({ packages: { '': {} } }),
    'tsconfig.json': JSON.stringify({
      compilerOptions: {
        target: 'ES2022',
        module: 'NodeNext',
        rootDir: '.',
        outDir: 'dist',
        types: [],
        incremental: true,
        tsBuildInfoFile: 'dist/.tsbuildinfo',
      },
      include: ['src'],
    }),
    'src/a.ts': 'export const a: number = 1;\n',
    'node_modules/.package-lock.json': JSON.stringify({ packages: {} }),
  });
  symlinkSync(join(REPOSITORY_ROOT, 'node_modules', 'typescript'), join(root, 'node_modules', 'typescript'), 'dir');
  const said: string[] = [];
  const run = (): number => {
    said.length = 0;
    setup.setUp(root, (line) => said.push(line));
    return said.length;
  };

  assert.equal(run(), 1);
  assert.match(said[0]!, /building/);
  assert.match(readFileSync(join(root, 'dist/src/a.js'), 'utf8'), /a = 1/);
  assert.equal(run(), 0, 'nothing changed');

  write(root, 'src/a.ts', 'export const a: number = 2;\n');
  assert.equal(run(), 1);
  assert.match(readFileSync(join(root, 'dist/src/a.js'), 'utf8'), /a = 2/);

  rmSync(join(root, 'dist/src/a.js'));
  assert.equal(run(), 1, 'a deleted output is built again, though the compiler remembers having written it');
  assert.ok(existsSync(join(root, 'dist/src/a.js')));
});

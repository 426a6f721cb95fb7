import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadHAProxy } from '../../src/config/haproxy/load.ts';
import { renderHAProxyReport } from '../../src/config/haproxy/report.ts';
import { needsHaproxy } from '../balancer/real-haproxy.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

const FIXTURES = join(REPOSITORY_ROOT, 'test/fixtures/haproxy');
const TIMEOUTS = 'defaults\n timeout client 5s\n timeout connect 5s\n timeout server 5s\n';
/** What the lines of lines.txt stand after. */
const HEADS: Readonly<Record<string, string>> = {
  frontend: `${TIMEOUTS}backend b\n server s 1.2.3.4:5\nfrontend f\n bind :1\n `,
  backend: `${TIMEOUTS}frontend f\n bind :1\nbackend b\n server s2 1.2.3.4:5\n `,
  sections: `${TIMEOUTS}backend b\n server s 1.2.3.4:5\n`,
  files: '',
};

/** Bound for one run of haproxy, in ms: it takes some 10, and a name that nobody resolves may take long. */
const RUN_MS = 30_000;

interface Answer {
  readonly stderr: string;
  readonly stdout: string;
  readonly exitCode: number | null;
}

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'roundhouse-haproxy-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function askHaproxy(folder: string): Answer {
  const { stderr, stdout, status } = spawnSync('haproxy', ['-c', '-f', 'haproxy.cfg'], {
    cwd: folder,
    env: { PATH: process.env.PATH },
    encoding: 'utf8',
    timeout: RUN_MS,
  });
  return { stderr: normalize(stderr), stdout, exitCode: status };
}

async function askOurs(text: string | Buffer): Promise<Answer> {
  const { diagnostics, hasListener, zeroWarning } = await loadHAProxy([{ file: 'haproxy.cfg', text }], { environment: {} });
  const { stderr, stdout, exitCode } = renderHAProxyReport(
    diagnostics.filter(({ origin }) => origin === 'haproxy'),
    { pid: 1, version: 'V', executable: 'P', hasListener, zeroWarning, check: true },
  );
  return { stderr: normalize(stderr), stdout, exitCode };
}

/** Process ids, the version and the path aside. */
function normalize(stderr: string): string {
  return stderr
    .replace(/^(\[[A-Z]+\] +)\(\d+\)/gm, '$1(PID)')
    .replace(/ : haproxy version is .*/g, ' : haproxy version is V')
    .replace(/ : path to executable is .*/g, ' : path to executable is P');
}

for (const section of Object.keys(HEADS)) {
  test(`haproxy and we say the same of each line in ${section}`, async (t) => {
    if (!needsHaproxy(t)) return;
    const folder = makeFolder(t);
    const lines = readLines(section);
    assert.ok(lines.length > 10);
    for (const line of lines) {
      const text = `${HEADS[section]}${line}\n`;
      writeFileSync(join(folder, 'haproxy.cfg'), text);
      assert.deepEqual(await askOurs(text), askHaproxy(folder), line);
    }
  });
}

function readLines(section: string): string[] {
  const text = readFileSync(join(FIXTURES, 'lines.txt'), 'utf8');
  const start = text.indexOf(`\n[${section}]\n`) + section.length + 4;
  const end = /\n\n\[[a-z]+\]\n/.exec(text.slice(start));
  return text
    .slice(start, end === null ? undefined : start + end.index)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replaceAll('\\n', '\n'));
}

test('the recorded answers are those of the haproxy that is installed', (t) => {
  if (!needsHaproxy(t)) return;
  const folder = makeFolder(t);
  const cases = join(FIXTURES, 'bad-config');
  for (const name of readdirSync(cases)) {
    const recorded = (file: string) => readFileSync(join(cases, name, file), 'utf8');
    writeFileSync(join(folder, 'haproxy.cfg'), readFileSync(join(cases, name, 'haproxy.cfg')));
    const expected = { stderr: normalize(recorded('stderr')), stdout: recorded('stdout'), exitCode: Number(recorded('exit')) };
    assert.deepEqual(askHaproxy(folder), expected, name);
  }
});

test('haproxy reads the classic file and ours of conf/ as we do', async (t) => {
  if (!needsHaproxy(t)) return;
  const folder = makeFolder(t);
  for (const file of ['test/fixtures/classic/haproxy.cfg', 'conf/haproxy.cfg']) {
    const text = readFileSync(join(REPOSITORY_ROOT, file));
    writeFileSync(join(folder, 'haproxy.cfg'), text);
    assert.deepEqual(await askOurs(text), askHaproxy(folder), file);
  }
});

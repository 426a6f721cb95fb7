import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadHAProxy } from '../../src/config/haproxy/load.ts';
import { type HAProxyDiagnostic, renderHAProxyReport } from '../../src/config/haproxy/report.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

/** What `haproxy -c` of 2.6.12 printed and returned for each file, recorded. */
const FOLDER = join(REPOSITORY_ROOT, 'test/fixtures/haproxy/bad-config');

/**
 * Where we knowingly differ: what HAProxy does and we do not do yet is refused at its line, so that HAProxy's own complaint about it,
 * or its consent, does not come.
 */
const DIFFERENT: Readonly<
  Record<string, { readonly why: string; readonly instead: readonly string[]; readonly haproxySaysTheSame?: boolean }>
> = {
  'bad-userlist-ref': {
    why: 'http-request rules decide who gets in, and conditions are not evaluated yet; a user list is missed only by a rule that is refused',
    instead: ["parsing [haproxy.cfg:15] : 'http-request deny' is not supported yet"],
  },
  'bind-acl-only-warning-order': {
    why: 'conditions are not evaluated yet, and a rule that rejects must not be left out; the warning about their order comes all the same',
    instead: [
      "parsing [haproxy.cfg:12] : 'use_backend ... if' is not supported yet",
      "parsing [haproxy.cfg:13] : 'tcp-request connection reject' is not supported yet",
    ],
    haproxySaysTheSame: true,
  },
  'bind-bad-ssl-crt': {
    why: 'there is no TLS yet, so nobody looks for the certificate',
    instead: ["parsing [haproxy.cfg:11] : 'bind ... ssl' is not supported yet"],
  },
  'mqtt-field-unknown': {
    why: 'stickiness is not supported yet; the arguments of its converters are not looked at',
    instead: ["parsing [haproxy.cfg:16] : 'stick on' is not supported yet"],
  },
  'mqtt-is-valid-with-space-accepted': {
    why: 'a rule that rejects must not be left out',
    instead: ["parsing [haproxy.cfg:12] : 'tcp-request content reject' is not supported yet"],
    haproxySaysTheSame: true,
  },
  'stick-table-missing': {
    why: 'stickiness is not supported yet, with or without its table',
    instead: ["parsing [haproxy.cfg:15] : 'stick on' is not supported yet"],
  },
  'verify-required-no-ca': {
    why: 'there is no TLS yet: the server would be spoken to in the clear',
    instead: ["[haproxy.cfg:15] : 'server b/s1' : 'ssl' is not supported yet"],
  },
};

function render(diagnostics: readonly HAProxyDiagnostic[], hasListener: boolean) {
  return renderHAProxyReport(diagnostics, { pid: 1, version: 'V', executable: 'P', hasListener, check: true });
}

/** Process ids, the version and the path aside. */
function normalize(stderr: string): string {
  return stderr
    .replace(/^(\[[A-Z]+\] +)\(\d+\)/gm, '$1(PID)')
    .replace(/ : haproxy version is .*/g, ' : haproxy version is V')
    .replace(/ : path to executable is .*/g, ' : path to executable is P');
}

for (const name of readdirSync(FOLDER)) {
  const recorded = (file: string) => readFileSync(join(FOLDER, name, file), 'utf8');
  const load = () => loadHAProxy([{ file: 'haproxy.cfg', text: readFileSync(join(FOLDER, name, 'haproxy.cfg')) }], { environment: {} });
  const difference = DIFFERENT[name];

  if (difference === undefined) {
    test(`${name}: what HAProxy says, and its exit code`, async () => {
      const { diagnostics, hasListener } = await load();
      const ours = diagnostics.filter(({ origin }) => origin === 'roundhouse');
      assert.ok(ours.every(({ severity }) => severity !== 'error'));
      const { stdout, stderr, exitCode } = render(
        diagnostics.filter(({ origin }) => origin === 'haproxy'),
        hasListener,
      );
      assert.equal(normalize(stderr), normalize(recorded('stderr')));
      assert.equal(stdout, recorded('stdout'));
      assert.equal(exitCode, Number(recorded('exit')));

      const withOurs = render(diagnostics, hasListener);
      assert.equal(withOurs.exitCode, exitCode, 'warnings of ours change no exit code');
      assert.equal(withOurs.stdout, stdout, 'nor what is said on standard output');
    });
  } else {
    test(`${name}: refused, since ${difference.why}`, async () => {
      const { diagnostics, hasListener } = await load();
      const refusals = diagnostics
        .filter(({ origin, severity }) => origin === 'roundhouse' && severity === 'error')
        .map(({ text }) => text);
      assert.equal(refusals.length, difference.instead.length, refusals.join('\n'));
      for (const [i, start] of difference.instead.entries()) assert.ok(refusals[i]!.startsWith(`config : ${start}`), refusals[i]);
      assert.equal(render(diagnostics, hasListener).exitCode, 1);

      const { stderr } = render(
        diagnostics.filter(({ origin }) => origin === 'haproxy'),
        hasListener,
      );
      assert.equal(normalize(stderr) === normalize(recorded('stderr')), difference.haproxySaysTheSame ?? false);
    });
  }
}

test('the table of differences names recorded files only', () => {
  const names = new Set(readdirSync(FOLDER));
  assert.deepEqual(
    Object.keys(DIFFERENT).filter((name) => !names.has(name)),
    [],
  );
});

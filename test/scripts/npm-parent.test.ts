import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

const MODULE = pathToFileURL(join(REPOSITORY_ROOT, 'scripts', 'npm-parent.mjs')).href;

/** A program that says its process id, runs for ever, and says which signals reach it. */
const LISTENING = `
  import { endWithNpm } from '${MODULE}';
  endWithNpm();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { console.log(signal); setTimeout(() => process.exit(0), 1000); });
  setInterval(() => {}, 1000);
  console.log(process.pid);
`;

/** Milliseconds in which a program under npm would have noticed, several times, that its shell is gone. */
const SEVERAL_LOOKS_MS = 1000;

interface Started {
  readonly shell: ChildProcess;
  readonly pid: number;
  /** The next line it prints, null at its end. */
  next(): Promise<string | null>;
}

/** Runs the program as npm does: by way of a shell. */
async function startUnderShell(t: TestContext, program: string, environment: Record<string, string>): Promise<Started> {
  const shell = spawn('sh', ['-c', '"$0" --input-type=module -e "$1"; true', process.execPath, program], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: shell.stdout! })[Symbol.asyncIterator]();
  const next = async (): Promise<string | null> => {
    const { value, done } = await lines.next();
    return done ? null : (value as string);
  };
  const pid = Number(await next());
  assert.ok(pid > 0);
  t.after(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  });
  return { shell, pid, next };
}

test('when npm has ended the shell in between, the program gets the SIGTERM that was meant for it', async (t) => {
  const { shell, next } = await startUnderShell(t, LISTENING, { npm_lifecycle_event: 'start' });
  shell.kill('SIGTERM');
  await once(shell, 'exit');
  assert.equal(await next(), 'SIGTERM');
  assert.equal(await next(), null);
});

test('a program that was asked to stop is not asked a second time when its shell goes', async (t) => {
  const { shell, pid, next } = await startUnderShell(t, LISTENING, { npm_lifecycle_event: 'start' });
  process.kill(pid, 'SIGINT');
  assert.equal(await next(), 'SIGINT');
  shell.kill('SIGTERM');
  assert.equal(await next(), null, 'it ends by itself a second later, and nothing came before');
});

test('a signal that the program does not listen for ends it as ever', async (t) => {
  const deaf = `import { endWithNpm } from '${MODULE}'; endWithNpm(); setInterval(() => {}, 1000); console.log(process.pid);`;
  const { pid, next } = await startUnderShell(t, deaf, { npm_lifecycle_event: 'start' });
  process.kill(pid, 'SIGTERM');
  assert.equal(await next(), null);
});

test('without npm the program outlives the shell that started it', async (t) => {
  const { shell, pid, next } = await startUnderShell(t, LISTENING, {});
  shell.kill('SIGTERM');
  await once(shell, 'exit');
  await sleep(SEVERAL_LOOKS_MS);
  process.kill(pid, 'SIGINT');
  assert.equal(await next(), 'SIGINT', 'the first signal that it hears is ours');
});

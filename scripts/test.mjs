/**
 * `npm test`: sets the clone up, gets the peers that tests run against where it may, and runs every test of dist/ with
 * node's own runner, whose exit code is ours.
 *
 *     npm test                        everything
 *     npm test -- balancer mqtt/      only files whose path contains one of the words
 *     npm test -- --test-only         words that begin with a dash go to node
 *     npm test -- --no-apt            installs nothing (also ROUNDHOUSE_NO_APT=1)
 */
import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { installMissingPeers, SERVER_FOLDERS } from './debian-peers.mjs';
import { endWithNpm } from './npm-parent.mjs';
import { listFiles, REPOSITORY_ROOT, runScript, SetupError, setUp } from './setup.mjs';
import { selectArguments, selectTests } from './test-selection.mjs';

/** Files at once. Most start brokers of their own; more of them than cores would only make each other late. */
const CONCURRENCY = 2;

/** Milliseconds for one file, far above what any takes: a hung one is ended and named instead of hanging the run. A soak takes hours. */
const FILE_TIMEOUT_MS = process.env.ROUNDHOUSE_SOAK ? 12 * 3_600_000 : 600_000;

await runScript(async () => {
  endWithNpm();
  const { words, nodeOptions, mayInstall } = selectArguments(process.argv.slice(2), process.env);
  setUp();
  await installMissingPeers(mayInstall);
  const files = selectTests(listFiles(REPOSITORY_ROOT, 'dist'), words);
  if (files.length === 0) throw new SetupError(`no test file's path contains ${words.map((word) => `"${word}"`).join(' or ')}`);
  process.exitCode = await runTests(files, nodeOptions);
});

function runTests(files, nodeOptions) {
  const options = ['--test', '--test-reporter=spec', `--test-concurrency=${CONCURRENCY}`, `--test-timeout=${FILE_TIMEOUT_MS}`];
  const runner = spawn(process.execPath, ['--enable-source-maps', ...options, ...nodeOptions, ...files], {
    cwd: REPOSITORY_ROOT,
    stdio: 'inherit',
    env: { ...process.env, PATH: [process.env.PATH, ...SERVER_FOLDERS].join(delimiter) },
  });
  // A terminal sends Ctrl-C to the runner as well: we only have to outlive it. Other signals are sent to us alone.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => runner.kill(signal));
  return new Promise((resolve, reject) => {
    runner.on('error', reject);
    runner.on('exit', (code) => resolve(code ?? 1));
  });
}

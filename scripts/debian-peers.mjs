/**
 * The real peers that black-box tests run against, and how a Debian machine gets them.
 *
 * Only as root, only what is missing, and without a running daemon as the result: packages of servers start them on
 * installation unless `/usr/sbin/policy-rc.d` forbids it (invoke-rc.d(8): exit code 101), so one that does stands there
 * meanwhile.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { sayOnStderr } from './setup.mjs';

/**
 * Every Debian package that a test asks for, with the command that shows it is there. The one list to extend.
 * Debian's Python modules are seen by Debian's own Python only, which need not be the first on the PATH.
 */
export const DEBIAN_PEERS = [
  { package: 'mosquitto', probe: ['mosquitto'], service: 'mosquitto' },
  { package: 'mosquitto-clients', probe: ['mosquitto_pub'] },
  { package: 'haproxy', probe: ['haproxy'], service: 'haproxy' },
  { package: 'activemq', probe: ['activemq'], service: 'activemq' },
  { package: 'python3-paho-mqtt', probe: ['/usr/bin/python3', '-c', 'import paho.mqtt.client'] },
];

/** Where servers live; not on every user's PATH. */
export const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Milliseconds. Mirrors can be slow, but a test run must not hang on one. */
const APT_UPDATE_TIMEOUT_MS = 180_000;
const APT_INSTALL_TIMEOUT_MS = 600_000;
const PROBE_TIMEOUT_MS = 30_000;

const APT_OPTIONS = ['Acquire::Retries=3', 'Acquire::http::Timeout=30', 'Acquire::https::Timeout=30', 'DPkg::Lock::Timeout=120'].flatMap(
  (option) => ['-o', option],
);

/** How many of apt's last lines are shown when it fails. */
const APT_TAIL_LINES = 8;

/** The first line tells a file of ours, left by a run that was killed, from the administrator's. */
const POLICY_MARK = '# roundhouse: installed services stay stopped while tests are set up';
const POLICY_TEXT = `#!/bin/sh\n${POLICY_MARK}\nexit 101\n`;

/**
 * Installs the peers that are missing where that is possible and wanted. Never fails: a test whose peer is missing is
 * skipped and says so.
 *
 * @param wanted false where the user opted out
 */
export async function installMissingPeers(wanted, say = sayOnStderr) {
  const missing = [];
  for (const peer of DEBIAN_PEERS) if (!(await isThere(peer))) missing.push(peer);
  if (missing.length === 0) return;
  const packages = missing.map((peer) => peer.package);
  const obstacle = reasonNotToInstall({ wanted, isRoot: process.getuid?.() === 0, hasApt: isOnPath('apt-get') });
  if (obstacle !== null) {
    say(`tests that need ${packages.join(', ')} are skipped: ${obstacle}`);
    return;
  }
  say(`installing ${packages.join(', ')} with apt-get, for the tests (services stay stopped; --no-apt or ROUNDHOUSE_NO_APT=1 skips this)`);
  try {
    await withDaemonsHeld('/', () => install(packages, say));
    await disableServices(missing, say);
  } catch (error) {
    say(`cannot install them (${error.message}); tests that need them are skipped`);
  }
}

/** null where nothing stands in the way. */
export function reasonNotToInstall({ wanted, isRoot, hasApt }) {
  if (!wanted) return 'installing was switched off';
  if (!hasApt) return 'there is no apt-get here; install them by hand';
  if (!isRoot) return 'not running as root; install them with "sudo apt-get install"';
  return null;
}

/**
 * Runs `action` while no package may start its service, whatever way it ends. A policy that the administrator has put
 * there stays and is not touched.
 *
 * @param root `/`, or a folder that stands for it
 */
export async function withDaemonsHeld(root, action) {
  const release = holdDaemons(root);
  const onSignal = (signal) => {
    release();
    process.removeListener(signal, onSignal);
    process.kill(process.pid, signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, onSignal);
  process.on('exit', release);
  try {
    return await action();
  } finally {
    for (const signal of signals) process.removeListener(signal, onSignal);
    process.removeListener('exit', release);
    release();
  }
}

/** Forbids packages to start services; returns what lifts that again, which may be called more than once. */
export function holdDaemons(root) {
  const path = join(root, 'usr', 'sbin', 'policy-rc.d');
  try {
    writeFileSync(path, POLICY_TEXT, { flag: 'wx', mode: 0o755 });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!readFileSync(path, 'utf8').includes(POLICY_MARK)) return () => {};
  }
  return () => rmSync(path, { force: true });
}

async function install(packages, say) {
  const update = await run('apt-get', ['update', '-qq', ...APT_OPTIONS], APT_UPDATE_TIMEOUT_MS);
  // Older package lists may still do, so the installation is tried all the same.
  if (update.code !== 0) say(`apt-get update failed (${update.outcome}); trying with the package lists that are there`);
  const install = await run(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', ...APT_OPTIONS, ...packages],
    APT_INSTALL_TIMEOUT_MS,
  );
  if (install.code === 0) return;
  say(`apt-get install failed (${install.outcome}); tests that need a missing peer are skipped. Its last lines:\n${install.tail}`);
}

/** Without this a reboot would start them, on the very ports that the deployment of conf/ uses. */
async function disableServices(peers, say) {
  if (!isOnPath('systemctl')) return;
  for (const { service } of peers) {
    if (service === undefined) continue;
    const { code } = await run('systemctl', ['disable', '--quiet', service], PROBE_TIMEOUT_MS);
    if (code !== 0) say(`the service ${service} may start at the next boot; "systemctl disable ${service}" prevents it`);
  }
}

async function isThere({ probe: [command, ...args] }) {
  if (!isOnPath(command)) return false;
  return args.length === 0 || (await run(command, args, PROBE_TIMEOUT_MS)).code === 0;
}

function isOnPath(command) {
  if (isAbsolute(command)) return isExecutable(command);
  return [...(process.env.PATH ?? '').split(delimiter), ...SERVER_FOLDERS].some((folder) => isExecutable(join(folder, command)));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a command to its end; never throws. `code` is null where it could not run or was killed. */
function run(command, args, timeoutMs) {
  return new Promise((resolve) => {
    const lines = [];
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    });
    const collect = (chunk) => {
      lines.push(...String(chunk).split('\n'));
      lines.splice(0, lines.length - APT_TAIL_LINES);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => resolve({ code: null, outcome: error.message, tail: '' }));
    child.on('close', (code, signal) => {
      resolve({ code, outcome: signal === null ? `exit code ${code}` : `ended by ${signal}`, tail: lines.join('\n').trim() });
    });
  });
}

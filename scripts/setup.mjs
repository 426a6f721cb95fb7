/**
 * Makes a fresh clone runnable: the right Node, the locked dependencies, an up-to-date build in dist/.
 *
 * `npm start`, `npm test` and `npm run bench` all begin here. Plain JavaScript without dependencies, since it runs before
 * any of them are installed. Where nothing changed it costs a few milliseconds, needs no network and writes nothing.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const REPOSITORY_ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Folders that the compiler reads; the same as `include` in tsconfig.json. */
const SOURCE_FOLDERS = ['src', 'test', 'bench'];

/** Other files that decide what the compiler writes: settings, and (by the lock) its own version and that of the types. */
const BUILD_SETTINGS = ['tsconfig.json', 'package.json', 'package-lock.json'];

/** What the compiler writes for one source `x.ts`. */
const OUTPUT_SUFFIXES = ['.js', '.js.map', '.d.ts', '.d.ts.map'];

/** Holds the fingerprint of the sources that dist/ was built from. */
const BUILD_STAMP = join('dist', '.build-stamp');

/** What the compiler remembers of its last run. */
const BUILD_INFO = join('dist', '.tsbuildinfo');

/** Holds the digest of the package-lock.json that node_modules/ was installed from. npm removes it with the folder. */
const INSTALL_STAMP = join('node_modules', '.roundhouse-lock-hash');

/** How many of npm's last lines are shown when it fails. */
const NPM_TAIL_LINES = 15;

/** Something the user can put right: shown as its message alone, without a stack trace. */
export class SetupError extends Error {}

/**
 * Brings the clone at `root` up to date; says on `say` what takes long.
 *
 * @throws SetupError with what to do about it
 */
export function setUp(root = REPOSITORY_ROOT, say = sayOnStderr) {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  checkNodeVersion(engines.node, process.versions.node);
  installDependencies(root, say);
  build(root, say);
}

/** Runs `main`; an error that the user can put right ends the process with its message and exit code 1. */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError) && !isFileSystemError(error)) throw error;
    sayOnStderr(error.message);
    process.exitCode = 1;
  }
}

export function sayOnStderr(line) {
  process.stderr.write(`roundhouse: ${line}\n`);
}

/** @param range `>=MAJOR.MINOR`, as in package.json's `engines` */
export function checkNodeVersion(range, version) {
  const required = /^>=(\d+)\.(\d+)/.exec(range);
  if (!required) throw new SetupError(`package.json: engines.node is "${range}"; expected ">=MAJOR.MINOR"`);
  const [major, minor] = version.split('.').map(Number);
  const [requiredMajor, requiredMinor] = [Number(required[1]), Number(required[2])];
  if (major > requiredMajor || (major === requiredMajor && minor >= requiredMinor)) return;
  throw new SetupError(
    `needs Node ${requiredMajor}.${requiredMinor} or later; this is ${version} (${process.execPath}). ` +
      'Install a newer one (https://nodejs.org) and run the command again.',
  );
}

// ---- dependencies

function installDependencies(root, say) {
  const digest = digestOf(readFileSync(join(root, 'package-lock.json')));
  const state = installState(root, digest);
  if (state === 'stamped') return;
  if (state === 'missing') {
    say('installing dependencies (npm ci), once per change of package-lock.json');
    runNpmCi(root);
  }
  writeFileSync(join(root, INSTALL_STAMP), `${digest}\n`);
}

/**
 * Whether node_modules/ is what package-lock.json asks for: `stamped` by an earlier set-up, `matching` though not stamped
 * (somebody ran npm by hand), or `missing`.
 */
export function installState(root, digest) {
  if (readTextIfAny(join(root, INSTALL_STAMP)).trim() === digest) return 'stamped';
  const installedText = readTextIfAny(join(root, 'node_modules', '.package-lock.json'));
  if (installedText === '') return 'missing';
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return isInstallOf(JSON.parse(installedText).packages, wanted) ? 'matching' : 'missing';
}

/**
 * Whether npm's own record of what is in node_modules/ agrees with the lock: every package at its version, none too many.
 * Optional ones (other platforms' binaries) may be absent.
 */
export function isInstallOf(installed, wanted) {
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue; // the project itself
    const found = installed[path];
    if (found === undefined ? !entry.optional : found.version !== entry.version) return false;
  }
  return Object.keys(installed).every((path) => wanted[path] !== undefined);
}

function runNpmCi(root) {
  // --include=dev: also under NODE_ENV=production, since the compiler is a development dependency.
  const npmArguments = [
    'ci',
    '--include=dev',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--fetch-retries=2',
    '--fetch-retry-maxtimeout=10000',
  ];
  const [command, prefix] = npmCommand(process.env.npm_execpath);
  const npm = spawnSync(command, [...prefix, ...npmArguments], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (npm.error) throw new SetupError(`cannot run npm (${npm.error.message}): install npm, or run "npm ci" by hand in ${root}`);
  if (npm.status === 0) return;
  const output = `${npm.stdout}${npm.stderr}`.trimEnd();
  // npm explains a disagreement first and then prints all of its usage.
  const [explanation] = output.split(/\n[^\n]*Clean install a project/);
  const tail = explanation.split('\n').slice(-NPM_TAIL_LINES).join('\n');
  throw new SetupError(`npm ci failed: ${adviceForNpm(output)}\n${tail}`);
}

/** The npm that runs us, so that no second one is needed on the PATH; otherwise the PATH's. */
export function npmCommand(execPath) {
  return execPath && basename(execPath).startsWith('npm-cli') ? [process.execPath, [execPath]] : ['npm', []];
}

/** What to do about npm's failure, by the error codes that it prints. */
export function adviceForNpm(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED/.test(output)) {
    return 'the package registry cannot be reached. Connect to the network (or set npm\'s "registry" or "proxy"), and run the command again; this is needed only once.';
  }
  if (/EUSAGE/.test(output)) return 'package.json and package-lock.json disagree. Run "npm install", and commit both.';
  if (/EACCES|EPERM|EROFS/.test(output)) return "the folder cannot be written. Check who owns the clone and npm's cache.";
  if (/ENOSPC/.test(output)) return 'the disk is full.';
  return 'its last lines were:';
}

// ---- build

function build(root, say) {
  const sources = listSources(root);
  removeOrphans(root, sources);
  const fingerprint = fingerprintOf(root, [...sources, ...BUILD_SETTINGS]);
  const absent = missingOutputs(root, sources);
  if (absent.length === 0 && readTextIfAny(join(root, BUILD_STAMP)).trim() === fingerprint) return;
  say('building (tsc), once per change of the sources');
  // The compiler believes its own record and would not write again what somebody deleted.
  if (absent.length > 0) rmSync(join(root, BUILD_INFO), { force: true });
  rmSync(join(root, BUILD_STAMP), { force: true });
  const compiler = join('node_modules', 'typescript', 'bin', 'tsc');
  const { status, error } = spawnSync(process.execPath, [compiler, '-p', '.'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) throw new SetupError(`cannot run the compiler: ${error.message}`);
  if (status !== 0) throw new SetupError("the build failed; the compiler's errors are above");
  mkdirSync(join(root, 'dist'), { recursive: true });
  // The fingerprint was taken before: what changed meanwhile is built next time.
  writeFileSync(join(root, BUILD_STAMP), `${fingerprint}\n`);
}

/** All TypeScript files that the compiler reads, relative to `root`, sorted. */
export function listSources(root) {
  return SOURCE_FOLDERS.flatMap((folder) => listFiles(root, folder))
    .filter((path) => path.endsWith('.ts'))
    .sort();
}

/** Sources whose output is not there. */
export function missingOutputs(root, sources) {
  return sources.filter((path) => !path.endsWith('.d.ts') && !existsSync(join(root, 'dist', path.replace(/\.ts$/, '.js'))));
}

/** Removes from dist/ what a source that is gone has left, so that no deleted test runs and no deleted module resolves. */
export function removeOrphans(root, sources) {
  const expected = new Set(sources.flatMap((path) => OUTPUT_SUFFIXES.map((suffix) => path.replace(/\.ts$/, suffix))));
  const folders = new Set();
  for (const path of SOURCE_FOLDERS.flatMap((folder) => listFiles(join(root, 'dist'), folder))) {
    if (expected.has(path) || !OUTPUT_SUFFIXES.some((suffix) => path.endsWith(suffix))) continue;
    rmSync(join(root, 'dist', path), { force: true });
    folders.add(dirname(path));
  }
  for (const folder of folders) removeEmptyFolders(join(root, 'dist'), folder);
}

function removeEmptyFolders(root, folder) {
  for (let current = folder; current !== '.' && readdirSync(join(root, current)).length === 0; current = dirname(current)) {
    rmdirSync(join(root, current));
  }
}

/** One digest over the names and contents of `paths`. Contents rather than times: a checkout or a copy changes only times. */
export function fingerprintOf(root, paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(`${path}\0${digestOf(readFileSync(join(root, path)))}\0`);
  return hash.digest('hex');
}

/** Files below `root`/`folder`, relative to `root`; none where the folder does not exist. */
export function listFiles(root, folder) {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

function digestOf(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function readTextIfAny(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return '';
    throw error;
  }
}

/** A disk that is full or a folder that is not ours: the message of the system call says it all. */
function isFileSystemError(error) {
  return error instanceof Error && ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOENT'].includes(error.code) && error.syscall !== undefined;
}

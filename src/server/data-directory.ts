import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';

/**
 * A broker's store folder, held against every other broker for as long as this object is open.
 *
 * The lock is a listening Unix socket in the folder, under a name of its own (`lock.<pid>.<random>`). Whoever wants the folder first
 * listens and only then looks at the other lock sockets there:
 *
 *     answers `held`        somebody has the folder: refused
 *     answers `asking`      somebody else asks at the same time: the lower name goes first, the other is refused
 *     refuses connections   its process is gone, however it ended: the file is swept away
 *
 * Listening before looking means that of two that ask at once at least one sees the other, so there are never two holders; the kernel
 * closes the socket with its process, so there is never a stale lock. See docs/decisions/0004-data-folder-lock.md.
 */
export interface DataDirectory {
  /** Absolute path. */
  readonly path: string;
  /** Gives the folder up. */
  release(): Promise<void>;
}

/** How long an asker waits for the answer of another lock's owner, in milliseconds: a stopped process accepts and never answers. */
const ANSWER_WAIT_MS = 1_000;
/** Pause between two looks at one who asks at the same time, in milliseconds. */
const LOOK_AGAIN_MS = 20;
/** How long to wait for one who asks at the same time and goes first, in milliseconds; it either gets the folder or goes away. */
const ASKER_WAIT_MS = 5_000;
/** Longest path of a Unix socket, in bytes (`sun_path` of unix(7), without its closing zero; macOS has 103). */
const SOCKET_PATH_BYTES_MAX = 103;

const LOCK_NAME = /^lock\.(\d+)\.[0-9a-f]{12}$/;
/** KahaDB's journal files: `db-1.log`. */
const KAHADB_JOURNAL = /^db-\d+\.log$/;

/**
 * Makes the folder where it is missing, and locks it.
 *
 * @throws ConfigError DATA_DIRECTORY when it cannot be made or written to, DATA_DIRECTORY_KAHADB when a real ActiveMQ keeps its store
 *   there, DATA_DIRECTORY_LOCKED when another broker has it
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  await makeFolder(path);
  await refuseKahaDB(path);
  const folder = await openFolder(path);
  const name = `lock.${process.pid}.${randomBytes(6).toString('hex')}`;
  const state: LockState = { held: false };
  let server: Server;
  try {
    server = await listenOn(join(folder.shortPath, name), state);
  } catch (error) {
    await folder.close();
    throw new ConfigError('DATA_DIRECTORY', `data folder ${path}: cannot be locked: ${reasonOf(error)}`, error);
  }
  const release = async () => {
    await new Promise<void>((resolve) => server.close(() => resolve())); // takes the socket's file away, too
    await folder.close();
  };
  try {
    await goFirst(path, folder.shortPath, name);
  } catch (error) {
    await release();
    throw error;
  }
  state.held = true;
  return { path, release };
}

interface LockState {
  held: boolean;
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ConfigError(
      'DATA_DIRECTORY',
      `data folder ${path}: expected a folder that can be made and written to: ${reasonOf(error)}`,
      error,
    );
  }
}

/**
 * @param path need not exist
 * @throws ConfigError DATA_DIRECTORY_KAHADB
 */
export async function refuseKahaDB(path: string): Promise<void> {
  const names = await readdir(path).catch(() => []);
  const journal = names.find((name) => KAHADB_JOURNAL.test(name));
  if (journal === undefined) return;
  throw new ConfigError(
    'DATA_DIRECTORY_KAHADB',
    `data folder ${path}: holds a store of ActiveMQ's own (${journal}), which cannot be read here; let ActiveMQ deliver what is in it, ` +
      'then move the folder away, or name another one, e.g. with -D activemq.data=FOLDER',
  );
}

/**
 * The folder under a path short enough for a Unix socket in it: through an open descriptor in /proc on Linux, where the real one is too
 * long.
 */
async function openFolder(path: string): Promise<{ shortPath: string; close(): Promise<void> }> {
  const longest = Buffer.byteLength(join(path, `lock.${'9'.repeat(10)}.${'f'.repeat(12)}`));
  if (longest <= SOCKET_PATH_BYTES_MAX) return { shortPath: path, close: async () => {} };
  if (process.platform !== 'linux') {
    throw new ConfigError(
      'DATA_DIRECTORY',
      `data folder ${path}: its path is ${longest - SOCKET_PATH_BYTES_MAX} bytes too long for a lock`,
    );
  }
  const handle: FileHandle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  return { shortPath: `/proc/self/fd/${handle.fd}`, close: () => handle.close() };
}

function listenOn(path: string, state: LockState): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((asker) => {
      asker.on('error', () => asker.destroy()); // one who asked and went away
      asker.end(state.held ? 'held' : 'asking');
    });
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.unref();
      resolve(server);
    });
  });
}

/** Returns when nobody else has or wants the folder any more; throws when somebody keeps it. */
async function goFirst(path: string, folder: string, ownName: string): Promise<void> {
  const deadline = performance.now() + ASKER_WAIT_MS;
  for (;;) {
    let waitsFor: string | null = null;
    for (const name of await readdir(folder)) {
      if (name === ownName || !LOCK_NAME.test(name)) continue;
      const answer = await ask(join(folder, name));
      if (answer === 'gone') await rm(join(folder, name), { force: true });
      else if (answer === 'asking' && ownName < name) waitsFor = name;
      else throw inUse(path, name);
    }
    if (waitsFor === null) return;
    if (performance.now() > deadline) throw inUse(path, waitsFor);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

function inUse(path: string, lock: string): ConfigError {
  const pid = LOCK_NAME.exec(lock)?.[1];
  return new ConfigError(
    'DATA_DIRECTORY_LOCKED',
    `data folder ${path}: in use by another broker (process ${pid}, ${join(path, lock)}); stop that one, or give this one a folder of its ` +
      'own, e.g. with -D activemq.data=FOLDER',
  );
}

function ask(path: string): Promise<'held' | 'asking' | 'gone'> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(path);
    const settle = (result: 'held' | 'asking' | 'gone') => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(ANSWER_WAIT_MS, () => settle('held')); // accepted by the kernel for a process that is stopped: it is there
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('end', () => settle(answer === 'asking' ? 'asking' : 'held'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      socket.destroy();
      if (error.code === 'ECONNRESET')
        resolve(ask(path)); // its process ended while we asked
      else resolve(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? 'gone' : 'held'); // EAGAIN: its backlog is full, so it is there
    });
  });
}

function reasonOf(error: unknown): string {
  const { code, path, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `no permission${path === undefined ? '' : ` for ${path}`}`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `${path ?? 'a part of the path'} is not a folder`;
    case 'ENOENT':
      return `${path ?? 'it'} cannot be made there`;
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENOSPC':
      return 'the disk is full';
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
      return 'its file system has no Unix sockets; choose a folder on a local file system';
    default:
      return message;
  }
}

import { stat } from 'node:fs/promises';
import { PEER_NAME } from '../core/store.ts';
import { ConfigError } from '../errors.ts';
import { MQTT_5_STORED_PROPERTIES } from '../protocols/mqtt/message-properties.ts';
import { FolderFiles, type StoreFiles } from '../store/journal/files.ts';
import { explainPinning, inspectCheckpoints, inspectJournal, ObservedFiles, ReadOnlyFiles } from '../store/journal/inspect.ts';
import { JournalStore } from '../store/journal/store.ts';
import { type Log, silentLog } from '../telemetry/log.ts';
import { openDataDirectory } from './data-directory.ts';
import { ProgressBar } from './progress-bar.ts';

export type StoreAction = 'check' | 'dump' | 'compact' | 'why' | 'drop';

/** What `drop` is to drop: one of the two. */
export interface StoreCommandOptions {
  /** A client id. */
  readonly session?: string;
  /** The name of a linked broker, or its id. */
  readonly linkedBroker?: string;
  /** Without it nothing is dropped, only said. */
  readonly yes?: true;
}

/** Names of a store's files, in the order in which they are read. */
const STORE_FILE = /^(checkpoint-\d{8}\.bin|journal-\d{8}\.log)$/;
const JOURNAL_FILE = /^journal-\d{8}\.log$/;

const EXIT_SOUND = 0;
const EXIT_DAMAGED = 1;

/** Sessions that `why` names for each file. */
const NAMED_SESSIONS_MAX = 5;

/**
 * `roundhouse store ACTION FOLDER`: looks at the store of a stopped broker, or at a copy. The folder is locked meanwhile, so that one which
 * a broker runs on is refused.
 * @throws ConfigError STORE_MISSING, STORE_SESSION_MISSING, DATA_DIRECTORY, DATA_DIRECTORY_LOCKED, STORE_FORMAT
 */
export async function runStoreCommand(action: StoreAction, folder: string, options: StoreCommandOptions): Promise<number> {
  await requireStore(folder);
  const directory = await openDataDirectory(folder);
  try {
    const files = new FolderFiles(directory.path);
    switch (action) {
      case 'check':
        return await check(files);
      case 'dump':
        return await dump(files);
      case 'compact':
        return await compact(files);
      case 'why':
        return await why(files);
      case 'drop':
        return await drop(files, folder, options);
    }
  } finally {
    await directory.release();
  }
}

/** A mistyped folder must not become an empty store. */
async function requireStore(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  const names = found?.isDirectory() === true ? new FolderFiles(folder).list() : [];
  if (!names.some((name) => STORE_FILE.test(name)))
    throw new ConfigError('STORE_MISSING', `${folder}: a folder with journal-*.log files was expected, there are none`);
}

/** Verifies every checksum. */
async function check(files: FolderFiles): Promise<number> {
  const bar = new ProgressBar(process.stderr);
  const places = new Places(files, JOURNAL_FILE);
  let records = 0;
  let faults = 0;
  for await (const { file, place, end, kind } of inspectJournal(files)) {
    bar.show('checking', places.of(file, end), places.total, file);
    if (kind !== null) {
      records++;
      continue;
    }
    faults++;
    bar.clear();
    print(`${file}: bytes ${place} to ${end} are not a sound record`);
  }
  bar.clear();
  for (const { name, isSound } of await inspectCheckpoints(files)) {
    if (isSound) continue;
    faults++;
    print(`${name}: not whole and sound`);
  }
  print(`${records} records, ${faults} ${faults === 1 ? 'fault' : 'faults'}`);
  if (faults > 0) print('at the end of the last file a fault is what a power failure leaves, and costs nothing that was acknowledged');
  return faults === 0 ? EXIT_SOUND : EXIT_DAMAGED;
}

/** One line for each record. */
async function dump(files: FolderFiles): Promise<number> {
  const bar = new ProgressBar(process.stderr, process.stdout.isTTY !== true);
  const places = new Places(files, JOURNAL_FILE);
  for await (const { file, place, end, kind, detail } of inspectJournal(files)) {
    bar.show('dumping', places.of(file, end), places.total, file);
    print(`${file}\t${place}\t${end - place}\t${kind ?? 'NOT SOUND'}${detail === '' ? '' : `\t${detail}`}`);
  }
  bar.clear();
  return EXIT_SOUND;
}

/** Frees what can be freed. */
async function compact(files: FolderFiles): Promise<number> {
  const bar = new ProgressBar(process.stderr);
  const store = await openStoreOf(files, bar, silentLog);
  const before = store.diskBytes;
  let most = 0;
  await store.compact((left) => {
    most = Math.max(most, left);
    bar.show('emptying', most - left, most, `${left} ${left === 1 ? 'file' : 'files'} left, ${store.diskBytes} bytes`);
  });
  const after = store.diskBytes;
  await store.close();
  bar.clear();
  print(`${before} bytes of journal before, ${after} after`);
  return EXIT_SOUND;
}

/** Names what keeps each file. */
async function why(files: FolderFiles): Promise<number> {
  const bar = new ProgressBar(process.stderr);
  const store = await openStoreOf(new ReadOnlyFiles(files), bar, silentLog);
  bar.clear();
  for (const { file, bytes, messages, live, sessions, retained, isRecent } of explainPinning(store)) {
    const reasons = sessions.slice(0, NAMED_SESSIONS_MAX).map(([clientId, count]) => `session ${clientId} (${count})`);
    if (sessions.length > NAMED_SESSIONS_MAX) reasons.push(`${sessions.length - NAMED_SESSIONS_MAX} sessions more`);
    if (retained > 0) reasons.push(`${retained} retained`);
    if (reasons.length === 0)
      reasons.push(isRecent ? 'written to, or read on from at the next start' : 'nothing: it goes when a broker runs');
    print(`${file}\t${bytes} bytes\t${live} of ${messages} messages live\t${reasons.join(', ')}`);
  }
  return EXIT_SOUND;
}

/** Ends a session that nobody comes back for, with all that it is owed. */
async function drop(files: FolderFiles, folder: string, { session, linkedBroker, yes }: StoreCommandOptions): Promise<number> {
  const bar = new ProgressBar(process.stderr);
  const store = await openStoreOf(yes === true ? files : new ReadOnlyFiles(files), bar, silentLog);
  bar.clear();
  const found = session === undefined ? store.peers() : store.sessions();
  const dropped = [...found].filter(({ clientId, attributes }) =>
    session === undefined ? [clientId, attributes.get(PEER_NAME)?.toString()].includes(linkedBroker) : clientId === session,
  );
  const what = session === undefined ? 'linked broker' : 'session';
  for (const each of dropped) {
    const { clientId, size, bytes } = each;
    print(`${what} ${clientId}: ${size} messages, ${bytes} bytes${yes === true ? ', dropped' : '; --yes drops it'}`);
    if (yes === true) each.drop();
  }
  if (yes === true) await store.close();
  if (dropped.length > 0) return EXIT_SOUND;
  throw new ConfigError('STORE_SESSION_MISSING', `${folder}: the store has no ${what} ${session ?? linkedBroker}`);
}

/** Opens a store, with a bar for how much of it has been read. */
async function openStoreOf(files: StoreFiles, bar: ProgressBar, log: Log): Promise<JournalStore> {
  const places = new Places(files, STORE_FILE);
  let isOpen = false;
  const observed = new ObservedFiles(files, (name, end) => {
    if (!isOpen) bar.show('reading', places.of(name, end), places.total, name);
  });
  const store = await JournalStore.open({ files: observed, log, propertiesForm: MQTT_5_STORED_PROPERTIES, cacheBytes: 0 });
  isOpen = true;
  return store;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Places in files as if those were one behind the other, in bytes. */
class Places {
  readonly total: number;
  readonly #starts = new Map<string, number>();

  constructor(files: StoreFiles, names: RegExp) {
    let total = 0;
    const found = files.list().filter((name) => names.test(name));
    for (const name of found.sort()) {
      this.#starts.set(name, total);
      total += files.size(name);
    }
    this.total = total;
  }

  /** 0 for a file that was not there. */
  of(file: string, place: number): number {
    const start = this.#starts.get(file);
    return start === undefined ? 0 : start + place;
  }
}

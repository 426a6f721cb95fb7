import { stat } from 'node:fs/promises';
import { ConfigError } from '../errors.ts';
import { MQTT_5_STORED_PROPERTIES } from '../protocols/mqtt/message-properties.ts';
import { FolderFiles } from '../store/journal/files.ts';
import { explainPinning, inspectCheckpoints, inspectJournal, ReadOnlyFiles } from '../store/journal/inspect.ts';
import { JournalStore } from '../store/journal/store.ts';
import { type Log, silentLog } from '../telemetry/log.ts';
import { openDataDirectory } from './data-directory.ts';

export type StoreAction = 'check' | 'dump' | 'compact' | 'why';

const EXIT_SOUND = 0;
const EXIT_DAMAGED = 1;

/** Said on a terminal meanwhile. */
const READING = 'reading the store ...';

/** Sessions that `why` names for each file. */
const NAMED_SESSIONS_MAX = 5;

/**
 * `roundhouse store ACTION FOLDER`: looks at the store of a stopped broker, or at a copy. The folder is locked meanwhile, so that one which
 * a broker runs on is refused.
 * @throws ConfigError STORE_MISSING, DATA_DIRECTORY, DATA_DIRECTORY_LOCKED, STORE_FORMAT
 */
export async function runStoreCommand(action: StoreAction, folder: string): Promise<number> {
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
    }
  } finally {
    await directory.release();
  }
}

/** A mistyped folder must not become an empty store. */
async function requireStore(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  const names = found?.isDirectory() === true ? new FolderFiles(folder).list() : [];
  if (!names.some((name) => /^(journal-\d{8}\.log|checkpoint-\d{8}\.bin)$/.test(name)))
    throw new ConfigError('STORE_MISSING', `${folder}: a folder with journal-*.log files was expected, there are none`);
}

/** Verifies every checksum. */
async function check(files: FolderFiles): Promise<number> {
  const progress = new Progress(files);
  let records = 0;
  let faults = 0;
  for await (const { file, place, end, kind } of inspectJournal(files)) {
    progress.at(file, end);
    if (kind !== null) {
      records++;
      continue;
    }
    faults++;
    progress.clear();
    print(`${file}: bytes ${place} to ${end} are not a sound record`);
  }
  progress.clear();
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
  for await (const { file, place, end, kind, detail } of inspectJournal(files))
    print(`${file}\t${place}\t${end - place}\t${kind ?? 'NOT SOUND'}${detail === '' ? '' : `\t${detail}`}`);
  return EXIT_SOUND;
}

/** Frees what can be freed. */
async function compact(files: FolderFiles): Promise<number> {
  const progress = new Progress(files);
  progress.say(READING);
  const store = await openStoreOf(files, silentLog);
  const before = store.diskBytes;
  await store.compact(() => progress.say(`${store.messages.segments.length} files, ${store.diskBytes} bytes`));
  const after = store.diskBytes;
  await store.close();
  progress.clear();
  print(`${before} bytes of journal before, ${after} after`);
  return EXIT_SOUND;
}

/** Names what keeps each file. */
async function why(files: FolderFiles): Promise<number> {
  const progress = new Progress(files);
  progress.say(READING);
  const store = await openStoreOf(new ReadOnlyFiles(files), silentLog);
  progress.clear();
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

function openStoreOf(files: FolderFiles | ReadOnlyFiles, log: Log): Promise<JournalStore> {
  return JournalStore.open({ files, log, propertiesForm: MQTT_5_STORED_PROPERTIES, cacheBytes: 0 });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** How far it is, on a terminal. */
class Progress {
  readonly #files: FolderFiles;
  readonly #total: number;
  readonly #isShown = process.stderr.isTTY === true;
  #file = '';
  #before = 0;
  #percent = -1;

  constructor(files: FolderFiles) {
    this.#files = files;
    this.#total = files.list().reduce((sum, name) => sum + (name.endsWith('.log') ? files.size(name) : 0), 0);
  }

  at(file: string, place: number): void {
    if (!this.#isShown) return;
    if (file !== this.#file) {
      if (this.#file !== '') this.#before += this.#files.size(this.#file);
      this.#file = file;
    }
    const percent = Math.floor((100 * (this.#before + place)) / Math.max(1, this.#total));
    if (percent === this.#percent) return;
    this.#percent = percent;
    this.say(`${'█'.repeat(Math.floor(percent / 4)).padEnd(25, '░')} ${percent} % ${file}`);
  }

  say(text: string): void {
    if (this.#isShown) process.stderr.write(`\r\x1b[K${text}`);
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\x1b[K');
  }
}

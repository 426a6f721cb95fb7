import { access, constants, copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrokerModel, IOExceptionHandlerModel, PersistenceAdapterModel } from '../config/activemq/model.ts';
import type { Usage } from '../core/usage.ts';
import { ConfigError } from '../errors.ts';
import { MQTT_5_STORED_PROPERTIES } from '../protocols/mqtt/message-properties.ts';
import { FolderFiles } from '../store/journal/files.ts';
import { segmentNumber } from '../store/journal/segment.ts';
import type { SyncStrategy } from '../store/journal/segment-files.ts';
import { SpillFiles } from '../store/journal/spill.ts';
import { JournalStore } from '../store/journal/store.ts';
import type { Log } from '../telemetry/log.ts';

/** Bytes of stored messages in memory; what is beyond, or what memory is too short for, is read from the journal when its turn comes. */
const CACHE_BYTES = 128 * 1024 * 1024;

/** Files of a store, and what a crash can leave of one. */
const STORE_FILE = /^(journal-\d{8}\.(log|spare)|checkpoint-\d{8}\.bin)(\.tmp)?$/;

/** ActiveMQ's name for it. */
const SPILL_FOLDER = 'tmp_storage';

/**
 * Opens the store of a broker in its folder, which the caller has locked.
 *
 * @param onFailure told when the store cannot write, and when it can again (null); the log has said it
 * @throws ConfigError STORE_FORMAT; Node's errors where the folder cannot be read
 */
export async function openStore(
  path: string,
  { persistenceAdapter, ioExceptionHandler, deleteAllMessagesOnStartup }: BrokerModel,
  usage: Usage,
  log: Log,
  onFailure: (error: Error | null) => void,
): Promise<JournalStore> {
  const { attributes, archiveDirectory } = persistenceAdapter;
  const { journalMaxFileLength, journalDiskSyncInterval } = attributes;
  const files = new FolderFiles(path);
  if (deleteAllMessagesOnStartup) await empty(files, path, log);
  return JournalStore.open({
    files,
    log,
    propertiesForm: MQTT_5_STORED_PROPERTIES,
    cacheBytes: CACHE_BYTES,
    usage,
    strategy: strategyOf(attributes),
    concurrentStoreAndDispatch: attributes.concurrentStoreAndDispatchTopics !== false,
    retryMs: ioExceptionHandler.resumeCheckSleepPeriodMs,
    ...(typeof journalMaxFileLength === 'number' ? { segmentBytes: journalMaxFileLength } : {}),
    ...(typeof journalDiskSyncInterval === 'number' ? { syncIntervalMs: journalDiskSyncInterval } : {}),
    ...(archiveDirectory === null ? {} : { archive: (name) => moveTo(archiveDirectory, path, name) }),
    onFailure(error) {
      if (error === null) log.info('the store can write again: what was waiting is acknowledged', { store: path });
      else log.error('the store cannot write: nothing is acknowledged that has to be stored', { store: path, reason: error.message });
      onFailure(error);
    },
  });
}

/** Whether an error is one for which connectors are to stop: see `ioExceptionHandler`. */
export function stopsConnectors(error: NodeJS.ErrnoException, handler: IOExceptionHandlerModel): boolean {
  if (!handler.stopStartConnectors || handler.ignoreAllErrors) return false;
  const isNoSpace = error.code === 'EDQUOT' || error.message.toLowerCase().includes(handler.noSpaceMessage.toLowerCase());
  return !(handler.ignoreNoSpaceErrors && isNoSpace);
}

async function empty(files: FolderFiles, path: string, log: Log): Promise<void> {
  const names = files.list().filter((name) => STORE_FILE.test(name));
  for (const name of names) await files.remove(name);
  if (names.length > 0) log.info('the store was emptied, as deleteAllMessagesOnStartup asks for', { store: path, files: names.length });
}

/** Moves a file of the store to the archive, under a name that nothing there has: a store that was begun anew counts from 1 again. */
async function moveTo(archive: string, folder: string, name: string): Promise<void> {
  await mkdir(archive, { recursive: true });
  let target = join(archive, name);
  for (let i = 1; await exists(target); i++) target = join(archive, `${name}.${i}`);
  const from = join(folder, name);
  try {
    await rename(from, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await copyFile(from, target, constants.COPYFILE_EXCL); // another file system
    await rm(from);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Bytes of journal files in a store's folder. */
export function storedBytes(path: string): number {
  const files = new FolderFiles(path);
  return files.list().reduce((sum, name) => (segmentNumber(name) === null ? sum : sum + files.size(name)), 0);
}

/** Temporary files for what memory is too short for, in an emptied folder of the store's. @throws ConfigError DATA_DIRECTORY */
export async function openSpill(path: string, usage: Usage, log: Log): Promise<SpillFiles> {
  const folder = join(path, SPILL_FOLDER);
  try {
    return await SpillFiles.open({ files: new FolderFiles(folder), propertiesForm: MQTT_5_STORED_PROPERTIES, usage, log });
  } catch (error) {
    throw new ConfigError('DATA_DIRECTORY', `temporary files in ${folder}: cannot be had: ${(error as Error).message}`, error);
  }
}

/** ActiveMQ's default is `always`, and `enableJournalDiskSyncs="false"` its older way to say `never`. */
function strategyOf({ journalDiskSyncStrategy, enableJournalDiskSyncs }: PersistenceAdapterModel['attributes']): SyncStrategy {
  if (enableJournalDiskSyncs === false) return 'never';
  const name = String(journalDiskSyncStrategy ?? 'always').toLowerCase();
  return name === 'periodic' || name === 'never' ? name : 'always';
}

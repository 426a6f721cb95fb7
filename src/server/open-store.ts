import type { PersistenceAdapterModel } from '../config/activemq/model.ts';
import { MQTT_5_STORED_PROPERTIES } from '../protocols/mqtt/message-properties.ts';
import { FolderFiles } from '../store/journal/files.ts';
import type { SyncStrategy } from '../store/journal/log.ts';
import { JournalStore } from '../store/journal/store.ts';
import type { Log } from '../telemetry/log.ts';

/** Bytes of stored messages in memory; what is beyond is read from the journal when its turn comes. */
const CACHE_BYTES = 128 * 1024 * 1024;

/**
 * Opens the store of a `persistenceAdapter` in its folder, which the caller has locked.
 * @throws ConfigError STORE_FORMAT; Node's errors where the folder cannot be read
 */
export function openStore(path: string, { attributes }: PersistenceAdapterModel, log: Log): Promise<JournalStore> {
  const { journalMaxFileLength, journalDiskSyncInterval } = attributes;
  return JournalStore.open({
    files: new FolderFiles(path),
    log,
    propertiesForm: MQTT_5_STORED_PROPERTIES,
    cacheBytes: CACHE_BYTES,
    strategy: strategyOf(attributes),
    ...(typeof journalMaxFileLength === 'number' ? { segmentBytes: journalMaxFileLength } : {}),
    ...(typeof journalDiskSyncInterval === 'number' ? { syncIntervalMs: journalDiskSyncInterval } : {}),
    onFailure(error) {
      if (error === null) log.info('the store can write again: what was waiting is acknowledged', { store: path });
      else log.error('the store cannot write: nothing is acknowledged that has to be stored', { store: path, reason: error.message });
    },
  });
}

/** ActiveMQ's default is `always`, and `enableJournalDiskSyncs="false"` its older way to say `never`. */
function strategyOf({ journalDiskSyncStrategy, enableJournalDiskSyncs }: PersistenceAdapterModel['attributes']): SyncStrategy {
  if (enableJournalDiskSyncs === false) return 'never';
  const name = String(journalDiskSyncStrategy ?? 'always').toLowerCase();
  return name === 'periodic' || name === 'never' ? name : 'always';
}

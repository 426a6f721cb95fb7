import { join, resolve } from 'node:path';
import { beanOf, booleanOf, plainAttributes, textOf } from './bean-values.ts';
import type { Bean } from './bind.ts';
import type { PersistenceAdapterModel } from './model.ts';
import type { Reading } from './reading.ts';

/** ActiveMQ's folder of a broker that names none. */
const DEFAULT_DATA_DIRECTORY = 'activemq-data';
/** ActiveMQ's name of a store's folder. */
const DEFAULT_STORE_DIRECTORY = 'KahaDB';

/** Words that KahaDB takes; it refuses others when it starts. */
const KAHADB_WORDS: Readonly<Record<string, readonly string[]>> = {
  journalDiskSyncStrategy: ['ALWAYS', 'PERIODIC', 'NEVER'],
};

/** Absolute path of the broker's folder. */
export function readDataDirectory(broker: Bean, reading: Reading): string {
  const directory = textOf(broker, 'dataDirectory', textOf(broker, 'dataDirectoryFile', DEFAULT_DATA_DIRECTORY));
  return resolve(reading.workingDirectory, directory);
}

export function readPersistenceAdapter(broker: Bean, brokerName: string, dataDirectory: string, reading: Reading): PersistenceAdapterModel {
  const adapter = beanOf(broker, 'persistenceAdapter');
  const persistent = booleanOf(broker, 'persistent', true);
  if (adapter === undefined) {
    if (!persistent) return { kind: 'memory', directory: '', attributes: {} };
    return { kind: 'kahaDB', directory: join(dataDirectory, brokerName, DEFAULT_STORE_DIRECTORY), attributes: {} };
  }
  if (adapter.name === 'memoryPersistenceAdapter') return { kind: 'memory', directory: '', attributes: plainAttributes(adapter) };
  if (!persistent) {
    reading.warn(adapter.place, adapter.name, 'persistent="false" keeps messages in memory: this store is not used');
    return { kind: 'memory', directory: '', attributes: {} };
  }
  for (const [name, words] of Object.entries(KAHADB_WORDS)) {
    const value = adapter.values.get(name);
    if (value === undefined || words.includes(value.text.text.trim().toUpperCase())) continue;
    reading.error(value.text.at(0), name, `${name}: expected ${words.join(', ')}, found "${value.text.text.trim()}"`);
  }
  return {
    kind: 'kahaDB',
    directory: resolve(reading.workingDirectory, textOf(adapter, 'directory', DEFAULT_STORE_DIRECTORY)),
    attributes: plainAttributes(adapter),
  };
}

import { join, resolve } from 'node:path';
import { beanOf, booleanOf, numberOf, plainAttributes, textOf } from './bean-values.ts';
import type { Bean } from './bind.ts';
import type { IOExceptionHandlerModel, PersistenceAdapterModel } from './model.ts';
import type { Reading } from './reading.ts';

/** ActiveMQ's folder of a broker that names none. */
const DEFAULT_DATA_DIRECTORY = 'activemq-data';
/** ActiveMQ's name of a store's folder. */
const DEFAULT_STORE_DIRECTORY = 'KahaDB';

/** Words that KahaDB takes; it refuses others when it starts. */
const KAHADB_WORDS: Readonly<Record<string, readonly string[]>> = {
  journalDiskSyncStrategy: ['ALWAYS', 'PERIODIC', 'NEVER'],
};

/** ActiveMQ's folder within a store's, for journal files that are no longer needed. */
const DEFAULT_ARCHIVE_DIRECTORY = 'data-archive';

/** What the system says of a disk that is full has it. */
const NO_SPACE_MESSAGE = 'space';

/** Milliseconds. ActiveMQ looks every 5 s. */
const RESUME_CHECK_SLEEP_PERIOD_MS = 1_000;

const MEMORY = { kind: 'memory', directory: '', archiveDirectory: null } as const;

/** Absolute path of the broker's folder. */
export function readDataDirectory(broker: Bean, reading: Reading): string {
  const directory = textOf(broker, 'dataDirectory', textOf(broker, 'dataDirectoryFile', DEFAULT_DATA_DIRECTORY));
  return resolve(reading.workingDirectory, directory);
}

export function readPersistenceAdapter(broker: Bean, brokerName: string, dataDirectory: string, reading: Reading): PersistenceAdapterModel {
  const adapter = beanOf(broker, 'persistenceAdapter');
  const persistent = booleanOf(broker, 'persistent', true);
  if (adapter === undefined) {
    if (!persistent) return { ...MEMORY, attributes: {} };
    const directory = join(dataDirectory, brokerName, DEFAULT_STORE_DIRECTORY);
    return { kind: 'kahaDB', directory, archiveDirectory: null, attributes: {} };
  }
  if (adapter.name === 'memoryPersistenceAdapter') return { ...MEMORY, attributes: plainAttributes(adapter) };
  if (!persistent) {
    reading.warn(adapter.place, adapter.name, 'persistent="false" keeps messages in memory: this store is not used');
    return { ...MEMORY, attributes: {} };
  }
  for (const [name, words] of Object.entries(KAHADB_WORDS)) {
    const value = adapter.values.get(name);
    if (value === undefined || words.includes(value.text.text.trim().toUpperCase())) continue;
    reading.error(value.text.at(0), name, `${name}: expected ${words.join(', ')}, found "${value.text.text.trim()}"`);
  }
  const directory = resolve(reading.workingDirectory, textOf(adapter, 'directory', DEFAULT_STORE_DIRECTORY));
  return { kind: 'kahaDB', directory, archiveDirectory: archiveOf(adapter, directory, reading), attributes: plainAttributes(adapter) };
}

function archiveOf(adapter: Bean, directory: string, reading: Reading): string | null {
  if (!booleanOf(adapter, 'archiveDataLogs', false)) return null;
  const archive = textOf(adapter, 'directoryArchive', '');
  return archive === '' ? join(directory, DEFAULT_ARCHIVE_DIRECTORY) : resolve(reading.workingDirectory, archive);
}

/** @param bean undefined when the file has none */
export function readIOExceptionHandler(bean: Bean | undefined, reading: Reading): IOExceptionHandlerModel {
  const period = bean === undefined ? RESUME_CHECK_SLEEP_PERIOD_MS : numberOf(bean, 'resumeCheckSleepPeriod', RESUME_CHECK_SLEEP_PERIOD_MS);
  if (period < 1) {
    const value = bean!.values.get('resumeCheckSleepPeriod')!;
    reading.error(
      value.text.at(0),
      value.name,
      `resumeCheckSleepPeriod: expected milliseconds, 1 or more, found "${value.text.text.trim()}"`,
    );
  }
  return {
    stopStartConnectors: bean !== undefined && booleanOf(bean, 'stopStartConnectors', false),
    ignoreAllErrors: bean !== undefined && booleanOf(bean, 'ignoreAllErrors', false),
    ignoreNoSpaceErrors: bean === undefined || booleanOf(bean, 'ignoreNoSpaceErrors', true),
    noSpaceMessage: bean === undefined ? NO_SPACE_MESSAGE : textOf(bean, 'noSpaceMessage', NO_SPACE_MESSAGE),
    resumeCheckSleepPeriodMs: period,
  };
}

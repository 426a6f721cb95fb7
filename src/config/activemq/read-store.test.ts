import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerFile, readText, saidOfBroker } from '../../../test/harness/activemq-file.ts';

test('what happens while the store cannot write', () => {
  const read = (words: string) =>
    readText(brokerFile(`<ioExceptionHandler><defaultIOExceptionHandler ${words}/></ioExceptionHandler>`)).model!.ioExceptionHandler;
  const defaults = {
    stopStartConnectors: false,
    ignoreAllErrors: false,
    ignoreNoSpaceErrors: true,
    noSpaceMessage: 'space',
    resumeCheckSleepPeriodMs: 1_000,
  };
  assert.deepEqual(read(''), defaults);
  assert.deepEqual(read('stopStartConnectors="true" ignoreAllErrors="true" ignoreNoSpaceErrors="false"'), {
    ...defaults,
    stopStartConnectors: true,
    ignoreAllErrors: true,
    ignoreNoSpaceErrors: false,
  });
  assert.deepEqual(read('noSpaceMessage="voll" resumeCheckSleepPeriod="5000"'), {
    ...defaults,
    noSpaceMessage: 'voll',
    resumeCheckSleepPeriodMs: 5_000,
  });
});

test('a pause that is none is an error; words for databases have no effect', () => {
  const said = (handler: string) => saidOfBroker(`<ioExceptionHandler>${handler}</ioExceptionHandler>`).join('\n');
  assert.match(
    said('<defaultIOExceptionHandler resumeCheckSleepPeriod="0"/>'),
    /error: resumeCheckSleepPeriod: expected milliseconds, 1 or more, found "0"/,
  );
  assert.match(
    said('<defaultIOExceptionHandler ignoreSQLExceptions="false"/>'),
    /warning: .*no store here is a database, so it has no effect/,
  );
  assert.match(said('<jDBCIOExceptionHandler/>'), /warning: .*no store here is a database, so it has no effect/);
});

test('journal files that are no longer needed go to data-archive in the store, or where directoryArchive says', () => {
  const read = (words: string) =>
    readText(brokerFile(`<persistenceAdapter><kahaDB directory="/k" ${words}/></persistenceAdapter>`)).model!.persistenceAdapter
      .archiveDirectory;
  assert.equal(read(''), null);
  assert.equal(read('directoryArchive="/a"'), null);
  assert.equal(read('archiveDataLogs="true"'), '/k/data-archive');
  assert.equal(read('archiveDataLogs="true" directoryArchive="/a"'), '/a');
});

import { FragileFiles } from '../../../test/harness/fragile-files.ts';
import { testStoreContract } from '../../../test/harness/store-contract.ts';
import { silentLog } from '../../telemetry/log.ts';
import { JournalStore } from './store.ts';

const FORM = { decode: () => null, encode: () => Buffer.alloc(0) };

for (const [name, cacheBytes, segmentBytes] of [
  ['a journal', 64 * 1024 * 1024, 32 * 1024 * 1024],
  ['a journal of small files that has next to nothing in memory', 1_000, 64 * 1024],
] as const) {
  testStoreContract(name, () =>
    JournalStore.open({ files: new FragileFiles(), log: silentLog, propertiesForm: FORM, cacheBytes, segmentBytes }),
  );
}

import { testStoreContract } from '../../test/harness/store-contract.ts';
import { silentLog } from '../telemetry/log.ts';
import { BrokerCounters } from './counters.ts';
import { MemoryStore } from './memory-store.ts';
import { Usage } from './usage.ts';

testStoreContract('a store in memory', async () => new MemoryStore(new Usage(new BrokerCounters(), silentLog)));

import { testStoreContract } from '../../test/harness/store-contract.ts';
import { MemoryStore } from './memory-store.ts';

testStoreContract('a store in memory', async () => new MemoryStore());

/**
 * Loaded into a broker that is to be measured (`node --import`): on SIGUSR2 it collects garbage, all of it, and writes what is
 * in use into the file that ROUNDHOUSE_HEAP_FILE names.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const file = process.env.ROUNDHOUSE_HEAP_FILE;
if (file !== undefined) process.on('SIGUSR2', () => report(file));

function report(path: string): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect(); // what the first one only found to be dead, weak references and array buffers for example
  const { heapUsed, external } = process.memoryUsage();
  // Whole or not at all: somebody waits for the file.
  writeFileSync(`${path}.part`, JSON.stringify({ heapUsedBytes: heapUsed, externalBytes: external }));
  renameSync(`${path}.part`, path);
}

/**
 * The load generator as a program: one run, one line of JSON. Exit code 0: loss-free, 3: not (the line says what), 1: could
 * not run, 2: wrong arguments.
 *
 *     node dist/bench/generator.js --port 1883 --mode pair --publishers 100 --window 20
 */
import { parseArgs } from 'node:util';
import { isLossFree, type LoadOptions, runLoad } from './load.ts';
import { loadArguments, parseLoadOptions } from './load-options.ts';

await main();

async function main(): Promise<void> {
  let options: LoadOptions;
  try {
    options = parseLoadOptions(parseArgs({ options: loadArguments }).values);
  } catch (error) {
    process.stderr.write(`generator: ${(error as Error).message}\n`);
    process.exitCode = 2;
    return;
  }
  try {
    const result = await runLoad(options);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    process.exitCode = isLossFree(result) ? 0 : 3;
  } catch (error) {
    process.stderr.write(`generator: ${(error as Error).message}\n`);
    process.exit(1);
  }
}

/**
 * The crowd as a program. It connects, and then does what each line of its input says, answering each with a line of JSON:
 *
 *     (at the start)   {"count":10000,"seconds":0.9,…}     all are connected
 *     subscribe 999    {"count":9990000,"seconds":…}       everybody has subscribed to 999 filters
 *     leave            {"closed":0}                        connections that the broker had closed by then; the program ends
 *
 *     node dist/bench/crowd-program.js --port 1883 --clients 10000
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Crowd, type CrowdOptions } from './crowd.ts';
import { addressOf, PID_MAX, wholeNumber } from './load-options.ts';

await main();

async function main(): Promise<void> {
  let options: CrowdOptions;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(`crowd: ${(error as Error).message}\n`);
    process.exitCode = 2;
    return;
  }
  try {
    await run(new Crowd(options));
  } catch (error) {
    process.stderr.write(`crowd: ${(error as Error).message}\n`);
    process.exit(1);
  }
}

function readOptions(): CrowdOptions {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '1883' },
      clients: { type: 'string', default: '1000' },
      'keep-alive': { type: 'string', default: '60' },
      'broker-pid': { type: 'string', default: '0' },
    },
  });
  return {
    host: addressOf(values),
    port: wholeNumber(values, 'port', 1, 65_535),
    clients: wholeNumber(values, 'clients', 1, 100_000),
    keepAliveS: wholeNumber(values, 'keep-alive', 0, 65_535),
    brokerPid: wholeNumber(values, 'broker-pid', 0, PID_MAX),
  };
}

async function run(crowd: Crowd): Promise<void> {
  say(await crowd.connect());
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, count] = line.split(' ');
    if (word === 'leave') break;
    if (word !== 'subscribe' || !(Number(count) > 0)) throw new Error(`expected "subscribe COUNT" or "leave", got "${line}"`);
    say(await crowd.subscribe(Number(count)));
  }
  const { closed } = crowd;
  await crowd.leave();
  say({ closed });
  process.stdin.destroy();
}

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/**
 * A replay as a program: one run, one line of JSON.
 *
 *     node dist/bench/replay-program.js --port 1883 --messages 1000000
 */
import { parseArgs } from 'node:util';
import { addressOf, PID_MAX, wholeNumber } from './load-options.ts';
import { REPLAY_PAYLOAD_MIN, runReplay } from './replay.ts';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '1883' },
    messages: { type: 'string', default: '1000000' },
    payload: { type: 'string', default: '64' },
    'broker-pid': { type: 'string', default: '0' },
  },
});

try {
  const result = await runReplay({
    host: addressOf(values),
    port: wholeNumber(values, 'port', 1, 65_535),
    messages: wholeNumber(values, 'messages', 1, 0xffff_ffff),
    payloadBytes: wholeNumber(values, 'payload', REPLAY_PAYLOAD_MIN, 1_000_000),
    brokerPid: wholeNumber(values, 'broker-pid', 0, PID_MAX),
  });
  process.stdout.write(`${JSON.stringify(result)}\n`);
} catch (error) {
  process.stderr.write(`replay: ${(error as Error).message}\n`);
  process.exit(1);
}

/**
 * Round trips to sync-echo.ts, one at a time; prints the median in milliseconds.
 *
 *     node dist/bench/sync-probe.js --port 1883 --seconds 1
 */
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { wholeNumber } from './load-options.ts';
import { median } from './median.ts';

/** Bytes sent at a time: about a small PUBLISH. */
const PROBE_BYTES = 80;

/** Round trips before those that count: both sides compile their code meanwhile. */
const WARMUP_TRIPS = 1_000;

const { values } = parseArgs({ options: { port: { type: 'string' }, seconds: { type: 'string', default: '1' } } });
const port = wholeNumber(values, 'port', 1, 65_535);
const seconds = Number(values.seconds);

const socket = connect(port, '127.0.0.1');
socket.setNoDelay(true);
const bytes = Buffer.alloc(PROBE_BYTES);
const tripsMs: number[] = [];
let trips = 0;
let received = 0;
let startMs = 0;
let endMs = Number.POSITIVE_INFINITY;

function send(): void {
  startMs = performance.now();
  socket.write(bytes);
}

socket.on('connect', send);
socket.on('data', (chunk) => {
  received += chunk.length;
  if (received < PROBE_BYTES) return;
  received -= PROBE_BYTES;
  const nowMs = performance.now();
  if (++trips === WARMUP_TRIPS) endMs = nowMs + seconds * 1000;
  if (trips > WARMUP_TRIPS) tripsMs.push(nowMs - startMs);
  if (nowMs < endMs || tripsMs.length === 0) {
    send();
    return;
  }
  process.stdout.write(`${JSON.stringify({ p50: median(tripsMs) })}\n`);
  socket.end();
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerProcess } from '../../bench/broker-process.ts';
import { Crowd } from '../../bench/crowd.ts';
import { flawsOf, type LoadOptions, runLoad } from '../../bench/load.ts';
import { roundhousePeer } from '../../bench/peers.ts';
import { residentBytesOf } from '../../bench/process-usage.ts';
import { DeploymentFolder } from '../harness/deployment-files.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';
import { Visitors } from '../harness/visitors.ts';

/**
 * Mixed load for twelve seconds, in a soak for twenty minutes, on a broker in a process of its own: streams of every QoS that must arrive
 * whole, idle clients, and visitors who come and go. Memory must be flat once it has warmed up.
 */

/** Seconds of load. */
const SECONDS = 12 * SOAK_FACTOR;

/** How often memory is read: in a soak of a hundred times, once a minute. */
const SAMPLES = 20;

/** Share of the time in which memory may still grow: code is compiled, pools and caches are filled, sessions and retained messages come. */
const WARMUP = 0.25;

const IDLE_CLIENTS = 200;
const VISITORS_AT_A_TIME = 20;

const MB = 1024 * 1024;

/** What memory may grow by after warming up: less than a leak of a few bytes a message would make in twenty minutes. */
const RESIDENT_GROWTH_MAX = 64 * MB;
const HEAP_GROWTH_MAX = 8 * MB;

/** What may be left when everybody is gone, against the start: compiled code and pools. */
const HEAP_LEFT_MAX = 16 * MB;

/** Milliseconds in which everything that was kept for a while has run out: sessions of two seconds, above all. */
const AFTERMATH_MS = 5_000;

/** Milliseconds that the test takes at most beyond its load: far above what connecting, resting and leaving do. */
const TIMEOUT_MS = 180_000;

const basis: Omit<LoadOptions, 'port' | 'subscriberPort' | 'brokerPid' | 'seconds'> = {
  host: '127.0.0.1',
  mode: 'pair',
  prefix: 'stream',
  publishers: 10,
  subscribers: 10,
  qos: 0,
  payloadBytes: 200,
  window: 200,
  version: 4,
  userProperties: 0,
  topics: 1,
  persistent: false,
  rate: 20,
  warmupSeconds: 0,
};

const STREAMS: readonly (typeof basis)[] = [
  { ...basis, prefix: 'qos0', publishers: 50 },
  { ...basis, prefix: 'qos1', qos: 1, version: 5, userProperties: 2, persistent: true },
  { ...basis, prefix: 'qos2', qos: 2, payloadBytes: 10_000, rate: 5 },
  { ...basis, prefix: 'fanout', mode: 'fanout', publishers: 1, subscribers: 100, rate: 5 },
  { ...basis, prefix: 'fanin', mode: 'fanin', publishers: 20, subscribers: 2, version: 5, rate: 10 },
  { ...basis, prefix: 'fleet', mode: 'fleet', topics: 200 },
];

const TITLE = `${SECONDS} seconds of mixed load with clients coming and going: everything arrives, memory is flat after warm-up`;

test(TITLE, { timeout: SECONDS * 1000 + TIMEOUT_MS }, async (t) => {
  if (process.platform !== 'linux') return t.skip('resident memory is read from /proc');
  const folder = await DeploymentFolder.make();
  t.after(() => folder.remove());
  const broker = await roundhousePeer(undefined).start(folder.path, 'memory');
  t.after(() => broker.stop());
  const seed = Number(process.env.ROUNDHOUSE_SEED ?? Math.floor(Math.random() * 0x7fff_ffff));
  t.diagnostic(`seed ${seed}`);
  const heapAtFirst = await broker.collectGarbage();

  const { port } = broker;
  const crowd = new Crowd({ host: '127.0.0.1', port, clients: IDLE_CLIENTS, keepAliveS: 10, brokerPid: 0 });
  await crowd.connect();
  const visitors = new Visitors(port, seed);
  visitors.start(VISITORS_AT_A_TIME);
  const streams = STREAMS.map((stream) => runLoad({ ...stream, port, subscriberPort: port, brokerPid: 0, seconds: SECONDS }));
  const results = Promise.all(streams);
  results.catch(() => {}); // awaited when memory has been watched
  const memory = await watchMemory(broker, (line) => t.diagnostic(line));

  for (const [index, result] of (await results).entries()) {
    assert.deepEqual(flawsOf(result), [], `stream ${STREAMS[index]!.prefix}`);
    assert.ok(result.deliveredPerSecond > 0, `stream ${STREAMS[index]!.prefix} flowed`);
  }
  await visitors.end();
  t.diagnostic(`visitors: ${JSON.stringify(visitors.counts)}`);
  for (const [name, count] of Object.entries(visitors.counts)) if (name !== 'takenOver') assert.ok(count > 0, name);
  assert.equal(crowd.closed, 0, 'idle clients that ping stay connected');
  assert.ok(memory.residentGrowth < RESIDENT_GROWTH_MAX, `resident memory grew by ${megabytes(memory.residentGrowth)} after warming up`);
  assert.ok(memory.heapGrowth < HEAP_GROWTH_MAX, `the heap grew by ${megabytes(memory.heapGrowth)} after warming up`);

  await crowd.leave();
  await visitors.discardSessions();
  await sleep(AFTERMATH_MS);
  const heapAtLast = await broker.collectGarbage();
  t.diagnostic(`heap ${megabytes(heapAtFirst!)} before anybody came, ${megabytes(heapAtLast!)} when everybody had gone`);
  assert.ok(heapAtLast! - heapAtFirst! < HEAP_LEFT_MAX, `${megabytes(heapAtLast! - heapAtFirst!)} are left when everybody has gone`);
});

/** Reads memory as long as the load lasts. The growth is from the end of warming up: to the most afterwards, of the heap to the end. */
async function watchMemory(broker: BrokerProcess, say: (line: string) => void): Promise<{ residentGrowth: number; heapGrowth: number }> {
  const resident: number[] = [];
  const warmupSamples = SAMPLES * WARMUP;
  let warmHeap = 0;
  for (let sample = 1; sample <= SAMPLES; sample++) {
    await sleep((SECONDS * 1000) / SAMPLES);
    const bytes = residentBytesOf(broker.pid);
    assert.ok(bytes !== null, 'the broker is alive');
    resident.push(bytes);
    say(`${((sample * SECONDS) / SAMPLES).toFixed(1).padStart(6)} s: resident ${megabytes(bytes)}`);
    if (sample === warmupSamples) warmHeap = await heapOf(broker);
  }
  const lastHeap = await heapOf(broker);
  say(`heap behind a garbage collection: ${megabytes(warmHeap)} after warming up, ${megabytes(lastHeap)} at the end`);
  const warm = resident.slice(0, warmupSamples);
  return { residentGrowth: Math.max(...resident.slice(warmupSamples)) - Math.max(...warm), heapGrowth: lastHeap - warmHeap };
}

async function heapOf(broker: BrokerProcess): Promise<number> {
  const bytes = await broker.collectGarbage();
  assert.ok(bytes !== null, 'the broker tells its heap');
  return bytes;
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}

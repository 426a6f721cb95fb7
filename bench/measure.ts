import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BrokerProcess, freePort, startBroker } from './broker-process.ts';
import { type Figure, numberOnly, type Round } from './figures.ts';
import { CrowdProcess, GeneratorRun, runProgram, WARMUP_SECONDS } from './generate.ts';
import { discardSession, flawsOf, type LoadResult, leaveSession } from './load.ts';
import { onOwnCore } from './machine.ts';
import { median } from './median.ts';
import { nodeCommand } from './node-command.ts';
import { residentBytesOf, writtenBytesOf } from './process-usage.ts';
import { flawsOfReplay, type ReplayResult } from './replay.ts';
import type { Load, Measurement } from './scenarios.ts';
import type { Step } from './step.ts';

/** Runs that a broker's most is the median of. */
const FULL_LOAD_RUNS = 3;

/** Seconds that the flood is there before those it disturbs start to measure, and outlasts them. */
const FLOOD_MARGIN_S = 1;

/** Seconds in which a broker comes to rest, before its memory is read. */
const SETTLE_S = 5;

/** Connections that come and go before idle ones are counted: the code and pools that the first need are not each one's cost. */
const IDLE_WARMUP_CLIENTS = 1_000;

/** Bytes written at least before they are held against the payload: checkpoints are among them, and journal files that were emptied. */
const WRITTEN_BYTES_MIN = 384 * 1024 * 1024;

/** Seconds of one of the runs that add up to them, at least. */
const WRITTEN_RUN_SECONDS = 10;

/** Seconds in which a broker tidies up what it wrote. */
const TIDY_S = 3;

/** What can be measured of one broker alone. */
export type PreparedMeasurement = Exclude<Measurement, { kind: 'paced' }>;

/** Replaces what depends on how much the first broker can do by figures; returns others as they are. */
export async function prepare(
  measurement: Measurement,
  baseline: () => Promise<BrokerProcess>,
  seconds: number,
): Promise<PreparedMeasurement> {
  if (measurement.kind !== 'paced') return measurement;
  const { load, share, fullWindow } = measurement;
  const rates: number[] = [];
  for (let run = 0; run < FULL_LOAD_RUNS; run++)
    rates.push((await generate({ ...load, window: fullWindow }, await baseline(), seconds)).deliveredPerSecond);
  return { kind: 'load', load: { ...load, rate: Math.round((median(rates) * share) / load.publishers) } };
}

/**
 * One round with one broker.
 * @param inMemory the same program, keeping everything in memory
 */
export async function measure(
  measurement: PreparedMeasurement,
  broker: BrokerProcess,
  seconds: number,
  inMemory: () => Promise<BrokerProcess>,
): Promise<Round> {
  switch (measurement.kind) {
    case 'load':
      return roundOf(await generate(measurement.load, broker, seconds));
    case 'two-loads':
      return measureTwoLoads(measurement.load, measurement.reference, broker, seconds);
    case 'fairness':
      return measureFairness(measurement.load, measurement.flood, broker, seconds);
    case 'connects':
      return measureConnects(measurement.clients, broker);
    case 'idle':
      return measureIdle(measurement.clients, broker);
    case 'matching':
      return measureMatching(measurement, broker, seconds);
    case 'with-and-without-store':
      return measureTwoLoads(measurement.load, measurement.reference, broker, seconds, await inMemory());
    case 'sync-latency':
      return measureSyncLatency(measurement.load, broker, seconds);
    case 'replay':
      return measureReplay(measurement.messages, measurement.payloadBytes, broker);
    case 'written':
      return measureWritten(measurement.load, broker, seconds);
  }
}

function generate(load: Load, broker: BrokerProcess, seconds: number): Promise<LoadResult> {
  return new GeneratorRun(load, broker, seconds).result;
}

function roundOf(result: LoadResult): Round {
  return {
    figures: {
      deliveries: deliveriesOf(result),
      published: numberOnly(result.publishedPerSecond),
      p50: latencyOf(result, 'p50'),
      p99: latencyOf(result, 'p99'),
    },
    flaws: flawsOf(result),
  };
}

function deliveriesOf({ deliveredPerSecond, brokerCpu, generatorCpu }: LoadResult): Figure {
  return {
    value: deliveredPerSecond,
    brokerMicroseconds: brokerCpu === null ? null : (brokerCpu * 1e6) / deliveredPerSecond,
    generatorCpu,
  };
}

/** A generator without time to spare measures its own latency. */
function latencyOf({ latencyMs, generatorCpu }: LoadResult, name: 'p50' | 'p99'): Figure {
  return { value: latencyMs[name], brokerMicroseconds: null, generatorCpu };
}

async function measureTwoLoads(
  load: Load,
  reference: Load,
  broker: BrokerProcess,
  seconds: number,
  referenceBroker = broker,
): Promise<Round> {
  const other = await generate(reference, referenceBroker, seconds);
  const round = roundOf(await generate(load, broker, seconds));
  return {
    figures: { ...round.figures, referenceDeliveries: deliveriesOf(other) },
    flaws: [...round.flaws, ...flawsOf(other)],
  };
}

async function measureFairness(load: Load, flood: Load, broker: BrokerProcess, seconds: number): Promise<Round> {
  const alone = await generate(load, broker, seconds);
  const flooding = new GeneratorRun(flood, broker, WARMUP_SECONDS + seconds + 2 * FLOOD_MARGIN_S, true);
  await sleep((WARMUP_SECONDS + FLOOD_MARGIN_S) * 1000);
  const beside = await generate(load, broker, seconds);
  const wasFlooded = !flooding.isOver;
  const flooded = await flooding.result;
  return {
    figures: { ...roundOf(beside).figures, p99Alone: latencyOf(alone, 'p99') },
    flaws: [...flawsOf(alone), ...flawsOf(beside), ...flawsOf(flooded), ...(wasFlooded ? [] : ['the flood ended too early'])],
  };
}

async function measureConnects(clients: number, broker: BrokerProcess): Promise<Round> {
  const { crowd, connected } = await CrowdProcess.connect(broker, clients);
  return { figures: { connects: stepFigure(connected) }, flaws: cutFlaws(await crowd.leave()) };
}

async function measureIdle(clients: number, broker: BrokerProcess): Promise<Round> {
  const flaws = await visit(broker, IDLE_WARMUP_CLIENTS);
  const before = await restingMemoryOf(broker);
  const { crowd } = await CrowdProcess.connect(broker, clients);
  const after = await memoryOf(broker);
  return { figures: memoryFigures(before, after, clients), flaws: [...flaws, ...cutFlaws(await crowd.leave())] };
}

/** Clients that connect and leave again. */
async function visit(broker: BrokerProcess, clients: number): Promise<string[]> {
  const { crowd } = await CrowdProcess.connect(broker, clients);
  return cutFlaws(await crowd.leave());
}

async function measureMatching(
  { load, clients, subscriptionsPerClient }: Extract<Measurement, { kind: 'matching' }>,
  broker: BrokerProcess,
  seconds: number,
): Promise<Round> {
  const few = await generate(load, broker, seconds);
  const { crowd } = await CrowdProcess.connect(broker, clients);
  const before = await restingMemoryOf(broker);
  const subscribed = await crowd.subscribe(subscriptionsPerClient);
  const after = await memoryOf(broker);
  const many = await generate(load, broker, seconds);
  return {
    figures: {
      ...roundOf(many).figures,
      referenceDeliveries: deliveriesOf(few),
      subscribes: stepFigure(subscribed),
      ...memoryFigures(before, after, subscribed.count),
    },
    flaws: [...flawsOf(few), ...flawsOf(many), ...cutFlaws(await crowd.leave())],
  };
}

/** Latency, between two looks at what the disk and the loopback interface take for themselves. */
async function measureSyncLatency(load: Load, broker: BrokerProcess, seconds: number): Promise<Round> {
  const before = await probeSync(seconds / 2);
  const round = roundOf(await generate(load, broker, seconds));
  const after = await probeSync(seconds / 2);
  return { ...round, figures: { ...round.figures, p50Probe: numberOnly((before + after) / 2) } };
}

/** Median milliseconds of a round trip to a program that writes and syncs before it answers. */
async function probeSync(seconds: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'roundhouse-bench-'));
  const port = await freePort();
  const echo = await startBroker('sync-echo', onOwnCore('broker', [...nodeCommand('sync-echo'), String(port), join(folder, 'file')]), port);
  try {
    return (await runProgram<{ p50: number }>('sync-probe', [`--port=${port}`, `--seconds=${seconds}`])).p50;
  } finally {
    await echo.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureReplay(messages: number, payloadBytes: number, broker: BrokerProcess): Promise<Round> {
  const options = [`--port=${broker.port}`, `--messages=${messages}`, `--payload=${payloadBytes}`, `--broker-pid=${broker.pid}`];
  const result = await runProgram<ReplayResult>('replay-program', options);
  return { figures: { queued: stepFigure(result.queued), deliveries: stepFigure(result.replayed) }, flaws: flawsOfReplay(result) };
}

async function measureWritten(load: Load, broker: BrokerProcess, seconds: number): Promise<Round> {
  const target = { host: '127.0.0.1', port: broker.port, version: load.version };
  const clientId = 'away';
  await leaveSession(target, clientId, `${load.prefix}/0`);
  const before = writtenBytesOf(broker.pid);
  if (before === null) throw new Error('bytes written are read from /proc, which there is not');
  const flaws: string[] = [];
  let payloadBytes = 0;
  let writtenBytes = 0;
  for (let sentBytes = 0; writtenBytes < WRITTEN_BYTES_MIN && flaws.length === 0; ) {
    const result = await generate(load, broker, Math.max(seconds, WRITTEN_RUN_SECONDS));
    await sleep(TIDY_S * 1000);
    flaws.push(...flawsOf(result));
    payloadBytes += result.publishedTotal * load.payloadBytes;
    sentBytes += result.receivedBytes;
    // What did not go to clients went to files.
    writtenBytes = writtenBytesOf(broker.pid)! - before - sentBytes;
  }
  await discardSession(target, clientId);
  return { figures: { writtenBytes: numberOnly(writtenBytes / payloadBytes) }, flaws };
}

function stepFigure({ count, seconds, generatorCpu, brokerCpuSeconds }: Step): Figure {
  return { value: count / seconds, brokerMicroseconds: brokerCpuSeconds === null ? null : (brokerCpuSeconds * 1e6) / count, generatorCpu };
}

function cutFlaws(closed: number): string[] {
  return closed === 0 ? [] : [`${closed} connections cut`];
}

interface Memory {
  readonly residentBytes: number | null;
  readonly collectedBytes: number | null;
  readonly heapBytes: number | null;
}

/** What a broker takes that has collected its garbage and come to rest: what is to be measured comes on top of it. */
async function restingMemoryOf(broker: BrokerProcess): Promise<Memory> {
  const heapBytes = await broker.collectGarbage();
  await sleep(SETTLE_S * 1000);
  const residentBytes = residentBytesOf(broker.pid);
  return { residentBytes, collectedBytes: heapBytes === null ? null : residentBytes, heapBytes };
}

/** What a broker takes that has come to rest: as it is, and when it then collects its garbage. */
async function memoryOf(broker: BrokerProcess): Promise<Memory> {
  await sleep(SETTLE_S * 1000);
  const residentBytes = residentBytesOf(broker.pid);
  const heapBytes = await broker.collectGarbage();
  return { residentBytes, collectedBytes: heapBytes === null ? null : residentBytesOf(broker.pid), heapBytes };
}

function memoryFigures(before: Memory, after: Memory, count: number): Round['figures'] {
  const figures: Partial<Record<keyof Memory, Figure>> = {};
  for (const name of ['residentBytes', 'collectedBytes', 'heapBytes'] as const) {
    const [first, last] = [before[name], after[name]];
    if (first !== null && last !== null) figures[name] = numberOnly((last - first) / count);
  }
  return figures;
}

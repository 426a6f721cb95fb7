import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeliveryWindow } from './delivery-window.ts';
import { receivedBytes } from './dialled-socket.ts';
import { fleetFilters, fleetTopics } from './fleet.ts';
import { type ProtocolVersion, PUBLISHER_INDEX_BYTES, publishTemplate, type Qos } from './frames.ts';
import { LoadConnection, type Target } from './load-connection.ts';
import { LoadRun } from './load-run.ts';
import { cpuSecondsOf } from './process-usage.ts';
import { PublishRing } from './publish-ring.ts';
import { Publisher } from './publisher.ts';
import { Subscriber } from './subscriber.ts';

/**
 * Who hears whom.
 *
 * - `pair`: publisher i and subscriber i have topic i to themselves
 * - `fanout`: all publishers use one topic that all subscribers hear
 * - `fanin`: each publisher has its topic, and every subscriber hears them all by a wildcard
 * - `fleet`: publisher i uses `topics` topics of the fleet's region i in turn, and subscriber i hears them by a hundred filters
 */
export type LoadMode = 'pair' | 'fanout' | 'fanin' | 'fleet';

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  /** Where subscribers connect, to measure two brokers and their link; usually the same as `port`. */
  readonly subscriberPort: number;
  readonly mode: LoadMode;
  /** Begins all client ids, and all topics but those of a `fleet`: of two runs at a time each has its own. */
  readonly prefix: string;
  readonly publishers: number;
  /** Not used by `pair` and `fleet`, which have one per publisher. */
  readonly subscribers: number;
  readonly qos: Qos;
  readonly payloadBytes: number;
  /** Messages that each publisher keeps under way per receiver. */
  readonly window: number;
  readonly version: ProtocolVersion;
  /** User Properties of each message; MQTT 5 only. */
  readonly userProperties: number;
  /** Topics of each publisher in a `fleet`; the others have one. */
  readonly topics: number;
  /** Whether subscribers have sessions that outlive their connections. */
  readonly persistent: boolean;
  /** Messages a second of each publisher; 0: as fast as the window allows. */
  readonly rate: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** The broker's process, to measure what it uses meanwhile; 0: none. */
  readonly brokerPid: number;
}

export interface LoadResult {
  readonly seconds: number;
  readonly publishedPerSecond: number;
  /** Messages published from the first connection to the last, and bytes of all kinds received meanwhile. */
  readonly publishedTotal: number;
  readonly receivedBytes: number;
  readonly deliveredPerSecond: number;
  /** Deliveries that had not happened when none had for five seconds after the last publish. */
  readonly undelivered: number;
  /** Messages that came more than once. */
  readonly duplicates: number;
  /** Messages that came to the wrong subscriber. */
  readonly strays: number;
  /** Connections that the broker closed. */
  readonly closed: number;
  /** The MQTT 5 reason codes given for it. */
  readonly closeReasons: readonly number[];
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Share of one core that the generator itself used while measuring. Near 1 it is the bottleneck, not the broker. */
  readonly generatorCpu: number;
  /** The same of the broker and its child processes; null where it cannot be read. */
  readonly brokerCpu: number | null;
}

/** Connections dialled at a time: below the shortest usual listen backlog. */
const DIAL_CONCURRENCY = 64;

/** Milliseconds without a single arrival after which, publishing having stopped, what is still under way is lost. */
const DRAIN_MS = 5_000;
const DRAIN_POLL_MS = 10;

/** Milliseconds between two looks at who is due, with a rate. */
const PACE_MS = 1;

/** What was lost, repeated, misled or cut: with any of it the figures mean nothing. */
export function flawsOf(result: LoadResult): string[] {
  const flaws: string[] = [];
  if (result.undelivered > 0) flaws.push(`${result.undelivered} messages lost`);
  if (result.undelivered < 0) flaws.push(`${-result.undelivered} deliveries too many`);
  if (result.duplicates > 0) flaws.push(`${result.duplicates} messages repeated`);
  if (result.strays > 0) flaws.push(`${result.strays} messages misled`);
  if (result.closed > 0) flaws.push(`${result.closed} connections cut`);
  return flaws;
}

export function isLossFree(result: LoadResult): boolean {
  return flawsOf(result).length === 0;
}

/** Connects everybody, lets them run, and counts. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const run = new LoadRun(options.rate > 0);
  const publisherTarget: Target = { host: options.host, port: options.port, version: options.version };
  const subscriberTarget: Target = { ...publisherTarget, port: options.subscriberPort };
  const isPaired = options.mode === 'pair' || options.mode === 'fleet';
  const subscriberCount = isPaired ? options.publishers : options.subscribers;
  const fan = isPaired ? 1 : subscriberCount;

  const publishers = Array.from({ length: options.publishers }, (_, index) => makePublisher(run, options, index, fan));
  const subscribers = Array.from({ length: subscriberCount }, (_, index) => {
    const heard = isPaired ? [publishers[index]!] : publishers;
    return new Subscriber(run, heard, isPaired ? index : 0, options.version);
  });
  const subscriberId = (index: number): string => `${options.prefix}-${process.pid}-s${index}`;
  await forEachConcurrently(subscribers, (subscriber, index) =>
    subscriber.open(subscriberTarget, subscriberId(index), !options.persistent, filtersOf(options, index), options.qos),
  );
  await forEachConcurrently(publishers, (publisher, index) =>
    publisher.open(publisherTarget, `${options.prefix}-${process.pid}-p${index}`),
  );

  const result = await measure(run, options, publishers);

  await forEachConcurrently([...publishers, ...subscribers], (client) => client.close());
  if (options.persistent) await forEachConcurrently(subscribers, (_, index) => discardSession(subscriberTarget, subscriberId(index)));
  return { ...result, publishedTotal: run.publishedTotal, receivedBytes: receivedBytes() };
}

function makePublisher(run: LoadRun, options: LoadOptions, index: number, fan: number): Publisher {
  const payloadBytes = Math.max(options.payloadBytes, PUBLISHER_INDEX_BYTES);
  const templates = topicsOf(options, index).map((topic) => publishTemplate(topic, index, { ...options, payloadBytes }));
  const ring = new PublishRing(templates, options.window);
  return new Publisher(run, new DeliveryWindow(options.window, fan), ring, options.qos > 0, options.rate > 0 ? 1000 / options.rate : 0);
}

async function measure(
  run: LoadRun,
  options: LoadOptions,
  publishers: readonly Publisher[],
): Promise<Omit<LoadResult, 'publishedTotal' | 'receivedBytes'>> {
  run.tick();
  run.startPublishing();
  startPublishers(run, publishers, options.rate);
  const pace = options.rate > 0 ? setInterval(() => touchAll(run, publishers), PACE_MS) : undefined;

  await sleep(options.warmupSeconds * 1000);
  const cpuBefore = process.cpuUsage();
  const brokerCpuBefore = cpuSecondsOf(options.brokerPid);
  const startMs = performance.now();
  run.startMeasuring();
  await sleep(options.seconds * 1000);
  run.stop();
  clearInterval(pace);
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const brokerCpuAfter = cpuSecondsOf(options.brokerPid);

  const undelivered = await drain(publishers);
  const { latencies } = run;
  const hasLatencies = latencies.count > 0;
  return {
    seconds,
    publishedPerSecond: run.published / seconds,
    deliveredPerSecond: run.delivered / seconds,
    undelivered,
    duplicates: run.duplicates,
    strays: run.strays,
    closed: run.closeReasons.length,
    closeReasons: run.closeReasons.filter((reason) => reason !== null),
    latencyMs: {
      p50: hasLatencies ? latencies.percentile(50) / 1e6 : 0,
      p99: hasLatencies ? latencies.percentile(99) / 1e6 : 0,
      max: hasLatencies ? latencies.max / 1e6 : 0,
    },
    generatorCpu: (cpu.user + cpu.system) / 1e6 / seconds,
    brokerCpu: brokerCpuBefore === null || brokerCpuAfter === null ? null : (brokerCpuAfter - brokerCpuBefore) / seconds,
  };
}

function startPublishers(run: LoadRun, publishers: readonly Publisher[], rate: number): void {
  // Paced publishers begin spread over their first interval, not all in the same millisecond.
  const stepMs = rate > 0 ? 1000 / rate / publishers.length : 0;
  for (const [index, publisher] of publishers.entries()) publisher.start(run.nowMs + index * stepMs);
}

function touchAll(run: LoadRun, publishers: readonly Publisher[]): void {
  run.tick();
  for (const publisher of publishers) publisher.touch();
}

/** Waits for the messages under way; returns how many deliveries are still missing, or came too much (negative). */
async function drain(publishers: readonly Publisher[]): Promise<number> {
  const outstanding = (): number => publishers.reduce((sum, { window }) => sum + window.outstanding, 0);
  let left = outstanding();
  let lastArrivalMs = performance.now();
  while (left > 0 && performance.now() - lastArrivalMs < DRAIN_MS) {
    await sleep(DRAIN_POLL_MS);
    const now = outstanding();
    if (now !== left) lastArrivalMs = performance.now();
    left = now;
  }
  return left;
}

/** Begins a persistent session with a subscription at QoS 1, and leaves it. */
export async function leaveSession(target: Target, clientId: string, filter: string): Promise<void> {
  const subscriber = new Subscriber(new LoadRun(false), [], 0, target.version);
  await subscriber.open(target, clientId, false, [filter], 1);
  await subscriber.close();
}

/** Ends a persistent session, so that it does not collect the messages of the next run. */
export async function discardSession(target: Target, clientId: string): Promise<void> {
  const nothing = (): void => {};
  const owner = { onRead: nothing, onFrame: nothing, onTurnEnd: nothing, onClose: nothing };
  const connection = await LoadConnection.open(target, { clientId, clean: true, keepAliveS: 0 }, owner);
  await connection.close();
}

function topicsOf({ mode, prefix, topics }: LoadOptions, publisher: number): string[] {
  if (mode === 'fleet') return fleetTopics(publisher, topics);
  return [mode === 'fanout' ? `${prefix}/all` : `${prefix}/${publisher}`];
}

function filtersOf({ mode, prefix }: LoadOptions, subscriber: number): string[] {
  if (mode === 'fleet') return fleetFilters(subscriber);
  if (mode === 'fanin') return [`${prefix}/+`];
  return [mode === 'fanout' ? `${prefix}/all` : `${prefix}/${subscriber}`];
}

/** Does this for all items, so many at a time that no listen backlog overflows. */
export async function forEachConcurrently<T>(items: readonly T[], action: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      await action(items[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(DIAL_CONCURRENCY, items.length) }, work));
}

/**
 * A store with very much in it: how long a broker takes to start on it, what it costs in memory, and how long housekeeping holds
 * everybody else up.
 *
 *     node dist/bench/big-store.js [--sessions 100000] [--messages 100] [--fan-out 1] [--folder FOLDER]
 *
 * Every session is away and is owed so many messages of 64 bytes; `--fan-out` sessions share each message. All is written by the store
 * itself, sessions as a broker has them. Stalls are processor time between two turns of the event loop; memory is resident memory of the
 * broker's process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Broker } from '../src/core/broker.ts';
import { Message } from '../src/core/message.ts';
import type { StoredSession } from '../src/core/store.ts';
import { MQTT_5_STORED_PROPERTIES } from '../src/protocols/mqtt/message-properties.ts';
import { MqttProtocol } from '../src/protocols/mqtt/protocol.ts';
import { MqttSession, NEVER_EXPIRES } from '../src/protocols/mqtt/session.ts';
import { FolderFiles } from '../src/store/journal/files.ts';
import { JournalStore } from '../src/store/journal/store.ts';
import { silentLog } from '../src/telemetry/log.ts';
import { freePort } from './broker-process.ts';
import { connectFrame } from './frames.ts';

const PAYLOAD_BYTES = 64;
/** Messages published between two looks at whether the disk has them. */
const PUBLISHED_AT_ONCE = 500;
/** Share of the sessions that come for what they are owed before files are compacted. */
const SERVED_SHARE = 0.8;
/** Looks at what is to be tidied up, as a broker has one each second. */
const TIDIED_TIMES = 60;
/** Milliseconds. */
const START_MS_MAX = 120_000;
/** Pause between two attempts to connect, in milliseconds. */
const POLL_MS = 10;
const CACHE_BYTES = 128 * 1024 * 1024;

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '100000' },
    messages: { type: 'string', default: '100' },
    'fan-out': { type: 'string', default: '1' },
    folder: { type: 'string' },
  },
});
const sessions = Number(values.sessions);
const perSession = Number(values.messages);
const fanOut = Number(values['fan-out']);
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'roundhouse-big-store-'));
const storeFolder = join(folder, 'store');

try {
  await writeStore();
  await startOnIt('after a stop in good order');
  await startOnIt('after a kill');
  await tidyIt();
} finally {
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
}

async function writeStore(): Promise<void> {
  const store = await openStore();
  const broker = new Broker({ id: 'big', name: 'big', log: silentLog, store });
  const protocol = new MqttProtocol(broker);
  const receivers: StoredSession[] = [];
  for (let i = 0; i < sessions; i++) {
    const clientId = `client-${i}`;
    const stored = store.createSession(clientId);
    receivers.push(stored);
    const session = new MqttSession(clientId, broker, protocol.timers, broker.clock.next(), stored);
    session.expiryInterval = NEVER_EXPIRES;
    session.storeConnection(null);
    session.subscribe(`big/${Math.floor(i / fanOut)}`, 1, false, false, 0);
  }
  const delivery = { qos: 1, retain: false, identifiers: [] } as const;
  const topics = Math.ceil(sessions / fanOut);
  const startMs = performance.now();
  let published = 0;
  for (let round = 0; round < perSession; round++) {
    for (let topic = 0; topic < topics; topic++) {
      const message = Message.of(`big/${topic}`, Buffer.alloc(PAYLOAD_BYTES, published), 1);
      for (let i = topic * fanOut; i < Math.min(sessions, (topic + 1) * fanOut); i++) receivers[i]!.push(message, delivery);
      if (++published % PUBLISHED_AT_ONCE === 0) await (published % (PUBLISHED_AT_ONCE * 100) === 0 ? store.flushed() : turn());
    }
  }
  await store.flushed();
  const seconds = (performance.now() - startMs) / 1000;
  say(`written: ${published} messages for ${sessions} sessions, ${sessions * perSession} deliveries`, `${seconds.toFixed(1)} s`);
  say('journal', megabytes(store.diskBytes));
  await stallOf('checkpoint', () => store.writeCheckpoint());
  say('checkpoint', megabytes(store.checkpoint.bytes));
  say('resident memory of the writer', megabytes(process.memoryUsage.rss()));
  await store.close();
  protocol.timers.clear();
}

/** Starts a broker on the store, waits for a CONNACK, and kills it. */
async function startOnIt(how: string): Promise<void> {
  const port = await freePort();
  const file = join(folder, 'activemq.xml');
  writeFileSync(
    file,
    `<beans xmlns="http://www.springframework.org/schema/beans"><broker xmlns="http://activemq.apache.org/schema/core" brokerName="big" dataDirectory="${folder}">
<persistenceAdapter><kahaDB directory="${storeFolder}"/></persistenceAdapter>
<transportConnectors><transportConnector name="mqtt" uri="mqtt://127.0.0.1:${port}"/></transportConnectors></broker></beans>`,
  );
  const startMs = performance.now();
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, 'broker', file], { stdio: 'ignore' });
  while (!(await isAccepted(port))) {
    if (performance.now() - startMs > START_MS_MAX || child.exitCode !== null) throw new Error('the broker did not start');
    await sleep(POLL_MS);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = processorSeconds(child);
  say(`start ${how}, to the first CONNACK`, `${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of processor time`);
  say('resident memory then, and the most before', `${statusOf(child, 'VmRSS')}, ${statusOf(child, 'VmHWM')}`);
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Has most sessions take what they are owed, and frees files. */
async function tidyIt(): Promise<void> {
  const store = await openStore();
  let i = 0;
  for (const session of store.sessions()) {
    if (i++ % 100 >= SERVED_SHARE * 100) continue;
    for (let sequence = session.first; sequence < session.next; sequence++) session.remove(sequence);
    if (i % 1_000 === 0) await turn();
  }
  await store.flushed();
  const before = store.messages.segments.length;
  await stallOf('checkpoint with most done with', () => store.writeCheckpoint());
  await store.writeCheckpoint();
  await stallOf('looking for files to free, and moving what is left in them', async () => {
    for (let times = 0; times < TIDIED_TIMES; times++) await store.tidy();
  });
  say('journal files before and after', `${before}, ${store.messages.segments.length}`);
  await store.close();
}

/**
 * The longest stall while `work` is done: what the process computes at most between two turns of its event loop, its collector's threads
 * included. Other load on the machine makes a stall longer and does not count here.
 */
async function stallOf(what: string, work: () => Promise<void>): Promise<void> {
  await sleep(100);
  let isOver = false;
  let longest = 0;
  let last = process.cpuUsage();
  const onTurn = (): void => {
    const now = process.cpuUsage();
    longest = Math.max(longest, now.user + now.system - last.user - last.system);
    last = now;
    if (!isOver) setImmediate(onTurn);
  };
  setImmediate(onTurn);
  const startMs = performance.now();
  await work();
  isOver = true;
  say(`${what}: longest stall`, `${(longest / 1000).toFixed(1)} ms, in ${((performance.now() - startMs) / 1000).toFixed(2)} s`);
}

function openStore(): Promise<JournalStore> {
  const files = new FolderFiles(storeFolder);
  return JournalStore.open({ files, log: silentLog, propertiesForm: MQTT_5_STORED_PROPERTIES, cacheBytes: CACHE_BYTES });
}

function isAccepted(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(connectFrame('visitor', 4, true, 0)));
    socket.on('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}

function statusOf({ pid }: ChildProcess, field: string): string {
  const kilobytes = Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return megabytes(kilobytes * 1024);
}

/** Fields 14 and 15 of proc(5), in ticks of 10 ms. */
function processorSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`;
}

function say(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(70)} ${value}\n`);
}

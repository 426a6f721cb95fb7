import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt, { type IClientOptions } from 'mqtt';
import { type MountedFolder, mountExt4, mountMemory } from '../harness/mounted-folder.ts';
import { connected, NumberedPublisher, NumberedSubscriber, until } from '../harness/numbered-load.ts';
import { freePorts, Program, runProgram } from '../harness/program.ts';

const WINDOW = 20;
/** Of each message, in bytes: enough that a small disk is soon full. */
const PADDING = 'x'.repeat(1_000);
const CANNOT_WRITE = 'the store cannot write: nothing is acknowledged that has to be stored';
const CAN_WRITE = 'the store can write again: what was waiting is acknowledged';

/** What is to be undone at the end of a test, the last first. */
type Later = (undo: () => unknown) => void;

function undoing(t: TestContext): Later {
  const undone: (() => unknown)[] = [];
  t.after(async () => {
    for (const undo of undone.reverse()) await undo();
  });
  return (undo) => undone.push(undo);
}

/** A broker whose store is in `store`, and its file elsewhere. */
class StoredBroker {
  readonly port: number;
  readonly file: string;
  readonly program: Program;

  private constructor(port: number, file: string, program: Program) {
    this.port = port;
    this.file = file;
    this.program = program;
  }

  static async start(later: Later, store: string, handler = ''): Promise<StoredBroker> {
    const folder = await mkdtemp(join(tmpdir(), 'roundhouse-bad-disk-'));
    later(() => rm(folder, { recursive: true, force: true }));
    const [port] = (await freePorts(1)) as [number];
    const file = join(folder, 'activemq.xml');
    await writeFile(
      file,
      `<beans xmlns="http://www.springframework.org/schema/beans">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="stored" dataDirectory="${folder}">
    <persistenceAdapter><kahaDB directory="${store}" journalMaxFileLength="1mb"/></persistenceAdapter>
    <ioExceptionHandler><defaultIOExceptionHandler resumeCheckSleepPeriod="100"${handler}/></ioExceptionHandler>
    <transportConnectors><transportConnector name="mqtt" uri="mqtt+nio://127.0.0.1:${port}"/></transportConnectors>
  </broker>
</beans>
`,
    );
    return StoredBroker.run(later, port, file);
  }

  static async run(later: Later, port: number, file: string): Promise<StoredBroker> {
    const program = new Program(['broker', file, '--sys-interval', '1']);
    later(() => {
      program.kill('SIGKILL');
      return program.ended;
    });
    await program.saying(/broker is up/);
    return new StoredBroker(port, file, program);
  }

  async killed(): Promise<void> {
    this.program.kill('SIGKILL');
    await this.program.ended;
  }

  said(text: string): number {
    return this.program.said.split(text).length - 1;
  }

  /** How a CONNECT is answered: 0, or why not. */
  connect(options: IClientOptions): Promise<number> {
    const client = mqtt.connect({ host: '127.0.0.1', port: this.port, reconnectPeriod: 0, ...options });
    return new Promise((resolve) => {
      client.on('connect', () => resolve(0));
      client.on('error', (error) => resolve((error as { code?: number }).code ?? -1));
    }).finally(() => client.end(true)) as Promise<number>;
  }
}

function mounted(t: TestContext, later: Later, folder: MountedFolder | string): MountedFolder | null {
  if (typeof folder === 'string') {
    t.skip(folder);
    return null;
  }
  later(() => folder.unmount());
  return folder;
}

/** Two publishers, and a persistent subscriber that is away. */
async function withLoad(broker: StoredBroker): Promise<{ publishers: NumberedPublisher[]; publish: () => void }> {
  const subscriber = await mqtt.connectAsync({ host: '127.0.0.1', port: broker.port, clientId: 'subscriber', clean: false });
  await subscriber.subscribeAsync('load/+', { qos: 2 });
  await subscriber.endAsync();
  const publishers = ([1, 2] as const).map((qos) => new NumberedPublisher(broker.port, `load/${qos}`, qos, PADDING));
  await connected(...publishers.map(({ client }) => client));
  const publish = (): void => {
    for (const publisher of publishers) publisher.fill(WINDOW);
  };
  return { publishers, publish };
}

/** Publishes until the store has failed and nothing is acknowledged any more. */
async function publishUntilFailure(broker: StoredBroker, { publishers, publish }: Awaited<ReturnType<typeof withLoad>>): Promise<void> {
  await until(() => {
    publish();
    return broker.said(CANNOT_WRITE) > 0;
  }, 'the disk to be full');
  await sleep(300);
  const acknowledged = publishers.map((each) => each.acknowledged.size);
  await sleep(500);
  assert.deepEqual(
    publishers.map((each) => each.acknowledged.size),
    acknowledged,
    'nothing is acknowledged while the store cannot write',
  );
}

/** Has the subscriber come back, and checks that it gets what was acknowledged. */
async function verify(broker: StoredBroker, publishers: readonly NumberedPublisher[]): Promise<void> {
  const subscriber = new NumberedSubscriber(broker.port, 'subscriber');
  await subscriber.hasAll(publishers);
  await Promise.all([subscriber, ...publishers].map(({ client }) => client.endAsync(true)));
}

test('a disk that fills up: nothing is acknowledged, who needs the store is refused, and with space again all goes on', async (t) => {
  const later = undoing(t);
  const disk = mounted(t, later, mountMemory(16));
  if (disk === null) return;
  const filler = join(disk.path, 'filler');
  const broker = await StoredBroker.start(later, join(disk.path, 'store'));
  const states: string[] = [];
  const watcher = await mqtt.connectAsync({ host: '127.0.0.1', port: broker.port });
  watcher.on('message', (_topic, payload) => states.push(payload.toString()));
  await watcher.subscribeAsync('$SYS/broker/store/state');
  const load = await withLoad(broker);
  writeFileSync(filler, Buffer.alloc(12 * 1024 * 1024));
  await publishUntilFailure(broker, load);
  await until(() => states.length > 1, '$SYS to say it');
  assert.match(states.join('\n'), /^working\nENOSPC: no space left on device/);

  assert.equal(await broker.connect({ clientId: 'v3', clean: false }), 3, 'MQTT 3.1.1: server unavailable');
  assert.equal(await broker.connect({ clientId: 'v5', protocolVersion: 5, properties: { sessionExpiryInterval: 10 } }), 0x88);
  assert.equal(await broker.connect({ clientId: 'w', clean: true, will: { topic: 'w', payload: Buffer.alloc(0) } }), 3, 'a will is stored');
  assert.equal(await broker.connect({ clientId: 'subscriber', clean: true }), 3, 'it would end a stored session');
  assert.equal(await broker.connect({ clientId: 'clean', clean: true }), 0, 'a clean session needs no store');

  rmSync(filler);
  await until(() => load.publishers.every(({ underWay }) => underWay === 0), 'all acknowledgements');
  assert.equal(await broker.connect({ clientId: 'v3', clean: false }), 0);
  await until(() => states.at(-1) === 'working', '$SYS to say that it is over');
  await watcher.endAsync();
  await verify(broker, load.publishers);
  assert.deepEqual([broker.said(CANNOT_WRITE), broker.said(CAN_WRITE)], [1, 1], 'said once each');
});

test('stopStartConnectors: clients are let go while the disk is full, and the connectors listen again with space', async (t) => {
  const later = undoing(t);
  const disk = mounted(t, later, mountMemory(8));
  if (disk === null) return;
  const filler = join(disk.path, 'filler');
  const broker = await StoredBroker.start(later, join(disk.path, 'store'), ' stopStartConnectors="true" ignoreNoSpaceErrors="false"');
  const load = await withLoad(broker);
  writeFileSync(filler, Buffer.alloc(6 * 1024 * 1024));
  await until(() => {
    load.publish();
    return broker.said('connectors are stopped until the store can write') > 0;
  }, 'the connectors to stop');
  assert.ok(load.publishers.every(({ client }) => !client.connected));
  await assert.rejects(mqtt.connectAsync({ host: '127.0.0.1', port: broker.port, reconnectPeriod: 0 }), /ECONNREFUSED/);
  rmSync(filler);
  await connected(...load.publishers.map(({ client }) => client));
  await until(() => load.publishers.every(({ underWay }) => underWay === 0), 'all acknowledgements');
  await verify(broker, load.publishers);
});

test('a sync that fails on a real file system costs nothing: what it did not bring to the disk is written again', async (t) => {
  const later = undoing(t);
  const below = mounted(t, later, mountMemory(24));
  if (below === null) return;
  // Without a journal of its own ext4 goes on after an error.
  const disk = mounted(t, later, mountExt4(below.path, 64, '-O', '^has_journal'));
  if (disk === null) return;
  const filler = join(below.path, 'filler');
  const broker = await StoredBroker.start(later, join(disk.path, 'store'));
  const load = await withLoad(broker);
  writeFileSync(filler, Buffer.alloc(18 * 1024 * 1024));
  await publishUntilFailure(broker, load);
  assert.match(broker.program.said, /reason":"(EIO|ENOSPC): .*, write/);
  rmSync(filler);
  await until(() => load.publishers.every(({ underWay }) => underWay === 0), 'all acknowledgements');
  await broker.killed();
  disk.mountAgain();
  await verify(await StoredBroker.run(later, broker.port, broker.file), load.publishers);
});

test('a file system that the kernel makes read-only: nothing is acknowledged, and at the next start all is there that was', async (t) => {
  const later = undoing(t);
  const below = mounted(t, later, mountMemory(24));
  if (below === null) return;
  const disk = mounted(t, later, mountExt4(below.path, 64, '-e', 'remount-ro', '-E', 'lazy_itable_init=0'));
  if (disk === null) return;
  const filler = join(below.path, 'filler');
  const broker = await StoredBroker.start(later, join(disk.path, 'store'));
  const load = await withLoad(broker);
  writeFileSync(filler, Buffer.alloc(20 * 1024 * 1024));
  await publishUntilFailure(broker, load);
  await broker.killed();
  rmSync(filler);
  disk.mountAgain();
  const again = await StoredBroker.run(later, broker.port, broker.file);
  await until(() => load.publishers.every(({ underWay }) => underWay === 0), 'all acknowledgements');
  await verify(again, load.publishers);
});

test('a store on a file system that is read-only at the start is refused with that reason, and so is one that cannot be made', async (t) => {
  const later = undoing(t);
  const disk = mounted(t, later, mountMemory(4));
  if (disk === null) return;
  const broker = await StoredBroker.start(later, join(disk.path, 'store'));
  await broker.killed();
  disk.remount('ro');
  const outcome = await runProgram(['broker', broker.file]);
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, /data folder .*store: expected a folder that can be made and written to: the file system is read-only/);
  disk.remount('rw');
  rmSync(join(disk.path, 'store'), { recursive: true });
  writeFileSync(join(disk.path, 'store'), 'a file');
  assert.match((await runProgram(['broker', broker.file])).stderr, /data folder .*store.*is not a folder/);
});

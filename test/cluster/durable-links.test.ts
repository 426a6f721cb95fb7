import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from '../../src/core/broker.ts';
import { Message, type QoS } from '../../src/core/message.ts';
import type { StoredSession } from '../../src/core/store.ts';
import { type Route, type Subscriber, Subscription } from '../../src/core/subscription.ts';
import { MQTT_5_STORED_PROPERTIES } from '../../src/protocols/mqtt/message-properties.ts';
import { PublicationForm } from '../../src/protocols/openwire/publication-form.ts';
import { JournalStore } from '../../src/store/journal/store.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { FragileFiles } from '../harness/fragile-files.ts';
import { linked, staticConnector, TestBroker, until } from '../harness/linked-broker.ts';
import { begin, OpenWirePeer } from '../harness/openwire-peer.ts';

/** Longer than anything takes that waits for nothing. */
const PAUSE_MS = 150;

const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

/** A broker on a disk in memory. */
async function start(
  options: Parameters<typeof TestBroker.start>[0],
  files = new FragileFiles(),
): Promise<{ at: TestBroker; files: FragileFiles; store: JournalStore }> {
  const store = await JournalStore.open({
    files,
    log: silentLog,
    propertiesForm: MQTT_5_STORED_PROPERTIES,
    cacheBytes: 10_000,
    retryMs: 5,
  });
  const at = await TestBroker.start({ ...options, store });
  running.push({
    stop: async () => {
      files.syncFault = null;
      await at.stop();
      await store.close();
    },
  });
  return { at, files, store };
}

async function startLinked() {
  const a = await start({ name: 'a' });
  const b = await start({ name: 'b', connectors: [staticConnector([a.at.port])] });
  await linked(a.at, b.at);
  return { a, b };
}

/** A persistent session, to be sent what its store has. */
class LastingSession implements Subscriber {
  readonly kind = 'client';
  readonly id = 'lasting';
  readonly publisher = this;
  readonly outlivesProcess = true;
  readonly #stored: StoredSession;

  constructor({ store, router }: Broker, filter: string) {
    this.#stored = [...store.sessions()].find(({ clientId }) => clientId === this.id) ?? store.createSession(this.id);
    router.subscribe(
      new Subscription({ filter, group: null, subscriber: this, qos: 2, noLocal: false, retainAsPublished: false, identifier: 0 }),
    );
  }

  deliver(message: Message, { qos }: Route): void {
    this.#stored.push(message, { qos, retain: false, identifiers: [] });
  }

  get payloads(): string[] {
    const { first, size } = this.#stored;
    return Array.from({ length: size }, (_, i) => `${this.#stored.get(first + i)!.message.payload}`);
  }
}

/** A publisher with a session: its Packet Identifier is stored with its message. */
function publish({ broker }: TestBroker, topic: string, payload: string, qos: QoS): void {
  broker.publish(Message.of(topic, Buffer.from(payload), qos));
  const session = [...broker.store.sessions()].find(({ clientId }) => clientId === 'publisher') ?? broker.store.createSession('publisher');
  if (qos === 2) session.addReceived(1);
}

const FULL = new Error('ENOSPC: no space left on device');

test('a message of QoS 2 crosses when what its publisher was promised with it is durable, one of QoS 1 for clean sessions at once', async () => {
  const { a, b } = await startLinked();
  const clean = b.at.client().subscribe('clean/#');
  await b.at.network.demandKnown();
  publish(a.at, 'clean/1', 'one', 1);
  await until(() => clean.received.length === 1, 'QoS 1');
  a.files.syncFault = FULL;
  publish(a.at, 'clean/1', 'one again', 1);
  await until(() => clean.received.length === 2, 'QoS 1 with a disk that is full');
  publish(a.at, 'clean/2', 'two', 2);
  publish(a.at, 'clean/2', 'behind it', 1);
  await sleep(PAUSE_MS);
  assert.deepEqual(clean.payloads, ['one', 'one again']);
  a.files.syncFault = null;
  await until(() => clean.received.length === 4, 'the rest');
  assert.deepEqual(clean.payloads, ['one', 'one again', 'two', 'behind it']);
});

test('a message for a persistent session crosses when it is durable here, and is kept until it is durable there', async () => {
  const { a, b } = await startLinked();
  const lasting = new LastingSession(b.at.broker, 'kept');
  const clean = b.at.client().subscribe('clean');
  await b.at.network.demandKnown();
  a.files.syncFault = FULL;
  publish(a.at, 'kept', 'first', 1);
  await sleep(PAUSE_MS);
  assert.deepEqual([lasting.payloads, a.at.link(b.at)!.counters.sent], [[], 0]);
  b.files.syncFault = FULL;
  a.files.syncFault = null;
  await until(() => lasting.payloads.length === 1, 'it has come');
  publish(a.at, 'clean', 'needs no disk', 1);
  await until(() => clean.received.length === 1, 'what is not stored');
  await sleep(PAUSE_MS);
  assert.equal(a.at.link(b.at)!.outboxMessages, 1, 'not answered: what is not stored is');
  b.files.syncFault = null;
  await until(() => a.at.link(b.at)!.outboxMessages === 0, 'answered');
  assert.deepEqual(lasting.payloads, ['first']);
});

test('a subscription of a persistent session is known to a linked broker when that broker has stored it', async () => {
  const { a, b } = await startLinked();
  a.files.syncFault = FULL;
  new LastingSession(b.at.broker, 'kept');
  let isKnown = false;
  const known = b.at.network.demandKnown()!.then(() => {
    isKnown = true;
  });
  await until(() => a.at.broker.router.match('kept').direct.length === 1, 'told');
  await sleep(PAUSE_MS);
  assert.equal(isKnown, false);
  a.files.syncFault = null;
  await known;
});

test('a message that comes by another way after a restart is known, when the first copy was stored', async () => {
  const form = new PublicationForm('ID:x', 'ID:x', Date.now);
  const frames = ['first', 'second'].map((payload) => Message.of('kept', Buffer.from(payload), 2).frame(form));
  const send = async (to: TestBroker, id: string, ...which: readonly number[]): Promise<OpenWirePeer> => {
    const peer = await OpenWirePeer.dial(to.port);
    peer.offer({ roundhouse: true });
    peer.introduce(id);
    peer.write(begin(id));
    for (const [i, at] of which.entries()) {
      const { buffer, start: from, end, packetIdentifierAt } = frames[at]!;
      const bytes = Buffer.from(buffer.subarray(from, end));
      bytes.writeBigInt64BE(BigInt(i + 1), packetIdentifierAt);
      peer.write(bytes);
    }
    return peer;
  };
  const before = await start({ name: 'a' });
  const lasting = new LastingSession(before.at.broker, 'kept');
  const one = await send(before.at, 'ID:one', 0);
  await until(() => lasting.payloads.length === 1, 'the first copy');
  await before.store.flushed();
  one.destroy();
  const after = await start({ name: 'a' }, before.files.afterKill());
  const restored = new LastingSession(after.at.broker, 'kept');
  const two = await send(after.at, 'ID:two', 0, 1);
  await until(() => restored.payloads.length >= 2, 'a message that is new');
  assert.deepEqual(restored.payloads, ['first', 'second']);
  two.destroy();
});

test('what has just been stored for a persistent session elsewhere arrives before the broker says goodbye', async () => {
  const { a, b } = await startLinked();
  const lasting = new LastingSession(b.at.broker, 'kept');
  await b.at.network.demandKnown();
  a.files.syncMs = 30;
  publish(a.at, 'kept', 'last words', 1);
  await a.at.stop();
  assert.deepEqual(lasting.payloads, ['last words']);
});

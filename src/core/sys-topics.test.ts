import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IDLE } from '../../test/harness/idle-session.ts';
import { silentLog } from '../telemetry/log.ts';
import { FakeClock } from '../timing/clock.ts';
import { Broker } from './broker.ts';
import type { Limits } from './limits.ts';
import { Message } from './message.ts';
import type { Cluster, Session } from './ports.ts';
import { type Subscriber, Subscription } from './subscription.ts';
import { SysTopics } from './sys-topics.ts';

function setUp(options: { intervalSeconds?: number; limits?: Partial<Limits> } = {}) {
  const clock = new FakeClock();
  const broker = new Broker({
    id: 'b',
    name: 'test',
    log: silentLog,
    wallNow: () => clock.wallMs(),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const traffic = { bytesReceived: 0, bytesSent: 0 };
  let heap = 1_000;
  const topics = new SysTopics({
    broker,
    version: '1.2.3',
    intervalSeconds: options.intervalSeconds ?? 10,
    traffic,
    heapBytes: () => heap,
    clock,
  });
  const said: Record<string, string> = {};
  const publisher = { id: 'reader', kind: 'client' } as const;
  const reader: Subscriber = {
    ...publisher,
    publisher,
    deliver: ({ topic, payload, qos, retain }) => {
      assert.deepEqual([qos, retain], [0, true]);
      said[topic.replace('$SYS/broker/', '')] = payload.toString();
    },
  };
  broker.subscribe(
    new Subscription({
      filter: '$SYS/#',
      group: null,
      subscriber: reader,
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      identifier: 0,
    }),
  );
  /** What was published since the last call. */
  const news = () => {
    const found = { ...said };
    for (const topic of Object.keys(said)) delete said[topic];
    return found;
  };
  /** Lets time pass, as the interval does. */
  const pass = (seconds: number) => {
    clock.advance(seconds * 1000);
    topics.update();
    return news();
  };
  return { broker, topics, traffic, news, pass, setHeap: (bytes: number) => (heap = bytes) };
}

test('all values are published at the start, retained, then only those that have changed', () => {
  const { broker, topics, traffic, news, pass, setHeap } = setUp();
  topics.start();
  const first = news();
  topics.stop();
  assert.equal(first.version, 'roundhouse version 1.2.3');
  assert.equal(first.uptime, '0 seconds');
  assert.deepEqual([first['clients/connected'], first['subscriptions/count'], first['heap/maximum']], ['0', '1', '1000']);
  assert.equal(first['load/messages/received/15min'], '0.00');
  assert.equal(broker.retained.get('$SYS/broker/uptime')!.payload.toString(), '0 seconds');

  traffic.bytesReceived = 100;
  setHeap(500);
  broker.publish(Message.of('a', Buffer.from('x'), 0, true));
  const count = Object.keys(first).length;
  const { bytes } = broker.retained;
  const memoryBytes = broker.usage.memory.bytes;
  assert.deepEqual(pass(10), {
    uptime: '10 seconds',
    'bytes/received': '100',
    'load/bytes/received/1min': '92.11',
    'load/bytes/received/5min': '19.67',
    'load/bytes/received/15min': '6.63',
    'heap/current': '500',
    'retained messages/count': `${count + 1}`,
    'messages/stored': `${count + 1}`,
    'store/messages/count': `${count + 1}`,
    'store/messages/bytes': `${bytes}`,
    'usage/memory/bytes': `${memoryBytes}`,
  });
});

test('what sessions hold is summed up', () => {
  const { broker, topics, news, pass } = setUp();
  topics.start();
  news();
  topics.stop();
  const session = (clientId: string, queued: number, inflight: number, heldBytes: number): Session => ({
    clientId,
    connected: false,
    ...IDLE,
    queued,
    inflight,
    heldBytes,
    claimedAt: broker.clock.next(),
    takeOver() {},
    connectedElsewhere() {},
    discard() {},
    dismiss() {},
  });
  const bytes = broker.retained.bytes;
  const messages = broker.retained.size;
  broker.sessions.set(session('a', 2, 1, 300));
  broker.sessions.set(session('b', 0, 3, 40));
  broker.counters.clientConnected();
  const said = pass(1);
  assert.deepEqual([said['clients/total'], said['clients/connected'], said['clients/disconnected']], ['2', '1', '1']);
  assert.equal(said['messages/inflight'], '4');
  assert.equal(said['messages/stored'], `${messages + 6}`);
  assert.equal(said['store/messages/bytes'], `${bytes + 340}`);
});

test('drops and refusals are published by name once there are some', () => {
  const { broker, topics, news, pass } = setUp();
  topics.start();
  const first = Object.keys(news());
  topics.stop();
  assert.deepEqual(
    first.filter((topic) => topic.startsWith('limits/') || topic.startsWith('publish/messages/dropped/')),
    [],
  );
  broker.counters.drop('sessionQueueMessages');
  broker.refused('sessions', {});
  const said = pass(1);
  assert.deepEqual([said['publish/messages/dropped/sessionQueueMessages'], said['limits/refused/sessions']], ['1', '1']);
});

test('what the broker says of itself is no client’s message: not counted, not told to linked brokers, not bounded by their limits', () => {
  const { broker, topics } = setUp({ limits: { retainedMessages: 1 } });
  const told: string[] = [];
  const cluster: Cluster = { demandKnown: () => null, clientClaimed() {}, retained: (topic) => told.push(topic) };
  broker.cluster = cluster;
  topics.start();
  topics.stop();
  assert.equal(broker.counters.published, 0);
  assert.deepEqual(told, []);
  assert.notEqual(broker.retained.get('$SYS/broker/uptime'), null);
  for (const topic of ['a', 'b']) broker.publish(Message.of(topic, Buffer.from('x'), 0, true));
  assert.notEqual(broker.retained.get('a'), null, 'the one that clients may have');
  assert.equal(broker.retained.get('b'), null);
});

test('with an interval of 0 nothing is published', () => {
  const off = setUp({ intervalSeconds: 0 });
  off.topics.start();
  assert.deepEqual(off.news(), {});
  off.topics.stop();
});

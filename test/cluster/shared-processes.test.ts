import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { MqttClient } from 'mqtt';
import { type BrokerProcess, BrokerProcesses, eventually, Member } from '../harness/broker-processes.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';

type QoS = 0 | 1 | 2;

/** Messages that one publisher has unacknowledged at a time: enough to keep brokers busy, few enough for none of QoS 0 to be dropped. */
const WINDOW = 100;

/** In a soak more messages, too. */
const LONGER = Math.min(SOAK_FACTOR, 20);

async function start(t: TestContext, count: number): Promise<BrokerProcesses> {
  const processes = await BrokerProcesses.start(count);
  t.after(() => processes.close());
  return processes;
}

/** Members at each broker: `counts[i]` of them at the i-th. */
async function join(processes: BrokerProcesses, counts: readonly number[], filter: string, qos: QoS): Promise<Member[]> {
  const members: Member[] = [];
  for (const [i, count] of counts.entries())
    for (let n = 0; n < count; n++) {
      const protocolVersion = n % 2 === 0 ? 5 : 4;
      members.push(await Member.join(await processes.client(processes.brokers[i]!, { protocolVersion }), filter, qos));
    }
  return members;
}

/** Publishes these, a window at a time; resolves when all are acknowledged. */
async function publishAll(client: MqttClient, topic: string, payloads: readonly string[], qos: QoS): Promise<void> {
  for (let i = 0; i < payloads.length; i += WINDOW)
    await Promise.all(payloads.slice(i, i + WINDOW).map((payload) => client.publishAsync(topic, payload, { qos })));
}

function labelled(label: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${label}${i}`);
}

function total(members: readonly Member[]): number {
  return members.reduce((sum, { payloads }) => sum + payloads.length, 0);
}

/** Together they have got exactly these, each once. */
async function dealt(members: readonly Member[], expected: readonly string[]): Promise<void> {
  const missing = (): string[] => {
    const got = new Set(members.flatMap(({ payloads }) => payloads));
    return expected.filter((payload) => !got.has(payload));
  };
  await eventually(() => total(members) >= expected.length, `${expected.length} messages`).catch(() => {
    assert.deepEqual(missing().slice(0, 10), [], `${missing().length} of ${expected.length} are missing`);
  });
  await new Promise((resolve) => setTimeout(resolve, 200)); // for copies that must not come
  assert.deepEqual(members.flatMap(({ payloads }) => payloads).sort(), [...expected].sort());
}

for (const [brokers, counts] of [
  [2, [3, 2]],
  [3, [1, 2, 3]],
] as const) {
  test(`${brokers} broker processes deal thousands of messages of every QoS to one member each, and to all members alike`, async (t) => {
    const processes = await start(t, brokers);
    for (const qos of [0, 1, 2] as const) {
      const members = await join(processes, counts, `$share/g/deal/${qos}/+`, qos);
      const everything = await Promise.all(
        processes.brokers.map(async (broker) => Member.join(await processes.client(broker), `deal/${qos}/#`, qos)),
      );
      await new Promise((resolve) => setTimeout(resolve, 300)); // for the numbers of members to be known
      const expected = await Promise.all(
        processes.brokers.map(async (broker) => {
          const payloads = labelled(`${broker.name}:`, 700 * LONGER);
          await publishAll(await processes.client(broker), `deal/${qos}/x`, payloads, qos);
          return payloads;
        }),
      );
      await dealt(members, expected.flat());
      for (const member of everything) await dealt([member], expected.flat());
      const fair = expected.flat().length / members.length;
      for (const { payloads } of members)
        assert.ok(payloads.length > fair / 2 && payloads.length < fair * 2, `${payloads.length} of about ${fair}`);
    }
  });
}

test('wires between three broker processes that are cut again and again lose no message of QoS 1 and 2, and double none', async (t) => {
  const processes = await start(t, 3);
  for (const qos of [1, 2] as const) {
    const members = await join(processes, [2, 1, 2], `$share/g/cut/${qos}`, qos);
    let publishing = true;
    const expected = processes.brokers.flatMap(({ name }) => labelled(`${name}:`, 1_000 * LONGER));
    const done = Promise.all(
      processes.brokers.map(async (broker) =>
        publishAll(await processes.client(broker), `cut/${qos}`, labelled(`${broker.name}:`, 1_000 * LONGER), qos),
      ),
    ).finally(() => {
      publishing = false;
    });
    for (let i = 0; publishing; i++) {
      processes.wires[i % processes.wires.length]!.cut();
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await done;
    await dealt(members, expected);
  }
});

test('while a broker process is frozen its members are passed over; what it was given before arrives when it goes on', async (t) => {
  const processes = await start(t, 2);
  const [first, second] = processes.brokers as [BrokerProcess, BrokerProcess];
  const near = await Member.join(await processes.client(first), '$share/g/t', 1);
  const far = await Member.join(await processes.client(second, { keepalive: 0 }), '$share/g/t', 1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const publisher = await processes.client(first);
  second.program.kill('SIGSTOP');
  try {
    await publishAll(publisher, 't', labelled('a', 100), 1);
    await first.program.saying(/silent/); // suspect
    const before = near.payloads.length;
    await publishAll(publisher, 't', labelled('b', 100), 1);
    await eventually(() => near.payloads.length === before + 100, 'all of them here');
  } finally {
    second.program.kill('SIGCONT');
  }
  await dealt([near, far], [...labelled('a', 100), ...labelled('b', 100)]);
  assert.ok(far.payloads.length > 20, `${far.payloads.length} of what it was given`);
});

test('a broker process that is killed takes along no message that was not given to it; one that is restarted takes part again', async (t) => {
  const processes = await start(t, 3);
  const [first, second, third] = processes.brokers as [BrokerProcess, BrokerProcess, BrokerProcess];
  const members = await join(processes, [1, 1, 1], '$share/g/t', 2);
  const [near, , far] = members as [Member, Member, Member];
  await new Promise((resolve) => setTimeout(resolve, 200));
  const publisher = await processes.client(first);
  await publishAll(publisher, 't', labelled('before', 300), 2);
  await dealt(members, labelled('before', 300));
  const during = publishAll(publisher, 't', labelled('during', 1_000), 2);
  await eventually(() => near.payloads.length > 150, 'some of them');
  await second.end('SIGKILL');
  await during;
  await first.program.saying(/link lost/);
  await publishAll(publisher, 't', labelled('after', 300), 2);
  const got = (label: string): string[] => members.flatMap(({ payloads }) => payloads.filter((payload) => payload.startsWith(label)));
  await eventually(() => got('after').length === 300, 'everything that was published after it was gone');
  assert.equal(new Set(got('during')).size, got('during').length, 'QoS 2: none twice');
  assert.ok(got('during').length > 600, `${got('during').length} of 1000`);
  assert.deepEqual([...new Set(got('after'))].length, 300);
  assert.ok([near, far].every(({ payloads }) => payloads.some((payload) => payload.startsWith('after'))));
  await second.restart();
  await second.linked(2);
  const back = await Member.join(await processes.client(second), '$share/g/t', 2);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await publishAll(await processes.client(third), 't', labelled('again', 300), 2);
  await eventually(() => got('again').length + back.payloads.length === 300, 'everything');
  assert.ok(back.payloads.length > 50, `${back.payloads.length} of about 100`);
});

test('a broker process that is stopped gives what its members have not acknowledged or not been sent to members elsewhere', async (t) => {
  const processes = await start(t, 2);
  const [first, second] = processes.brokers as [BrokerProcess, BrokerProcess];
  // Two that acknowledge nothing: one whose session ends with its connection, one whose session would have stayed.
  const slow: MqttPeer[] = [];
  for (const [clientId, properties] of [
    ['ends', '21 0005'],
    ['stays', '21 0005 11 ffffffff'],
  ] as const) {
    const peer = await MqttPeer.dial(second.mqttPort, { level: 5 });
    await peer.connect({ clientId, properties });
    await peer.subscribe({ '$share/g/t': 1 });
    slow.push(peer);
  }
  const publisher = await processes.client(second);
  await publishAll(publisher, 't', labelled('m', 100), 1); // five are sent to each, the rest waits
  const near = await Member.join(await processes.client(first), '$share/g/t', 1);
  await second.end('SIGTERM');
  // All but what was sent to the session that would have stayed, which it may have got.
  await eventually(() => near.payloads.length >= 95, 'what it left');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(near.payloads.length, 95);
  assert.equal(new Set(near.payloads).size, 95);
});

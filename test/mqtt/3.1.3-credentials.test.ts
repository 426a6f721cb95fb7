import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authenticator, Credentials, Verdict } from '../../src/core/ports.ts';
import { HELD_BYTES_MAX } from '../../src/protocols/mqtt/held-packets.ts';
import { UserList } from '../../src/security/user-list.ts';
import { type Facts, silentLog } from '../../src/telemetry/log.ts';
import { startBroker } from '../harness/mqtt-broker.ts';
import { connackV3, PINGREQ, PINGRESP, packet, text } from '../harness/mqtt-bytes.ts';
import { feed, MEMORY_CONNECTOR, MemoryConnection } from '../harness/mqtt-memory.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';

/** User name and password: who is let in, and what the others are told. */

const LEVELS = [3, 4, 5] as const;

/** Return codes and Reason Codes of CONNACK by level: sections 3.2.2.3 of MQTT 3.1.1 and 3.2.2.2 of MQTT 5.0. */
async function expectRefusal(peer: MqttPeer, v3: number, v5: number): Promise<void> {
  if (peer.level === 5) await peer.expectConnack(v5);
  else await peer.expect(connackV3(false, v3));
  await peer.expectClose();
}

const users = (anonymous: { userName: string; groups: string[] } | null) =>
  new UserList({ users: [{ userName: 'ann', password: 'sesame', groups: ['g'] }], anonymous }, silentLog);

/** An authenticator that answers when the test says so. */
class SlowAuthenticator implements Authenticator {
  readonly asked: { credentials: Credentials; answer: (verdict: Verdict) => void; fail: (error: Error) => void }[] = [];

  authenticate(credentials: Credentials): Promise<Verdict> {
    return new Promise((answer, fail) => this.asked.push({ credentials, answer, fail }));
  }
}

const YES: Verdict = { kind: 'admitted', principal: { userName: 'ann', groups: [] } };
const NO: Verdict = { kind: 'refused', reason: 'badUserNameOrPassword', text: 'no' };

test('a user with the right password is a client, and the broker knows who it is', async (t) => {
  const broker = await startBroker(t, { authenticator: users(null) });
  for (const level of LEVELS) {
    const peer = await broker.client(level, { clientId: 'a', userName: 'ann', password: 'sesame' });
    assert.deepEqual([...broker.protocol.connections].at(-1)!.principal, { userName: 'ann', groups: ['g'] });
    await peer.disconnect();
  }
});

test('a wrong password and an unknown user get CONNACK 4, in MQTT 5 0x86, and nobody is connected', async (t) => {
  const broker = await startBroker(t, { authenticator: users(null) });
  for (const level of LEVELS) {
    for (const fields of [
      { userName: 'ann', password: 'Sesame' },
      { userName: 'ann', password: '' },
      { userName: 'ann' },
      { userName: 'eve', password: 'sesame' },
      { userName: '', password: '' },
    ]) {
      const peer = await broker.dial({ level });
      peer.send(peer.packets.connect({ clientId: 'a', ...fields }), PINGREQ);
      await expectRefusal(peer, 4, 0x86);
    }
  }
  assert.equal(broker.broker.sessions.size, 0);
});

test('a client without user name gets CONNACK 5, in MQTT 5 0x87, and the will of nobody is published', async (t) => {
  const broker = await startBroker(t, { authenticator: users(null) });
  const watcher = await broker.client(4, { clientId: 'w', userName: 'ann', password: 'sesame' });
  await watcher.subscribe({ gone: 0 });
  for (const level of LEVELS) {
    const peer = await broker.dial({ level });
    peer.send(peer.packets.connect({ clientId: 'a', will: { topic: 'gone' } }));
    await expectRefusal(peer, 5, 0x87);
  }
  await watcher.expectNothing();
});

test('where anonymous clients are let in they are the anonymous user; a wrong password is wrong all the same', async (t) => {
  const broker = await startBroker(t, { authenticator: users({ userName: 'guest', groups: ['guests'] }) });
  for (const level of LEVELS) {
    const peer = await broker.client(level, { clientId: 'a' });
    assert.deepEqual([...broker.protocol.connections].at(-1)!.principal, { userName: 'guest', groups: ['guests'] });
    await peer.disconnect();
    const wrong = await broker.dial({ level });
    wrong.send(wrong.packets.connect({ clientId: 'a', userName: 'guest', password: '' }));
    await expectRefusal(wrong, 4, 0x86);
  }
});

test('who is refused takes nobody’s client id', async (t) => {
  const broker = await startBroker(t, { authenticator: users(null) });
  const ann = await broker.client(5, { clientId: 'a', userName: 'ann', password: 'sesame' });
  const eve = await broker.dial({ level: 5 });
  eve.send(eve.packets.connect({ clientId: 'a', userName: 'eve', password: 'x' }));
  await eve.expectConnack(0x86);
  await ann.expectNothing();
});

test('the log tells who was refused and never a password', async (t) => {
  const lines: string[] = [];
  const write = (message: string, facts: Facts = {}): void => void lines.push(`${message} ${JSON.stringify(facts)}`);
  const log = { error: write, warn: write, info: write, debug: write, child: () => log };
  const broker = await startBroker(t, { authenticator: users(null), log });
  const right = await broker.client(5, { clientId: 'a', userName: 'ann', password: 'sesame' });
  await right.disconnect();
  const wrong = await broker.dial({ level: 5 });
  wrong.send(wrong.packets.connect({ clientId: 'intruder', userName: 'eve', password: 'open-says-me' }));
  await wrong.expectConnack(0x86);
  await wrong.expectClose();
  const malformed = await broker.dial({ level: 5 });
  malformed.send(packet(0x10, "0004 'MQTT' 05 c2 0000 00", text('a'), text('ann'), text('sesame'), '00'));
  await malformed.expectConnack(0x81);
  assert.match(lines.find((line) => line.startsWith('client refused'))!, /"userName":"eve"/);
  assert.match(lines.find((line) => line.startsWith('client connected'))!, /"userName":"ann"/);
  assert.doesNotMatch(lines.join('\n'), /sesame|open-says-me/);
  assert.equal(broker.broker.counters.authenticationFailures, 1);
});

test('an authenticator is told what CONNECT says, and from where', async (t) => {
  const authenticator = new SlowAuthenticator();
  const broker = await startBroker(t, { authenticator });
  for (const level of LEVELS) {
    const peer = await broker.dial({ level });
    peer.send(peer.packets.connect({ clientId: 'a', userName: 'ü', password: Buffer.from([0, 255]) }));
    await broker.until(() => authenticator.asked.length === 1, 'the authenticator to be asked');
    const { remoteAddress, ...rest } = authenticator.asked.pop()!.credentials;
    assert.match(remoteAddress, /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(rest, { clientId: 'a', connector: 'mqtt', userName: 'ü', password: Buffer.from([0, 255]), certificateName: null });
  }
});

test('while a CONNECT waits for its verdict the client’s other packets wait, in order, and other clients do not', async (t) => {
  const authenticator = new SlowAuthenticator();
  const broker = await startBroker(t, { authenticator });
  for (const level of LEVELS) {
    const slow = await broker.dial({ level });
    const { packets } = slow;
    slow.send(packets.connect({ clientId: `slow${level}`, userName: 'ann' }), packets.subscribe(1, { a: 1 }));
    await broker.until(() => authenticator.asked.length === 1, 'the authenticator to be asked');
    const { answer } = authenticator.asked.pop()!;
    slow.send(packets.publish({ topic: 'a', payload: 'x', qos: 1, id: 2 }), PINGREQ);
    const quick = await broker.dial({ level });
    quick.send(quick.packets.connect({ clientId: `quick${level}` }));
    await broker.until(() => authenticator.asked.length === 1, 'the authenticator to be asked');
    authenticator.asked.pop()!.answer(YES);
    assert.equal((await quick.packet()).header, 0x20);
    await quick.expectNothing();
    assert.equal(slow.receivedBytes, 0);
    assert.equal(broker.broker.sessions.get(`slow${level}`), undefined, 'nothing has happened yet');
    answer(YES);
    if (level === 5) await slow.expectConnack(0);
    else await slow.expect(connackV3(false));
    await slow.expect(packets.suback(1, 1));
    await slow.expectInAnyOrder(packets.publish({ topic: 'a', payload: 'x', qos: 1, id: 1 }), packets.puback(2), PINGRESP);
    await slow.disconnect();
    await quick.disconnect();
  }
});

test('a large packet behind a CONNECT that waits arrives whole', async (t) => {
  const authenticator = new SlowAuthenticator();
  const broker = await startBroker(t, { authenticator });
  const peer = await broker.dial();
  const payload = Buffer.alloc(5_000_000, 'x');
  peer.send(peer.packets.connect({ clientId: 'a' }), peer.packets.publish({ topic: 'a', payload, qos: 1, id: 1 }), PINGREQ);
  await broker.until(() => authenticator.asked.length === 1, 'the authenticator to be asked');
  authenticator.asked.pop()!.answer(YES);
  await peer.expect(connackV3(false), peer.packets.puback(1), PINGRESP);
});

test('of a client that is refused nothing is looked at that came behind CONNECT [MQTT-3.1.4-6]', async (t) => {
  const authenticator = new SlowAuthenticator();
  const broker = await startBroker(t, { authenticator });
  for (const level of LEVELS) {
    const peer = await broker.dial({ level });
    peer.send(peer.packets.connect({ clientId: 'a' }), peer.packets.publish({ topic: 'a', retain: true, payload: 'x' }), PINGREQ);
    await broker.until(() => authenticator.asked.length === 1, 'the authenticator to be asked');
    authenticator.asked.pop()!.answer(NO);
    await expectRefusal(peer, 4, 0x86);
  }
  assert.equal(broker.broker.counters.published, 0);
  assert.equal(broker.broker.retained.size, 0);
});

test('rubbish behind a CONNECT that waits is found when its turn comes', async (t) => {
  const authenticator = new SlowAuthenticator();
  const broker = await startBroker(t, { authenticator });
  const peer = await broker.dial({ level: 5 });
  peer.send(peer.packets.connect({ clientId: 'a' }), PINGREQ, '00 00', PINGREQ);
  await broker.until(() => authenticator.asked.length === 1, 'the authenticator to be asked');
  authenticator.asked.pop()!.answer(YES);
  await peer.expectConnack(0);
  await peer.expect(PINGRESP);
  await peer.expectDisconnect(0x82);
});

test('a client that goes while it waits leaves nothing behind', async (t) => {
  const authenticator = new SlowAuthenticator();
  const broker = await startBroker(t, { authenticator });
  const peer = await broker.dial();
  peer.send(peer.packets.connect({ clientId: 'a', will: { topic: 'gone', retain: true, payload: 'x' } }));
  await broker.until(() => authenticator.asked.length === 1, 'the authenticator to be asked');
  for (const connection of broker.protocol.connections) connection.connection.destroy();
  await broker.until(() => broker.connections === 0, 'the connection to be gone');
  authenticator.asked.pop()!.answer(YES);
  await (await broker.dial()).sent(PINGREQ);
  assert.equal(broker.broker.sessions.size, 0);
  assert.equal(broker.broker.retained.size, 0);
});

test('an authenticator that fails, or takes too long, makes the server unavailable: CONNACK 3, in MQTT 5 0x88', async (t) => {
  const authenticator = new SlowAuthenticator();
  const broker = await startBroker(t, { authenticator, fakeClock: true, connector: { connectAttemptTimeoutMs: 5_000 } });
  for (const level of LEVELS) {
    const failed = await broker.dial({ level });
    failed.send(failed.packets.connect({ clientId: 'a' }));
    await broker.until(() => authenticator.asked.length === 1, 'the authenticator to be asked');
    authenticator.asked.pop()!.fail(new Error('the directory is down'));
    await expectRefusal(failed, 3, 0x88);
    const late = await broker.dial({ level });
    late.send(late.packets.connect({ clientId: 'a' }));
    await broker.until(() => authenticator.asked.length === 1, 'the authenticator to be asked');
    broker.pass(5_100);
    await expectRefusal(late, 3, 0x88);
    authenticator.asked.pop()!.answer(YES);
  }
  assert.equal(broker.broker.sessions.size, 0);
});

test('an authenticator that throws refuses its client and no other', async (t) => {
  const authenticator: Authenticator = {
    authenticate({ userName }) {
      if (userName === 'ann') return YES;
      throw new TypeError('a mistake in the authenticator');
    },
  };
  const broker = await startBroker(t, { authenticator });
  const ann = await broker.client(4, { clientId: 'ann', userName: 'ann' });
  const peer = await broker.dial({ level: 4 });
  peer.send(peer.packets.connect({ clientId: 'a' }));
  await peer.expect(connackV3(false, 3));
  await peer.expectClose();
  await ann.expectNothing();
});

test('what is held of a client that waits has a bound', async (t) => {
  const authenticator = new SlowAuthenticator();
  const broker = await startBroker(t, { authenticator });
  const { packets } = await broker.dial({ level: 5 });
  const connection = new MemoryConnection(); // it cannot be paused
  const handler = broker.protocol.accept(connection, MEMORY_CONNECTOR);
  feed(handler, packets.connect({ clientId: 'a', properties: '17 00' }));
  const publish = packets.publish({ topic: 'a', payload: Buffer.alloc(1_000) });
  const fit = Math.floor(HELD_BYTES_MAX / publish.length);
  for (let i = 0; i < fit; i++) feed(handler, publish);
  assert.equal(connection.said.length, 0);
  feed(handler, publish);
  assert.equal(Buffer.concat(connection.said).toString('hex'), '2003009700');
  assert.ok(connection.ended);
  authenticator.asked.pop()!.answer(YES);
  handler.onClose(null);
});

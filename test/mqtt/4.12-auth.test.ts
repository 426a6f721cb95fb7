import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AuthenticationExchange, AuthenticationMechanism, AuthenticationStep } from '../../src/core/ports.ts';
import { deriveScramCredential } from '../../src/security/scram-credential.ts';
import { ScramSha256 } from '../../src/security/scram-sha-256.ts';
import { startBroker, type TestBroker, type TestBrokerOptions } from '../harness/mqtt-broker.ts';
import { bytes, type Part, PINGREQ, PINGRESP, packet, properties, text, userProperty } from '../harness/mqtt-bytes.ts';
import type { MqttPeer } from '../harness/mqtt-peer.ts';
import { ScramClient } from '../harness/scram-client.ts';

/** Enhanced authentication, MQTT 5.0 sections 3.15 and 4.12. */

/** What a CONNACK says beside the authentication. */
const SERVER_PROPERTIES = '21 ffff 22 0100 27 05f5e100';
const SCRAM = "15 000d 'SCRAM-SHA-256'";

/** The example of RFC 7677. */
const CLIENT_FIRST = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO';
const SERVER_NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const SERVER_FIRST = `r=rOprNGfwEbeRWgbNEkqO${SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const CLIENT_FINAL = `c=biws,r=rOprNGfwEbeRWgbNEkqO${SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
const SERVER_FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

async function scram(): Promise<ScramSha256> {
  const credential = await deriveScramCredential('pencil', 4096, Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'));
  const user = { credential, principal: { userName: 'user', groups: ['writers'] } };
  return new ScramSha256({ find: (userName) => (userName === 'user' ? user : null), createNonce: () => SERVER_NONCE });
}

async function startScramBroker(t: TestContext, options: TestBrokerOptions = {}): Promise<TestBroker> {
  return startBroker(t, { mechanisms: [await scram()], ...options });
}

/** A mechanism whose answers the test gives, at once or when it likes. */
class ScriptedMechanism implements AuthenticationMechanism {
  readonly name = 'M';
  readonly taken: (string | null)[] = [];
  starts = 0;
  answer: (data: string | null) => AuthenticationStep | Promise<AuthenticationStep> = (data) =>
    data === 'yes'
      ? { kind: 'admitted', principal: { userName: 'u', groups: [] }, data: Buffer.from('done') }
      : data === 'no'
        ? { kind: 'refused', reason: 'notAuthorized', text: 'no it is' }
        : { kind: 'continue', data: data === null ? null : Buffer.from(`${data}?`) };

  start(): AuthenticationExchange {
    this.starts++;
    return {
      step: (data) => {
        const said = data === null ? null : data.toString();
        this.taken.push(said);
        return this.answer(said);
      },
    };
  }
}

/** The properties of an authentication. */
function method(name: string, data?: string | Buffer): Buffer {
  return bytes('15', text(name), data === undefined ? '' : bytes('16', text(data)));
}

function auth(reason: number, name: string, data?: string | Buffer, more: Part = ''): Buffer {
  return packet(0xf0, Buffer.from([reason]), properties(method(name, data), more));
}

function connectWith(peer: MqttPeer, data?: string | Buffer, name = 'M', more: Part = ''): Buffer {
  return peer.packets.connect({ clientId: 'a', properties: bytes(method(name, data), more) });
}

/** A client whom the scripted mechanism has let in. */
async function authenticated(broker: TestBroker): Promise<MqttPeer> {
  const peer = await broker.dial({ level: 5 });
  peer.send(connectWith(peer, 'yes'));
  await peer.expectConnack(0);
  return peer;
}

test('the example of RFC 7677 over MQTT, byte for byte [MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5]', async (t) => {
  const broker = await startScramBroker(t);
  const peer = await broker.dial({ level: 5 });
  peer.send(`10 42 0004 'MQTT' 05 02 003c 33 ${SCRAM} 16 0020 '${CLIENT_FIRST}' 0002 'me'`);
  await peer.expect(`f0 6b 18 69 ${SCRAM} 16 0056 '${SERVER_FIRST}'`);
  peer.send(`f0 7f 18 7d ${SCRAM} 16 006a '${CLIENT_FINAL}'`);
  await peer.expect(`20 4f 00 00 4c ${SCRAM} 16 002e '${SERVER_FINAL}' ${SERVER_PROPERTIES}`);
  await peer.expectNothing();
  assert.deepEqual([...broker.protocol.connections][0]!.principal, { userName: 'user', groups: ['writers'] });
});

test('SCRAM-SHA-256 with a client of its own making: the server proves itself', async (t) => {
  const broker = await startScramBroker(t);
  const peer = await broker.dial({ level: 5 });
  const client = new ScramClient('user', 'pencil');
  peer.send(connectWith(peer, client.first, 'SCRAM-SHA-256'));
  const { header, body } = await peer.packet();
  assert.equal(header, 0xf0);
  const dataAt = 2 + 16 + 3;
  peer.send(auth(0x18, 'SCRAM-SHA-256', client.final(body.subarray(dataAt))));
  const said = await peer.expectConnack(0);
  assert.ok(said.includes(client.expectedServerFinal));
});

test('a client may wait to be asked before it begins', async (t) => {
  const broker = await startScramBroker(t);
  const peer = await broker.dial({ level: 5 });
  peer.send(connectWith(peer, undefined, 'SCRAM-SHA-256'));
  await peer.expect(`f0 12 18 10 ${SCRAM}`);
  peer.send(auth(0x18, 'SCRAM-SHA-256', CLIENT_FIRST));
  await peer.expect(`f0 6b 18 69 ${SCRAM} 16 0056 '${SERVER_FIRST}'`);
});

test('a mechanism may admit a client at its CONNECT, and with no data', async (t) => {
  const mechanism = new ScriptedMechanism();
  mechanism.answer = () => ({ kind: 'admitted', principal: { userName: 'u', groups: [] }, data: null });
  const broker = await startBroker(t, { mechanisms: [mechanism] });
  const peer = await broker.dial({ level: 5 });
  peer.send(connectWith(peer));
  await peer.expect(`20 12 00 00 0f 15 0001 'M' ${SERVER_PROPERTIES}`);
  assert.deepEqual(mechanism.taken, [null]);
});

test('any number of steps', async (t) => {
  const broker = await startBroker(t, { mechanisms: [new ScriptedMechanism()] });
  const peer = await broker.dial({ level: 5 });
  peer.send(connectWith(peer, '1'));
  await peer.expect(auth(0x18, 'M', '1?'));
  for (let i = 2; i < 20; i++) {
    peer.send(auth(0x18, 'M', `${i}`));
    await peer.expect(auth(0x18, 'M', `${i}?`));
  }
  peer.send(auth(0x18, 'M', 'yes', userProperty('a', 'b')));
  await peer.expect(`20 19 00 00 16 15 0001 'M' 16 0004 'done' ${SERVER_PROPERTIES}`);
});

test('an answer that takes its time is waited for, at CONNECT and at AUTH', async (t) => {
  const mechanism = new ScriptedMechanism();
  const waiting: (() => void)[] = [];
  const { answer } = mechanism;
  mechanism.answer = (data) => new Promise((resolve) => waiting.push(() => resolve(answer(data))));
  const broker = await startBroker(t, { mechanisms: [mechanism] });
  const peer = await broker.dial({ level: 5 });
  peer.send(connectWith(peer, '1'));
  await broker.until(() => waiting.length === 1, 'CONNECT to be read');
  assert.equal(peer.receivedBytes, 0);
  waiting.pop()!();
  await peer.expect(auth(0x18, 'M', '1?'));
  peer.send(auth(0x18, 'M', 'yes'));
  await broker.until(() => waiting.length === 1, 'AUTH to be read');
  waiting.pop()!();
  await peer.expectConnack(0);
});

test('a client that is gone when the answer comes is not let in', async (t) => {
  const mechanism = new ScriptedMechanism();
  const waiting: (() => void)[] = [];
  const { answer } = mechanism;
  mechanism.answer = (data) => new Promise((resolve) => waiting.push(() => resolve(answer(data))));
  const broker = await startBroker(t, { mechanisms: [mechanism] });
  const peer = await broker.dial({ level: 5 });
  peer.send(connectWith(peer, 'yes'));
  await broker.until(() => waiting.length === 1, 'CONNECT to be read');
  await peer.destroy();
  await broker.until(() => broker.connections === 0, 'the broker to see that it is gone');
  waiting.pop()!();
  await (await broker.dial()).sent(PINGREQ);
  assert.equal(broker.broker.sessions.size, 0);
});

test('a method that is not there is refused, in the name of no other [MQTT-4.12.0-1]', async (t) => {
  const broker = await startScramBroker(t);
  for (const name of ['SCRAM-SHA-1', 'scram-sha-256', '', 'toString']) {
    const peer = await broker.dial({ level: 5 });
    peer.send(connectWith(peer, 'x', name, '17 00'));
    await peer.expect('20 03 00 8c 00');
    await peer.expectClose();
  }
  assert.equal(broker.broker.sessions.size, 0);
});

test('without an Authentication Method in CONNECT there is none in CONNACK, and no AUTH [MQTT-4.12.0-6] [MQTT-4.12.0-7]', async (t) => {
  const authenticator = { authenticate: () => ({ kind: 'admitted' as const, principal: { userName: 'u', groups: [] } }) };
  const broker = await startScramBroker(t, { authenticator });
  const peer = await broker.dial({ level: 5 });
  peer.send(peer.packets.connect({ clientId: 'a' }));
  await peer.expect(`20 0e 00 00 0b ${SERVER_PROPERTIES}`);
  peer.send(auth(0x19, 'SCRAM-SHA-256', CLIENT_FIRST));
  await peer.expectDisconnect(0x82);
});

test('where there are mechanisms alone, a client without one is not authorized', async (t) => {
  const broker = await startScramBroker(t);
  const v5 = await broker.dial({ level: 5 });
  v5.send(v5.packets.connect({ clientId: 'a', properties: '17 00' }));
  await v5.expect('20 03 00 87 00');
  await v5.expectClose();
  const v4 = await broker.dial({ level: 4 });
  v4.send(v4.packets.connect({ clientId: 'a' }));
  await v4.expect('20 02 00 05');
  await v4.expectClose();
});

test('a wrong proof and an unknown user are refused alike, and nobody is connected [MQTT-4.12.0-4]', async (t) => {
  const broker = await startScramBroker(t);
  const refusals: Buffer[] = [];
  for (const userName of ['user', 'nobody']) {
    const peer = await broker.dial({ level: 5 });
    const client = new ScramClient(userName, 'wrong');
    peer.send(connectWith(peer, client.first, 'SCRAM-SHA-256'));
    const { body } = await peer.packet();
    peer.send(auth(0x18, 'SCRAM-SHA-256', client.final(body.subarray(21))));
    refusals.push(await peer.expectConnack(0x86));
    await peer.expectClose();
  }
  assert.deepEqual(refusals[0], refusals[1]);
  assert.equal(broker.broker.sessions.size, 0);
  assert.equal(broker.broker.counters.authenticationFailures, 2);
});

test('what is no SCRAM message is not authorized, with the reason', async (t) => {
  const broker = await startScramBroker(t);
  const peer = await broker.dial({ level: 5 });
  peer.send(connectWith(peer, 'hello', 'SCRAM-SHA-256'));
  const said = await peer.expectConnack(0x87);
  assert.match(said.toString(), /first message is not one/);
  await peer.expectClose();
});

test('user name and password beside a method are not looked at: the method decides', async (t) => {
  const authenticator = {
    authenticate: () => {
      throw new Error('not asked');
    },
  };
  const broker = await startBroker(t, { mechanisms: [new ScriptedMechanism()], authenticator });
  const peer = await broker.dial({ level: 5 });
  peer.send(peer.packets.connect({ clientId: 'a', userName: 'x', password: 'y', properties: method('M', 'yes') }));
  await peer.expectConnack(0);
});

/** AUTH packets that are wrong in an exchange at CONNECT and anew. */
const WRONG: { what: string; reason: number; auth: Part }[] = [
  { what: 'flags [MQTT-3.15.1-1]', reason: 0x81, auth: "f1 06 18 04 15 0001 'M'" },
  { what: 'no body, which says Success [MQTT-3.15.2-1]', reason: 0x82, auth: 'f0 00' },
  { what: 'the Reason Code Success [MQTT-3.15.2-1]', reason: 0x82, auth: "f0 06 00 04 15 0001 'M'" },
  { what: 'a Reason Code that AUTH does not have [MQTT-3.15.2-1]', reason: 0x82, auth: "f0 06 87 04 15 0001 'M'" },
  { what: 'a Reason Code and nothing else', reason: 0x81, auth: 'f0 01 18' },
  { what: 'no Authentication Method (section 3.15.2.2.2)', reason: 0x82, auth: 'f0 02 18 00' },
  { what: 'data alone (section 3.15.2.2.2)', reason: 0x82, auth: "f0 06 18 04 16 0001 'x'" },
  { what: 'two Authentication Methods (section 3.15.2.2.2)', reason: 0x82, auth: "f0 0a 18 08 15 0001 'M' 15 0001 'M'" },
  { what: 'two Authentication Data (section 3.15.2.2.3)', reason: 0x82, auth: "f0 0c 18 0a 15 0001 'M' 16 0000 16 0000" },
  { what: 'another method than CONNECT [MQTT-4.12.0-5] [MQTT-4.12.1-1]', reason: 0x82, auth: "f0 06 18 04 15 0001 'N'" },
  { what: 'a property of another packet (section 2.2.2.2)', reason: 0x81, auth: "f0 09 18 07 15 0001 'M' 21 0001" },
  { what: 'properties that are cut off', reason: 0x81, auth: "f0 06 18 05 15 0001 'M'" },
  { what: 'bytes behind its properties', reason: 0x81, auth: "f0 07 18 04 15 0001 'M' 00" },
  { what: 'a method that is no UTF-8 [MQTT-1.5.4-1]', reason: 0x81, auth: 'f0 06 18 04 15 0001 ff' },
];

for (const { what, reason, auth: wrong } of WRONG) {
  test(`AUTH with ${what} ends the connection`, async (t) => {
    const broker = await startBroker(t, { mechanisms: [new ScriptedMechanism()] });
    const connecting = await broker.dial({ level: 5 });
    connecting.send(connectWith(connecting, '1'));
    await connecting.expect(auth(0x18, 'M', '1?'));
    connecting.send(wrong);
    await connecting.expectConnack(reason);
    await connecting.expectClose();
    assert.equal(broker.broker.sessions.size, 0);
    const connected = await authenticated(broker);
    connected.send(auth(0x19, 'M', '1'));
    await connected.expect(auth(0x18, 'M', '1?'));
    connected.send(wrong);
    await connected.expectDisconnect(reason);
  });
}

test('AUTH with a reason string and user properties is read', async (t) => {
  const broker = await startBroker(t, { mechanisms: [new ScriptedMechanism()] });
  const peer = await broker.dial({ level: 5 });
  peer.send(connectWith(peer, '1', 'M', bytes(userProperty('a', 'b'), userProperty('a', 'c'))));
  await peer.expect(auth(0x18, 'M', '1?'));
  peer.send(auth(0x18, 'M', 'yes', bytes("1f 0002 'ok'", userProperty('a', 'b'), userProperty('a', 'c'))));
  await peer.expectConnack(0);
});

test('before CONNACK a client with a method sends AUTH and DISCONNECT alone [MQTT-3.1.2-30]', async (t) => {
  const broker = await startBroker(t, { mechanisms: [new ScriptedMechanism()] });
  for (const early of [
    (peer: MqttPeer) => peer.packets.publish({ topic: 'a' }),
    (peer: MqttPeer) => peer.packets.subscribe(1, { a: 0 }),
    (peer: MqttPeer) => peer.packets.connect({ clientId: 'a' }),
    () => PINGREQ,
  ]) {
    const peer = await broker.dial({ level: 5 });
    peer.send(connectWith(peer, '1'), early(peer));
    await peer.expect(auth(0x18, 'M', '1?'));
    await peer.expectConnack(0x82);
    await peer.expectClose();
  }
  const leaver = await broker.dial({ level: 5 });
  leaver.send(connectWith(leaver, '1'));
  await leaver.expect(auth(0x18, 'M', '1?'));
  leaver.send('e0 00');
  await leaver.expectClose();
  assert.equal(broker.broker.sessions.size, 0);
});

test('an exchange at CONNECT goes on with 0x18, never with 0x19 [MQTT-4.12.0-3]', async (t) => {
  const broker = await startBroker(t, { mechanisms: [new ScriptedMechanism()] });
  const peer = await broker.dial({ level: 5 });
  peer.send(connectWith(peer, '1'));
  await peer.expect(auth(0x18, 'M', '1?'));
  peer.send(auth(0x19, 'M', 'yes'));
  await peer.expectConnack(0x82);
  await peer.expectClose();
});

test('AUTH before the last one was answered is a protocol error', async (t) => {
  const mechanism = new ScriptedMechanism();
  mechanism.answer = () => new Promise(() => {});
  const broker = await startBroker(t, { mechanisms: [mechanism] });
  const peer = await broker.dial({ level: 5 });
  peer.send(connectWith(peer, '1'), auth(0x18, 'M', '2'));
  await peer.expectConnack(0x82);
  await peer.expectClose();
});

test('AUTH in a write of its own bytes, split anywhere, is one packet', async (t) => {
  const broker = await startBroker(t, { mechanisms: [new ScriptedMechanism()] });
  const whole = auth(0x18, 'M', 'yes');
  for (let cut = 1; cut < whole.length; cut++) {
    const peer = await broker.dial({ level: 5 });
    peer.send(connectWith(peer, '1'));
    await peer.expect(auth(0x18, 'M', '1?'));
    await peer.sent(whole.subarray(0, cut));
    await peer.sent(whole.subarray(cut));
    await peer.expectConnack(0);
    await peer.disconnect();
  }
});

test('an exchange that is not finished in time is not authorized, and closed', async (t) => {
  const broker = await startBroker(t, {
    mechanisms: [new ScriptedMechanism()],
    fakeClock: true,
    connector: { connectAttemptTimeoutMs: 5_000 },
  });
  const slow = await broker.dial({ level: 5 });
  slow.send(connectWith(slow, '1', 'M', '17 00'));
  await slow.expect(auth(0x18, 'M', '1?'));
  broker.pass(4_000);
  slow.send(auth(0x18, 'M', '2')); // time does not begin anew
  await slow.expect(auth(0x18, 'M', '2?'));
  broker.pass(1_200);
  await slow.expect('20 03 00 87 00');
  await slow.expectClose();
});

test('a client authenticates anew as often as it likes, and its messages go on meanwhile [MQTT-4.12.1-1]', async (t) => {
  const mechanism = new ScriptedMechanism();
  const broker = await startBroker(t, { mechanisms: [mechanism] });
  const peer = await authenticated(broker);
  await peer.subscribe({ a: 1 });
  for (let round = 1; round <= 3; round++) {
    peer.send(auth(0x19, 'M', `${round}`));
    await peer.expect(auth(0x18, 'M', `${round}?`));
    peer.send(peer.packets.publish({ topic: 'a', payload: `${round}` }), PINGREQ);
    await peer.expect(peer.packets.publish({ topic: 'a', payload: `${round}` }), PINGRESP);
    peer.send(auth(0x18, 'M', 'yes'));
    await peer.expect(auth(0x00, 'M', 'done'));
    await peer.expectNothing();
  }
  assert.equal(mechanism.starts, 4, 'each is an exchange of its own');
});

test('authenticating anew may take no step at all, and a mechanism may take its time over it while messages go on', async (t) => {
  const mechanism = new ScriptedMechanism();
  const broker = await startBroker(t, { mechanisms: [mechanism] });
  const peer = await authenticated(broker);
  const waiting: (() => void)[] = [];
  const { answer } = mechanism;
  mechanism.answer = (data) => new Promise((resolve) => waiting.push(() => resolve(answer(data))));
  peer.send(auth(0x19, 'M', 'yes'));
  await peer.expectNothing();
  assert.equal(waiting.length, 1);
  waiting.pop()!();
  await peer.expect(auth(0x00, 'M', 'done'));
});

test('where a connector bounds no CONNECT in time, it bounds no authenticating anew', async (t) => {
  const broker = await startBroker(t, {
    mechanisms: [new ScriptedMechanism()],
    connector: { connectAttemptTimeoutMs: 0 },
    fakeClock: true,
  });
  const peer = await authenticated(broker);
  peer.send(auth(0x19, 'M', '1'));
  await peer.expect(auth(0x18, 'M', '1?'));
  broker.pass(1_000_000);
  peer.send(auth(0x18, 'M', 'yes'));
  await peer.expect(auth(0x00, 'M', 'done'));
});

test('SCRAM-SHA-256 anew on a live connection', async (t) => {
  const broker = await startScramBroker(t);
  const peer = await broker.dial({ level: 5 });
  peer.send(connectWith(peer, CLIENT_FIRST, 'SCRAM-SHA-256'));
  await peer.packet();
  peer.send(auth(0x18, 'SCRAM-SHA-256', CLIENT_FINAL));
  await peer.expectConnack(0);
  peer.send(auth(0x19, 'SCRAM-SHA-256', CLIENT_FIRST));
  await peer.expect(auth(0x18, 'SCRAM-SHA-256', SERVER_FIRST));
  peer.send(auth(0x18, 'SCRAM-SHA-256', CLIENT_FINAL));
  await peer.expect(auth(0x00, 'SCRAM-SHA-256', SERVER_FINAL));
});

test('who fails to authenticate anew is disconnected, and the will is published [MQTT-4.12.1-2]', async (t) => {
  const broker = await startBroker(t, { mechanisms: [new ScriptedMechanism()] });
  const watcher = await authenticated(broker);
  await watcher.subscribe({ gone: 0 });
  const peer = await broker.dial({ level: 5 });
  const will = { topic: 'gone' };
  peer.send(peer.packets.connect({ clientId: 'b', will, properties: bytes(method('M', 'yes'), '17 00') }));
  await peer.expectConnack(0);
  peer.send(auth(0x19, 'M', 'no'));
  await peer.expect('e0 02 87 00');
  await peer.expectClose();
  await watcher.expect(watcher.packets.publish({ topic: 'gone' }));
  assert.equal(broker.broker.counters.authenticationFailures, 1);
});

test('nobody becomes another user by authenticating anew', async (t) => {
  const mechanism = new ScriptedMechanism();
  const broker = await startBroker(t, { mechanisms: [mechanism] });
  const peer = await authenticated(broker);
  mechanism.answer = () => ({ kind: 'admitted', principal: { userName: 'root', groups: [] }, data: null });
  peer.send(auth(0x19, 'M'));
  assert.match((await peer.expectDisconnect(0x87)).toString(), /another user/);
});

test('AUTH that continues nothing, and a second 0x19 in an exchange, are protocol errors', async (t) => {
  const broker = await startBroker(t, { mechanisms: [new ScriptedMechanism()] });
  const nothing = await authenticated(broker);
  nothing.send(auth(0x18, 'M', 'yes'));
  await nothing.expectDisconnect(0x82);
  const twice = await authenticated(broker);
  twice.send(auth(0x19, 'M', '1'), auth(0x19, 'M', '1'));
  await twice.expect(auth(0x18, 'M', '1?'));
  await twice.expectDisconnect(0x82);
});

test('authenticating anew is bounded in time, each time anew', async (t) => {
  const broker = await startBroker(t, {
    mechanisms: [new ScriptedMechanism()],
    fakeClock: true,
    connector: { connectAttemptTimeoutMs: 5_000 },
  });
  const peer = await authenticated(broker);
  for (let i = 0; i < 3; i++) {
    broker.pass(4_000);
    peer.send(auth(0x19, 'M', 'yes'));
    await peer.expect(auth(0x00, 'M', 'done'));
  }
  peer.send(auth(0x19, 'M', '1'));
  await peer.expect(auth(0x18, 'M', '1?'));
  broker.pass(4_900);
  await peer.expectNothing();
  broker.pass(200);
  assert.match((await peer.expectDisconnect(0x87)).toString(), /not finished in time/);
});

test('an AUTH or CONNACK larger than the client accepts is not sent [MQTT-3.1.2-24] [MQTT-3.15.2-2] [MQTT-3.15.2-3]', async (t) => {
  const mechanism = new ScriptedMechanism();
  const broker = await startBroker(t, { mechanisms: [mechanism] });
  const question = await broker.dial({ level: 5 });
  question.send(connectWith(question, 'x'.repeat(40), 'M', '27 00000020'));
  await question.expect('20 03 00 95 00');
  await question.expectClose();
  mechanism.answer = () => ({ kind: 'admitted', principal: { userName: 'u', groups: [] }, data: Buffer.alloc(40) });
  const connack = await broker.dial({ level: 5 });
  connack.send(connectWith(connack, '1', 'M', '27 00000020'));
  await connack.expect('20 03 00 83 00');
  await connack.expectClose();
  assert.equal(broker.broker.sessions.size, 0);
});

test('a mechanism that fails refuses its client and no other: the server is unavailable', async (t) => {
  const mechanism = new ScriptedMechanism();
  const warnings: string[] = [];
  const log = { error: assert.fail, warn: (_: string, facts: object = {}) => warnings.push(JSON.stringify(facts)), info() {}, debug() {} };
  const broker = await startBroker(t, { mechanisms: [mechanism], log: { ...log, child: () => assert.fail() } });
  const live = await authenticated(broker);
  for (const answer of [
    () => {
      throw new Error('the directory is down');
    },
    () => Promise.reject(new Error('the directory is down')),
  ]) {
    mechanism.answer = answer;
    const peer = await broker.dial({ level: 5 });
    peer.send(connectWith(peer, 'yes', 'M', '17 00'));
    await peer.expect('20 03 00 88 00');
    await peer.expectClose();
  }
  await live.expectNothing();
  live.send(auth(0x19, 'M', 'yes'));
  await live.expectDisconnect(0x89);
  assert.equal(warnings.length, 3);
  assert.match(warnings[0]!, /the directory is down/);
});

test('a client that is taken over while it connects by steps is told so only once it is a client', async (t) => {
  const broker = await startBroker(t, { mechanisms: [new ScriptedMechanism()] });
  const half = await broker.dial({ level: 5 });
  half.send(connectWith(half, '1'));
  await half.expect(auth(0x18, 'M', '1?'));
  const first = await authenticated(broker);
  half.send(auth(0x18, 'M', 'yes'));
  await first.expectDisconnect(0x8e); // [MQTT-3.1.4-3]
  await half.expectConnack(0);
});

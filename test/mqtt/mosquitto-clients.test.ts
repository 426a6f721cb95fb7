import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { UserList } from '../../src/security/user-list.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { startBroker, type TestBroker } from '../harness/mqtt-broker.ts';
import { ClientProgram, needsMosquittoClients } from '../harness/mqtt-programs.ts';

/** mosquitto's own clients against the broker. */

const VERSIONS = ['mqttv31', 'mqttv311', 'mqttv5'] as const;
const MEGABYTE = 1024 * 1024;

function place(broker: TestBroker, version: string): string[] {
  return ['-h', '127.0.0.1', '-p', String(broker.port), '-V', version];
}

async function publish(
  t: TestContext,
  broker: TestBroker,
  version: string,
  args: readonly string[],
  payload = Buffer.alloc(0),
): Promise<void> {
  // -s: the payload is all of standard input
  const what = payload.length === 0 ? ['-n'] : ['-s'];
  await new ClientProgram(t, 'mosquitto_pub', [...place(broker, version), ...args, ...what], payload).output();
}

/** A mosquitto_sub that the broker knows the subscription of. */
async function subscribe(t: TestContext, broker: TestBroker, version: string, args: readonly string[]): Promise<ClientProgram> {
  const before = broker.broker.router.size;
  const program = new ClientProgram(t, 'mosquitto_sub', [...place(broker, version), ...args]);
  await broker.until(() => broker.broker.router.size > before, 'mosquitto_sub to subscribe');
  return program;
}

for (const version of VERSIONS) {
  for (const qos of [0, 1, 2]) {
    test(`mosquitto ${version}: QoS ${qos}, payloads of 0 B, 1 B and 1 MB arrive as they were sent [MQTT3-7.0.0-2]`, async (t) => {
      if (!needsMosquittoClients(t)) return;
      const broker = await startBroker(t);
      for (const size of [0, 1, MEGABYTE]) {
        const payload = randomBytes(size);
        const receiver = await subscribe(t, broker, version, ['-q', String(qos), '-t', 'a/+', '-C', '1', '-N', '-F', '%t %q %r %l\n%p']);
        await publish(t, broker, version, ['-q', String(qos), '-t', 'a/b'], payload);
        const head = Buffer.from(`a/b ${qos} 0 ${size}\n`);
        const received = await receiver.output();
        assert.equal(received.subarray(0, head.length).toString(), head.toString());
        assert.ok(received.subarray(head.length).equals(payload), `${received.length - head.length} bytes came`);
        await broker.until(() => broker.broker.router.size === 0, 'mosquitto_sub to leave');
      }
    });
  }

  test(`mosquitto ${version}: user name and password`, async (t) => {
    if (!needsMosquittoClients(t)) return;
    const authenticator = new UserList({ users: [{ userName: 'ann', password: 'sesame', groups: [] }], anonymous: null }, silentLog);
    const broker = await startBroker(t, { authenticator });
    await publish(t, broker, version, ['-q', '1', '-t', 'a', '-u', 'ann', '-P', 'sesame']);
    assert.equal(broker.broker.counters.published, 1);
    for (const [args, said] of [
      [['-u', 'ann', '-P', 'guess'], version === 'mqttv5' ? /Bad User ?Name or Password/i : /bad user name or password/i],
      [[], /not authori[sz]ed/i],
    ] as const)
      await assert.rejects(publish(t, broker, version, ['-q', '1', '-t', 'a', ...args]), said);
    assert.equal(broker.broker.counters.published, 1);
  });

  test(`mosquitto ${version}: a retained message is there for who comes later, until it is removed`, async (t) => {
    if (!needsMosquittoClients(t)) return;
    const broker = await startBroker(t);
    await publish(t, broker, version, ['-q', '1', '-r', '-t', 'r/a'], Buffer.from('kept'));
    const receiver = new ClientProgram(t, 'mosquitto_sub', [...place(broker, version), '-t', 'r/#', '-C', '1', '-F', '%t %r %p']);
    assert.equal((await receiver.output()).toString(), 'r/a 1 kept\n');
    await publish(t, broker, version, ['-q', '1', '-r', '-t', 'r/a']);
    const none = new ClientProgram(t, 'mosquitto_sub', [...place(broker, version), '-t', 'r/#', '-E']);
    assert.equal((await none.output()).toString(), '');
  });

  test(`mosquitto ${version}: the will of a client that is killed is published, that of one that leaves is not`, async (t) => {
    if (!needsMosquittoClients(t)) return;
    const broker = await startBroker(t);
    const watcher = await subscribe(t, broker, version, ['-t', 'will/#', '-C', '2', '-F', '%t %q %p']);
    const will = (name: string) => [
      '--will-topic',
      `will/${name}`,
      '--will-payload',
      'gone',
      '--will-qos',
      '1',
      '-q',
      '1',
      '-t',
      `x/${name}`,
    ];
    const leaver = await subscribe(t, broker, version, [...will('leaver'), '-C', '1']);
    const killed = await subscribe(t, broker, version, will('killed'));
    await publish(t, broker, version, ['-t', 'x/leaver'], Buffer.from('go'));
    await leaver.output();
    killed.kill();
    await broker.until(() => broker.broker.sessions.size === 1, 'the killed one to be gone');
    await publish(t, broker, version, ['-t', 'will/end'], Buffer.from('end'));
    assert.equal((await watcher.output()).toString(), 'will/killed 0 gone\nwill/end 0 end\n');
  });

  test(`mosquitto ${version}: a persistent session has what came while its client was away`, async (t) => {
    if (!needsMosquittoClients(t)) return;
    const broker = await startBroker(t);
    const session = ['-c', '-i', 'keeper', '-q', '2', '-t', 's/#', ...(version === 'mqttv5' ? ['-x', '1000'] : [])];
    await new ClientProgram(t, 'mosquitto_sub', [...place(broker, version), ...session, '-E']).output();
    await broker.disconnected('keeper');
    for (const qos of [1, 2, 0, 2]) await publish(t, broker, version, ['-q', String(qos), '-t', 's/x'], Buffer.from(`qos ${qos}`));
    const back = new ClientProgram(t, 'mosquitto_sub', [...place(broker, version), ...session, '-C', '3', '-F', '%q %p']);
    assert.equal((await back.output()).toString(), '1 qos 1\n2 qos 2\n2 qos 2\n');
  });

  test(`mosquitto ${version}: a shared subscription gives each message to one of two`, async (t) => {
    if (!needsMosquittoClients(t)) return;
    const broker = await startBroker(t);
    const members = [];
    for (let i = 0; i < 2; i++) members.push(await subscribe(t, broker, version, ['-q', '1', '-t', '$share/g/j/#', '-C', '2', '-F', '%p']));
    for (let i = 0; i < 4; i++) await publish(t, broker, version, ['-q', '1', '-t', 'j/x'], Buffer.from(`${i}`));
    const received = await Promise.all(members.map(async (member) => (await member.output()).toString().split('\n').filter(Boolean)));
    assert.deepEqual(received.flat().sort(), ['0', '1', '2', '3']);
  });
}

test('mosquitto mqttv5: properties pass from publisher to subscriber', async (t) => {
  if (!needsMosquittoClients(t)) return;
  const broker = await startBroker(t);
  const receiver = await subscribe(t, broker, 'mqttv5', ['-t', 'p', '-C', '1', '-F', '%A|%C|%D|%E|%F|%P|%R|%p']);
  const property = (name: string, ...value: string[]) => ['-D', 'publish', name, ...value];
  await publish(
    t,
    broker,
    'mqttv5',
    [
      '-t',
      'p',
      ...property('content-type', 'text/plain'),
      ...property('correlation-data', 'corr'),
      ...property('message-expiry-interval', '60'),
      ...property('payload-format-indicator', '1'),
      ...property('response-topic', 're/ply'),
      ...property('user-property', 'a', 'b'),
    ],
    Buffer.from('x'),
  );
  assert.equal((await receiver.output()).toString(), '|text/plain|corr|60|1|a:b|re/ply|x\n');
});

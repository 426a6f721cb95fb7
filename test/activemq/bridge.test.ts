import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { UserList } from '../../src/security/user-list.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { ActiveMQ, activemqFault, StompClient } from '../harness/activemq.ts';
import { linked, staticConnector, TestBroker, until } from '../harness/linked-broker.ts';

const fault = activemqFault();
const skip = fault === null ? {} : { skip: fault };

const running: { stop(): Promise<void> }[] = [];
const clients: StompClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const what of running.splice(0).reverse()) await what.stop();
});

async function freePort(): Promise<number> {
  const probe = await TestBroker.start();
  const { port } = probe;
  await probe.stop();
  return port;
}

async function startReal(extra = ''): Promise<{ port: number; client: StompClient }> {
  const [openwirePort, stompPort] = [await freePort(), await freePort()];
  running.push(await ActiveMQ.start({ openwirePort, stompPort, extra }));
  const client = await StompClient.connect(stompPort);
  clients.push(client);
  return { port: openwirePort, client };
}

async function startOurs(options: Parameters<typeof TestBroker.start>[0]): Promise<TestBroker> {
  const broker = await TestBroker.start({ name: 'ours', ...options });
  running.push(broker);
  return broker;
}

/** Waits until our broker knows that the other one wants this topic. */
async function wanted(ours: TestBroker, topic: string): Promise<void> {
  await until(() => ours.broker.router.match(topic).direct.some(({ subscriber }) => subscriber.kind === 'peer'), `${topic} is wanted`);
}

async function arrives(client: StompClient, body: string): Promise<void> {
  await until(() => client.messages.some((message) => message.body === body), `"${body}" over there`);
}

test('our broker dials a real ActiveMQ: what its consumers want is forwarded, acknowledged, and only that', skip, async () => {
  const { port, client } = await startReal();
  await client.subscribe('/topic/before.>');
  const ours = await startOurs({ connectors: [staticConnector([port])] });
  await wanted(ours, 'before/1');
  await client.subscribe('/topic/plant.*.temp');
  await wanted(ours, 'plant/1/temp');
  const publisher = ours.client();
  const expected: string[][] = [[], [], []];
  for (let i = 0; i < 3_000; i++) {
    const qos = (i % 3) as 0 | 1 | 2;
    publisher.publish('plant/1/temp', `${qos}:${i}`, qos);
    expected[qos]!.push(`${qos}:${i}`);
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  publisher.publish('before/1', 'to an older one', 1);
  publisher.publish('unwanted', 'x', 1);
  await until(() => client.messages.length === 3_001, 'all of it');
  const bodies = client.messages.filter(({ destination }) => destination === '/topic/plant.1.temp').map(({ body }) => body);
  for (const qos of [0, 1, 2]) // order is kept for each QoS by itself [MQTT-4.6.0-6]
    assert.deepEqual(
      bodies.filter((body) => body.startsWith(`${qos}:`)),
      expected[qos],
    );
  await until(() => ours.network.links()[0]!.outboxMessages === 0, 'all answered');
  assert.equal(ours.network.links()[0]!.counters.sent, 3_001);
  await client.unsubscribe('/topic/plant.*.temp');
  await until(() => ours.broker.router.match('plant/1/temp').direct.length === 0, 'no longer wanted');
});

test('our broker dials with duplex="true": a real ActiveMQ forwards to us on the same connection', skip, async () => {
  const { port, client } = await startReal();
  const ours = await startOurs({ connectors: [staticConnector([port], { duplex: true })] });
  const subscriber = ours.client().subscribe('from/+').subscribe('#');
  await until(() => ours.network.links()[0]?.kind === 'activemq', 'linked');
  for (let i = 0; subscriber.received.length === 0 && i < 1_000; i++) {
    await client.send('/topic/from.them', `hello ${i}`, i % 2 === 0); // nobody tells when a real ActiveMQ knows our demand
  }
  assert.deepEqual([subscriber.received[0]!.topic, subscriber.received[0]!.payload.startsWith('hello ')], ['from/them', true]);
  await client.subscribe('/topic/to.them');
  await wanted(ours, 'to/them');
  ours.client().publish('to/them', 'and back', 1);
  await arrives(client, 'and back');
  assert.ok(
    subscriber.received.every(({ topic }) => topic === 'from/them' || topic === 'to/them'),
    '# shows no advisories',
  );
});

test('a real ActiveMQ dials our broker: it learns what our clients want, and forwards', skip, async () => {
  const ours = await startOurs({});
  const early = ours.client().subscribe('early/#');
  const uri = `static:(tcp://127.0.0.1:${ours.port})`;
  const { client } = await startReal(`<networkConnectors><networkConnector name="toUs" uri="${uri}"/></networkConnectors>`);
  await until(() => ours.network.links().length === 1, 'linked');
  for (let i = 0; early.received.length === 0 && i < 1_000; i++) await client.send('/topic/early.1', `e${i}`);
  const late = ours.client().subscribe('late/+');
  for (let i = 0; late.received.length === 0 && i < 1_000; i++) await client.send('/topic/late.1', `l${i}`, true);
  assert.deepEqual([early.received[0]!.topic, late.received[0]!.topic], ['early/1', 'late/1']);
  await client.subscribe('/topic/not.back');
  ours.client().publish('not/back', 'x', 1);
  await client.send('/topic/not.back', 'own');
  await arrives(client, 'own');
  assert.deepEqual(
    client.messages.map(({ body }) => body),
    ['own'],
    'its bridge is one-way',
  );
});

test('a real ActiveMQ dials our broker with duplex="true": both ways', skip, async () => {
  const ours = await startOurs({});
  const uri = `static:(tcp://127.0.0.1:${ours.port})`;
  const { client } = await startReal(`<networkConnectors><networkConnector name="toUs" duplex="true" uri="${uri}"/></networkConnectors>`);
  await client.subscribe('/topic/both.>');
  await wanted(ours, 'both/1');
  ours.client().publish('both/1', 'to them', 2);
  await arrives(client, 'to them');
  const subscriber = ours.client().subscribe('back/1');
  for (let i = 0; subscriber.received.length === 0 && i < 1_000; i++) await client.send('/topic/back.1', 'to us');
  assert.equal(subscriber.received[0]!.payload, 'to us');
});

const USERS = `<plugins><simpleAuthenticationPlugin anonymousAccessAllowed="true"><users>
<authenticationUser username="link" password="sesame" groups="admins"/></users></simpleAuthenticationPlugin></plugins>`;

test('our broker logs in at a real ActiveMQ that asks for a password', skip, async () => {
  const { port, client } = await startReal(USERS);
  await client.subscribe('/topic/to.them');
  const ours = await startOurs({ connectors: [staticConnector([port], { userName: 'link', password: 'sesame' })] });
  await wanted(ours, 'to/them');
  ours.client().publish('to/them', 'let in', 1);
  await arrives(client, 'let in');
  const wrong = await startOurs({ connectors: [staticConnector([port], { userName: 'link', password: 'guess' })] });
  await until(() => wrong.lines.some(({ message }) => message === 'link lost'), 'the wrong password to be refused');
  assert.ok(!wrong.lines.some((line) => JSON.stringify(line).includes('guess')));
});

test('a real ActiveMQ logs in at our broker, and is refused where it cannot', skip, async () => {
  const authenticator = new UserList({ users: [{ userName: 'link', password: 'sesame', groups: [] }], anonymous: null }, silentLog);
  const ours = await startOurs({ authenticator });
  const connector = (password: string) =>
    `<networkConnectors><networkConnector uri="static:(tcp://127.0.0.1:${ours.port})" userName="link" password="${password}"/></networkConnectors>`;
  await startReal(connector('guess'));
  await until(
    () => ours.lines.some(({ message }) => message === 'a broker may not link with this one'),
    'the wrong password to be refused',
    60_000,
  );
  assert.equal(ours.network.links().length, 0);
  const { client } = await startReal(connector('sesame'));
  const subscriber = ours.client().subscribe('from/them');
  await until(() => ours.network.links().length === 1, 'linked', 60_000);
  for (let i = 0; subscriber.received.length === 0 && i < 1_000; i++) await client.send('/topic/from.them', 'let in');
  assert.equal(subscriber.received[0]!.payload, 'let in');
});

test(
  'shared subscriptions at two brokers of ours beside a real ActiveMQ: one delivery each, by whatever ways messages go',
  skip,
  async () => {
    const { port, client } = await startReal();
    await client.subscribe('/topic/shared.all');
    const far = { messageTTL: 3, consumerTTL: 3 };
    const a = await startOurs({ name: 'a', connectors: [staticConnector([port], { ...far, duplex: true })] });
    const b = await startOurs({
      name: 'b',
      connectors: [staticConnector([port], { ...far, duplex: true }), staticConnector([a.port], far)],
    });
    await linked(a, b);
    await wanted(a, 'shared/all');
    await wanted(b, 'shared/all');
    const members = [a, b].map((broker) => broker.client().subscribe('$share/g/shared/+').subscribe('$share/h/shared/#'));
    for (const broker of [a, b]) await broker.network.demandKnown();
    const got = (): string[] => members.flatMap(({ payloads }) => payloads);
    // Nobody tells when a real ActiveMQ knows our demand. What it forwards to both of ours is dealt by both, as it always was.
    for (let i = 0; !members.every(({ payloads }) => payloads.some((payload) => payload.startsWith('theirs'))) && i < 1_000; i++)
      await client.send('/topic/shared.theirs', `theirs ${i}`, true);
    await new Promise((resolve) => setTimeout(resolve, 300)); // for the last of them
    for (const member of members) member.received.length = 0;
    // What is published at ours goes by two ways, over the link and over the ActiveMQ broker, and is dealt once.
    for (const [i, broker] of [a, b].entries())
      for (let n = 0; n < 60; n++) broker.client().publish('shared/all', `${i}.${n}`, (n % 3) as 0 | 1 | 2);
    const expected = [a, b].flatMap((_, i) => Array.from({ length: 60 }, (_, n) => `${i}.${n}`));
    await until(() => new Set(client.messages.map(({ body }) => body)).size === 120, 'all over there');
    await until(() => got().length >= 240, 'a delivery a group');
    await new Promise((resolve) => setTimeout(resolve, 300)); // for copies that must not come
    assert.deepEqual(got().sort(), [...expected, ...expected].sort());
  },
);

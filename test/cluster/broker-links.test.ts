import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { Message } from '../../src/core/message.ts';
import { PublicationForm } from '../../src/protocols/openwire/publication-form.ts';
import type { BrokerInfo, ConnectionError, ExceptionResponse, KeepAliveInfo } from '../../src/protocols/openwire/wire/commands.ts';
import { createConnectionId, createConnectionInfo, createKeepAliveInfo } from '../../src/protocols/openwire/wire/commands.ts';
import { BROKER_INFO, CONNECTION_ERROR, EXCEPTION_RESPONSE, KEEP_ALIVE_INFO } from '../../src/protocols/openwire/wire/structures.ts';
import { linked, staticConnector, TestBroker, until } from '../harness/linked-broker.ts';
import { begin, OpenWirePeer } from '../harness/openwire-peer.ts';

const running: TestBroker[] = [];

async function start(options: Parameters<typeof TestBroker.start>[0] = {}): Promise<TestBroker> {
  const broker = await TestBroker.start(options);
  running.push(broker);
  return broker;
}

afterEach(async () => {
  for (const broker of running.splice(0)) await broker.stop();
});

/** A port that nobody listens on, for a broker that comes later. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** One message each way. */
async function talk(a: TestBroker, b: TestBroker, topic: string): Promise<void> {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const subscriber = to.client().subscribe(topic);
    await to.network.demandKnown();
    from.client().publish(topic, 'x', 1);
    await until(() => subscriber.received.length === 1, `${topic} from ${from.broker.name} to ${to.broker.name}`);
    subscriber.unsubscribe(topic);
    await from.network.demandKnown();
  }
}

test('where both dial each other there is one link, which both know to be up', async () => {
  for (let round = 0; round < 5; round++) {
    const portOfB = await freePort();
    const a = await start({ name: 'a', connectors: [staticConnector([portOfB])] });
    const b = await start({ name: 'b', port: portOfB, connectors: [staticConnector([a.port])] });
    await linked(a, b);
    await talk(a, b, `one/${round}`);
    await until(() => a.network.links().length === 1 && b.network.links().length === 1, 'one connection is left');
    assert.equal(a.link(b)!.direction === 'initiated', b.link(a)!.direction === 'accepted', 'the same one');
    for (const broker of [a, b]) {
      assert.equal(broker.lines.filter(({ message }) => message === 'link up').length, 1, 'said once');
      assert.equal(broker.lines.filter(({ message }) => message === 'link lost').length, 0, 'no flapping');
    }
  }
});

test('a link that stands does not flap: it is the same one a second later', async () => {
  const portOfB = await freePort();
  const a = await start({ connectors: [staticConnector([portOfB])] });
  const b = await start({ port: portOfB, connectors: [staticConnector([a.port])] });
  await linked(a, b);
  const before = [a.link(b)!.address, b.link(a)!.address];
  await new Promise((resolve) => setTimeout(resolve, 1_200)); // longer than any retry
  assert.deepEqual([a.link(b)!.address, b.link(a)!.address], before);
  assert.deepEqual([a.network.links().length, b.network.links().length], [1, 1]);
});

test('a broker that dials itself finds out by the broker id, says so once and does not try again', async () => {
  const port = await freePort();
  const a = await start({ port, connectors: [staticConnector([port])] });
  const found = () => a.lines.filter(({ message }) => message.includes('this broker itself'));
  await until(() => found().length === 1, 'said');
  await new Promise((resolve) => setTimeout(resolve, 700)); // longer than any retry
  assert.equal(found().length, 1);
  assert.deepEqual(a.network.links(), []);
  assert.deepEqual(
    a.lines.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  );
});

test('two brokers with the id of one, as with a copy of its data folder, find out, say so once and are not linked', async () => {
  const ports = [await freePort(), await freePort()];
  const connectors = [staticConnector(ports)];
  const [a, copy] = [
    await start({ name: 'a', id: 'ID:same', port: ports[0]!, connectors }),
    await start({ name: 'a', id: 'ID:same', port: ports[1]!, connectors }),
  ];
  const errors = ({ lines }: TestBroker) =>
    lines.filter(({ level }) => level === 'error').map(({ message, facts }) => `${message} ${facts.url}`);
  await until(() => errors(a).length > 0 && errors(copy).length > 0, 'said');
  await new Promise((resolve) => setTimeout(resolve, 700)); // longer than any retry
  const said = 'another broker has the id of this one, as with a copy of its data folder: they are not linked tcp://127.0.0.1:';
  assert.deepEqual([errors(a), errors(copy)], [[said + ports[1]], [said + ports[0]]]);
});

test('a broker keeps its link when another one comes with the id of its peer, says so once, and links with that one when the first has gone', async () => {
  for (const id of ['ID:a', 'ID:z']) {
    const ports = [await freePort(), await freePort(), await freePort()];
    const connectors = [staticConnector(ports)];
    const third = await start({ name: 'third', id: 'ID:m', port: ports[2]!, connectors });
    const a = await start({ name: 'a', id, port: ports[0]! });
    await linked(third, a);
    const copy = await start({ name: 'copy', id, port: ports[1]!, connectors: [staticConnector([ports[2]!])] });
    const errors = () => third.lines.filter(({ level }) => level === 'error').map(({ message, facts }) => `${message} ${facts.refused}`);
    await until(() => errors().length > 0, 'said');
    await new Promise((resolve) => setTimeout(resolve, 1_200)); // longer than any retry
    const url = `tcp://127.0.0.1:${ports[1]}`;
    assert.deepEqual(errors(), [
      `two brokers have the same id, as with a copy of a data folder: the one that came later is not linked ${url}`,
    ]);
    assert.deepEqual(
      third.lines.filter(({ message }) => message === 'link lost'),
      [],
    );
    await a.stop();
    await linked(third, copy);
  }
});

test('duplex="false" makes a link one way: from the broker whose file says so', async () => {
  const a = await start({ name: 'a' });
  const b = await start({ name: 'b', connectors: [staticConnector([a.port], { duplex: false })] });
  await linked(a, b);
  assert.deepEqual(
    [b.link(a)!.forwardsOut, b.link(a)!.forwardsIn, a.link(b)!.forwardsOut, a.link(b)!.forwardsIn],
    [true, false, false, true],
  );
  const atA = a.client().subscribe('one/way');
  const atB = b.client().subscribe('one/way');
  await a.network.demandKnown();
  assert.equal(b.network.demandKnown(), null, 'nobody forwards to b');
  b.client().publish('one/way', 'from b', 1);
  await until(() => atA.received.length === 1, 'b to a');
  a.client().publish('one/way', 'from a', 1);
  b.client().publish('one/way', 'from b again', 1);
  await until(() => atA.received.length === 3, 'b to a again');
  assert.deepEqual(atB.payloads, ['from b', 'from b again']);
});

test('two one-way connectors, one each way, make one link both ways', async () => {
  const portOfB = await freePort();
  const a = await start({ name: 'a', connectors: [staticConnector([portOfB], { duplex: false })] });
  const b = await start({ name: 'b', port: portOfB, connectors: [staticConnector([a.port], { duplex: false })] });
  const both = (x: TestBroker, y: TestBroker): boolean => x.link(y)?.forwardsIn === true && x.link(y)?.forwardsOut === true;
  await until(() => both(a, b) && both(b, a), 'each knows of the other connector');
  await talk(a, b, 'two/ways');
  await until(() => a.network.links().length === 1 && b.network.links().length === 1, 'one connection is left');
});

test('excluded topics stay where they are, included ones cross, whoever subscribes', async () => {
  const topic = (physicalName: string) => ({ kind: 'topic' as const, physicalName });
  const a = await start({ name: 'a' });
  const settings = { dynamicallyIncludedDestinations: [topic('plant.>')], excludedDestinations: [topic('plant.secret.>')] };
  const b = await start({ name: 'b', connectors: [staticConnector([a.port], settings)] });
  await linked(a, b);
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const all = to.client().subscribe('#');
    await to.network.demandKnown();
    const last = `plant/${from.broker.name}`;
    for (const name of [`other/${from.broker.name}`, `plant/secret/${from.broker.name}`, 'plant/secret', last]) {
      from.client().publish(name, name, 1);
      from.client().publish(name, name, 0, true);
    }
    await until(() => to.broker.retained.has(last) && all.payloads.includes(last), last);
    assert.deepEqual([...new Set(all.payloads)], [last]);
    assert.equal(to.broker.retained.has(`other/${from.broker.name}`), false);
    all.unsubscribe('#');
  }
});

test('statically included topics cross without being asked for; a static bridge takes no demand', async () => {
  const a = await start({ name: 'a' });
  const staticallyIncludedDestinations = [{ kind: 'topic' as const, physicalName: 'always.>' }];
  const b = await start({ name: 'b', connectors: [staticConnector([a.port], { staticallyIncludedDestinations, staticBridge: true })] });
  await linked(a, b);
  a.client().subscribe('wanted/x');
  await a.network.demandKnown();
  b.client().publish('wanted/x', 'x', 0);
  b.client().publish('always/x', 'x', 1);
  assert.equal(b.link(a)!.counters.sent, 1);
  await until(() => a.link(b)!.counters.received === 1, 'received');
});

test('a broken link is made again at once, and what was acknowledged to publishers meanwhile arrives, once and in order', async () => {
  const a = await start({ name: 'a' });
  const b = await start({ name: 'b', connectors: [staticConnector([a.port])] });
  await linked(a, b);
  const subscriber = a.client().subscribe('q/#');
  await a.network.demandKnown();
  const publisher = b.client();
  const expected: string[] = [];
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 50; i++) publisher.publish('q/1', expected[expected.push(`${round}.${i}`) - 1]!, i % 2 === 0 ? 1 : 2);
    if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    const from = round % 3 === 0 ? a : b;
    from.cutLinks();
    for (let i = 50; i < 60; i++) publisher.publish('q/1', expected[expected.push(`${round}.${i}`) - 1]!, 1);
    await until(() => b.link(a)?.state !== 'up', 'noticed');
    await linked(a, b);
  }
  await until(() => subscriber.received.length >= expected.length, 'everything is there');
  assert.deepEqual(subscriber.payloads, expected);
});

test('demand that ended while the link was broken is forgotten with the next one', async () => {
  const a = await start({ name: 'a' });
  const b = await start({ name: 'b', connectors: [staticConnector([a.port])] });
  await linked(a, b);
  const subscriber = a.client().subscribe('stale/1').subscribe('fresh/1');
  await a.network.demandKnown();
  b.cutLinks();
  subscriber.unsubscribe('stale/1');
  await until(() => b.link(a)?.state !== 'up', 'noticed');
  await linked(a, b);
  assert.equal(b.broker.router.match('fresh/1').direct.length, 1);
  assert.equal(b.broker.router.match('stale/1').direct.length, 0);
});

test('a broker that was killed and comes back under a new id is linked again; what the old one wanted is gone', async () => {
  const a = await start({ name: 'broker2' });
  const port = await freePort();
  const b = await start({ name: 'broker2', port, connectors: [staticConnector([a.port])] });
  await linked(a, b);
  b.client().subscribe('old/1');
  await b.network.demandKnown();
  assert.equal(a.broker.router.match('old/1').direct.length, 1);
  await b.kill();
  running.splice(running.indexOf(b), 1);
  await until(() => a.network.links().length === 0, 'the loss is noticed');
  assert.equal(a.lines.filter(({ message }) => message === 'link lost').length, 1);
  const again = await start({ name: 'broker2', port, connectors: [staticConnector([a.port])] });
  await linked(a, again);
  assert.equal(a.broker.router.match('old/1').direct.length, 0);
  await talk(a, again, 'new/1');
});

test('a broker that is dialled finds its peer again by itself, too: the one that dials retries until it is there', async () => {
  const port = await freePort();
  const b = await start({ name: 'b', connectors: [staticConnector([port])] });
  await until(() => b.lines.some(({ message }) => message.startsWith('cannot link')), 'said');
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(b.lines.filter(({ level }) => level === 'warn').length, 1, 'once, not at every attempt');
  assert.equal(b.network.links()[0]!.state, 'connecting');
  const a = await start({ name: 'a', port });
  await linked(a, b);
});

test('an orderly stop takes demand away at once and is no fault', async () => {
  const a = await start({ name: 'a' });
  const b = await TestBroker.start({ name: 'b', connectors: [staticConnector([a.port])] });
  await linked(a, b);
  b.client().subscribe('leaving/1');
  await b.network.demandKnown();
  await b.stop();
  await until(() => a.network.links().length === 0, 'noticed');
  assert.equal(a.broker.router.match('leaving/1').direct.length, 0);
  assert.deepEqual(
    a.lines.filter(({ message }) => message === 'link lost').map(({ facts }) => facts.reason),
    ['the peer stopped'],
  );
});

test('the same client id on both brokers: the newer connection wins, the older one is told', async () => {
  const a = await start({ name: 'a' });
  const b = await start({ name: 'b', connectors: [staticConnector([a.port])] });
  await linked(a, b);
  const atA = a.session('twin');
  await new Promise((resolve) => setTimeout(resolve, 5));
  const atB = b.session('twin');
  await until(() => atA.takenOver, 'the older one ends');
  assert.equal(atB.takenOver, false);
  const back = a.session('twin');
  await until(() => atB.takenOver, 'and back');
  assert.equal(back.takenOver, false);
});

test('clients that connected before there was a link are sorted out when it comes up', async () => {
  const a = await start({ name: 'a' });
  const older = a.session('twin');
  await new Promise((resolve) => setTimeout(resolve, 5));
  const b = await start({ name: 'b' });
  const newer = b.session('twin');
  const c = await start({ name: 'c', connectors: [staticConnector([a.port, b.port])] });
  await linked(a, c);
  await linked(b, c);
  await until(() => older.takenOver, 'told by way of c');
  assert.equal(newer.takenOver, false);
});

test('a peer that falls silent is suspect within about a second and nothing waits for it', async () => {
  const a = await start({ name: 'a', id: 'ID:a' });
  const peer = await OpenWirePeer.dial(a.port);
  peer.offer({ roundhouse: true });
  await peer.command<BrokerInfo>(BROKER_INFO);
  peer.introduce('ID:frozen');
  peer.write(begin());
  await until(() => a.network.links()[0]?.state === 'syncing', 'begun');
  a.client().subscribe('frozen/1');
  const known = a.network.demandKnown();
  assert.notEqual(known, null, 'it may answer yet');
  await known; // bounded, or this test would not end
  await until(() => a.network.links()[0]?.state === 'suspect', 'suspect');
  a.client().subscribe('frozen/2');
  assert.equal(a.network.demandKnown(), null);
  assert.equal(a.lines.filter(({ message }) => message.startsWith('linked broker is silent')).length, 1);
  peer.send(createKeepAliveInfo());
  await until(() => a.network.links()[0]?.state === 'syncing', 'heard again');
  peer.destroy();
});

test('a message sent again on the next link is known by its number, but only within the same count', async () => {
  const a = await start({ name: 'a', id: 'ID:a' });
  const subscriber = a.client().subscribe('#');
  const form = new PublicationForm('ID:b', 'ID:b', Date.now);
  const meet = async (count: string): Promise<OpenWirePeer> => {
    const peer = await OpenWirePeer.dial(a.port);
    peer.offer({ roundhouse: true });
    peer.introduce('ID:b');
    peer.write(begin(count));
    return peer;
  };
  /** A new message each time, as the `sequence`th of its count. */
  const send = (peer: OpenWirePeer, payload: string, sequence: number): void => {
    const { buffer, start: from, end, packetIdentifierAt } = Message.of('t', Buffer.from(payload), 1).frame(form);
    const bytes = Buffer.from(buffer.subarray(from, end));
    bytes.writeBigInt64BE(BigInt(sequence), packetIdentifierAt);
    peer.write(bytes);
  };
  const first = await meet('one');
  send(first, 'a', 1);
  send(first, 'b', 2);
  await until(() => subscriber.received.length === 2, 'two');
  first.destroy();
  await until(() => a.network.links().length === 0, 'lost');
  const second = await meet('one');
  send(second, 'again', 2);
  send(second, 'c', 3);
  await until(() => subscriber.received.length === 3, 'the third');
  second.destroy();
  await until(() => a.network.links().length === 0, 'lost');
  const third = await meet('two');
  send(third, 'd', 1);
  await until(() => subscriber.received.length === 4, 'the first of another count');
  assert.deepEqual(subscriber.payloads, ['a', 'b', 'c', 'd']);
  third.destroy();
});

test('heartbeats come five times a second, ask for an echo and are echoed', async () => {
  const a = await start({ name: 'a', id: 'ID:a' });
  const peer = await OpenWirePeer.dial(a.port);
  peer.offer({ roundhouse: true });
  peer.introduce('ID:b');
  await until(() => peer.commands.filter(({ kind }) => kind === KEEP_ALIVE_INFO).length >= 3, 'heartbeats');
  assert.equal((await peer.command<KeepAliveInfo>(KEEP_ALIVE_INFO)).responseRequired, true);
  const echo = createKeepAliveInfo();
  echo.commandId = 5;
  echo.responseRequired = true;
  peer.send(echo);
  await peer.command<KeepAliveInfo>(KEEP_ALIVE_INFO, ({ responseRequired }) => !responseRequired);
  peer.destroy();
});

test('a client is told that clients are not supported yet, and said so in the log once', async () => {
  const a = await start();
  for (const responseRequired of [true, false]) {
    const peer = await OpenWirePeer.dial(a.port);
    peer.offer({ roundhouse: false });
    const connection = createConnectionInfo({ connectionId: createConnectionId({ value: 'ID:c' }), clientId: 'c' });
    connection.commandId = 7;
    connection.responseRequired = responseRequired;
    peer.send(connection);
    await peer.end();
    const fault = responseRequired
      ? await peer.command<ExceptionResponse>(EXCEPTION_RESPONSE)
      : await peer.command<ConnectionError>(CONNECTION_ERROR);
    assert.match(fault.exception!.message!, /not supported yet/);
    if (fault.kind === EXCEPTION_RESPONSE) assert.equal(fault.correlationId, 7);
  }
  assert.equal(a.lines.filter(({ level, message }) => level === 'warn' && message.includes('client was refused')).length, 1);
});

/** What somebody sends to the OpenWire port, and what the log says of it. */
const BAD_PEERS: [what: string, send: (socket: Socket) => void, says: RegExp][] = [
  [
    'an HTTP request',
    (s) => s.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    /not an OpenWire peer: .*a size from 1 to 65536 bytes was expected/,
  ],
  ['an MQTT client', (s) => s.write(Buffer.from('101000044d5154540402003c000474657374', 'hex')), /not an OpenWire peer: .*a size from/],
  [
    'a frame of a wrong type',
    (s) => s.write(Buffer.from('000000060a0000001101', 'hex')),
    /a WireFormatInfo was expected first, a frame of type 10 came/,
  ],
  [
    'a wrong magic',
    (s) => s.write(Buffer.from('0000000e0141637469766558510000000c00', 'hex')),
    /the magic ActiveMQ was expected, "ActiveXQ/,
  ],
  ['an unknown type', (s) => s.write(Buffer.from('00000002c801', 'hex')), /not an OpenWire peer/],
  ['half a frame', (s) => s.write(Buffer.from('0000010001', 'hex')), /no complete WireFormatInfo within 500 ms/],
  ['half a frame and the end', (s) => s.end(Buffer.from('0000010001', 'hex')), /ended inside a frame/],
  ['nothing', () => {}, /no complete WireFormatInfo within 500 ms/],
  ['a frame too large', (s) => s.write(Buffer.from('7fffffff01', 'hex')), /a size from 1 to 65536 bytes was expected, 2147483647 came/],
]; // prettier-ignore

for (const [what, send, says] of BAD_PEERS) {
  test(`a peer that sends ${what} is closed with one line that says why; links are unharmed`, async () => {
    const a = await start({ name: 'a' });
    const b = await start({ name: 'b', connectors: [staticConnector([a.port])] });
    await linked(a, b);
    const socket = connect(a.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.once('connect', () => send(socket));
    await closed;
    const lines = () => a.lines.filter(({ message }) => message === 'OpenWire connection closed');
    await until(() => lines().length === 1, 'one line');
    assert.match(`${lines()[0]!.facts.reason}`, says);
    assert.equal(lines()[0]!.level, 'warn');
    await talk(a, b, 'unharmed');
  });
}

test('garbage on a link that was up ends the link, not the broker', async () => {
  const a = await start({ name: 'a', id: 'ID:a' });
  const peer = await OpenWirePeer.dial(a.port);
  peer.offer({ roundhouse: true });
  peer.introduce('ID:b');
  await until(() => a.network.links().length === 1, 'linked');
  peer.write(Buffer.from('0000000418ffffff', 'hex'));
  await peer.end();
  await until(() => a.network.links().length === 0, 'gone');
  assert.match(`${a.lines.find(({ message }) => message === 'link lost')!.facts.reason}`, /OpenWire frame of 4 bytes/);
});

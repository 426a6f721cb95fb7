/* What crosses a connection with another broker, byte for byte or field for field (OpenWire specification sections 2, 8 and 15). */
import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, test } from 'node:test';
import {
  type BrokerInfo,
  type BytesMessage,
  type ConnectionInfo,
  type ConsumerInfo,
  createBrokerId,
  createConnectionId,
  createConnectionInfo,
  createConsumerId,
  createConsumerInfo,
  createMessageAck,
  createMessageDispatch,
  createMessageId,
  createPlainMessage,
  createProducerId,
  createQueue,
  createRemoveInfo,
  createResponse,
  createTextMessage,
  createTopic,
  type DataStructure,
  type Message,
  type MessageAck,
  type MessageDispatch,
  type PlainMessage,
  type ProducerInfo,
  type RemoveInfo,
  type Response,
  type SessionInfo,
  type WireFormatInfo,
} from '../../src/protocols/openwire/wire/commands.ts';
import { decodePrimitiveMap } from '../../src/protocols/openwire/wire/primitive-map.ts';
import {
  BROKER_INFO,
  BYTES_MESSAGE,
  CONNECTION_INFO,
  CONSUMER_INFO,
  MESSAGE_ACK,
  MESSAGE_DISPATCH,
  PLAIN_MESSAGE,
  PRODUCER_INFO,
  RESPONSE,
  SESSION_INFO,
  TOPIC,
  WIRE_FORMAT_INFO,
} from '../../src/protocols/openwire/wire/structures.ts';
import { staticConnector, TestBroker, until } from '../harness/linked-broker.ts';
import { OpenWirePeer } from '../harness/openwire-peer.ts';

const running: (TestBroker | Server | OpenWirePeer)[] = [];

afterEach(async () => {
  for (const what of running.splice(0).reverse()) {
    if (what instanceof TestBroker) await what.stop();
    else if (what instanceof OpenWirePeer) what.destroy();
    else what.close();
  }
});

async function start(options: Parameters<typeof TestBroker.start>[0] = {}): Promise<TestBroker> {
  const broker = await TestBroker.start({ id: 'ID:us', name: 'us', ...options });
  running.push(broker);
  return broker;
}

async function dial(broker: TestBroker): Promise<OpenWirePeer> {
  const peer = await OpenWirePeer.dial(broker.port);
  running.push(peer);
  return peer;
}

/** A bare listener that our broker is to dial. */
async function listen(): Promise<{ port: number; peer: Promise<OpenWirePeer> }> {
  const server = createServer();
  running.push(server);
  const peer = new Promise<OpenWirePeer>((resolve) => {
    server.on('connection', (socket) => {
      const accepted = OpenWirePeer.over(socket);
      running.push(accepted);
      resolve(accepted);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, peer };
}

/** Bytes of a string field that is there. */
function str(text: string): string {
  return `01${Buffer.from(text).length.toString(16).padStart(4, '0')}${Buffer.from(text).toString('hex')}`;
}

function withSize(body: string): string {
  return (body.length / 2).toString(16).padStart(8, '0') + body;
}

test('the first frame is a WireFormatInfo in loose encoding, with the types a Java peer casts to and ours on top [MQTT3-7.0.0-1]', async () => {
  const us = await start();
  const peer = await dial(us);
  await peer.command<WireFormatInfo>(WIRE_FORMAT_INFO);
  const frame = peer.frames[0]!;
  const properties = frame.subarray(22);
  assert.equal(
    frame.subarray(0, 22).toString('hex'),
    `${(frame.length - 4).toString(16).padStart(8, '0')}01${Buffer.from('ActiveMQ').toString('hex')}0000000c01${properties.length.toString(16).padStart(8, '0')}`,
  );
  const values = Object.fromEntries([...decodePrimitiveMap(properties)!].map(([name, { type, value }]) => [name, [type, value]]));
  assert.deepEqual(values, {
    TightEncodingEnabled: [1, false],
    CacheEnabled: [1, false],
    CacheSize: [5, 1024],
    StackTraceEnabled: [1, false],
    TcpNoDelayEnabled: [1, true],
    SizePrefixDisabled: [1, false],
    MaxFrameSize: [6, 104_857_600],
    MaxFrameSizeEnabled: [1, true],
    MaxInactivityDuration: [6, 30_000],
    MaxInactivityDurationInitalDelay: [6, 10_000],
    ProviderName: [9, 'Roundhouse'],
    RoundhouseLink: [5, 2],
  });
});

test('nothing else is sent before the peer has made its offer; then an acceptor sends its BrokerInfo', async () => {
  const us = await start();
  const peer = await dial(us);
  await peer.command<WireFormatInfo>(WIRE_FORMAT_INFO);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(peer.frames.length, 1);
  peer.offer({ roundhouse: false });
  await peer.command<BrokerInfo>(BROKER_INFO);
  const brokerId = `017c${str('ID:us')}`;
  const flags = '000000' + '0000';
  const expected = `02${'00000001'}00${brokerId}${str(`tcp://127.0.0.1:${us.port}`)}00${str('us')}${flags}${'0'.repeat(16)}0000`;
  assert.equal(peer.frames[1]!.toString('hex'), withSize(expected));
});

test('an initiator waits for the BrokerInfo of the other side before it sends its own', async () => {
  const { port, peer: accepted } = await listen();
  await start({ connectors: [staticConnector([port], { name: 'NC', duplex: true, messageTTL: 3 })] });
  const peer = await accepted;
  await peer.command<WireFormatInfo>(WIRE_FORMAT_INFO);
  peer.offer({ roundhouse: true });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(peer.frames.length, 1);
  peer.introduce('ID:them', { network: false });
  const info = await peer.command<BrokerInfo>(BROKER_INFO);
  assert.deepEqual([info.networkConnection, info.duplexConnection, info.brokerName, info.brokerId!.value], [true, true, 'us', 'ID:us']);
  const properties = info.networkProperties!.split('\n');
  for (const line of ['name=NC', 'brokerName=us', 'duplex=true', 'messageTTL=3', 'consumerTTL=1'])
    assert.ok(properties.includes(line), line);
});

/** An ActiveMQ that our broker has dialled, up to the end of the handshake. */
async function acceptAsActiveMQ(settings: Parameters<typeof staticConnector>[1]): Promise<[TestBroker, OpenWirePeer]> {
  const { port, peer: accepted } = await listen();
  const us = await start({ connectors: [staticConnector([port], settings)] });
  const peer = await accepted;
  peer.offer({ roundhouse: false });
  peer.introduce('ID:them', { network: false });
  await peer.command<ConsumerInfo>(CONSUMER_INFO);
  return [us, peer];
}

test('as initiator to a real ActiveMQ: the setup commands, all one-way, and a consumer of its consumer advisories', async () => {
  const [, peer] = await acceptAsActiveMQ({ name: 'toThem' });
  const info = await peer.command<BrokerInfo>(BROKER_INFO);
  assert.deepEqual([info.networkConnection, info.duplexConnection], [true, false]);
  const connection = await peer.command<ConnectionInfo>(CONNECTION_INFO);
  assert.deepEqual(
    [connection.clientId, connection.clientMaster, connection.manageable, connection.responseRequired],
    ['toThem_us_outbound', true, false, false],
  );
  const session = await peer.command<SessionInfo>(SESSION_INFO);
  assert.deepEqual([session.sessionId!.connectionId, session.sessionId!.value], [connection.connectionId!.value, 1]);
  const producer = await peer.command<ProducerInfo>(PRODUCER_INFO);
  assert.deepEqual(
    [producer.producerId!.connectionId, producer.producerId!.value, producer.destination],
    [session.sessionId!.connectionId, 1, null],
  );
  const consumer = await peer.command<ConsumerInfo>(CONSUMER_INFO);
  assert.deepEqual(
    [consumer.destination, consumer.prefetchSize, consumer.dispatchAsync],
    [createTopic({ physicalName: 'ActiveMQ.Advisory.Consumer.Topic.>' }), 1000, true],
  );
});

/** A consumer of the peer, as its advisory tells of it. */
function advisoryOf(value: number, physicalName: string, path: string[] = []): PlainMessage {
  return createPlainMessage({
    destination: createTopic({ physicalName: `ActiveMQ.Advisory.Consumer.Topic.${physicalName.replaceAll(',', '&sbquo;')}` }),
    messageId: createMessageId({ producerId: createProducerId({ connectionId: 'adv' }), producerSequenceId: value }),
    type: 'Advisory',
    dataStructure: createConsumerInfo({
      consumerId: createConsumerId({ connectionId: 'c', sessionId: 1, value }),
      destination: createTopic({ physicalName }),
      brokerPath: path.length === 0 ? null : path.map((id) => createBrokerId({ value: id })),
    }),
  });
}

function removalOf(value: number): PlainMessage {
  return createPlainMessage({
    destination: createTopic({ physicalName: 'ActiveMQ.Advisory.Consumer.Topic.x' }),
    dataStructure: createRemoveInfo({ objectId: createConsumerId({ connectionId: 'c', sessionId: 1, value }) }),
  });
}

function dispatch(message: Message): MessageDispatch {
  return createMessageDispatch({ consumerId: createConsumerId({ connectionId: 'ID:us', sessionId: 1, value: 1 }), message });
}

test('demand of a real ActiveMQ comes as dispatched advisories; messages go there with its bridge rules and wait for their answers', async () => {
  const [us, peer] = await acceptAsActiveMQ({});
  peer.send(dispatch(advisoryOf(1, 'plant.*.temp')));
  peer.send(dispatch(advisoryOf(2, 'one,topic://two.>,queue://three')));
  peer.send(dispatch(advisoryOf(3, 'came.over.another.bridge', ['ID:other'])));
  peer.send(dispatch(advisoryOf(4, 'ours.coming.back', ['ID:us'])));
  await until(() => us.broker.router.match('two/x').direct.length === 1, 'demand');
  const client = us.client();
  for (const topic of ['plant/1/temp', 'one', 'two/x', 'three', 'came/over/another/bridge', 'ours/coming/back', 'unwanted'])
    client.publish(topic, 'p', 1);
  client.publish('plant/2/temp', 'p', 0);
  const last = await peer.command<BytesMessage>(BYTES_MESSAGE, ({ persistent }) => !persistent);
  assert.equal(last.responseRequired, false);
  const messages = peer.commands.filter((command): command is BytesMessage => command.kind === BYTES_MESSAGE);
  assert.deepEqual(
    messages.map(({ destination, responseRequired, persistent }) => [destination!.physicalName, responseRequired, persistent]),
    [
      ['plant.1.temp', true, true],
      ['one', true, true],
      ['two.x', true, true],
      ['plant.2.temp', false, false],
    ],
  );
  for (const { brokerPath, producerId, messageId } of messages) {
    assert.deepEqual(brokerPath, [createBrokerId({ value: 'ID:us' })]);
    assert.equal(producerId!.connectionId, 'ID:us');
    assert.equal(messageId!.brokerSequenceId, 0);
  }
  assert.equal(us.network.links()[0]!.outboxMessages, 3);
  for (const { commandId } of messages.slice(0, 3)) peer.send(createResponse({ correlationId: commandId }));
  await until(() => us.network.links()[0]!.outboxMessages === 0, 'answered');
  peer.send(dispatch(removalOf(2)));
  await until(() => us.broker.router.match('two/x').direct.length === 0 && us.broker.router.match('one').direct.length === 0, 'removed');
});

test('advisories are acknowledged when three quarters of the prefetch are used up, also those that come as plain messages', async () => {
  const [us, peer] = await acceptAsActiveMQ({});
  for (let i = 1; i <= 751; i++) peer.send(i % 2 === 0 ? advisoryOf(i, `t.${i}`) : dispatch(advisoryOf(i, `t.${i}`)));
  const ack = await peer.command<MessageAck>(MESSAGE_ACK);
  assert.deepEqual(
    [ack.ackType, ack.messageCount, ack.consumerId, ack.lastMessageId!.producerSequenceId],
    [2, 751, createConsumerId({ connectionId: 'ID:us', sessionId: 1, value: 1 }), 751],
  );
  assert.equal(us.network.links()[0]!.demand, 751);
});

test('a message in flight to an ActiveMQ is sent again, with the same id, when the link was broken', async () => {
  const server = createServer();
  running.push(server);
  const peers: OpenWirePeer[] = [];
  server.on('connection', (socket) => peers.push(OpenWirePeer.over(socket)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const us = await start({ connectors: [staticConnector([(server.address() as AddressInfo).port])] });
  const meet = async (at: number): Promise<OpenWirePeer> => {
    await until(() => peers.length > at, `connection ${at}`);
    const peer = peers[at]!;
    peer.offer({ roundhouse: false });
    peer.introduce('ID:them', { network: false });
    await peer.command<ConsumerInfo>(CONSUMER_INFO);
    peer.send(dispatch(advisoryOf(1, 'again')));
    return peer;
  };
  const first = await meet(0);
  await until(() => us.broker.router.match('again').direct.length === 1, 'demand');
  us.client().publish('again', 'p', 1);
  const before = await first.command<BytesMessage>(BYTES_MESSAGE);
  first.destroy();
  const second = await meet(1);
  const after = await second.command<BytesMessage>(BYTES_MESSAGE);
  assert.deepEqual(after.messageId, before.messageId);
  second.destroy();
});

/** A real ActiveMQ's bridge that has dialled our broker. */
async function dialAsActiveMQ(us: TestBroker, duplex: boolean): Promise<OpenWirePeer> {
  const peer = await dial(us);
  peer.offer({ roundhouse: false });
  await peer.command<BrokerInfo>(BROKER_INFO);
  peer.introduce('ID:them', { network: true, duplex, properties: 'name=NC\nduplex=true\nmessageTTL=1\nuri=static\\:(tcp\\://x)\n' });
  peer.send(createConnectionInfo({ connectionId: createConnectionId({ value: 'them->us' }), clientId: 'NC_them_outbound' }));
  peer.send(
    createConsumerInfo({
      consumerId: createConsumerId({ connectionId: 'them->us', sessionId: 1, value: 1 }),
      destination: createTopic({ physicalName: 'ActiveMQ.Advisory.Consumer.>,ActiveMQ.Advisory.TempQueue,ActiveMQ.Advisory.TempTopic' }),
      prefetchSize: 3,
      dispatchAsync: true,
    }),
  );
  return peer;
}

/** What a consumer advisory tells: the topic wanted, or the number of the consumer that went. */
function told(message: Message): string {
  const structure = message.dataStructure as ConsumerInfo | RemoveInfo;
  return structure.kind === CONSUMER_INFO ? structure.destination!.physicalName! : 'gone';
}

test('as acceptor for a real ActiveMQ: our consumers are told as dispatches to its consumer, no more than its prefetch, then as it acknowledges', async () => {
  const us = await start();
  const client = us.client();
  for (const filter of ['a/+', 'b/#', 'c', 'd', 'e']) client.subscribe(filter);
  const peer = await dialAsActiveMQ(us, false);
  const dispatches = (): MessageDispatch[] =>
    peer.commands.filter((command): command is MessageDispatch => command.kind === MESSAGE_DISPATCH);
  await until(() => dispatches().length === 3, 'three');
  const first = dispatches()[0]!;
  assert.deepEqual(first.consumerId, createConsumerId({ connectionId: 'them->us', sessionId: 1, value: 1 }));
  const advisory = first.message as PlainMessage;
  assert.equal(advisory.destination!.physicalName, 'ActiveMQ.Advisory.Consumer.Topic.a.*');
  assert.deepEqual([advisory.type, advisory.persistent, advisory.targetConsumerId], ['Advisory', false, first.consumerId]);
  const origin = decodePrimitiveMap(advisory.marshalledProperties!)!;
  assert.deepEqual(
    ['originBrokerId', 'originBrokerName', 'originBrokerURL'].map((name) => origin.get(name)!.value),
    ['ID:us', 'us', `tcp://127.0.0.1:${us.port}`],
  );
  peer.send(createMessageAck({ consumerId: first.consumerId, ackType: 2, messageCount: 3 }));
  await until(() => dispatches().length === 5, 'the others');
  client.unsubscribe('d');
  await until(() => dispatches().length === 6, 'the end of one');
  assert.deepEqual(
    dispatches().map(({ message }) => told(message!)),
    ['a.*', 'b.>', 'c', 'd', 'e', 'gone'],
  );
});

test('messages of a real ActiveMQ reach subscribers here and are answered when it asks; advisories and queues are no data', async () => {
  const us = await start();
  const all = us.client().subscribe('#');
  const peer = await dialAsActiveMQ(us, false);
  const producerId = createProducerId({ connectionId: 'app', sessionId: 1, value: 1 });
  const brokerPath = [createBrokerId({ value: 'ID:them' })];
  const text = (number: number, destination: Message['destination'], persistent: boolean): DataStructure => {
    const body = Buffer.from(`text ${number}`);
    const content = Buffer.concat([Buffer.from([0, 0, 0, body.length]), body]);
    const messageId = createMessageId({ producerId, producerSequenceId: number });
    const message = createTextMessage({ producerId, destination, messageId, persistent, content, brokerPath });
    message.commandId = 100 + number;
    message.responseRequired = persistent;
    return message;
  };
  peer.send(text(1, createTopic({ physicalName: 'x.y' }), true));
  peer.send(text(2, createQueue({ physicalName: 'x.y' }), true));
  peer.send(text(3, createTopic({ physicalName: 'ActiveMQ.Advisory.Topic' }), true));
  peer.send(text(1, createTopic({ physicalName: 'x.y' }), true)); // sent again
  peer.send(text(4, createTopic({ physicalName: 'z' }), false));
  await until(() => all.received.length === 2, 'both');
  assert.deepEqual(
    all.received.map(({ topic, payload, qos }) => [topic, payload, qos]),
    [
      ['x/y', 'text 1', 1],
      ['z', 'text 4', 0],
    ],
  );
  const answers = () =>
    peer.commands.filter((command): command is Response => command.kind === RESPONSE).map(({ correlationId }) => correlationId);
  await until(() => answers().length === 4, 'every request is answered');
  assert.deepEqual(answers(), [101, 102, 103, 101]);
  us.client().publish('local', 'x', 1);
  assert.equal(
    peer.commands.some(({ kind }) => kind === BYTES_MESSAGE),
    false,
    'a one-way bridge gets nothing back',
  );
});

test('a duplex bridge of a real ActiveMQ gets the reverse flow on the same connection', async () => {
  const us = await start();
  const peer = await dialAsActiveMQ(us, true);
  const connection = await peer.command<ConnectionInfo>(CONNECTION_INFO);
  assert.equal(connection.clientId, 'NC_us_outbound');
  const consumer = await peer.command<ConsumerInfo>(CONSUMER_INFO);
  assert.equal(consumer.destination!.kind, TOPIC);
  peer.send(advisoryOf(1, 'wanted')); // a Java initiator tells its demand as plain messages
  await until(() => us.broker.router.match('wanted').direct.length === 1, 'demand');
  us.client().publish('wanted', 'p', 1);
  const message = await peer.command<BytesMessage>(BYTES_MESSAGE);
  assert.equal(message.content!.toString(), 'p');
  us.client().subscribe('own');
  const own = await peer.command<MessageDispatch>(MESSAGE_DISPATCH, ({ message: advisory }) => told(advisory!) === 'own');
  const { consumerId } = own.message!.dataStructure as ConsumerInfo;
  assert.notDeepEqual(consumerId, consumer.consumerId, 'ActiveMQ drops a second consumer of the same id');
});

test('between brokers of ours demand is told as plain messages with a ConsumerInfo inside', async () => {
  const us = await start({ id: 'ID:a' });
  us.client().subscribe('told/+');
  const peer = await dial(us);
  peer.offer({ roundhouse: true });
  peer.introduce('ID:b');
  const advisory = await peer.command<PlainMessage>(PLAIN_MESSAGE);
  assert.equal(advisory.destination!.physicalName, 'ActiveMQ.Advisory.Consumer.Topic.told.*');
  assert.equal(advisory.responseRequired, false);
  const consumer = advisory.dataStructure as ConsumerInfo;
  assert.deepEqual(consumer.destination, createTopic({ physicalName: 'told.*' }));
  assert.deepEqual([consumer.brokerPath, consumer.networkSubscription], [null, false]);
  const begin = await peer.command<BytesMessage>(BYTES_MESSAGE);
  assert.deepEqual([begin.destination!.physicalName, begin.type], ['$SYS.cluster.v1.begin', 'Roundhouse']);
});

test('a connection that says nothing and goes is a probe: counted, and the log has nothing of it', async () => {
  const broker = await start();
  const before = broker.lines.length;
  for (let i = 1; i <= 3; i++) {
    const peer = await dial(broker);
    if (i === 2) peer.socket.resetAndDestroy();
    else peer.socket.end();
    await until(() => broker.broker.counters.probes === i, 'the probe to be counted');
  }
  assert.deepEqual(broker.lines.slice(before), []);
  const half = await dial(broker);
  half.write(Buffer.from([0, 0, 0, 100, 1]));
  half.socket.end();
  await until(() => broker.lines.length > before, 'the line of one that has begun');
  assert.equal(broker.broker.counters.probes, 3);
});

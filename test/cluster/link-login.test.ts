/* Brokers that log in at each other, and those that do not get in. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Authenticator, Credentials, Verdict } from '../../src/core/ports.ts';
import {
  type BrokerInfo,
  type ConnectionError,
  createConnectionId,
  createConnectionInfo,
  createConsumerId,
  createConsumerInfo,
  createSessionId,
  createSessionInfo,
  createTopic,
  type ExceptionResponse,
  type MessageDispatch,
  type Response,
  type WireFormatInfo,
} from '../../src/protocols/openwire/wire/commands.ts';
import {
  BROKER_INFO,
  CONNECTION_ERROR,
  EXCEPTION_RESPONSE,
  MESSAGE_DISPATCH,
  RESPONSE,
  WIRE_FORMAT_INFO,
} from '../../src/protocols/openwire/wire/structures.ts';
import { ScramSha256 } from '../../src/security/scram-sha-256.ts';
import { UserList } from '../../src/security/user-list.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { linked, staticConnector, TestBroker, until } from '../harness/linked-broker.ts';
import { OpenWirePeer } from '../harness/openwire-peer.ts';

const running: (TestBroker | OpenWirePeer)[] = [];

afterEach(async () => {
  for (const what of running.splice(0).reverse()) {
    if (what instanceof TestBroker) await what.stop();
    else what.destroy();
  }
});

async function start(options: Parameters<typeof TestBroker.start>[0] = {}): Promise<TestBroker> {
  const broker = await TestBroker.start(options);
  running.push(broker);
  return broker;
}

/** A peer that has introduced itself as a broker. */
async function introduced(broker: TestBroker, roundhouse = false): Promise<OpenWirePeer> {
  const peer = await OpenWirePeer.dial(broker.port);
  running.push(peer);
  await peer.command<WireFormatInfo>(WIRE_FORMAT_INFO);
  peer.offer({ roundhouse });
  await peer.command<BrokerInfo>(BROKER_INFO);
  peer.introduce('ID:raw');
  return peer;
}

const login = (userName: string | null, password: string | null, responseRequired = false) =>
  createConnectionInfo({
    connectionId: createConnectionId({ value: 'c' }),
    clientId: 'NC_raw_outbound',
    userName,
    password,
    commandId: 7,
    responseRequired,
  });

const users = (anonymous: { userName: string; groups: string[] } | null = null) =>
  new UserList({ users: [{ userName: 'link', password: 'sesame', groups: [] }], anonymous }, silentLog);

test('a broker that logs in is linked, whether the other asks or not', async () => {
  for (const authenticator of [users(), undefined]) {
    const asked = await start({ name: 'asked', ...(authenticator === undefined ? {} : { authenticator }) });
    const dialler = await start({ connectors: [staticConnector([asked.port], { userName: 'link', password: 'sesame' })] });
    await linked(asked, dialler);
    const subscriber = asked.client().subscribe('a');
    await dialler.broker.cluster!.demandKnown();
    await until(() => dialler.broker.router.match('a').direct.length === 1, 'the demand to cross');
    dialler.client().publish('a', 'hello', 1);
    await until(() => subscriber.received.length === 1, 'the message to cross');
  }
});

test('a broker that logs in wrongly, or not at all, is not linked, tries again, and says why once', async () => {
  const asked = await start({ name: 'asked', authenticator: users() });
  const diallers = [
    await start({ connectors: [staticConnector([asked.port], { userName: 'link', password: 'guess' })] }),
    await start({ connectors: [staticConnector([asked.port], { userName: 'nobody', password: 'sesame' })] }),
    await start({ connectors: [staticConnector([asked.port])] }),
  ];
  const saidOf = (broker: TestBroker, message: string) => broker.lines.filter((line) => line.message === message);
  const failed = 'cannot link with a broker: trying again until it is there';
  for (const dialler of diallers) await until(() => saidOf(dialler, failed).length === 1, 'the dialler to say so');
  assert.match(String(saidOf(diallers[0]!, failed)[0]!.facts.reason), /the user name or the password is wrong/);
  assert.match(String(saidOf(diallers[2]!, failed)[0]!.facts.reason), /a user name and a password are needed/);
  for (const dialler of diallers) {
    assert.equal(asked.link(dialler), undefined);
    assert.equal(saidOf(dialler, 'link lost').length, 0);
  }
  const refusals = asked.lines.filter(({ level, message }) => level === 'warn' && message === 'a broker may not link with this one');
  assert.equal(refusals.length, 1, 'once for each host');
  for (const broker of [asked, ...diallers]) assert.doesNotMatch(JSON.stringify(broker.lines), /sesame|guess/);
});

test('where anonymous clients are let in, a broker without a user name is linked', async () => {
  const asked = await start({ name: 'asked', authenticator: users({ userName: 'guest', groups: [] }) });
  const dialler = await start({ connectors: [staticConnector([asked.port])] });
  await linked(asked, dialler);
});

test('a broker that asks is still free to dial one that does not', async () => {
  const open = await start({ name: 'open' });
  const asking = await start({ name: 'asking', authenticator: users(), connectors: [staticConnector([open.port])] });
  await linked(open, asking);
});

test('an ActiveMQ logs in with its ConnectionInfo, which is answered if it wants that', async () => {
  const asked = await start({ name: 'asked', authenticator: users() });
  const peer = await introduced(asked);
  await until(() => peer.commands.length === 2, 'nothing more');
  assert.equal(asked.network.links().length, 0, 'not before it has logged in');
  peer.send(login('link', 'sesame', true));
  assert.equal((await peer.command<Response>(RESPONSE)).correlationId, 7);
  await until(() => asked.network.links().length === 1, 'linked');
});

test('who is refused is told with a SecurityException, and closed', async () => {
  const asked = await start({ name: 'asked', authenticator: users() });
  const answered = await introduced(asked);
  answered.send(login('link', 'guess', true));
  const { correlationId, exception } = await answered.command<ExceptionResponse>(EXCEPTION_RESPONSE);
  assert.equal(correlationId, 7);
  assert.deepEqual([exception!.className, exception!.message], ['java.lang.SecurityException', 'the user name or the password is wrong']);
  await until(() => answered.closed, 'closed');
  const told = await introduced(asked);
  told.send(login('link', 'guess'));
  assert.equal((await told.command<ConnectionError>(CONNECTION_ERROR)).exception!.className, 'java.lang.SecurityException');
  await until(() => told.closed, 'closed');
  assert.equal(asked.network.links().length, 0);
});

test('a broker that does something else before it logs in is refused', async () => {
  const asked = await start({ name: 'asked', authenticator: users() });
  const peer = await introduced(asked);
  peer.send(createSessionInfo({ sessionId: createSessionId({ connectionId: 'c', value: 1 }) }));
  assert.equal((await peer.command<ConnectionError>(CONNECTION_ERROR)).exception!.message, 'it does not log in');
  await until(() => peer.closed, 'closed');
  const early = await OpenWirePeer.dial(asked.port);
  running.push(early);
  await early.command<WireFormatInfo>(WIRE_FORMAT_INFO);
  early.offer({ roundhouse: false });
  await early.command<BrokerInfo>(BROKER_INFO);
  early.send(login('link', 'sesame'));
  await until(() => early.closed, 'a client that logs in is a client still');
});

test('a broker that does not introduce itself or log in in time is closed', async () => {
  const asked = await start({ name: 'asked', authenticator: users() }); // the connector allows half a second
  const silent = await OpenWirePeer.dial(asked.port);
  running.push(silent);
  await silent.command<WireFormatInfo>(WIRE_FORMAT_INFO);
  silent.offer({ roundhouse: false });
  const half = await introduced(asked);
  await until(() => silent.closed && half.closed, 'closed');
});

test('where there are mechanisms alone nobody is linked: a link has none', async () => {
  const asked = await start({ name: 'asked', mechanisms: [new ScramSha256({ find: () => null })] });
  const peer = await introduced(asked);
  peer.send(login('link', 'sesame'));
  assert.match((await peer.command<ConnectionError>(CONNECTION_ERROR)).exception!.message!, /Authentication Method/);
});

test('while a login waits for its verdict, what the broker sends behind it waits in order', async () => {
  const asked: { credentials: Credentials; answer: (verdict: Verdict) => void; fail: (error: Error) => void }[] = [];
  const authenticator: Authenticator = {
    authenticate: (credentials) => new Promise((answer, fail) => asked.push({ credentials, answer, fail })),
  };
  const us = await start({ name: 'asked', authenticator });
  us.client().subscribe('wanted');
  const peer = await introduced(us);
  peer.send(login('link', 'sesame'));
  peer.send(
    createConsumerInfo({
      consumerId: createConsumerId({ connectionId: 'c', sessionId: 1, value: 1 }),
      destination: createTopic({ physicalName: 'ActiveMQ.Advisory.Consumer.>' }),
      prefetchSize: 100,
    }),
  );
  await until(() => asked.length === 1, 'the authenticator to be asked');
  const { remoteAddress, ...rest } = asked[0]!.credentials;
  assert.match(remoteAddress, /^127\.0\.0\.1:\d+$/);
  assert.deepEqual(rest, {
    clientId: 'NC_raw_outbound',
    connector: 'openwire',
    userName: 'link',
    password: Buffer.from('sesame'),
    certificateName: null,
  });
  assert.equal(us.network.links().length, 0);
  asked[0]!.answer({ kind: 'admitted', principal: { userName: 'link', groups: [] } });
  const dispatch = await peer.command<MessageDispatch>(MESSAGE_DISPATCH);
  assert.equal(dispatch.message!.destination!.physicalName, 'ActiveMQ.Advisory.Consumer.Topic.wanted');

  const other = await introduced(us);
  other.send(login('link', 'sesame'));
  await until(() => asked.length === 2, 'the authenticator to be asked');
  asked[1]!.fail(new Error('the directory is down'));
  await other.command<ConnectionError>(CONNECTION_ERROR);
  await until(() => other.closed, 'closed');
});

test('two brokers of ours whose logins take their time are linked, and what was said meanwhile is not lost', async () => {
  const slow: Authenticator = {
    authenticate: async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { kind: 'admitted', principal: { userName: 'link', groups: [] } };
    },
  };
  const asked = await start({ name: 'asked', authenticator: slow });
  const dialler = await start({ authenticator: slow, connectors: [staticConnector([asked.port])] });
  const subscriber = dialler.client().subscribe('early');
  await linked(asked, dialler);
  asked.client().publish('early', 'x', 1);
  await until(() => subscriber.received.length === 1, 'the message to cross');
});

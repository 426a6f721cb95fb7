import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Broker } from '../../core/broker.ts';
import { Message } from '../../core/message.ts';
import { PublicationForm } from '../../protocols/openwire/publication-form.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';
import { Demand } from './demand.ts';
import { KnownPeers } from './known-peers.ts';
import { FORGET_PEER_MS, KEPT_PEERS_MAX } from './link-limits.ts';
import { PeerGroups } from './peer-groups.ts';
import { PeerSubscriber } from './peer-subscriber.ts';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

function setUp() {
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (message, facts) => warnings.push(`${message} ${facts?.messages}`) };
  const broker = new Broker({ id: 'ID:us', name: 'us', log });
  const form = new PublicationForm(broker.id, broker.incarnation, broker.wallNow);
  const demand = new Demand({ demandGained() {}, durabilityChanged() {}, demandLost() {}, groupChanged() {}, relayedGroupChanged() {} });
  const groups = new PeerGroups(broker);
  const linked = new Set<string>();
  const peers = new KnownPeers({
    log,
    create: (id, name, stored) => new PeerSubscriber(id, name, broker, form, demand, groups, stored),
    isLinked: (id) => linked.has(id),
  });
  const publish = (): number => broker.publish(Message.of('t', Buffer.from('p'), 1));
  return { peers, linked, publish, warnings };
}

test('a peer that comes back in time is the same one, with what it wanted and what waits for it', () => {
  const { peers, publish, warnings } = setUp();
  const peer = peers.linked('ID:b', 'b', 'tcp://b:1');
  peer.demand.add('1', ['t'], null);
  peers.away('ID:b', false);
  publish();
  mock.timers.tick(FORGET_PEER_MS - 1);
  assert.equal(peers.linked('ID:b', 'b', 'tcp://b:1'), peer);
  mock.timers.tick(FORGET_PEER_MS * 2);
  assert.deepEqual([peer.outbox.size, publish(), warnings], [1, 1, []]);
});

test('a peer that does not come back is forgotten, and it is said how many messages go with it', () => {
  const { peers, publish, warnings } = setUp();
  const peer = peers.linked('ID:b', 'b', '');
  peer.demand.add('1', ['t'], null);
  peers.away('ID:b', false);
  publish();
  publish();
  mock.timers.tick(FORGET_PEER_MS);
  assert.deepEqual([peer.outbox.size, publish()], [0, 0]);
  assert.deepEqual(warnings, ['messages for a broker that did not come back are dropped 2']);
  assert.notEqual(peers.linked('ID:b', 'b', '').count, peer.count, 'it is counted anew');
});

test('a broker with a store is kept when it does not come back: what its persistent subscribers want, and what waits for them', () => {
  for (const saidGoodbye of [false, true]) {
    const { peers, publish, warnings } = setUp();
    const peer = peers.linked('ID:b', 'b', 'tcp://b:1');
    peer.openStored('tcp://b:1');
    peer.introduce('ID:b', true);
    peer.demand.add('1', ['t'], ['ID:b'], null, true);
    publish();
    peers.away('ID:b', saidGoodbye);
    publish();
    mock.timers.tick(1_000 * FORGET_PEER_MS);
    assert.deepEqual([peer.waiting.messages, publish(), warnings], [2, 1, []]);
    assert.equal(peers.linked('ID:b', 'b', 'tcp://b:1'), peer);
  }
});

test('what is for clean subscribers alone at a broker with a store goes after a time all the same, or when it says goodbye', () => {
  for (const saidGoodbye of [false, true]) {
    const { peers, publish, warnings } = setUp();
    const peer = peers.linked('ID:b', 'b', '');
    peer.openStored('');
    peer.introduce('ID:b', true);
    peer.demand.add('1', ['t'], ['ID:b']);
    publish();
    peers.away('ID:b', saidGoodbye);
    if (!saidGoodbye) mock.timers.tick(FORGET_PEER_MS);
    assert.deepEqual([peer.waiting.messages, publish()], [0, 0]);
    assert.deepEqual(warnings, ['messages for a broker that did not come back are dropped 1']);
  }
});

test('when too many brokers are known, one that is away goes for a new one, with all that was kept', () => {
  const { peers, linked, publish, warnings } = setUp();
  for (let i = 0; i < KEPT_PEERS_MAX; i++) {
    const peer = peers.linked(`ID:${i}`, 'b', '');
    peer.openStored('');
    peer.introduce(`ID:${i}`, true);
    peer.demand.add('1', ['t'], [`ID:${i}`], null, true);
    if (i === 0) linked.add('ID:0');
    else peers.away(`ID:${i}`, false);
  }
  assert.equal(publish(), KEPT_PEERS_MAX);
  peers.linked('ID:new', 'b', '');
  assert.equal(publish(), KEPT_PEERS_MAX - 1);
  assert.deepEqual(warnings.slice(-2), [
    'a linked broker is forgotten: there are too many that are away undefined',
    'messages for a broker that did not come back are dropped 1',
  ]);
});

test('a peer that says goodbye is forgotten at once', () => {
  const { peers, publish } = setUp();
  peers.linked('ID:b', 'b', '').demand.add('1', ['t'], null);
  peers.away('ID:b', true);
  assert.equal(publish(), 0);
});

test('a restarted broker takes the place of its former self: same address and name, another id, and the old one not linked', () => {
  const { peers, linked, publish } = setUp();
  peers.linked('ID:old', 'broker2', 'tcp://b:1').demand.add('1', ['t'], null);
  peers.linked('ID:twin', 'broker2', 'tcp://c:1').demand.add('1', ['t'], null);
  linked.add('ID:live');
  peers.linked('ID:live', 'broker2', 'tcp://d:1').demand.add('1', ['t'], null);
  for (const id of ['ID:old', 'ID:twin']) peers.away(id, false);
  peers.linked('ID:new', 'broker2', 'tcp://b:1');
  assert.equal(publish(), 2, 'the twin at another address stays');
  peers.linked('ID:other', 'broker2', 'tcp://d:1');
  assert.equal(publish(), 2, 'one that is linked stays, whatever others say of themselves');
});

test('a peer that went twice and came back is not forgotten', () => {
  const { peers, publish, warnings } = setUp();
  const peer = peers.linked('ID:b', 'b', '');
  peer.demand.add('1', ['t'], null);
  peers.away('ID:b', false);
  peers.away('ID:b', false);
  peers.linked('ID:b', 'b', '');
  mock.timers.tick(FORGET_PEER_MS);
  assert.deepEqual([publish(), warnings], [1, []]);
});

test('a peer that is linked by another connection when its time has come is kept', () => {
  const { peers, linked, publish } = setUp();
  peers.linked('ID:b', 'b', '').demand.add('1', ['t'], null);
  peers.away('ID:b', false);
  linked.add('ID:b');
  mock.timers.tick(FORGET_PEER_MS);
  assert.equal(publish(), 1);
});

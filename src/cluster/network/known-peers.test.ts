import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Broker } from '../../core/broker.ts';
import { Message } from '../../core/message.ts';
import { PublicationForm } from '../../protocols/openwire/publication-form.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';
import { Demand } from './demand.ts';
import { KnownPeers } from './known-peers.ts';
import { FORGET_PEER_MS } from './link-limits.ts';
import { PeerGroups } from './peer-groups.ts';
import { PeerSubscriber } from './peer-subscriber.ts';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

function setUp() {
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (message, facts) => warnings.push(`${message} ${facts?.messages}`) };
  const broker = new Broker({ id: 'ID:us', name: 'us', log });
  const form = new PublicationForm(broker.id, broker.wallNow);
  const demand = new Demand({ demandGained() {}, demandLost() {}, groupChanged() {}, relayedGroupChanged() {} });
  const groups = new PeerGroups(broker);
  const linked = new Set<string>();
  const peers = new KnownPeers({
    log,
    create: (id, name) => new PeerSubscriber(id, name, broker, form, demand, groups),
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

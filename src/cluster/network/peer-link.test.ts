import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../../core/broker.ts';
import { Message } from '../../core/message.ts';
import { type Subscriber, Subscription } from '../../core/subscription.ts';
import { type Channel, codec12 } from '../../protocols/openwire/channel.ts';
import { PublicationForm } from '../../protocols/openwire/publication-form.ts';
import { PublicationReader } from '../../protocols/openwire/publication-reader.ts';
import { silentLog } from '../../telemetry/log.ts';
import { Advisories } from './advisory.ts';
import { type ClusterCommand, encodeCommand } from './cluster-command.ts';
import { Demand } from './demand.ts';
import { LINK_QUEUE_MAX_BYTES } from './link-limits.ts';
import { DEFAULT_LINK_SETTINGS } from './link-settings.ts';
import { PeerGroups } from './peer-groups.ts';
import { type LinkHost, PeerLink } from './peer-link.ts';
import { PeerSubscriber } from './peer-subscriber.ts';
import { SeenMessages } from './seen-messages.ts';

const MAX_FRAME = 1_000;

/** A link that has begun, over a channel that notes what is asked of it. `duplex`: what our networkConnector says. */
function linkWith(duplex: boolean | null) {
  const broker = new Broker({ id: 'ID:us', name: 'us', log: silentLog });
  const demand = new Demand({ demandGained() {}, durabilityChanged() {}, demandLost() {}, groupChanged() {}, relayedGroupChanged() {} });
  const groups = new PeerGroups(broker);
  const peer = new PeerSubscriber('ID:b', 'b', broker, new PublicationForm(broker.id, broker.incarnation, broker.wallNow), demand, groups);
  const events: string[] = [];
  const channel = {
    queuedBytes: 0,
    maxFrameSize: MAX_FRAME,
    heardAtMs: 0,
    closing: false,
    send: () => true,
    request: () => 1,
    sendEncoded: () => events.push('sent') > 0,
    respond: (id: number) => events.push(`answered ${id}`),
    fail: (fault: string) => events.push(`failed: ${fault}`),
  };
  const host: LinkHost = {
    broker,
    demand,
    advisories: new Advisories(broker.id, broker.incarnation, broker.name, ''),
    seen: new SeenMessages(broker.store),
    peerFor: () => peer,
    chosenByPeer() {},
    synchronised() {},
    clientAddresses: () => '',
    deal: (address, message) => groups.deal(address, message),
    passOn: ({ kind }) => events.push(`passed on ${kind}`),
    demandKnownBehind: () => null,
    closed() {},
  };
  const link = new PeerLink({
    host,
    channel: channel as unknown as Channel,
    peerId: 'ID:b',
    peerName: 'b',
    peerUrl: '',
    direction: 'initiated',
    ours: { ...DEFAULT_LINK_SETTINGS, duplex },
    theirs: null,
    knowsGroups: true,
  });
  const command = (said: ClusterCommand): void => {
    const frame = encodeCommand(said);
    link.onCommand(codec12.decode(frame, 4, frame.length)!);
  };
  link.begin();
  command({
    kind: 'begin',
    counts: { count: '1', received: 0, receivedCount: '' },
    storedCounts: null,
    incarnation: 'ID:p',
    keepsId: false,
    connector: null,
  });
  const publisher = { id: 'c', kind: 'client' } as const;
  const client: Subscriber = { ...publisher, publisher, deliver: ({ topic }) => void events.push(`delivered ${topic}`) };
  broker.router.subscribe(
    new Subscription({
      filter: '#',
      group: null,
      subscriber: client,
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      identifier: 0,
    }),
  );
  return { link, channel, events, command, peer };
}

test('messages of the peer cross where the file lets them, else they are answered and not published', () => {
  const form = new PublicationForm('ID:b', 'ID:b', () => 1);
  const retained = {
    kind: 'retained',
    topic: 'r',
    message: Message.of('r', Buffer.from('p')),
    stamp: { wallMs: 1, counter: 0, brokerId: 'ID:b' },
  } as const;
  for (const [duplex, expected] of [
    [null, ['delivered t', 'answered 5', 'passed on retained']],
    [false, ['answered 5']],
  ] as const) {
    const { link, command, events, peer } = linkWith(duplex);
    const { buffer } = Message.of('t', Buffer.from('p'), 1).frame(form);
    const frame = Buffer.from(buffer);
    frame.writeInt32BE(5, 5);
    frame[9] = 1; // wants an answer
    const reader = new PublicationReader(128);
    assert.equal(reader.read(frame, 4, frame.length), true);
    link.onPublication(reader, frame);
    command({ ...retained, path: ['ID:b'] });
    assert.deepEqual(events, expected);
    assert.deepEqual([peer.counters.received, peer.counters.duplicates], [1, 0]);
  }
});

test('a peer that takes nothing is not told claims and wishes without end: the link ends', () => {
  const { link, channel, events } = linkWith(null);
  const advert = { number: 1, filter: 'f', brokerPath: [], group: null, isDurable: false };
  const news = [
    () => link.sendClaim(Buffer.alloc(1)),
    () => link.demandGained(advert, Buffer.alloc(1)),
    () => link.demandLost(advert, Buffer.alloc(1)),
  ];
  channel.queuedBytes = LINK_QUEUE_MAX_BYTES + MAX_FRAME;
  for (const tell of news) tell();
  assert.deepEqual(events.splice(0), ['sent', 'sent', 'sent']);
  channel.queuedBytes++;
  for (const tell of news) tell();
  assert.deepEqual(new Set(events), new Set(['failed: the peer does not take what it is sent']));
  assert.equal(events.length, 3);
});

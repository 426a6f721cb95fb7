import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';

/** Filters with what they match and what they do not, most of them the specification's own. MQTT 5.0 section 4.7. */
const TABLE: readonly { filter: string; matches: readonly string[]; not: readonly string[] }[] = [
  {
    filter: 'sport/tennis/player1/#',
    matches: ['sport/tennis/player1', 'sport/tennis/player1/ranking', 'sport/tennis/player1/score/wimbledon'],
    not: ['sport/tennis/player12', 'sport/tennis'],
  },
  { filter: 'sport/#', matches: ['sport', 'sport/', 'sport/a'], not: ['sports', '/sport'] },
  { filter: '#', matches: ['a', '/', '/a', 'a/b/c', ' '], not: ['$a', '$SYSx', '$/a'] },
  {
    filter: 'sport/tennis/+',
    matches: ['sport/tennis/player1', 'sport/tennis/player2', 'sport/tennis/'],
    not: ['sport/tennis/player1/ranking', 'sport/tennis'],
  },
  { filter: 'sport/+', matches: ['sport/', 'sport/a'], not: ['sport', 'sport/a/b'] },
  { filter: '+', matches: ['a', 'finance'], not: ['/finance', 'a/', '$a'] },
  { filter: '+/+', matches: ['/finance', 'a/b', '/', 'a/'], not: ['a', 'a/b/c', '$a/b'] },
  { filter: '/+', matches: ['/finance', '/'], not: ['finance', '//'] },
  { filter: '+/tennis/#', matches: ['x/tennis', '/tennis/a'], not: ['tennis', '$x/tennis'] },
  { filter: 'sport/+/player1', matches: ['sport/tennis/player1', 'sport//player1'], not: ['sport/player1', 'sport/a/b/player1'] },
  { filter: '+/monitor/Clients', matches: ['a/monitor/Clients'], not: ['$mine/monitor/Clients'] },
  { filter: '$mine/#', matches: ['$mine', '$mine/', '$mine/a/b'], not: ['mine/a', '$minex'] },
  { filter: '$mine/monitor/+', matches: ['$mine/monitor/Clients'], not: ['$mine/monitor'] },
  { filter: '/', matches: ['/'], not: ['a/', '//', '/a'] },
  { filter: '//', matches: ['//'], not: ['/', '///'] },
  { filter: 'a//b', matches: ['a//b'], not: ['a/b', 'a/x/b'] },
  { filter: 'a/$b/+', matches: ['a/$b/c'], not: ['a/b/c'] },
  { filter: 'a/+', matches: ['a/$b'], not: [] },
  { filter: 'ACCOUNTS', matches: ['ACCOUNTS'], not: ['Accounts', 'ACCOUNTS ', 'ACCOUNTS/'] },
  { filter: 'Accounts payable', matches: ['Accounts payable'], not: ['Accounts  payable'] },
  { filter: 'Å', matches: ['Å'], not: ['A\u030a'] },
];

for (const level of [4, 5] as const) {
  test(`level ${level}: topics and filters match as section 4.7 has it [MQTT-3.3.2-3] [MQTT-4.7.2-1] [MQTT-4.7.3-4] [MQTT3-3.8.3-2]`, async (t) => {
    const broker = await startBroker(t, { connector: { publishDollarTopics: true } });
    const peer = await broker.client(level, { clientId: 'a' });
    for (const { filter, matches, not } of TABLE) {
      await peer.subscribe({ [filter]: 0 });
      // The topics twice: found by the tree, then remembered.
      for (let round = 0; round < 2; round++) {
        peer.send(...[...matches, ...not].map((topic) => peer.packets.publish({ topic, payload: filter })));
        for (const topic of matches) await peer.expect(peer.packets.publish({ topic, payload: filter }));
        await peer.expectNothing();
      }
      peer.send(peer.packets.unsubscribe(1, filter));
      await peer.expect(peer.packets.unsuback(1, 0));
      // And by what is retained.
      for (const topic of [...matches, ...not]) peer.send(peer.packets.publish({ topic, payload: 'r', retain: true }));
      await peer.subscribe({ [filter]: 0 });
      await peer.expectInAnyOrder(...matches.map((topic) => peer.packets.publish({ topic, payload: 'r', retain: true })));
      await peer.expectNothing();
      peer.send(peer.packets.unsubscribe(1, filter));
      await peer.expect(peer.packets.unsuback(1, 0));
      for (const topic of [...matches, ...not]) peer.send(peer.packets.publish({ topic, retain: true }));
    }
  });
}

test('the longest topic that fits its length field is served, in UTF-8 bytes [MQTT-4.7.3-3]', async (t) => {
  const broker = await startBroker(t);
  const topic = `${'ü'.repeat(32_766)}/a`;
  for (const level of [3, 4, 5] as const) {
    const peer = await broker.client(level, { clientId: `level ${level}` });
    await peer.subscribe({ [topic]: 0, [`${topic.slice(0, -1)}+`]: 0 });
    for (let i = 0; i < 2; i++) {
      peer.send(peer.packets.publish({ topic, payload: 'x' }));
      await peer.expect(peer.packets.publish({ topic, payload: 'x' }));
    }
    await peer.disconnect();
  }
});

test('a topic has as many levels as are served, and no more', async (t) => {
  const broker = await startBroker(t);
  const peer = await broker.client(5, { clientId: 'a' });
  await peer.subscribe({ '#': 0 });
  const deepest = Array(128).fill('x').join('/');
  peer.send(peer.packets.publish({ topic: deepest }));
  await peer.expect(peer.packets.publish({ topic: deepest }));
  peer.send(peer.packets.publish({ topic: `${deepest}/x` }));
  await peer.expectDisconnect(0x90);
});

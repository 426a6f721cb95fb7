import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { type Log, silentLog } from '../../telemetry/log.ts';
import { dialledAddress, formatAnnouncement, parseAnnouncement } from './announcement.ts';
import { addressText, type PeerAddress } from './discovery.ts';
import { MulticastDiscovery } from './multicast.ts';
import { MISSED_INTERVALS_MAX, SERVICES_MAX, ServiceRoster } from './service-roster.ts';

test('a datagram is the text that ActiveMQ sends', () => {
  const service = 'tcp://host:61616';
  assert.equal(formatAnnouncement('default', { alive: true, service }), 'default.ActiveMQ-4.alive.%localhost%tcp://host:61616');
  assert.equal(formatAnnouncement('my.group', { alive: false, service }), 'my.group.ActiveMQ-4.dead.%localhost%tcp://host:61616');
});

test('a datagram of our group is read, whatever name it gives; everything else is not ours', () => {
  const read = (text: string) => parseAnnouncement('default', text);
  assert.deepEqual(read('default.ActiveMQ-4.alive.%localhost%tcp://h:1'), { alive: true, service: 'tcp://h:1' });
  assert.deepEqual(read('default.ActiveMQ-4.dead.%any name%tcp://h:1?a=b%20c'), { alive: false, service: 'tcp://h:1?a=b%20c' });
  for (const text of [
    '',
    'default',
    'other.ActiveMQ-4.alive.%localhost%tcp://h:1',
    'default.ActiveMQ-5.alive.%localhost%tcp://h:1',
    'default.ActiveMQ-4.asleep.%localhost%tcp://h:1',
    'default.ActiveMQ-4.alive.localhost%tcp://h:1',
    'default.ActiveMQ-4.alive.%localhost%',
  ])
    assert.equal(read(text), null, text);
});

test('of an announced URI host and port are dialled, where the scheme is one that we speak', () => {
  const cases: [string, PeerAddress | null][] = [
    ['tcp://host:61616', { host: 'host', port: 61616 }],
    ['nio://10.0.0.1:1?wireFormat.maxFrameSize=1', { host: '10.0.0.1', port: 1 }],
    ['auto+nio://[::1]:61616', { host: '::1', port: 61616 }],
    ['ssl://host:61616', null],
    ['tcp://host', null],
    ['tcp://host:0', null],
    ['tcp://host:65536', null],
    ['failover:(tcp://host:61616)', null],
    ['tcp://:61616', null],
    ['', null],
  ];
  for (const [service, address] of cases) assert.deepEqual(dialledAddress(service), address, service);
  assert.equal(addressText({ host: '::1', port: 5 }), '[::1]:5');
  assert.equal(addressText({ host: 'Host', port: 5 }), 'host:5');
});

test('a service is gone after ten intervals without a word, or when it says so', () => {
  const roster = new ServiceRoster(500);
  assert.equal(roster.alive('a', 0), 'new');
  assert.equal(roster.alive('a', 1_000), 'known');
  roster.alive('b', 2_000);
  assert.deepEqual(roster.expire(1_000 + 500 * MISSED_INTERVALS_MAX), []);
  assert.deepEqual(roster.expire(1_001 + 500 * MISSED_INTERVALS_MAX), ['a']);
  assert.deepEqual(roster.expire(1_001 + 500 * MISSED_INTERVALS_MAX), [], 'once');
  assert.equal(roster.dead('b'), true);
  assert.equal(roster.dead('b'), false);
  assert.equal(roster.alive('a', 9_000), 'new', 'back again');
});

test('no more services are remembered than a network can have', () => {
  const roster = new ServiceRoster(500);
  for (let i = 0; i < SERVICES_MAX; i++) roster.alive(`s${i}`, 0);
  assert.equal(roster.alive('one more', 0), 'refused');
  assert.equal(roster.alive('s1', 0), 'known');
});

/** Whether datagrams to a group come back on the loopback interface here; the reason where they do not. */
async function multicastFault(port: number): Promise<string | null> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, '0.0.0.0', resolve);
    });
    socket.setMulticastInterface('127.0.0.1');
    socket.addMembership(ADDRESS, '127.0.0.1');
    const heard = new Promise<boolean>((resolve) => {
      socket.once('message', () => resolve(true));
      setTimeout(() => resolve(false), 1_000).unref();
    });
    socket.send('hello', port, ADDRESS);
    return (await heard) ? null : 'multicast does not come back on the loopback interface';
  } catch (error) {
    return `multicast on the loopback interface: ${(error as Error).message}`;
  } finally {
    socket.close();
  }
}

const ADDRESS = '239.255.2.3';

async function agent(port: number, service: string | null, log: Log = silentLog) {
  const events: string[] = [];
  const discovery = new MulticastDiscovery({
    address: ADDRESS,
    port,
    group: 'default',
    timeToLive: 1,
    keepAliveIntervalMs: 50,
    interfaceAddress: '127.0.0.1',
    log,
  });
  await discovery.watch({
    found: (peer) => events.push(`found ${addressText(peer)}`),
    gone: (peer) => events.push(`gone ${addressText(peer)}`),
  });
  await discovery.start();
  if (service !== null) discovery.announce(service);
  return { discovery, events };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('brokers of one host hear each other on the loopback interface, not themselves, and their goodbyes', async (t) => {
  const port = 20_000 + (process.pid % 20_000);
  const fault = await multicastFault(port);
  if (fault !== null) {
    t.skip(fault);
    return;
  }
  const a = await agent(port, 'tcp://127.0.0.1:1001');
  const b = await agent(port, 'tcp://127.0.0.1:1002');
  const listener = await agent(port, null);
  await until(() => a.events.includes('found 127.0.0.1:1002'), 'a hears b');
  await until(() => b.events.includes('found 127.0.0.1:1001'), 'b hears a');
  await until(() => listener.events.includes('found 127.0.0.1:1001') && listener.events.includes('found 127.0.0.1:1002'), 'both');
  assert.equal(a.events.includes('found 127.0.0.1:1001'), false, 'not itself');
  await b.discovery.stop();
  await until(() => a.events.includes('gone 127.0.0.1:1002'), 'a hears that b left');
  const before = a.events.length;
  await until(() => listener.events.filter((event) => event === 'found 127.0.0.1:1001').length > 5, 'announcements go on');
  assert.equal(a.events.slice(before).includes('found 127.0.0.1:1002'), false);
  await a.discovery.stop();
  await listener.discovery.stop();
});

test('a group that cannot be joined is said so with what to do instead, and stops nothing', async () => {
  const lines: string[] = [];
  const log: Log = { ...silentLog, error: (message, facts) => lines.push(`${message} ${JSON.stringify(facts)}`) };
  const discovery = new MulticastDiscovery({
    address: '127.0.0.1', // no multicast address
    port: 20_000 + (process.pid % 20_000),
    group: 'default',
    timeToLive: 1,
    keepAliveIntervalMs: 500,
    interfaceAddress: null,
    log,
  });
  await discovery.start();
  discovery.announce('tcp://127.0.0.1:1');
  await discovery.stop();
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /cannot join the multicast group.*static:\(\.\.\.\).*EINVAL/);
});

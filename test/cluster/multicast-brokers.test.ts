import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { afterEach, test } from 'node:test';
import { DEFAULT_LINK_SETTINGS, type MulticastSettings, type NetworkConnectorSettings } from '../../src/cluster/network/link-settings.ts';
import { linked, TestBroker, until } from '../harness/linked-broker.ts';

const running: TestBroker[] = [];

afterEach(async () => {
  for (const broker of running.splice(0)) await broker.stop();
});

/** A port of our own, so that this test hears no broker of the machine. */
const multicast: MulticastSettings = {
  address: '239.255.2.3',
  port: 40_000 + (process.pid % 20_000),
  group: 'default',
  timeToLive: 1,
  keepAliveIntervalMs: 100,
};

/** `<networkConnector uri="multicast://default"/>` */
const connector: NetworkConnectorSettings = {
  ...DEFAULT_LINK_SETTINGS,
  uri: 'multicast://default',
  discovery: { kind: 'multicast', multicast },
};

/** `--map-address 0.0.0.0=127.0.0.1 --map-address 172.17.0.10=127.0.0.1` */
const mapAddress = (host: string): string => (host === '0.0.0.0' || host === '172.17.0.10' ? '127.0.0.1' : host);

/** A broker whose OpenWire connector, bound to every address as mapped, announces itself. */
async function start(port: number, connectors: NetworkConnectorSettings[]): Promise<TestBroker> {
  const host = mapAddress('0.0.0.0');
  const announcements = [{ multicast, host, published: { host, port } }];
  const broker = await TestBroker.start({
    name: 'broker2',
    port,
    connectors,
    mapAddress,
    announcements,
    listening: { host, port },
  });
  running.push(broker);
  return broker;
}

/** Whether datagrams to the group come back on the loopback interface here. */
async function multicastWorks(): Promise<boolean> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(multicast.port, '0.0.0.0', resolve);
    });
    socket.setMulticastInterface('127.0.0.1');
    socket.addMembership(multicast.address, '127.0.0.1');
    const heard = new Promise<boolean>((resolve) => {
      socket.once('message', () => resolve(true));
      setTimeout(() => resolve(false), 1_000).unref();
    });
    socket.send('hello', multicast.port, multicast.address);
    return await heard;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

async function freePort(): Promise<number> {
  const probe = await TestBroker.start();
  const { port } = probe;
  await probe.stop();
  return port;
}

test('the classic pair: both announce themselves, only one looks, both are called the same; the link carries both ways', async (t) => {
  if (!(await multicastWorks())) {
    t.skip('multicast does not work on the loopback interface');
    return;
  }
  const one = await start(await freePort(), []);
  const two = await start(await freePort(), [connector]);
  await linked(one, two);
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    const subscriber = to.client().subscribe('classic/#');
    await to.network.demandKnown();
    from.client().publish('classic/1', 'x', 1);
    await until(() => subscriber.received.length === 1, 'across');
  }
  assert.equal(two.network.links().length, 1, 'and it did not dial itself');
  assert.deepEqual(
    [...one.lines, ...two.lines].filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  );
});

test('a broker that comes back on its old address is found again; one that leaves is not dialled for ever', async (t) => {
  if (!(await multicastWorks())) {
    t.skip('multicast does not work on the loopback interface');
    return;
  }
  const port = await freePort();
  const looking = await start(await freePort(), [connector]);
  let other = await start(port, [connector]);
  await linked(looking, other);
  await other.kill();
  running.splice(running.indexOf(other), 1);
  await until(() => looking.network.links().every(({ state }) => state !== 'up'), 'noticed');
  other = await start(port, [connector]);
  await linked(looking, other);
  await other.stop();
  running.splice(running.indexOf(other), 1);
  await until(() => looking.network.links().length === 0, 'no link, and nobody is dialled');
});

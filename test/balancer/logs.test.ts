import assert from 'node:assert/strict';
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bind, model, type SectionSketch, section, udpLog } from './model-builder.ts';
import { closedPort, echoes, silentPort, startBalancer, startPeer } from './peers.ts';
import { needsHaproxy, startHaproxy } from './real-haproxy.ts';

/**
 * The same sessions through the real haproxy and through ours: the lines must agree in everything but addresses, dates and the number of
 * milliseconds.
 */

/** A client of one scenario: opens, does something, and resolves when its connection is closed. */
type Act = (open: () => Socket) => Promise<void>;

interface Scenario {
  readonly name: string;
  readonly front?: SectionSketch;
  readonly back?: SectionSketch;
  /** Lines of the haproxy.cfg that mean the same. */
  readonly frontLines?: string;
  readonly backLines?: string;
  readonly server: 'echo' | 'closed' | 'silent' | 'resets' | 'holds' | 'disabled';
  readonly serverOptions?: string;
  readonly maxconn?: number;
  readonly act: Act;
  readonly lines: number;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** Says something, waits for the echo, does `then`. */
const converse =
  (then: (socket: Socket) => void): Act =>
  async (open) => {
    const socket = open();
    socket.write('hello');
    await new Promise<void>((resolve) => socket.once('data', () => resolve()));
    then(socket);
    await closed(socket);
  };

const say =
  (text: string, after: (socket: Socket) => void = () => {}): Act =>
  async (open) => {
    const socket = open();
    if (text !== '') socket.write(text);
    const end = closed(socket);
    after(socket);
    await end;
  };

const finSoon = (socket: Socket): void => void setTimeout(() => socket.end(), 150);
const resetSoon = (socket: Socket): void => void setTimeout(() => socket.resetAndDestroy(), 150);

/** The second comes while the first holds the only place; `then` is what the second does. */
const queueing =
  (holdMs: number, then: (second: Socket) => void): Act =>
  async (open) => {
    const first = open();
    first.write('first');
    await new Promise<void>((resolve) => first.once('data', () => resolve()));
    const second = open();
    const bothClosed = Promise.all([closed(first), closed(second)]);
    then(second);
    setTimeout(() => first.end(), holdMs);
    await bothClosed;
  };

const SCENARIOS: readonly Scenario[] = [
  { name: 'an orderly end', server: 'echo', act: converse((s) => s.end()), lines: 1 },
  { name: 'a reset by the client', server: 'echo', act: converse((s) => s.resetAndDestroy()), lines: 1 },
  { name: 'a reset by the server', server: 'resets', act: say('bye'), lines: 1 },
  { name: 'a client that says nothing', server: 'echo', act: say('', finSoon), lines: 1 },
  {
    name: 'a refused connection',
    server: 'closed',
    back: { retries: 0 },
    backLines: 'retries 0',
    act: say('x'),
    lines: 1,
  },
  {
    name: 'a refused connection that is tried again',
    server: 'closed',
    back: { retries: 1 },
    backLines: 'retries 1',
    act: say('x'),
    lines: 1,
  },
  {
    name: 'a handshake that takes too long',
    server: 'silent',
    back: { retries: 0, timeouts: { connect: 500 } },
    backLines: 'retries 0\n timeout connect 500',
    act: say('x'),
    lines: 1,
  },
  { name: 'a client that leaves during the handshake', server: 'silent', act: say('', finSoon), lines: 1 },
  { name: 'a client that resets during the handshake', server: 'silent', act: say('x', resetSoon), lines: 1 },
  { name: 'no server', server: 'disabled', serverOptions: 'disabled', act: say('x'), lines: 1 },
  {
    name: 'the client timeout',
    server: 'echo',
    front: { timeouts: { client: 500 } },
    frontLines: 'timeout client 500',
    act: converse(() => {}),
    lines: 1,
  },
  {
    name: 'the server timeout',
    server: 'holds',
    back: { timeouts: { server: 500 } },
    backLines: 'timeout server 500',
    act: say('x'),
    lines: 1,
  },
  {
    name: 'the tunnel timeout',
    server: 'echo',
    back: { timeouts: { tunnel: 500 } },
    backLines: 'timeout tunnel 500',
    act: converse(() => {}),
    lines: 1,
  },
  {
    name: 'a place in the queue',
    server: 'echo',
    maxconn: 1,
    act: queueing(300, (second) => void second.end('second')),
    lines: 2,
  },
  {
    name: 'the queue timeout',
    server: 'echo',
    maxconn: 1,
    back: { timeouts: { queue: 400 } },
    backLines: 'timeout queue 400',
    act: queueing(1_500, (second) => void second.write('second')),
    lines: 2,
  },
  { name: 'a client that leaves the queue', server: 'echo', maxconn: 1, act: queueing(1_000, finSoon), lines: 2 },
  { name: 'a client that resets in the queue', server: 'echo', maxconn: 1, act: queueing(1_000, resetSoon), lines: 2 },
  {
    name: 'logasap',
    server: 'echo',
    front: { logasap: true },
    frontLines: 'option logasap',
    act: converse((s) => s.end()),
    lines: 1,
  },
  {
    name: 'dontlognull',
    server: 'echo',
    front: { dontlognull: true },
    frontLines: 'option dontlognull',
    act: async (open) => {
      await say('', finSoon)(open);
      await converse((s) => s.end())(open);
    },
    lines: 1,
  },
  {
    name: 'dontlog-normal',
    server: 'echo',
    front: { dontlogNormal: true },
    frontLines: 'option dontlog-normal',
    act: async (open) => {
      await converse((s) => s.end())(open);
      await converse((s) => s.resetAndDestroy())(open);
    },
    lines: 1,
  },
  {
    name: 'no tcplog',
    server: 'echo',
    front: { tcplog: false },
    frontLines: 'no log\n log global',
    act: converse((s) => s.end()),
    lines: 1,
  },
];

test('every kind of session is logged as the real haproxy logs it', async (t) => {
  if (!needsHaproxy(t)) return;
  const ports = {
    echo: (await startPeer(t, echoes)).port,
    closed: await closedPort(),
    silent: await silentPort(t),
    resets: (await startPeer(t, (socket) => socket.once('data', () => socket.resetAndDestroy()))).port,
    holds: (await startPeer(t, (socket) => socket.resume())).port,
    disabled: 1,
  };
  const theirs = await receiver(t);
  const ours = await receiver(t);
  const portsOfTheirs = await Promise.all(SCENARIOS.map(() => closedPort()));
  await startHaproxy(
    t,
    () => configuration(ports, portsOfTheirs, theirs.port),
    () => portsOfTheirs[0]!,
  );
  // The probe that waited for the start left a line of its own.
  await theirs.take(1);
  const { balancer } = await startBalancer(
    t,
    model(
      SCENARIOS.flatMap((scenario, i) => [
        section({
          name: `fe${i}`,
          kind: 'frontend',
          binds: [bind()],
          defaultBackend: `be${i}`,
          log: [udpLog(ours.port)],
          ...scenario.front,
          timeouts: { ...scenario.back?.timeouts, ...scenario.front?.timeouts },
        }),
        section({
          name: `be${i}`,
          kind: 'backend',
          servers: [{ port: ports[scenario.server], maxconn: scenario.maxconn ?? 0, disabled: scenario.server === 'disabled' }],
          ...scenario.back,
          timeouts: { ...scenario.back?.timeouts, ...scenario.front?.timeouts },
        }),
      ]),
    ),
  );
  const addresses = balancer.boundAddresses();
  for (const [i, scenario] of SCENARIOS.entries()) {
    const [expected, actual] = await Promise.all([play(scenario, portsOfTheirs[i]!, theirs), play(scenario, addresses[i]!.port, ours)]);
    assert.deepEqual(actual, expected, scenario.name);
  }
});

async function play(scenario: Scenario, port: number, log: Receiver): Promise<string[]> {
  const open = (): Socket => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.resume();
    return socket;
  };
  await scenario.act(open);
  return (await log.take(scenario.lines)).map(normalise);
}

/** Leaves everything but addresses, dates, and how many milliseconds. -1 stays -1: it says that a phase was not reached. */
function normalise(line: string): string {
  return line
    .trim()
    .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replace(/\[\d\d\/[A-Z][a-z][a-z]\/\d{4}:\d\d:\d\d:\d\d\.\d{3}\]/, '[DATE]')
    .replace(/ (-?\d+)\/(-?\d+)\/(\+?)\d+ /, (_, tw: string, tc: string, plus: string) => {
      const sign = (time: string): string => (time === '-1' ? '-1' : 'MS');
      return ` ${sign(tw)}/${sign(tc)}/${plus}MS `;
    });
}

interface Receiver {
  readonly port: number;
  /** The next lines; once they are there, no more may follow for a while. */
  take(number: number): Promise<string[]>;
}

async function receiver(t: TestContext): Promise<Receiver> {
  const socket: DatagramSocket = createSocket('udp4');
  t.after(() => socket.close());
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const lines: string[] = [];
  socket.on('message', (message) => lines.push(message.toString()));
  return {
    port: (socket.address() as AddressInfo).port,
    take: async (number) => {
      while (lines.length < number) await delay(5);
      await delay(30);
      return lines.splice(0);
    },
  };
}

function configuration(ports: Readonly<Record<Scenario['server'], number>>, frontPorts: readonly number[], logPort: number): string {
  const sections = SCENARIOS.map(
    (scenario, i) => `
frontend fe${i}
 bind 127.0.0.1:${frontPorts[i]}
 log 127.0.0.1:${logPort} format raw local0
 ${scenario.front?.tcplog === false ? '' : 'option tcplog'}
 ${scenario.front?.tcplog === false ? '' : (scenario.frontLines ?? '')}
 default_backend be${i}
backend be${i}
 ${scenario.backLines ?? ''}
 server s1 127.0.0.1:${ports[scenario.server]} ${scenario.serverOptions ?? ''} ${scenario.maxconn === undefined ? '' : `maxconn ${scenario.maxconn}`}
`,
  );
  return `defaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n${sections.join('')}`;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Balancer, type BalancerOptions } from '../../src/balancer/balancer.ts';
import type { ProxyModel } from '../../src/config/haproxy/model.ts';
import { silentLog } from '../../src/telemetry/log.ts';

/** Generous: far above what anything here takes, so that a loaded machine does not fail a test. */
export const PATIENCE_MS = 20_000;

export const CONNECT = Buffer.from('100d00044d5154540402003c000161', 'hex');
export const CONNACK = Buffer.from('20020000', 'hex');
export const PINGREQ = Buffer.from('c000', 'hex');
export const PINGRESP = Buffer.from('d000', 'hex');

/** Starts a balancer that the test stops. @returns it and the port of its first listener */
export async function startBalancer(
  t: TestContext,
  model: ProxyModel,
  options: Partial<BalancerOptions> = {},
): Promise<{ balancer: Balancer; port: number }> {
  const balancer = new Balancer(model, { log: silentLog, ...options });
  t.after(() => balancer.stop({ hard: true }));
  await balancer.start();
  return { balancer, port: balancer.boundAddresses()[0]?.port ?? 0 };
}

/** A server made of one function, in this process. */
export class Peer {
  readonly sockets = new Set<Socket>();
  accepted = 0;
  readonly #onSocket: (socket: Socket, peer: Peer) => void;
  #server: Server | null = null;
  port = 0;

  constructor(onSocket: (socket: Socket, peer: Peer) => void) {
    this.#onSocket = onSocket;
  }

  /** Listens; again on the same port after `kill`. */
  async listen(): Promise<this> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.accepted++;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {});
      this.#onSocket(socket, this);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    return this;
  }

  /** As a crash: the port closes, every connection is reset. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // Node leaks a socket that is reset while its FIN is under way, and then never exits.
    for (const socket of this.sockets) {
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
    await closed;
  }
}

export async function startPeer(t: TestContext, onSocket: (socket: Socket, peer: Peer) => void): Promise<Peer> {
  const peer = await new Peer(onSocket).listen();
  t.after(() => peer.kill());
  return peer;
}

/** As much of a broker as a balancer can tell: CONNACK for CONNECT, PINGRESP for PINGREQ, FIN for FIN. */
export function answersMqtt(socket: Socket): void {
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += chunk[at] === 0x10 ? CONNECT.length : 2) {
      if (chunk[at] === 0x10) socket.write(CONNACK);
      else if (chunk[at] === 0xc0) socket.write(PINGRESP);
    }
  });
  socket.on('end', () => socket.end());
}

/** Sends back what it gets, FIN for FIN. */
export function echoes(socket: Socket): void {
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('end', () => socket.end());
}

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const peer = await new Peer(() => {}).listen();
  await peer.kill();
  return peer.port;
}

/**
 * A port whose handshakes are never answered: a listener with a backlog of one in a thread that stands still, and enough connections to
 * fill it. The kernel drops the SYN of every further one.
 */
export async function silentPort(t: TestContext): Promise<number> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const fillers: Socket[] = [];
  t.after(async () => {
    for (const socket of fillers) socket.destroy();
    await worker.terminate();
  });
  for (;;) {
    const socket = connect({ host: '127.0.0.1', port });
    fillers.push(socket);
    socket.on('error', () => {});
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      setTimeout(() => resolve(false), 300);
    });
    if (!connected) return port;
  }
}

/** A broker in a process of its own, for `kill -9` and SIGSTOP. */
export class BrokerProcess {
  port = 0;
  #child: ChildProcess | null = null;

  async start(): Promise<void> {
    const child = spawn(process.execPath, ['-e', BROKER_PROGRAM, String(this.port)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    this.port = await new Promise<number>((resolve, reject) => {
      child.stdout?.once('data', (chunk) => resolve(Number(chunk)));
      child.once('exit', () => reject(new Error('the broker process ended at once')));
    });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGKILL');
    await exited;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }
}

const BROKER_PROGRAM = `
  const server = require('node:net').createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => socket.write(chunk[0] === 0x10 ? Buffer.from('20020000', 'hex') : Buffer.from('d000', 'hex')));
  });
  server.listen(Number(process.argv[1]), '127.0.0.1', () => console.log(server.address().port));
`;

export async function startBrokerProcess(t: TestContext): Promise<BrokerProcess> {
  const broker = new BrokerProcess();
  t.after(() => broker.kill());
  await broker.start();
  return broker;
}

/** What a client saw of one attempt. */
export type Outcome = 'connack' | 'fin' | 'reset' | 'timeout';

/** A client that sends CONNECT and waits for CONNACK. */
export class MqttClient {
  readonly socket: Socket;
  readonly outcome: Promise<Outcome>;
  /** Resolves with how the connection ended. */
  readonly ended: Promise<'fin' | 'reset'>;
  readonly startedAtMs = performance.now();
  tookMs = 0;
  #answers = 0;
  #onAnswer: (() => void) | null = null;

  constructor(port: number, patienceMs = PATIENCE_MS) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.write(CONNECT);
    this.ended = new Promise((resolve) => {
      this.socket.once('end', () => resolve('fin'));
      this.socket.once('error', () => resolve('reset'));
    });
    this.outcome = new Promise<Outcome>((resolve) => {
      const settle = (outcome: Outcome): void => {
        clearTimeout(timer);
        if (this.tookMs === 0) this.tookMs = performance.now() - this.startedAtMs;
        resolve(outcome);
      };
      const timer = setTimeout(() => settle('timeout'), patienceMs);
      this.socket.on('data', () => {
        settle('connack');
        this.#answers++;
        this.#onAnswer?.();
      });
      void this.ended.then(settle);
    });
  }

  /** @returns after the server answered */
  async ping(): Promise<void> {
    const before = this.#answers;
    this.socket.write(PINGREQ);
    while (this.#answers === before) {
      await new Promise<void>((resolve) => {
        this.#onAnswer = resolve;
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }
}

export function count<T>(items: readonly T[], item: T): number {
  return items.filter((i) => i === item).length;
}

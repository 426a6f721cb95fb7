import { connect, type Socket } from 'node:net';
import type { Clock } from '../timing/clock.ts';
import { TimerEntry, type TimerWheel } from '../timing/timer-wheel.ts';
import type { Applicant, Backend } from './backend.ts';
import type { Frontend } from './frontend.ts';
import type { Failure } from './health/passive.ts';
import { type EndCause, type EndState, formatTcpLog } from './log-format.ts';
import { recogniseConnect } from './mqtt-aware.ts';
import type { Server } from './server.ts';
import { forward } from './splice.ts';
import { INFO } from './syslog.ts';
import type { Ticket } from './waiting-room.ts';

/**
 * Client bytes kept until the server has answered, so that they can be sent to another one. A CONNECT has at most five fields of 64 KiB,
 * in practice some hundred bytes; who sends more than this before any answer is passed on and tied to its server.
 */
const HELD_MAX_BYTES = 65_536;
/**
 * How long a handshake may take while other servers are untried, in milliseconds, whatever `timeout connect` says: as long as Linux
 * waits before it sends a second SYN.
 */
const HANDSHAKE_PATIENCE_MS = 1_000;
/** HAProxy's turn-around: the pause between two attempts when no server is left, in milliseconds. `timeout connect` when that is less. */
const TURNAROUND_MS = 1_000;
/** A server that takes a whole CONNECT and says nothing for so long is tried last by others, in milliseconds. It may yet answer this one. */
const ANSWER_PATIENCE_MS = 5_000;
/**
 * A server that hangs up on a client that has said nothing: within this time of connecting it is the server's trouble, later it is tired
 * of waiting (mosquitto and ActiveMQ after 30 s), and so would be the next one. In milliseconds.
 */
const IDLE_HANGUP_MS = 5_000;
/** How long bytes under way may take to leave once a session is over, in milliseconds, before its sockets are torn down. */
const LINGER_MS = 5_000;

const NO_SERVERS: ReadonlySet<Server> = new Set();

/** Errors of ours, not the server's: no descriptors, ports or memory left. */
const OWN_TROUBLE: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

export interface StreamOptions {
  readonly client: Socket;
  /** Which of the frontend's listeners it came by, from 1. */
  readonly listenerId: number;
  readonly frontend: Frontend;
  /** null when the frontend has nowhere to send it. */
  readonly backend: Backend | null;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** Connections of the whole process, for the log. */
  readonly processConnections: () => number;
  /** Both sockets are closed. */
  readonly onGone: (stream: Stream) => void;
}

/**
 * One client of a tcp frontend, from accept to close. Its phases are its methods, in this order:
 *
 * ```
 * start ─► pick ─► connect ─► exchange ─► (bytes both ways) ─► end
 *           ▲ │       │           │
 *           │ ▼       │           │ the server hangs up before its first byte
 *           │ queue   │ refused   │ and what it got may be sent again
 *           │         ▼           │
 *           ├──── next server ◄───┘
 *           │         │ none left
 *           └─ turnaround, as often as `retries` says
 * ```
 */
export class Stream implements Applicant {
  readonly #client: Socket;
  readonly #frontend: Frontend;
  readonly #backend: Backend | null;
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  readonly #timer = new TimerEntry<Stream>(this, (stream) => stream.#onTimer());
  readonly #options: StreamOptions;
  readonly #clientName: string;
  readonly #acceptedWallMs: number;
  readonly #acceptedAtMs: number;

  #phase: 'pick' | 'queue' | 'connect' | 'turnaround' | 'exchange' | 'ended' = 'pick';
  #server: Server | null = null;
  #upstream: Socket | null = null;
  #ticket: Ticket<Applicant> | null = null;
  #openSockets = 1;

  /** Kept for another attempt; null when the server has answered, or when there was too much. */
  #held: Buffer[] | null = [];
  #heldBytes = 0;
  #answered = false;
  #clientEnded = false;
  #serverEnded = false;
  #unreachable: Set<Server> | null = null;
  #declinedBy: Set<Server> | null = null;

  #rounds = 0;
  #roundStartedAtMs = 0;
  #retryUntilMs = 0;
  /** When the server, given a CONNECT, ought to have answered. */
  #answerDueMs = Number.POSITIVE_INFINITY;
  #clientActiveAtMs = 0;
  #serverActiveAtMs = 0;
  /** Flags of an inactivity timeout that has half-closed the session. */
  #timedOut: EndCause | null = null;

  #queueMs = -1;
  #connectMs = -1;
  #connectedAtMs = 0;
  #bytesOut = 0;
  #bytesIn = 0;
  #retries = 0;
  #redispatched = false;
  #queuePlace = 0;
  #logged = false;
  #failureCause: EndCause = 'S';

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#frontend = options.frontend;
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#wheel = options.wheel;
    this.#acceptedAtMs = this.#clock.monotonicMs();
    this.#acceptedWallMs = this.#clock.wallMs();
    this.#roundStartedAtMs = this.#acceptedAtMs;
    this.#clientActiveAtMs = this.#acceptedAtMs;
    this.#clientName = this.#frontend.log.enabled ? nameOf(this.#client, options.listenerId) : '';
  }

  get unreachable(): ReadonlySet<Server> {
    return this.#unreachable ?? NO_SERVERS;
  }

  get declinedBy(): ReadonlySet<Server> {
    return this.#declinedBy ?? NO_SERVERS;
  }

  start(): void {
    const client = this.#client;
    client.on('data', (chunk: Buffer) => this.#onClientData(chunk));
    client.on('end', () => this.#onClientEnd());
    client.on('drain', () => this.#onClientDrain());
    client.on('error', () => this.#onClientError());
    client.on('close', () => this.#onSocketClosed());
    client.resume();
    this.#backend?.tally.sessions.rise();
    this.#backend?.tally.countSession();
    this.#pick();
  }

  /** Ends the session without a word, for a balancer that stops hard. */
  abort(): void {
    this.#logged = true;
    this.#end('K', 'D');
    this.#client.destroy();
    this.#upstream?.destroy();
  }

  // ── pick ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #pick(): void {
    this.#phase = 'pick';
    const backend = this.#backend;
    if (backend === null || !backend.hasServers) {
      if (backend !== null) backend.tally.connectionErrors++;
      this.#end('S', 'C');
      return;
    }
    const choice = backend.choose(this);
    if (choice === 'wait') this.#queue(backend);
    else if (choice === 'none') this.#onNoneLeft(backend);
    else this.#connect(choice, backend);
  }

  #queue(backend: Backend): void {
    this.#phase = 'queue';
    const { queue, connect: connectTimeout } = backend.model.timeouts;
    this.#schedule(this.#acceptedAtMs + (queue ?? connectTimeout ?? Number.POSITIVE_INFINITY));
    const ticket = backend.wait(this, this.#queuePlace > 0);
    // A place may have been free after all: then `serve` was called before the ticket came.
    if (this.#phase === 'queue') this.#ticket = ticket;
  }

  serve(server: Server, place: number): void {
    this.#ticket = null;
    this.#queuePlace = place;
    this.#connect(server, this.#backend!);
  }

  #onNoneLeft(backend: Backend): void {
    if (this.#unreachable === null) {
      // Every server took what the client said and hung up: the client is what they have in common.
      this.#end(this.#failureCause, this.#failureCause === '-' ? '-' : 'D');
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    const pauseMs = Math.min(TURNAROUND_MS, backend.model.timeouts.connect ?? TURNAROUND_MS);
    if (this.#rounds === 0) this.#retryUntilMs = this.#acceptedOrQueued() + backend.model.retries * pauseMs;
    if (this.#rounds >= backend.model.retries && nowMs >= this.#retryUntilMs) {
      backend.tally.connectionErrors++;
      if (this.#server !== null) this.#server.tally.connectionErrors++;
      this.#end(this.#failureCause, 'C');
      return;
    }
    this.#phase = 'turnaround';
    backend.pause(this);
    this.#schedule(this.#roundStartedAtMs + pauseMs);
  }

  tryAgain(): void {
    if (this.#phase !== 'turnaround') return;
    this.#backend!.endPause(this);
    this.#rounds++;
    this.#roundStartedAtMs = this.#clock.monotonicMs();
    this.#unreachable = null;
    this.#declinedBy = null;
    this.#pick();
  }

  // ── connect ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #connect(server: Server, backend: Backend): void {
    this.#phase = 'connect';
    const nowMs = this.#clock.monotonicMs();
    if (this.#retries === 0 && this.#server === null) this.#queueMs = Math.floor(nowMs - this.#acceptedAtMs);
    else this.#countRetry(server, backend);
    this.#server = server;
    backend.occupy(server);
    server.tally.countSession();
    server.tally.connects++;
    backend.tally.connects++;

    const upstream = connect({
      host: server.address,
      port: server.model.port === 0 ? (this.#client.localPort ?? 0) : server.model.port,
      noDelay: true,
      allowHalfOpen: true,
      keepAlive: backend.model.srvtcpka,
    });
    this.#upstream = upstream;
    this.#openSockets++;
    upstream.on('connect', () => this.#onConnected(upstream));
    upstream.on('data', (chunk: Buffer) => this.#onServerData(chunk, upstream));
    upstream.on('end', () => this.#onServerEnd(upstream));
    upstream.on('drain', () => this.#onServerDrain(upstream));
    upstream.on('error', (error: NodeJS.ErrnoException) => this.#onServerError(error, upstream));
    upstream.on('close', () => this.#onSocketClosed());

    const timeoutMs = backend.model.timeouts.connect ?? Number.POSITIVE_INFINITY;
    const patienceMs = this.#hasOtherCandidates(server, backend) ? Math.min(timeoutMs, HANDSHAKE_PATIENCE_MS) : timeoutMs;
    this.#schedule(nowMs + patienceMs);
  }

  #countRetry(server: Server, backend: Backend): void {
    this.#retries++;
    const before = this.#server!;
    if (before === server) {
      server.tally.retries++;
      backend.tally.retries++;
    } else {
      this.#redispatched = true;
      before.tally.redispatches++;
      backend.tally.redispatches++;
    }
  }

  #hasOtherCandidates(server: Server, backend: Backend): boolean {
    return backend.servers.some((s) => s !== server && s.balanced && !this.unreachable.has(s) && !this.declinedBy.has(s));
  }

  #onConnectFailed(failure: Failure | null): void {
    const server = this.#server!;
    const backend = this.#backend!;
    this.#failureCause = failure === null ? 'R' : failure === 'silent' ? 's' : 'S';
    this.#unreachable ??= new Set();
    this.#unreachable.add(server);
    this.#leaveServer();
    if (failure !== null) backend.blame(server, failure);
    this.#pick();
  }

  /** Lets go of the socket and gives the place back; what still comes of that socket is not for us any more. */
  #leaveServer(): void {
    const upstream = this.#upstream!;
    this.#upstream = null;
    upstream.destroy();
    this.#backend!.vacate(this.#server!);
    this.#backend!.callNext();
  }

  // ── exchange: from the handshake to the server's first byte ────────────────────────────────────────────────────────────────────

  #onConnected(upstream: Socket): void {
    if (upstream !== this.#upstream) return;
    this.#phase = 'exchange';
    const nowMs = this.#clock.monotonicMs();
    this.#connectedAtMs = nowMs;
    this.#connectMs = Math.max(0, Math.floor(nowMs - this.#acceptedAtMs) - this.#queueMs);
    this.#clientActiveAtMs = nowMs;
    this.#serverActiveAtMs = nowMs;
    this.#backend!.commend(this.#server!, 'connected');
    if (this.#frontend.model.logasap) this.#log('-', '-', this.#queueMs + this.#connectMs, true);
    for (const chunk of this.#held ?? []) {
      upstream.write(chunk);
      this.#countRequest(chunk.length);
    }
    this.#client.resume();
    if (this.#clientEnded) upstream.end();
    this.#watchInactivity(nowMs);
    this.#expectAnswer(nowMs);
  }

  /** Once the whole CONNECT is there, an answer is due. What is no CONNECT need not be kept: it is never sent twice. */
  #expectAnswer(nowMs: number): void {
    if (this.#held === null || this.#heldBytes === 0 || this.#answerDueMs !== Number.POSITIVE_INFINITY) return;
    const recognised = recogniseConnect(this.#heldTogether());
    if (recognised === 'no') this.#held = null;
    if (recognised !== 'complete') return;
    this.#answerDueMs = nowMs + ANSWER_PATIENCE_MS;
    this.#watchInactivity(nowMs);
  }

  #onAnswered(): void {
    this.#answered = true;
    this.#held = null;
    this.#answerDueMs = Number.POSITIVE_INFINITY;
    const backend = this.#backend!;
    backend.commend(this.#server!, 'answered');
    // This server thinks nothing wrong with the client, so those that hung up on it have the trouble.
    for (const server of this.declinedBy) backend.blame(server, 'closed');
    this.#declinedBy = null;
    this.#unreachable = null;
  }

  /**
   * The server hung up before it said anything. Another one gets the same bytes when that cannot do harm.
   *
   * @returns whether the session goes on elsewhere
   */
  #declined(cause: EndCause): boolean {
    if (this.#answered || this.#clientEnded || this.#held === null || this.#phase !== 'exchange') return false;
    const repeatable =
      this.#heldBytes === 0
        ? this.#clock.monotonicMs() - this.#connectedAtMs < IDLE_HANGUP_MS
        : recogniseConnect(this.#heldTogether()) !== 'no';
    if (!repeatable) return false;
    this.#failureCause = cause;
    this.#declinedBy ??= new Set();
    this.#declinedBy.add(this.#server!);
    this.#answerDueMs = Number.POSITIVE_INFINITY;
    this.#leaveServer();
    this.#pick();
    return true;
  }

  #heldTogether(): Buffer {
    const held = this.#held!;
    if (held.length > 1) held.splice(0, held.length, Buffer.concat(held));
    return held[0] ?? Buffer.alloc(0);
  }

  // ── bytes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onClientData(chunk: Buffer): void {
    const nowMs = this.#clock.monotonicMs();
    this.#clientActiveAtMs = nowMs;
    this.#bytesIn += chunk.length;
    this.#frontend.tally.bytesIn += chunk.length;
    if (this.#backend !== null) this.#backend.tally.bytesIn += chunk.length;
    if (this.#phase !== 'exchange') {
      if (this.#phase === 'ended' || this.#held === null) return;
      this.#hold(chunk);
      if (this.#heldBytes >= HELD_MAX_BYTES) this.#client.pause();
      return;
    }
    if (this.#held !== null) {
      if (this.#heldBytes + chunk.length > HELD_MAX_BYTES) this.#held = null;
      else this.#hold(chunk);
      this.#expectAnswer(nowMs);
    }
    this.#countRequest(chunk.length);
    if (forward(chunk, this.#client, this.#upstream!)) this.#serverActiveAtMs = nowMs;
  }

  #hold(chunk: Buffer): void {
    this.#held!.push(chunk);
    this.#heldBytes += chunk.length;
  }

  #countRequest(bytes: number): void {
    this.#server!.tally.bytesIn += bytes;
  }

  #onServerData(chunk: Buffer, upstream: Socket): void {
    if (upstream !== this.#upstream || this.#phase === 'ended') return;
    if (!this.#answered) this.#onAnswered();
    const nowMs = this.#clock.monotonicMs();
    this.#serverActiveAtMs = nowMs;
    this.#bytesOut += chunk.length;
    this.#frontend.tally.bytesOut += chunk.length;
    this.#backend!.tally.bytesOut += chunk.length;
    this.#server!.tally.bytesOut += chunk.length;
    if (forward(chunk, upstream, this.#client)) this.#clientActiveAtMs = nowMs;
  }

  #onClientDrain(): void {
    this.#clientActiveAtMs = this.#clock.monotonicMs();
    this.#upstream?.resume();
  }

  #onServerDrain(upstream: Socket): void {
    if (upstream !== this.#upstream) return;
    this.#serverActiveAtMs = this.#clock.monotonicMs();
    this.#client.resume();
  }

  // ── ends ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The client will send no more; what the server still has to say goes on. */
  #onClientEnd(): void {
    this.#clientEnded = true;
    if (this.#timedOut !== null) {
      this.#end(this.#timedOut, 'D');
    } else if (this.#phase === 'exchange') {
      this.#upstream!.end();
      this.#watchInactivity(this.#clock.monotonicMs());
    } else if (this.#phase !== 'ended' && this.#heldBytes === 0) {
      // It came, said nothing and left: there is nothing to bring to a server.
      this.#end('C', this.#phase === 'queue' ? 'Q' : 'C');
    }
  }

  #onServerEnd(upstream: Socket): void {
    if (upstream !== this.#upstream || this.#declined('-')) return;
    this.#serverEnded = true;
    if (this.#timedOut !== null) {
      this.#end(this.#timedOut, 'D');
      return;
    }
    this.#client.end();
    if (this.#phase === 'exchange') this.#watchInactivity(this.#clock.monotonicMs());
  }

  #onClientError(): void {
    if (this.#phase === 'ended') return;
    this.#countAbort('client');
    this.#end('C', 'D');
  }

  #onServerError(error: NodeJS.ErrnoException, upstream: Socket): void {
    if (upstream !== this.#upstream || this.#phase === 'ended') return;
    if (this.#phase === 'connect') {
      this.#onConnectFailed(OWN_TROUBLE.has(error.code ?? '') ? null : 'refused');
      return;
    }
    if (this.#declined('S')) return;
    this.#countAbort('server');
    this.#backend!.tally.responseErrors++;
    this.#server!.tally.responseErrors++;
    this.#end('S', 'D');
  }

  #countAbort(side: 'client' | 'server'): void {
    const tallies = [this.#backend?.tally, this.#server?.tally];
    for (const tally of tallies) {
      if (tally === undefined) continue;
      if (side === 'client') tally.clientAborts++;
      else tally.serverAborts++;
    }
  }

  #onSocketClosed(): void {
    this.#openSockets--;
    if (this.#client.destroyed && this.#upstream?.destroyed !== false) this.#end('-', '-');
    if (this.#openSockets > 0) return;
    this.#wheel.cancel(this.#timer);
    this.#options.onGone(this);
  }

  /** Settles the accounts, writes the line, and closes what is open after what is under way has left. Only the first end counts. */
  #end(cause: EndCause, state: EndState): void {
    if (this.#phase === 'ended') return;
    const phase = this.#phase;
    this.#phase = 'ended';
    const backend = this.#backend;
    const totalMs = Math.floor(this.#clock.monotonicMs() - this.#acceptedAtMs);
    if (this.#ticket !== null) {
      this.#queuePlace = backend!.queue.leave(this.#ticket);
      this.#queueMs = totalMs;
    }
    backend?.endPause(this);
    this.#held = null;
    if (this.#upstream !== null) backend!.vacate(this.#server!);
    backend?.tally.sessions.fall();
    if (phase === 'exchange') {
      const sessionMs = [this.#queueMs, this.#connectMs, totalMs] as const;
      backend!.tally.countTimes(...sessionMs);
      this.#server!.tally.countTimes(...sessionMs);
    }
    this.#log(cause, state, totalMs, false);
    backend?.callNext();
    this.#client.destroySoon();
    // What is still connecting would wait for the handshake before it closed.
    if (this.#upstream?.connecting === true) this.#upstream.destroy();
    else this.#upstream?.destroySoon();
    this.#wheel.schedule(this.#timer, LINGER_MS);
  }

  #log(cause: EndCause, state: EndState, totalMs: number, early: boolean): void {
    const { model, log } = this.#frontend;
    if (this.#logged || !model.tcplog || !log.enabled) return;
    if (model.logasap && !early && this.#connectMs >= 0) return;
    this.#logged = true;
    if (model.dontlognull && this.#bytesIn === 0 && !early) return;
    // HAProxy's idea of normal: nothing failed, and nothing had to be tried twice.
    if (model.dontlogNormal && cause === '-' && this.#retries === 0) return;
    const backend = this.#backend;
    const line = formatTcpLog({
      client: this.#clientName,
      acceptedAtMs: this.#acceptedWallMs,
      frontend: model.name,
      backend: backend?.name ?? model.name,
      server: this.#server?.name ?? null,
      queueMs: this.#queueMs,
      connectMs: this.#connectMs,
      totalMs,
      bytes: this.#bytesOut,
      cause,
      state,
      processConnections: this.#options.processConnections(),
      frontendConnections: this.#frontend.tally.connections.value,
      backendConnections: backend?.tally.sessions.value ?? 0,
      serverConnections: this.#server?.tally.sessions.value ?? 0,
      retries: this.#retries,
      redispatched: this.#redispatched,
      serverQueue: 0,
      backendQueue: this.#queuePlace,
      early,
    });
    log.send(INFO, line);
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onTimer(): void {
    const nowMs = this.#clock.monotonicMs();
    switch (this.#phase) {
      case 'ended':
        this.#client.destroy();
        this.#upstream?.destroy();
        return;
      case 'queue':
        this.#backend!.tally.connectionErrors++;
        this.#end('s', 'Q');
        return;
      case 'connect':
        this.#onConnectFailed('silent');
        return;
      case 'turnaround':
        this.tryAgain();
        return;
      case 'exchange':
        if (nowMs >= this.#answerDueMs) {
          this.#answerDueMs = Number.POSITIVE_INFINITY;
          this.#backend!.blame(this.#server!, 'mute');
        }
        this.#watchInactivity(nowMs);
        return;
      case 'pick':
        return;
    }
  }

  /** Ends what has been inactive for too long, and comes back when the next of it may be due. */
  #watchInactivity(nowMs: number): void {
    const clientDueMs = this.#clientActiveAtMs + this.#clientTimeoutMs();
    const serverDueMs = this.#serverActiveAtMs + this.#serverTimeoutMs();
    if (nowMs >= clientDueMs && this.#clientAwaited()) {
      this.#onInactive('client');
      return;
    }
    if (nowMs >= serverDueMs && this.#serverAwaited()) {
      this.#onInactive('server');
      return;
    }
    // One that is not waited for now may be so later; it cannot be late before a whole timeout from now.
    const clientNextMs = this.#clientAwaited() ? clientDueMs : nowMs + this.#clientTimeoutMs();
    const serverNextMs = this.#serverAwaited() ? serverDueMs : nowMs + this.#serverTimeoutMs();
    this.#schedule(Math.min(clientNextMs, serverNextMs, this.#answerDueMs));
  }

  /**
   * As in HAProxy a timeout is an end of that side: the other side is told (FIN), and its last words are still brought, for at most its
   * own timeout.
   */
  #onInactive(side: 'client' | 'server'): void {
    this.#timedOut ??= side === 'client' ? 'c' : 's';
    this.#countAbort(side);
    const [late, other] = side === 'client' ? [this.#client, this.#upstream!] : [this.#upstream!, this.#client];
    const bothOver = side === 'client' ? this.#serverEnded : this.#clientEnded;
    if (bothOver || late.writableLength > 0) {
      // Nothing more can come, or the late one does not even take what it is sent.
      this.#end(this.#timedOut, 'D');
      return;
    }
    if (side === 'client') this.#clientEnded = true;
    else this.#serverEnded = true;
    late.pause();
    other.end();
    this.#watchInactivity(this.#clock.monotonicMs());
  }

  /** Waited for: it may still send and we do read, or it has yet to take what we send. */
  #clientAwaited(): boolean {
    return (!this.#clientEnded && !this.#client.isPaused()) || this.#client.writableLength > 0;
  }

  #serverAwaited(): boolean {
    const upstream = this.#upstream!;
    return (!this.#serverEnded && !upstream.isPaused()) || upstream.writableLength > 0;
  }

  #clientTimeoutMs(): number {
    const { client, clientFin } = this.#frontend.model.timeouts;
    const { tunnel } = this.#backend!.model.timeouts;
    return (this.#halfClosed() ? clientFin : null) ?? tunnel ?? client ?? Number.POSITIVE_INFINITY;
  }

  #serverTimeoutMs(): number {
    const { server, serverFin, tunnel } = this.#backend!.model.timeouts;
    return (this.#halfClosed() ? serverFin : null) ?? tunnel ?? server ?? Number.POSITIVE_INFINITY;
  }

  #halfClosed(): boolean {
    return this.#clientEnded || this.#serverEnded;
  }

  #schedule(atMs: number): void {
    if (atMs === Number.POSITIVE_INFINITY) this.#wheel.cancel(this.#timer);
    else this.#wheel.schedule(this.#timer, Math.max(0, atMs - this.#clock.monotonicMs()));
  }

  #acceptedOrQueued(): number {
    return this.#acceptedAtMs + Math.max(0, this.#queueMs);
  }
}

function nameOf(client: Socket, listenerId: number): string {
  return client.remoteAddress === undefined ? `unix:${listenerId}` : `${client.remoteAddress}:${client.remotePort}`;
}

import { connect, type Socket } from 'node:net';
import type { Clock } from '../timing/clock.ts';
import { TimerEntry, type TimerWheel } from '../timing/timer-wheel.ts';
import type { ProxyHeader } from '../transport/proxy-protocol.ts';
import type { Applicant, Backend } from './backend.ts';
import { endsOf, proxyHeaderFor } from './client-ends.ts';
import { FIRST_BYTES_MAX, FirstBytes } from './first-bytes.ts';
import type { Frontend } from './frontend.ts';
import type { Failure } from './health/passive.ts';
import type { EndCause, EndState } from './log-format.ts';
import type { Server } from './server.ts';
import { SessionAccount } from './session-account.ts';
import { forward } from './splice.ts';
import type { Ticket } from './waiting-room.ts';

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
  /** As the log names it. */
  readonly clientName: string;
  /** What the client's proxy says of it; null: nothing. */
  readonly proxyHeader: ProxyHeader | null;
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
  readonly #onGone: (stream: Stream) => void;
  readonly #account: SessionAccount;
  readonly #proxyHeader: ProxyHeader | null;

  #phase: 'pick' | 'queue' | 'connect' | 'turnaround' | 'exchange' | 'ended' = 'pick';
  #upstream: Socket | null = null;
  #ticket: Ticket<Applicant> | null = null;
  #openSockets = 1;

  readonly #firstBytes = new FirstBytes();
  #answered = false;
  #clientEnded = false;
  #serverEnded = false;

  #unreachable: Set<Server> | null = null;
  #declinedBy: Set<Server> | null = null;
  /** What the last server that failed it died of, as the log has it. */
  #failureCause: EndCause = 'S';
  #rounds = 0;
  #roundStartedAtMs: number;
  #retryUntilMs = 0;

  #connectedAtMs = 0;
  /** When the server, given a CONNECT, ought to have answered. */
  #answerDueMs = Number.POSITIVE_INFINITY;
  #clientActiveAtMs = 0;
  #serverActiveAtMs = 0;
  /** Whose inactivity has half-closed the session. */
  #timedOut: EndCause | null = null;

  constructor(options: StreamOptions) {
    const { client, clientName, frontend, backend, clock, processConnections } = options;
    this.#client = client;
    this.#proxyHeader = options.proxyHeader;
    this.#frontend = frontend;
    this.#backend = backend;
    this.#clock = clock;
    this.#wheel = options.wheel;
    this.#onGone = options.onGone;
    this.#account = new SessionAccount({ frontend, backend, clock, clientName, processConnections });
    this.#roundStartedAtMs = this.#account.acceptedAtMs;
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
    this.#account.opened();
    this.#pick();
  }

  /** Ends the session without a word, for a balancer that stops hard. */
  abort(): void {
    this.#account.silence();
    this.#end('K', 'D');
    this.#client.destroy();
    this.#upstream?.destroy();
  }

  // ── pick ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #pick(): void {
    this.#phase = 'pick';
    const backend = this.#backend;
    if (backend === null || !backend.hasServers) {
      this.#account.unserved();
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
    this.#schedule(this.#account.acceptedAtMs + (queue ?? connectTimeout ?? Number.POSITIVE_INFINITY));
    const ticket = backend.wait(this, this.#account.queuePlace > 0);
    // A place may have been free after all: then `serve` was called before the ticket came.
    if (this.#phase === 'queue') this.#ticket = ticket;
  }

  serve(server: Server, place: number): void {
    this.#ticket = null;
    this.#account.queuePlace = place;
    this.#connect(server, this.#backend!);
  }

  #onNoneLeft(backend: Backend): void {
    if (this.#unreachable === null) {
      // Every server took what the client said and hung up: the client is what they have in common.
      this.#onServersDeclined();
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    const pauseMs = Math.min(TURNAROUND_MS, backend.model.timeouts.connect ?? TURNAROUND_MS);
    if (this.#rounds === 0) this.#retryUntilMs = this.#roundStartedAtMs + backend.model.retries * pauseMs;
    if (this.#rounds >= backend.model.retries && nowMs >= this.#retryUntilMs) {
      this.#account.unserved();
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
    this.#account.connecting(server);
    backend.occupy(server);
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
    this.#schedule(this.#clock.monotonicMs() + patienceMs);
  }

  #hasOtherCandidates(server: Server, backend: Backend): boolean {
    return backend.servers.some((s) => s !== server && s.balanced && !this.unreachable.has(s) && !this.declinedBy.has(s));
  }

  #onConnectFailed(failure: Failure | null): void {
    const server = this.#account.server!;
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
    this.#backend!.vacate(this.#account.server!);
    this.#backend!.callNext();
  }

  // ── exchange: from the handshake to the server's first byte ────────────────────────────────────────────────────────────────────

  #onConnected(upstream: Socket): void {
    if (upstream !== this.#upstream) return;
    this.#phase = 'exchange';
    const nowMs = this.#clock.monotonicMs();
    this.#connectedAtMs = nowMs;
    this.#account.connected();
    this.#clientActiveAtMs = nowMs;
    this.#serverActiveAtMs = nowMs;
    this.#backend!.commend(this.#account.server!, 'connected');
    const { proxyHeader } = this.#account.server!.model;
    if (proxyHeader !== null) upstream.write(proxyHeaderFor(proxyHeader, endsOf(this.#client, this.#proxyHeader)));
    for (const chunk of this.#firstBytes.chunks) {
      upstream.write(chunk);
      this.#account.forwarded(chunk.length);
    }
    this.#client.resume();
    if (this.#clientEnded) upstream.end();
    this.#watchInactivity(nowMs);
    this.#expectAnswer(nowMs);
  }

  /** Once the whole CONNECT is there, an answer is due. What is no CONNECT need not be kept: it is never sent twice. */
  #expectAnswer(nowMs: number): void {
    if (!this.#firstBytes.kept || this.#firstBytes.length === 0 || this.#answerDueMs !== Number.POSITIVE_INFINITY) return;
    const recognised = this.#firstBytes.recognise();
    if (recognised === 'no') this.#firstBytes.forget();
    if (recognised !== 'complete') return;
    this.#answerDueMs = nowMs + ANSWER_PATIENCE_MS;
    this.#watchInactivity(nowMs);
  }

  #onAnswered(): void {
    this.#answered = true;
    this.#firstBytes.forget();
    this.#answerDueMs = Number.POSITIVE_INFINITY;
    const backend = this.#backend!;
    backend.commend(this.#account.server!, 'answered');
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
    if (this.#answered || this.#clientEnded || !this.#firstBytes.kept || this.#phase !== 'exchange') return false;
    const repeatable =
      this.#firstBytes.length === 0
        ? this.#clock.monotonicMs() - this.#connectedAtMs < IDLE_HANGUP_MS
        : this.#firstBytes.recognise() !== 'no';
    if (!repeatable) return false;
    this.#failureCause = cause;
    this.#declinedBy ??= new Set();
    this.#declinedBy.add(this.#account.server!);
    this.#answerDueMs = Number.POSITIVE_INFINITY;
    this.#leaveServer();
    this.#pick();
    return true;
  }

  #onServersDeclined(): void {
    if (this.#failureCause === '-') {
      this.#end('-', '-');
    } else {
      this.#account.serverAborted(true);
      this.#end(this.#failureCause, 'D');
    }
  }

  // ── bytes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onClientData(chunk: Buffer): void {
    const nowMs = this.#clock.monotonicMs();
    this.#clientActiveAtMs = nowMs;
    this.#account.request(chunk.length);
    if (this.#phase !== 'exchange') {
      if (this.#phase === 'ended') return;
      this.#firstBytes.add(chunk, { always: true });
      if (this.#firstBytes.length >= FIRST_BYTES_MAX) this.#client.pause();
      return;
    }
    if (this.#firstBytes.kept) {
      this.#firstBytes.add(chunk, { always: false });
      this.#expectAnswer(nowMs);
    }
    this.#account.forwarded(chunk.length);
    if (forward(chunk, this.#client, this.#upstream!)) this.#serverActiveAtMs = nowMs;
  }

  #onServerData(chunk: Buffer, upstream: Socket): void {
    if (upstream !== this.#upstream || this.#phase === 'ended') return;
    if (!this.#answered) this.#onAnswered();
    // Any session's bytes show that a server thought frozen lives; that it takes new ones they do not show.
    else if (this.#account.server!.health.failure === 'mute') this.#backend!.commend(this.#account.server!, 'answered');
    const nowMs = this.#clock.monotonicMs();
    this.#serverActiveAtMs = nowMs;
    this.#account.response(chunk.length);
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
    } else if (this.#phase !== 'ended' && this.#firstBytes.length === 0) {
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
    this.#account.clientAborted();
    this.#end('C', 'D');
  }

  #onServerError(error: NodeJS.ErrnoException, upstream: Socket): void {
    if (upstream !== this.#upstream || this.#phase === 'ended') return;
    if (this.#phase === 'connect') {
      this.#onConnectFailed(OWN_TROUBLE.has(error.code ?? '') ? null : 'refused');
      return;
    }
    if (this.#declined('S')) return;
    this.#account.serverAborted(true);
    this.#end('S', 'D');
  }

  #onSocketClosed(): void {
    this.#openSockets--;
    if (this.#client.destroyed && this.#upstream?.destroyed !== false) this.#end('-', '-');
    if (this.#openSockets > 0) return;
    this.#wheel.cancel(this.#timer);
    this.#onGone(this);
  }

  /** Settles the accounts, writes the line, and closes what is open after what is under way has left. Only the first end counts. */
  #end(cause: EndCause, state: EndState): void {
    if (this.#phase === 'ended') return;
    const phase = this.#phase;
    this.#phase = 'ended';
    const backend = this.#backend;
    if (this.#ticket !== null) this.#account.gaveUpWaiting(backend!.queue.leave(this.#ticket));
    backend?.endPause(this);
    this.#firstBytes.forget();
    if (this.#upstream !== null) backend!.vacate(this.#account.server!);
    this.#account.closed(cause, state, phase === 'exchange');
    backend?.callNext();
    this.#client.destroySoon();
    // What is still connecting would wait for the handshake before it closed.
    if (this.#upstream?.connecting === true) this.#upstream.destroy();
    else this.#upstream?.destroySoon();
    this.#wheel.schedule(this.#timer, LINGER_MS);
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
        this.#account.unserved();
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
          this.#backend!.blame(this.#account.server!, 'mute');
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
    if (side === 'client') this.#account.clientAborted();
    else this.#account.serverAborted(false);
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
}

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Stats } from '../../config/haproxy/model.ts';
import { TimerEntry, type TimerWheel } from '../../timing/timer-wheel.ts';
import type { Balancer } from '../balancer.ts';
import type { Frontend, Session } from '../frontend.ts';
import { type EndCause, type EndState, formatHttpLog, formatTcpLog } from '../log-format.ts';
import { INFO } from '../syslog.ts';
import { renderCsv, renderJson } from './exports.ts';
import { parseHead, type RequestHead } from './http-head.ts';
import { type PageOptions, renderPage } from './page.ts';
import { type Answer, BAD_REQUEST, denied, REQUEST_TIMEOUT, serialise, unauthorized, unavailable } from './responses.ts';
import { collectRows } from './rows.ts';
import { SCHEMA } from './schema.ts';

/** How long a request's head may take where `timeout http-request` is not set, in milliseconds. HAProxy waits `timeout client`. */
const HEAD_PATIENCE_MS = 10_000;
/** How long a connection may idle between two requests, in milliseconds, unless `timeout client` is shorter. A page that refreshes each
 * 30 seconds keeps its connection. */
const KEEP_ALIVE_MS = 60_000;
/** How long an answer may take to be read, in milliseconds. */
const ANSWER_PATIENCE_MS = 30_000;
/** Bytes of pipelined requests that may wait while an answer is being read. */
const PIPELINED_MAX_BYTES = 65_536;

export interface StatisticsOptions {
  readonly client: Socket;
  /** As the log names it. */
  readonly clientName: string;
  readonly frontend: Frontend;
  readonly balancer: Balancer;
  readonly wheel: TimerWheel;
  readonly page: PageOptions;
  readonly onGone: (session: Session) => void;
}

/** One connection to an http frontend: answers the statistics, and 503 for everything else. */
export class StatisticsSession implements Session {
  readonly #client: Socket;
  readonly #frontend: Frontend;
  readonly #balancer: Balancer;
  readonly #wheel: TimerWheel;
  readonly #options: StatisticsOptions;
  readonly #timer = new TimerEntry<StatisticsSession>(this, (session) => session.#onTimer());
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #phase: 'idle' | 'head' | 'answer' | 'ended' = 'head';
  #clientEnded = false;
  #startedWallMs: number;

  constructor(options: StatisticsOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#frontend = options.frontend;
    this.#balancer = options.balancer;
    this.#wheel = options.wheel;
    this.#startedWallMs = options.balancer.clock.wallMs();
  }

  start(): void {
    const client = this.#client;
    client.on('data', (chunk: Buffer) => this.#onData(chunk));
    client.on('end', () => this.#onEnd());
    client.on('error', () => this.abort());
    client.on('close', () => this.#onClose());
    this.#wheel.schedule(this.#timer, this.#headPatienceMs());
    client.resume();
  }

  abort(): void {
    this.#phase = 'ended';
    this.#client.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#count('in', chunk.length);
    if (this.#phase === 'ended') return;
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#phase === 'idle') this.#expectHead();
    if (this.#phase === 'head') this.#answerRequests();
    else if (this.#receivedBytes > PIPELINED_MAX_BYTES) this.#client.pause();
  }

  #expectHead(): void {
    this.#phase = 'head';
    this.#startedWallMs = this.#balancer.clock.wallMs();
    this.#wheel.schedule(this.#timer, this.#headPatienceMs());
  }

  /** Answers what is there, one after the other; stops when an answer waits for the client to read it. */
  #answerRequests(): void {
    while (this.#phase === 'head') {
      const bytes = this.#received.length === 1 ? this.#received[0]! : Buffer.concat(this.#received);
      const head = parseHead(bytes);
      if (head === 'more') {
        this.#received = [bytes];
        if (this.#clientEnded) this.#endUnanswered();
        return;
      }
      if (head === 'bad') {
        this.#refuse(BAD_REQUEST, 400);
        return;
      }
      const rest = bytes.subarray(head.length);
      this.#received = rest.length === 0 ? [] : [rest];
      this.#receivedBytes = rest.length;
      this.#answer(head);
    }
  }

  #answer(head: RequestHead): void {
    const { tally } = this.#frontend;
    tally.requests++;
    tally.requestRate.count();
    const { answer, ours } = this.#respond(head);
    if (ours) tally.intercepted++;
    this.#countResponse(answer.status);
    const close = !wantsKeepAlive(head);
    const bytes = serialise(answer, { close, headOnly: head.method === 'HEAD' });
    this.#log(answer.status, bytes.length, head, ours);
    this.#send(bytes, close);
  }

  #respond(head: RequestHead): { answer: Answer; ours: boolean } {
    const stats = this.#frontend.model.stats ?? this.#frontend.backend?.model.stats ?? null;
    const readable = head.method === 'GET' || head.method === 'HEAD' || head.method === 'POST';
    if (stats === null || !readable || !head.target.startsWith(stats.uri)) return { answer: unavailable(), ours: false };
    if (!isAuthorized(stats, head)) return { answer: unauthorized(stats.realm), ours: true };
    if (head.method === 'POST') return { answer: denied(stats.uri), ours: true };
    return { answer: this.#report(stats, head), ours: true };
  }

  #report(stats: Stats, head: RequestHead): Answer {
    const [path, query = ''] = splitOnce(head.target.slice(stats.uri.length), '?');
    const words = new Set([...path.split(';'), ...query.split(';')]);
    if (words.has('json-schema')) return document('application/json', SCHEMA, null);
    const refreshSeconds = words.has('norefresh') ? null : stats.refreshSeconds;
    const scope = stats.scope.length === 0 ? null : new Set(stats.scope.map((name) => (name === '.' ? this.#frontend.name : name)));
    const rows = collectRows(this.#balancer, { legends: stats.showLegends, scope });
    if (words.has('csv')) return document('text/plain', renderCsv(rows), refreshSeconds);
    if (words.has('json')) return document('application/json', renderJson(rows), refreshSeconds);
    const page = renderPage(rows, this.#balancer, stats, this.#options.page, {
      hideDown: words.has('up'),
      refreshSeconds,
      search: new URLSearchParams(query).get('scope') ?? '',
      denied: words.has('st=DENY'),
    });
    return document('text/html; charset=utf-8', page, refreshSeconds);
  }

  #send(bytes: Buffer, close: boolean): void {
    this.#count('out', bytes.length);
    this.#phase = 'answer';
    this.#wheel.schedule(this.#timer, ANSWER_PATIENCE_MS);
    if (close) {
      this.#client.write(bytes);
      this.#finish();
    } else {
      this.#client.write(bytes, (error) => {
        if (error === null || error === undefined) this.#onAnswered();
      });
    }
  }

  #onAnswered(): void {
    if (this.#phase !== 'answer') return;
    this.#client.resume();
    if (this.#receivedBytes > 0) {
      this.#expectHead();
      this.#answerRequests();
      return;
    }
    if (this.#clientEnded) {
      this.#finish();
      return;
    }
    this.#phase = 'idle';
    const { client } = this.#frontend.model.timeouts;
    this.#wheel.schedule(this.#timer, Math.min(KEEP_ALIVE_MS, client ?? KEEP_ALIVE_MS));
  }

  /** The answers of the HTTP parser: the connection cannot go on, since nobody knows where the next request would begin. */
  #refuse(bytes: Buffer, status: number): void {
    this.#frontend.tally.requestErrors++;
    this.#countResponse(status);
    this.#log(status, 0, null, false);
    this.#count('out', bytes.length);
    this.#client.write(bytes);
    this.#finish();
  }

  /** Sends FIN and reads on until the client's, so that unread bytes do not turn the last answer into a reset. */
  #finish(): void {
    this.#phase = 'ended';
    this.#received = [];
    this.#client.end();
    this.#client.resume();
    this.#wheel.schedule(this.#timer, ANSWER_PATIENCE_MS);
  }

  /** Requests that came before the FIN are still answered. */
  #onEnd(): void {
    this.#clientEnded = true;
    if (this.#phase === 'answer' || this.#phase === 'ended') return;
    this.#endUnanswered();
  }

  #endUnanswered(): void {
    if (this.#receivedBytes > 0) this.#frontend.tally.requestErrors++;
    this.#finish();
  }

  #onTimer(): void {
    // A client that never said a word gets none: browsers open connections in advance.
    if (this.#phase === 'head' && this.#receivedBytes > 0) this.#refuse(REQUEST_TIMEOUT, 408);
    else this.abort();
  }

  #onClose(): void {
    this.#wheel.cancel(this.#timer);
    this.#options.onGone(this);
  }

  #headPatienceMs(): number {
    const { httpRequest, client } = this.#frontend.model.timeouts;
    return httpRequest ?? Math.min(HEAD_PATIENCE_MS, client ?? HEAD_PATIENCE_MS);
  }

  #count(direction: 'in' | 'out', bytes: number): void {
    for (const tally of [this.#frontend.tally, this.#frontend.backend?.tally]) {
      if (tally === undefined) continue;
      if (direction === 'in') tally.bytesIn += bytes;
      else tally.bytesOut += bytes;
    }
  }

  #countResponse(status: number): void {
    const index = Math.floor(status / 100) - 1;
    this.#frontend.tally.responses[index as 0]++;
  }

  #log(status: number, bytes: number, head: RequestHead | null, ours: boolean): void {
    const { model, log, tally, backend } = this.#frontend;
    if (!log.enabled || !(model.httplog || model.tcplog)) return;
    if (head === null && this.#receivedBytes === 0 && model.dontlognull) return;
    const reached = ours ? 0 : -1;
    const [cause, state] = endOf(head, ours);
    if (model.dontlogNormal && status < 500) return;
    const record = {
      client: this.#options.clientName,
      acceptedAtMs: this.#startedWallMs,
      frontend: model.name,
      backend: backend?.name ?? model.name,
      server: ours ? '<STATS>' : null,
      queueMs: reached,
      connectMs: reached,
      totalMs: 0,
      bytes,
      cause,
      state,
      processConnections: this.#balancer.load.connections.value,
      frontendConnections: tally.connections.value,
      backendConnections: 0,
      serverConnections: 0,
      retries: 0,
      redispatched: false,
      serverQueue: 0,
      backendQueue: 0,
      early: false,
      status,
      requestLine: head === null ? null : `${head.method} ${head.target} ${head.version}`,
    };
    log.send(INFO, model.httplog ? formatHttpLog(record) : formatTcpLog(record));
  }
}

function endOf(head: RequestHead | null, ours: boolean): [EndCause, EndState] {
  if (head === null) return ['C', 'R'];
  return ours ? ['L', 'R'] : ['S', 'C'];
}

function document(type: string, body: string, refreshSeconds: number | null): Answer {
  const headers: [string, string][] = [
    ['cache-control', 'no-cache'],
    ['content-type', type],
    ['content-length', String(Buffer.byteLength(body))],
  ];
  if (refreshSeconds !== null && refreshSeconds > 0) headers.push(['refresh', String(refreshSeconds)]);
  return { status: 200, reason: 'OK', headers, body };
}

/** A request with a body ends the connection: nobody here reads it. */
function wantsKeepAlive(head: RequestHead): boolean {
  const connection = (head.headers.get('connection') ?? '').toLowerCase();
  const hasBody = head.headers.has('transfer-encoding') || Number(head.headers.get('content-length') ?? 0) !== 0;
  if (hasBody || connection.includes('close')) return false;
  return head.version === 'HTTP/1.1' || connection.includes('keep-alive');
}

function isAuthorized(stats: Stats, head: RequestHead): boolean {
  if (stats.auth.length === 0) return true;
  const credentials = /^basic +([A-Za-z0-9+/=]+)$/i.exec(head.headers.get('authorization') ?? '')?.[1];
  if (credentials === undefined) return false;
  const given = digest(Buffer.from(credentials, 'base64'));
  // Every pair is compared, so that the time tells nothing about which one fits.
  let authorized = false;
  for (const { user, password } of stats.auth) {
    if (timingSafeEqual(given, digest(Buffer.from(`${user}:${password}`)))) authorized = true;
  }
  return authorized;
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

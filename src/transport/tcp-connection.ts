import { connect, type Socket } from 'node:net';
import { SLAB_SIZE_MAX, SlabPool } from '../bytes/slab-pool.ts';
import { CodedError } from '../errors.ts';
import { type Connection, type ConnectionHandler, DRAIN_BYTES_MIN } from './connection.ts';
import { formatEndpoint } from './endpoint.ts';
import type { PeerCertificate } from './stage.ts';
import { StreamWire } from './stream-wire.ts';
import type { Flushable, Turn } from './turn.ts';
import type { Wire, WireOwner } from './wire.ts';

/** From this size on, in bytes, `write` keeps a reference instead of copying: the copy would cost more than the extra buffer of a writev. */
const REFERENCE_SIZE_MIN = 2_048;

/**
 * Bytes gathered on one connection within a turn beyond which they are written at once. Enough to make system calls rare, few enough to be
 * in the processor's cache still when the kernel reads them, and to be the same memory again right after.
 */
const TURN_BYTES_MAX = 65_536;

/** How long a peer has to take the last bytes and close its side after `end`, in milliseconds. */
const END_TIMEOUT_MS = 10_000;

const NOTHING = Buffer.alloc(0);
/** Nothing is queued: most connections of most turns have no more than one slab. Never written to. */
const NO_SEGMENTS: Buffer[] = [];
const pool = new SlabPool();
let nextId = 1;

/** Who keeps the list of connections. */
export interface ConnectionKeeper {
  /** See `Connection.admit`. */
  admit(connection: TcpConnection, from: Connection | null): boolean;
  countProbe(): void;
  /** The connection is closed; its protocol is told next. */
  closed(connection: TcpConnection): void;
}

/** A TCP socket, or what stages have put around one, as protocols see it. */
export class TcpConnection implements Connection, Flushable, WireOwner {
  readonly id = nextId++;
  readonly remoteAddress: string;
  readonly peerCertificate: PeerCertificate | null;
  readonly refusal: string | null;
  readonly serverName: string | null;
  readonly connector: string;
  output: Buffer = NOTHING;
  readonly #wire: Wire;
  readonly #turn: Turn;
  readonly #keeper: ConnectionKeeper | null;
  #handler: ConnectionHandler | null = null;
  /** Bytes used in `output`. */
  #length = 0;
  /** Full slabs and references to large payloads, in order, before `output`. */
  #segments = NO_SEGMENTS;
  #segmentBytes = 0;
  /** Slabs among the segments, to be given back. */
  #slabs = NO_SEGMENTS;
  /** Bytes given to the wire since the beginning. */
  #givenBytes = 0;
  /** Bytes of the last flush: the first slab of the next turn is made for as many. */
  #lastFlushBytes = 0;
  #dirty = false;
  /** More than `DRAIN_BYTES_MIN` bytes were queued: somebody may wait for them to leave. */
  #awaited = false;
  #ending = false;
  #endTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: {
    readonly wire: Wire;
    readonly connector: string;
    readonly turn: Turn;
    readonly remoteAddress: string;
    readonly peerCertificate?: PeerCertificate | null;
    readonly refusal?: string | null;
    readonly serverName?: string | null;
    readonly keeper?: ConnectionKeeper | null;
  }) {
    this.#wire = options.wire;
    this.#turn = options.turn;
    this.#keeper = options.keeper ?? null;
    this.connector = options.connector;
    this.remoteAddress = options.remoteAddress;
    this.peerCertificate = options.peerCertificate ?? null;
    this.refusal = options.refusal ?? null;
    this.serverName = options.serverName ?? null;
  }

  /**
   * Gives the connection its protocol and starts reading. Called once.
   * @param head bytes that stages have read, who leave the socket paused; null: there was no stage
   */
  start(handler: ConnectionHandler, head: Buffer | null = null): void {
    this.#handler = handler;
    this.#wire.start(this);
    if (head === null) return;
    this.#wire.resume();
    if (head.length > 0) this.onData(head, 0, head.length);
  }

  onData(chunk: Buffer, start: number, end: number): void {
    this.#turn.bytesReceived += end - start;
    this.#handler!.onData(chunk, start, end);
  }

  /** Our side closes when the peer's has: what this turn has gathered must leave before. */
  onEnd(): void {
    this.flush();
  }

  onDrain(): void {
    this.#awaited = false;
    this.#handler!.onDrain();
  }

  onClose(error: Error | null): void {
    this.#closed = true;
    if (this.#endTimer !== null) clearTimeout(this.#endTimer);
    this.#release();
    this.#keeper?.closed(this);
    this.#handler!.onClose(error);
  }

  get queuedBytes(): number {
    return this.#wire.unsentBytes + this.#segmentBytes + this.#length;
  }

  get unsentBytes(): number {
    return this.#wire.unsentBytes;
  }

  /** Bytes that the kernel has taken since the beginning. */
  get sentBytes(): number {
    return this.#givenBytes - this.#wire.unsentBytes;
  }

  get writable(): boolean {
    return !this.#ending && !this.#closed;
  }

  reserve(size: number): number {
    let at = this.#length;
    if (at + size > this.output.length) {
      this.#roll(size);
      at = 0;
    }
    this.#length = at + size;
    if (!this.#dirty) this.#markDirty();
    return at;
  }

  writeCopy(source: Buffer, start: number, end: number): void {
    const at = this.reserve(end - start);
    source.copy(this.output, at, start, end);
  }

  write(bytes: Buffer): void {
    if (bytes.length < REFERENCE_SIZE_MIN) {
      this.writeCopy(bytes, 0, bytes.length);
      return;
    }
    if (!this.writable) return;
    if (this.#length > 0) this.#closeSegment();
    this.#addSegment(bytes);
    this.#segmentBytes += bytes.length;
    if (!this.#dirty) this.#markDirty();
    if (this.#segmentBytes > TURN_BYTES_MAX) this.#send();
  }

  flush(): void {
    this.#dirty = false;
    if (this.#segments.length > 0 || this.#length > 0) this.#send();
    if (this.#awaited && this.#wire.unsentBytes === 0) this.#tellDrained();
  }

  end(): void {
    if (!this.writable) return;
    if (this.#segments.length > 0 || this.#length > 0) this.#send();
    this.#ending = true;
    this.#wire.end();
    // A peer that neither reads nor closes would keep the socket for ever.
    this.#endTimer = setTimeout(() => this.#wire.destroy(), END_TIMEOUT_MS).unref();
  }

  destroy(): void {
    this.#ending = true;
    this.#wire.destroy();
  }

  pause(): void {
    this.#wire.pause();
  }

  resume(): void {
    this.#wire.resume();
  }

  admit(from: Connection | null): boolean {
    return this.refusal === null && (this.#keeper === null || this.#keeper.admit(this, from));
  }

  countProbe(): void {
    this.#keeper?.countProbe();
  }

  /** The kernel has taken all of it at once, so that the wire says nothing. */
  #tellDrained(): void {
    this.#awaited = false;
    if (this.writable && !this.#wire.destroyed) this.#handler!.onDrain();
  }

  #markDirty(): void {
    this.#dirty = true;
    this.#turn.add(this);
  }

  /** Starts a new slab with room for `size`; each one in a turn is larger than the last. */
  #roll(size: number): void {
    const grown =
      this.output.length === 0 ? Math.max(size, this.#lastFlushBytes) : Math.max(size, Math.min(this.output.length * 4, SLAB_SIZE_MAX));
    if (this.#length > 0) this.#closeSegment();
    else if (this.output.length > 0) pool.give(this.output);
    if (this.#segmentBytes > TURN_BYTES_MAX) this.#send();
    this.output = pool.take(grown);
  }

  #closeSegment(): void {
    this.#addSegment(this.#length === this.output.length ? this.output : this.output.subarray(0, this.#length));
    this.#segmentBytes += this.#length;
    if (this.#slabs === NO_SEGMENTS) this.#slabs = [];
    this.#slabs.push(this.output);
    this.output = NOTHING;
    this.#length = 0;
  }

  #addSegment(bytes: Buffer): void {
    if (this.#segments === NO_SEGMENTS) this.#segments = [];
    this.#segments.push(bytes);
  }

  #send(): void {
    const wire = this.#wire;
    if (this.#closed || this.#ending || wire.destroyed) {
      this.#release();
      return;
    }
    const bytes = this.#segmentBytes + this.#length;
    this.#turn.bytesSent += bytes;
    this.#lastFlushBytes = Math.min(bytes, SLAB_SIZE_MAX);
    if (bytes > DRAIN_BYTES_MIN) this.#awaited = true;
    if (this.#segments.length === 0) {
      const slab = this.output;
      const length = this.#length;
      this.output = NOTHING;
      this.#length = 0;
      this.#givenBytes += length;
      wire.send(length === slab.length ? slab : slab.subarray(0, length));
      if (wire.unsentBytes === 0) pool.give(slab); // the kernel has copied it
      return;
    }
    if (this.#length > 0) this.#closeSegment();
    const segments = this.#segments;
    const slabs = this.#slabs;
    this.#segments = NO_SEGMENTS;
    this.#slabs = NO_SEGMENTS;
    this.#givenBytes += this.#segmentBytes;
    this.#segmentBytes = 0;
    wire.sendAll(segments);
    if (wire.unsentBytes === 0) for (const slab of slabs) pool.give(slab);
  }

  #release(): void {
    this.#segments = NO_SEGMENTS;
    this.#slabs = NO_SEGMENTS;
    this.#segmentBytes = 0;
    this.#length = 0;
    this.output = NOTHING;
  }
}

/**
 * Opens a connection.
 * @throws CodedError CONNECT_FAILED (retryable) when it is refused, unreachable or not there within `timeoutMs`
 */
export function connectTcp(options: { host: string; port: number; timeoutMs: number; turn: Turn }): Promise<TcpConnection> {
  const { host, port, timeoutMs, turn } = options;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const fail = (why: string, cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new CodedError('CONNECT_FAILED', `cannot connect to ${host}:${port}: ${why}`, 'peer', true, cause));
    };
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
    const onError = (error: Error): void => fail(error.message, error);
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(new TcpConnection({ wire: new StreamWire(socket), connector: '', turn, remoteAddress: addressOf(socket) }));
    });
  });
}

/** `127.0.0.1:51234`: the other end of a socket. */
export function addressOf(socket: Socket): string {
  return formatEndpoint({ address: socket.remoteAddress ?? 'unknown', port: socket.remotePort ?? 0 });
}

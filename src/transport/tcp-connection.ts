import { connect, type Socket } from 'node:net';
import { CodedError } from '../errors.ts';
import type { ByteStream } from './byte-stream.ts';
import type { Connection, ConnectionHandler } from './connection.ts';
import { SLAB_SIZE_MAX, SlabPool } from './slab-pool.ts';
import type { PeerCertificate } from './stage.ts';
import type { Flushable, Turn } from './turn.ts';

/** From this size on, in bytes, `write` keeps a reference instead of copying: the copy would cost more than the extra buffer of a writev. */
const REFERENCE_SIZE_MIN = 2_048;

/** Bytes gathered on one connection within a turn beyond which it is written at once, so that one turn cannot hold unbounded memory. */
const TURN_BYTES_MAX = 1024 * 1024;

/** How long a peer has to take the last bytes and close its side after `end`, in milliseconds. */
const END_TIMEOUT_MS = 10_000;

const NOTHING = Buffer.alloc(0);
const pool = new SlabPool();
let nextId = 1;

/** A TCP socket, or what stages have put around one, as protocols see it. */
export class TcpConnection implements Connection, Flushable {
  readonly id = nextId++;
  readonly remoteAddress: string;
  readonly peerCertificate: PeerCertificate | null;
  readonly connector: string;
  output: Buffer = NOTHING;
  readonly #socket: ByteStream;
  readonly #turn: Turn;
  #handler: ConnectionHandler | null = null;
  /** Bytes used in `output`. */
  #length = 0;
  /** Full slabs and references to large payloads, in order, before `output`. */
  #segments: Buffer[] = [];
  #segmentBytes = 0;
  /** Slabs among the segments, to be given back. */
  #slabs: Buffer[] = [];
  /** Bytes of the last flush: the first slab of the next turn is made for as many. */
  #lastFlushBytes = 0;
  /** What the kernel had not taken at the last flush. */
  #backlog = 0;
  #dirty = false;
  #ending = false;
  #endTimer: NodeJS.Timeout | null = null;
  #closed = false;
  #error: Error | null = null;

  constructor(socket: ByteStream, connector: string, turn: Turn, remoteAddress: string, peerCertificate: PeerCertificate | null = null) {
    this.#socket = socket;
    this.#turn = turn;
    this.connector = connector;
    this.remoteAddress = remoteAddress;
    this.peerCertificate = peerCertificate;
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    // The socket closes its side when the peer has: what this turn has gathered must leave before.
    socket.prependListener('end', () => this.flush());
    socket.on('drain', () => {
      this.#backlog = 0;
      this.#handler?.onDrain();
    });
    socket.on('close', () => {
      this.#closed = true;
      if (this.#endTimer !== null) clearTimeout(this.#endTimer);
      this.#release();
      this.#handler?.onClose(this.#error);
    });
  }

  /**
   * Gives the connection its protocol and starts reading. Called once.
   * @param head bytes that stages have read, who leave the socket paused; null: there was no stage
   */
  start(handler: ConnectionHandler, head: Buffer | null = null): void {
    this.#handler = handler;
    this.#socket.on('data', (chunk: Buffer) => handler.onData(chunk, 0, chunk.length));
    if (head === null) return;
    this.#socket.resume();
    if (head.length > 0) handler.onData(head, 0, head.length);
  }

  get queuedBytes(): number {
    return this.#backlog + this.#segmentBytes + this.#length;
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
    this.#segments.push(bytes);
    this.#segmentBytes += bytes.length;
    if (!this.#dirty) this.#markDirty();
    if (this.#segmentBytes > TURN_BYTES_MAX) this.#send();
  }

  flush(): void {
    this.#dirty = false;
    if (this.#segments.length > 0 || this.#length > 0) this.#send();
  }

  end(): void {
    if (!this.writable) return;
    if (this.#segments.length > 0 || this.#length > 0) this.#send();
    this.#ending = true;
    this.#socket.end();
    // A peer that neither reads nor closes would keep the socket for ever.
    this.#endTimer = setTimeout(() => this.#socket.destroy(), END_TIMEOUT_MS).unref();
  }

  destroy(): void {
    this.#ending = true;
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
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
    this.#segments.push(this.#length === this.output.length ? this.output : this.output.subarray(0, this.#length));
    this.#segmentBytes += this.#length;
    this.#slabs.push(this.output);
    this.output = NOTHING;
    this.#length = 0;
  }

  #send(): void {
    const socket = this.#socket;
    if (this.#closed || this.#ending || socket.destroyed) {
      this.#release();
      return;
    }
    this.#lastFlushBytes = Math.min(this.#segmentBytes + this.#length, SLAB_SIZE_MAX);
    if (this.#segments.length === 0) {
      const slab = this.output;
      const length = this.#length;
      this.output = NOTHING;
      this.#length = 0;
      socket.write(length === slab.length ? slab : slab.subarray(0, length));
      this.#backlog = socket.writableLength;
      if (this.#backlog === 0) pool.give(slab); // the kernel has copied it
      return;
    }
    if (this.#length > 0) this.#closeSegment();
    const segments = this.#segments;
    const slabs = this.#slabs;
    this.#segments = [];
    this.#slabs = [];
    this.#segmentBytes = 0;
    socket.cork();
    for (const segment of segments) socket.write(segment);
    socket.uncork();
    this.#backlog = socket.writableLength;
    if (this.#backlog === 0) for (const slab of slabs) pool.give(slab);
  }

  #release(): void {
    this.#segments = [];
    this.#slabs = [];
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
      resolve(new TcpConnection(socket, '', turn, addressOf(socket)));
    });
  });
}

/** `127.0.0.1:51234`: the other end of a socket. */
export function addressOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
}

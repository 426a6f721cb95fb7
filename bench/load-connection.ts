import { DialledSocket, type SocketOwner } from './dialled-socket.ts';
import { FrameSplitter, type FrameVisitor } from './frame-splitter.ts';
import {
  ACK_BYTES,
  CONNACK,
  connectFrame,
  DISCONNECT,
  disconnectFrame,
  type ProtocolVersion,
  pingreqFrame,
  receiveMaximumOf,
} from './frames.ts';

/** Milliseconds from dialling to CONNACK, or from SUBSCRIBE to SUBACK: a broker that starts up may take its time. */
export const ANSWER_TIMEOUT_MS = 60_000;

const PINGREQ_FRAME = pingreqFrame();

/** Bytes of acknowledgements that a connection which has any gathers before its buffer grows. */
const ACKS_INITIAL_BYTES = 256 * ACK_BYTES;

const NO_BYTES = Buffer.alloc(0);

export interface Target {
  /** An address of IPv4. */
  readonly host: string;
  readonly port: number;
  readonly version: ProtocolVersion;
}

/** Who connects. */
export interface Identity {
  readonly clientId: string;
  readonly clean: boolean;
  /** Seconds; 0: none. Whoever asks for one calls {@link LoadConnection.ping} in time. */
  readonly keepAliveS: number;
}

/** What a connection's owner does with it. */
export interface LoadConnectionOwner {
  /** Before the packets of one read are visited. */
  onRead(): void;
  onFrame: FrameVisitor;
  /** At the end of a turn in which {@link LoadConnection.touch} was called. */
  onTurnEnd(): void;
  /** @param reason DISCONNECT's reason code, null where the broker just closed */
  onClose(reason: number | null): void;
}

/**
 * One MQTT connection of the load generator.
 *
 * Writes are gathered: whoever has something to send calls {@link touch} and writes in `onTurnEnd`, once per turn of the event loop,
 * when all ready sockets have been read.
 */
export class LoadConnection implements SocketOwner {
  readonly #owner: LoadConnectionOwner;
  readonly #version: ProtocolVersion;
  readonly #splitter: FrameSplitter;
  readonly #socket: DialledSocket;
  #acks = NO_BYTES;
  #acksLength = 0;
  #isTouched = false;
  /** Sent as soon as there is somebody to send it to. */
  readonly #connect: Buffer;
  #isClosing = false;
  #isClosed = false;
  #isAccepted = false;
  #receiveMaximum = 0;
  #disconnectReason: number | null = null;
  #onConnack: () => void = () => {};
  #onRefused: (why: string) => void = () => {};
  #onClosed: () => void = () => {};

  /** Dials; resolves when the broker has accepted the CONNECT. */
  static async open(target: Target, identity: Identity, owner: LoadConnectionOwner): Promise<LoadConnection> {
    const connection = new LoadConnection(target, identity, owner);
    await answer<void>(`CONNACK for ${identity.clientId}`, (resolve, reject) => {
      connection.#onConnack = resolve;
      connection.#onRefused = (why) => reject(new Error(`${target.host}:${target.port}, client ${identity.clientId}: ${why}`));
    });
    return connection;
  }

  private constructor(target: Target, { clientId, clean, keepAliveS }: Identity, owner: LoadConnectionOwner) {
    this.#owner = owner;
    this.#version = target.version;
    this.#splitter = new FrameSplitter((first, bytes, start, end) => this.#onFrame(first, bytes, start, end));
    this.#connect = connectFrame(clientId, target.version, clean, keepAliveS);
    this.#socket = new DialledSocket(target.host, target.port, this);
  }

  onConnect(): void {
    this.#socket.write(this.#connect);
  }

  onRead(bytes: Buffer, length: number): void {
    this.#owner.onRead();
    this.#splitter.push(bytes, length);
  }

  onDrain(): void {
    this.touch();
  }

  onClose(error: Error | null): void {
    this.#isClosed = true;
    this.#onRefused(error === null ? 'closed before CONNACK' : error.message);
    if (this.#isAccepted && !this.#isClosing) this.#owner.onClose(this.#disconnectReason);
    this.#onClosed();
  }

  /** How many unacknowledged PUBLISH packets the broker takes. */
  get receiveMaximum(): number {
    return this.#receiveMaximum;
  }

  /** Bytes that the kernel has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.unsentBytes;
  }

  /** Asks for the owner's `onTurnEnd` at the end of this turn. */
  touch(): void {
    if (this.#isTouched) return;
    this.#isTouched = true;
    if (touched.length === 0) setImmediate(endTurn);
    touched.push(this);
  }

  endTurn(): void {
    this.#isTouched = false;
    this.#owner.onTurnEnd();
  }

  /** Adds an acknowledgement to what {@link writeAcks} sends. */
  acknowledge(first: number, identifierHigh: number, identifierLow: number): void {
    const at = this.#acksLength;
    if (at + ACK_BYTES > this.#acks.length) this.#growAcks();
    const acks = this.#acks;
    acks[at] = first;
    acks[at + 1] = 2;
    acks[at + 2] = identifierHigh;
    acks[at + 3] = identifierLow;
    this.#acksLength = at + ACK_BYTES;
    this.touch();
  }

  writeAcks(): void {
    if (this.#acksLength === 0) return;
    const acks = this.#acks.subarray(0, this.#acksLength);
    this.#acksLength = 0;
    this.#socket.write(acks);
    // Until the kernel has taken them the bytes are not ours to overwrite.
    if (this.#socket.unsentBytes > 0) this.#acks = Buffer.allocUnsafe(this.#acks.length);
  }

  /** Sends bytes that stay unchanged until they have left. */
  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  ping(): void {
    this.#socket.write(PINGREQ_FRAME);
  }

  /** Everything written between these two leaves in one system call. */
  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  /** Says goodbye; resolves when the connection is closed. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      const timeout = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS);
      this.#onClosed = () => {
        clearTimeout(timeout);
        resolve();
      };
      this.#socket.write(disconnectFrame());
      this.#socket.end();
    });
  }

  #onFrame(first: number, bytes: Uint8Array, start: number, end: number): void {
    const type = first >> 4;
    if (!this.#isAccepted) this.#onFirstFrame(type, bytes.subarray(start, end));
    else if (type === DISCONNECT) this.#disconnectReason = end > start ? bytes[start]! : 0;
    else this.#owner.onFrame(first, bytes, start, end);
  }

  #onFirstFrame(type: number, body: Uint8Array): void {
    if (type !== CONNACK) this.#onRefused(`expected CONNACK, got a packet of type ${type}`);
    else if (body[1] !== 0) this.#onRefused(`CONNACK 0x${body[1]!.toString(16)}`);
    else {
      this.#isAccepted = true;
      this.#receiveMaximum = receiveMaximumOf(body, this.#version);
      this.#onConnack();
    }
  }

  #growAcks(): void {
    const grown = Buffer.allocUnsafe(Math.max(ACKS_INITIAL_BYTES, this.#acks.length * 2));
    this.#acks.copy(grown, 0, 0, this.#acksLength);
    this.#acks = grown;
  }
}

/** Milliseconds that a broker may take to answer the end of a connection. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Connections with something to do at the end of this turn. */
let touched: LoadConnection[] = [];
let spare: LoadConnection[] = [];

function endTurn(): void {
  const ending = touched;
  touched = spare;
  spare = ending;
  for (let i = 0; i < ending.length; i++) ending[i]!.endTurn();
  ending.length = 0;
}

/** A promise that fails when the broker does not answer in time. */
export function answer<T>(what: string, start: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timeout = setTimeout(() => reject(new Error(`no ${what} within ${ANSWER_TIMEOUT_MS / 1000} s`)), ANSWER_TIMEOUT_MS);
    const settle = (settled: () => void): void => {
      clearTimeout(timeout);
      settled();
    };
    start(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
  });
}

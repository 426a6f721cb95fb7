import { performance } from 'node:perf_hooks';
import { PUBACK, PUBACK_BYTE, PUBLISH, publishTemplate } from './frames.ts';
import { discardSession, leaveSession } from './load.ts';
import { LoadConnection, type LoadConnectionOwner, type Target } from './load-connection.ts';
import { type Step, takeStep } from './step.ts';

export interface ReplayOptions {
  readonly host: string;
  readonly port: number;
  readonly messages: number;
  /** At least 8. */
  readonly payloadBytes: number;
  /** The broker's process, to measure what it uses meanwhile; 0: none. */
  readonly brokerPid: number;
}

export interface ReplayResult {
  /** All messages published while the session was away, up to the last PUBACK. */
  readonly queued: Step;
  /** From the dialling of its client to the last message, each acknowledged. */
  readonly replayed: Step;
  /** Messages that came in another place than they were published in, or again. */
  readonly displaced: number;
  /** Messages that had not come when none had for a while. */
  readonly missing: number;
}

/** Messages that are on their way to the broker and not acknowledged. */
const WINDOW = 1_000;

/** Where a message's ordinal stands in its payload, behind the publisher's index. */
const ORDINAL_AT = 4;
export const REPLAY_PAYLOAD_MIN = 8;

/** Milliseconds without a message after which the rest counts as missing. */
const SILENCE_MS = 10_000;

const TOPIC = 'replay/0';

export function flawsOfReplay({ displaced, missing }: ReplayResult): string[] {
  return [...(displaced === 0 ? [] : [`${displaced} messages displaced`]), ...(missing === 0 ? [] : [`${missing} messages lost`])];
}

/** A session subscribes and leaves; messages are published for it; it returns and gets them. */
export async function runReplay(options: ReplayOptions): Promise<ReplayResult> {
  const { host, port, messages } = options;
  const target: Target = { host, port, version: 4 };
  const clientId = `replay-${process.pid}`;
  await leaveSession(target, clientId, TOPIC);
  const queuer = new Queuer(options);
  await queuer.open(target, `${clientId}-publisher`);
  const queued = await takeStep(messages, options.brokerPid, () => queuer.publishAll());
  await queuer.close();
  const reader = new Reader(messages);
  const replayed = await takeStep(messages, options.brokerPid, () => reader.readAll(target, clientId));
  await reader.close();
  await discardSession(target, clientId);
  return { queued, replayed, displaced: reader.displaced, missing: reader.missing };
}

/** Publishes numbered messages at QoS 1, a window of them at a time. */
class Queuer implements LoadConnectionOwner {
  readonly #messages: number;
  readonly #copies: Buffer;
  readonly #frameBytes: number;
  readonly #identifierAt: number;
  #connection!: LoadConnection;
  #sent = 0;
  #acknowledged = 0;
  #onDone: () => void = () => {};
  #onCut: (error: Error) => void = () => {};

  constructor({ messages, payloadBytes }: ReplayOptions) {
    this.#messages = messages;
    const { bytes, packetIdentifierOffset } = publishTemplate(TOPIC, 0, { version: 4, qos: 1, payloadBytes, userProperties: 0 });
    this.#frameBytes = bytes.length;
    this.#identifierAt = packetIdentifierOffset;
    this.#copies = Buffer.alloc(WINDOW * bytes.length, bytes);
  }

  async open(target: Target, clientId: string): Promise<void> {
    this.#connection = await LoadConnection.open(target, { clientId, clean: true, keepAliveS: 0 }, this);
  }

  publishAll(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onDone = resolve;
      this.#onCut = reject;
      this.#connection.touch();
    });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  onRead(): void {}

  onFrame(first: number): void {
    if (first >> 4 !== PUBACK) return;
    if (++this.#acknowledged === this.#messages) this.#onDone();
    else this.#connection.touch();
  }

  onTurnEnd(): void {
    // A copy whose message is acknowledged has left and may be written over.
    let room = Math.min(WINDOW - (this.#sent - this.#acknowledged), this.#messages - this.#sent);
    while (room > 0) {
      const slot = this.#sent % WINDOW;
      const count = Math.min(room, WINDOW - slot);
      for (let i = 0; i < count; i++) this.#number((slot + i) * this.#frameBytes, this.#sent + i);
      this.#connection.write(this.#copies.subarray(slot * this.#frameBytes, (slot + count) * this.#frameBytes));
      this.#sent += count;
      room -= count;
    }
  }

  onClose(): void {
    this.#onCut(new Error(`the broker closed the publisher's connection after ${this.#acknowledged} messages`));
  }

  #number(at: number, ordinal: number): void {
    this.#copies.writeUInt16BE((ordinal % 65_535) + 1, at + this.#identifierAt);
    this.#copies.writeUInt32BE(ordinal, at + this.#identifierAt + 2 + ORDINAL_AT);
  }
}

/** Reads and acknowledges them. */
class Reader implements LoadConnectionOwner {
  readonly #messages: number;
  #connection: LoadConnection | null = null;
  #received = 0;
  #next = 0;
  displaced = 0;
  #lastMs = 0;
  #onDone: () => void = () => {};
  /** The first messages come in the same read as CONNACK, before there is a connection to acknowledge them on. */
  readonly #early: number[] = [];

  constructor(messages: number) {
    this.#messages = messages;
  }

  get missing(): number {
    return Math.max(0, this.#messages - this.#received);
  }

  async readAll(target: Target, clientId: string): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#onDone = resolve;
    });
    this.#lastMs = performance.now();
    this.#connection = await LoadConnection.open(target, { clientId, clean: false, keepAliveS: 0 }, this);
    for (const identifier of this.#early) this.#connection.acknowledge(PUBACK_BYTE, identifier >> 8, identifier & 255);
    const watch = setInterval(() => {
      if (performance.now() - this.#lastMs > SILENCE_MS) this.#onDone();
    }, SILENCE_MS / 10);
    await done;
    clearInterval(watch);
  }

  async close(): Promise<void> {
    this.#connection!.writeAcks();
    await this.#connection!.close();
  }

  onRead(): void {
    this.#lastMs = performance.now();
  }

  onFrame(first: number, bytes: Uint8Array, start: number): void {
    if (first >> 4 !== PUBLISH) return;
    const identifierAt = start + 2 + ((bytes[start]! << 8) | bytes[start + 1]!);
    if (this.#connection === null) this.#early.push((bytes[identifierAt]! << 8) | bytes[identifierAt + 1]!);
    else this.#connection.acknowledge(PUBACK_BYTE, bytes[identifierAt]!, bytes[identifierAt + 1]!);
    const at = identifierAt + 2 + ORDINAL_AT;
    const ordinal = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
    if (ordinal !== this.#next) this.displaced++;
    this.#next = ordinal + 1;
    if (++this.#received === this.#messages) this.#onDone();
  }

  onTurnEnd(): void {
    this.#connection!.writeAcks();
  }

  onClose(): void {
    this.#onDone();
  }
}

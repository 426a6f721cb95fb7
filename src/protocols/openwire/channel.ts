import { ByteWriter } from '../../bytes/byte-writer.ts';
import type { Frame } from '../../core/message.ts';
import { CodedError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Connection, ConnectionHandler } from '../../transport/connection.ts';
import { COMMAND_ID_AT, RESPONSE_REQUIRED_AT, writeLong } from './publication-form.ts';
import { PublicationReader } from './publication-reader.ts';
import { type Command, createKeepAliveInfo, type DataStructure, isCommand } from './wire/commands.ts';
import { FrameSplitter } from './wire/frame-splitter.ts';
import { INT_VALUE, intValue, type PrimitiveMap } from './wire/primitive-map.ts';
import { BYTES_MESSAGE, KEEP_ALIVE_INFO, RESPONSE, WIRE_FORMAT_INFO } from './wire/structures.ts';
import { BEFORE_NEGOTIATION, FIRST_FRAME_MAX_BYTES, WireFormat } from './wire/wire-format.ts';
import { DEFAULT_OFFER, negotiate, type PeerOffer, readWireFormatInfo, wireFormatInfoOf } from './wire/wire-format-info.ts';

/**
 * Property of our WireFormatInfo by which brokers of ours know each other; its value is the version of what they say to each other:
 *
 *     1    messages, demand, claims, retained messages
 *     2    demand of shared subscriptions, and messages for one of them alone
 */
const LINK_VERSION_PROPERTY = 'RoundhouseLink';
export const LINK_VERSION = 2;
/** From this version on a broker tells of shared subscriptions and deals messages to them over the whole network. */
export const GROUPS_VERSION = 2;

/** First OpenWire version in which messages have the fields that `PublicationForm` writes. */
const PUBLICATION_VERSION_MIN = 10;

/** Frames up to this size are copied into the output with their numbers patched in; of larger ones only the head is. In bytes. */
const COPIED_FRAME_MAX = 4_096;

/** Bytes of a Response in loose form, size field included. */
const RESPONSE_BYTES = 14;

/**
 * Answers on their way beyond which a peer is not read until it has taken them, in bytes. Only answers count: two brokers with much for
 * each other must not wait for one another. A broker of ours has at most 100,000 messages unanswered, 1.4 MB, and never gets there, though
 * answers that have left are noticed up to one queue's length late.
 */
export const ANSWERS_QUEUED_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Frames kept while nothing is handed on, in bytes. The connection is not read meanwhile, so that they are what one read has brought.
 */
const SUSPENDED_MAX_BYTES = 4 * 1024 * 1024;

/** How long a peer may take to close its side after we closed ours, in milliseconds. */
const LINGER_MS = 1_000;

/** Checks of the inactivity monitor for sending, per period (OpenWire specification section 2). */
const WRITE_CHECKS_PER_PERIOD = 3;

/** What a channel's user does with what arrives. Calls must not throw, except a ProtocolError for what breaks the protocol. */
export interface ChannelHandler {
  /** Both sides have said what they can: commands may be sent from now on. */
  onNegotiated(channel: Channel, offer: PeerOffer): void;
  /** A message of the common shape; `reader` says where its parts are in `buffer`. Both are valid during the call only. */
  onPublication(reader: PublicationReader, buffer: Buffer): void;
  /** A plain answer to a command of ours. */
  onResponse(correlationId: number): void;
  /** Everything else but keep-alives. */
  onCommand(command: DataStructure): void;
  /** What was queued beyond the kernel's buffer has left. */
  onDrain(): void;
  /** Called once, last. `fault` says what the peer did wrong or what broke; null after an orderly end. */
  onClosed(fault: string | null): void;
}

export interface ChannelOptions {
  readonly handler: ChannelHandler;
  readonly clock: Clock;
  /** Told of errors of ours, which end the channel. */
  readonly log: Log;
  /** Largest frame we take, in bytes. */
  readonly maxFrameSize: number;
  /** Offered for the inactivity monitor, in milliseconds; 0 switches it off. */
  readonly maxInactivityDurationMs: number;
  /** For the peer's WireFormatInfo to arrive, in milliseconds. */
  readonly negotiationTimeoutMs: number;
  /** Levels a topic name may have. */
  readonly topicLevels: number;
  /** The host we dialled; null where we were dialled. */
  readonly host: string | null;
}

/**
 * One OpenWire connection of either side: negotiation, frames, command ids, answers and the inactivity monitor.
 *
 * We offer loose encoding without a cache: every peer takes that, and a message is then the same bytes for all of them.
 */
export class Channel implements ConnectionHandler {
  readonly connection: Connection;
  readonly #options: ChannelOptions;
  readonly #splitter: FrameSplitter;
  readonly #publication: PublicationReader;
  readonly #out = new ByteWriter(512);
  #handler: ChannelHandler;
  #format = new WireFormat(BEFORE_NEGOTIATION);
  #negotiated = false;
  /** Messages are of the form that `PublicationForm` writes. */
  #plainPublications = true;
  #lastCommandId = 0;
  #heardAtMs: number;
  /** Everything sent since the connection began, and how much of it was answers. */
  #sentBytes = 0;
  #answerBytes = 0;
  /** Once so much has left, so have the answers up to there. Then the mark is set to the end of what is queued. */
  #markBytes = 0;
  #markAnswerBytes = 0;
  #goneAnswerBytes = 0;
  /** Not read until it has taken its answers. */
  #held = false;
  /** Frames that have arrived since `suspend`; null while they are handed on. */
  #suspended: Buffer[] | null = null;
  #suspendedBytes = 0;
  #heard = false;
  #timer: NodeJS.Timeout | null = null;
  #readTimer: NodeJS.Timeout | null = null;
  #fault: string | null = null;
  #closed = false;

  constructor(connection: Connection, options: ChannelOptions) {
    this.connection = connection;
    this.#options = options;
    this.#handler = options.handler;
    this.#heardAtMs = options.clock.monotonicMs();
    this.#publication = new PublicationReader(options.topicLevels);
    this.#splitter = new FrameSplitter(FIRST_FRAME_MAX_BYTES, (buffer, start, end) => this.#onFrame(buffer, start, end));
    const extra: PrimitiveMap = new Map([[LINK_VERSION_PROPERTY, intValue(LINK_VERSION)]]);
    const hello = this.#format.encode(wireFormatInfoOf(this.#offer(), extra));
    connection.write(hello);
    this.#sentBytes = hello.length;
    this.#timer = setTimeout(() => {
      this.fail(`no complete WireFormatInfo within ${options.negotiationTimeoutMs} ms`);
    }, options.negotiationTimeoutMs);
  }

  /** Hands nothing on until `release`: what has been read by then is kept, and no more is read. */
  suspend(): void {
    this.#suspended = [];
    this.connection.pause();
  }

  /** Hands on what has arrived since `suspend`, and reads on. */
  release(): void {
    const frames = this.#suspended ?? [];
    this.#suspended = null;
    try {
      for (const frame of frames) this.#onFrame(frame, 0, frame.length);
    } catch (error) {
      this.#failBecause(error);
    }
    if (!this.#held) this.connection.resume();
  }

  /** Gives what arrives from now on to somebody else. */
  handOver(handler: ChannelHandler): void {
    this.#handler = handler;
  }

  get remoteAddress(): string {
    return this.connection.remoteAddress;
  }

  get queuedBytes(): number {
    return this.connection.queuedBytes;
  }

  /** When the last byte came, in milliseconds of the monotonic clock. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Why nothing was heard of the peer for `ms` milliseconds. */
  silenceFault(ms: number): string {
    return this.#held ? `the peer did not take our answers for ${ms} ms` : `nothing heard for ${ms} ms`;
  }

  /** True of a connection that ended before the peer had said anything, and not because of us: of a health check. */
  get wasProbe(): boolean {
    return this.#closed && !this.#heard && !this.#negotiated && this.#fault === null;
  }

  /** True once the connection is on its way out: nothing more is sent or handed on. */
  get closing(): boolean {
    return this.#closed || !this.connection.writable;
  }

  /** Largest frame that both sides take, in bytes, without the size field. */
  get maxFrameSize(): number {
    return this.#format.settings.maxFrameSizeBytes;
  }

  /** Sends a command that wants no answer. @returns false when the peer does not take a frame of its size: nothing was sent */
  send(command: DataStructure): boolean {
    return this.#write(command, false);
  }

  /** Sends a command that wants an answer. @returns its command id, by which the answer names it; 0 when it was not sent, as for `send` */
  request(command: Command): number {
    return this.#write(command, true) ? this.#lastCommandId : 0;
  }

  /** Sends a whole frame made elsewhere, e.g. once for many channels: loose, without cache, version 12. Returns as `send`. */
  sendEncoded(frame: Buffer): boolean {
    if (!this.#plainPublications) return this.#write(codec12.decode(frame, 4, frame.length)!, false);
    if (frame.length - 4 > this.maxFrameSize) return false;
    this.connection.write(frame);
    this.#sentBytes += frame.length;
    return true;
  }

  /**
   * Sends a message that is no larger than `maxFrameSize`.
   *
   * @param linkSequence our own count of what this peer gets, negative in the count of what the store has for it; or 0
   * @returns its command id
   */
  sendPublication(frame: Frame, responseRequired: boolean, linkSequence: number): number {
    const { connection } = this;
    const { buffer, start, end, packetIdentifierAt } = frame;
    if (!this.#plainPublications) {
      this.#write(codec12.decode(buffer, start + 4, end)!, responseRequired);
      return this.#lastCommandId;
    }
    const commandId = this.#nextCommandId();
    const size = end - start;
    this.#sentBytes += size;
    const copied = size <= COPIED_FRAME_MAX ? size : packetIdentifierAt + 8;
    const at = connection.reserve(copied);
    const output = connection.output;
    buffer.copy(output, at, start, start + copied);
    output.writeInt32BE(commandId, at + COMMAND_ID_AT);
    if (responseRequired) output[at + RESPONSE_REQUIRED_AT] = 1;
    if (linkSequence !== 0) writeLong(output, at + packetIdentifierAt, linkSequence);
    if (copied < size) connection.write(buffer.subarray(start + copied, end));
    return commandId;
  }

  /** Answers a command of the peer. */
  respond(correlationId: number): void {
    const { connection } = this;
    const at = connection.reserve(RESPONSE_BYTES);
    const output = connection.output;
    output.writeUInt32BE(RESPONSE_BYTES - 4, at);
    output[at + 4] = RESPONSE;
    output.writeInt32BE(0, at + 5);
    output[at + 9] = 0;
    output.writeInt32BE(correlationId, at + 10);
    this.#sentBytes += RESPONSE_BYTES;
    this.#answerBytes += RESPONSE_BYTES;
  }

  /** A heartbeat; with `echo` the peer sends one back. */
  sendKeepAlive(echo: boolean): void {
    this.#write(createKeepAliveInfo(), echo);
  }

  /** Sends what is queued, then closes. */
  end(): void {
    if (this.closing) return;
    this.connection.end();
    this.#stopTimers();
    this.#timer = setTimeout(() => this.connection.destroy(), LINGER_MS); // a peer that does not close its side
  }

  /** Closes at once for a reason that is told to the handler. */
  fail(fault: string): void {
    if (this.#closed) return;
    this.#fault ??= fault;
    this.#splitter.stop();
    this.connection.destroy();
  }

  onData(chunk: Buffer, start: number, end: number): void {
    this.#heardAtMs = this.#options.clock.monotonicMs();
    this.#heard = true;
    try {
      this.#splitter.push(chunk, start, end);
    } catch (error) {
      this.#failBecause(error);
    }
    this.#holdBack();
  }

  onDrain(): void {
    if (this.#held) {
      this.#held = false;
      this.#heardAtMs = this.#options.clock.monotonicMs(); // it took what it was sent, and could say nothing meanwhile
      this.#heard = true;
      if (this.#suspended === null) this.connection.resume();
    }
    if (this.#negotiated) this.#handler.onDrain();
  }

  onClose(error: Error | null): void {
    this.#closed = true;
    this.#splitter.stop();
    this.#stopTimers();
    const held = this.#splitter.heldBytes;
    const cut = held > 0 ? `the connection ended inside a frame, after ${held} bytes of it` : null;
    this.#handler.onClosed(this.#fault ?? error?.message ?? cut);
  }

  /** What one peer says must end no connection but its own, whatever it makes us stumble over. */
  #failBecause(error: unknown): void {
    if (error instanceof CodedError && error.source !== 'internal') {
      this.fail(this.#negotiated ? error.message : `not an OpenWire peer: ${error.message}`);
      return;
    }
    this.#options.log.error('an error of ours while reading what an OpenWire peer sent: its connection is closed', {
      address: this.remoteAddress,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    this.fail('an error of ours while reading what it sent');
  }

  /** A peer that asks and asks and does not take the answers is not read until it has: they would fill our memory. */
  #holdBack(): void {
    const left = this.#sentBytes - this.connection.queuedBytes;
    if (left >= this.#markBytes) {
      this.#goneAnswerBytes = this.#markAnswerBytes;
      this.#markBytes = this.#sentBytes;
      this.#markAnswerBytes = this.#answerBytes;
    }
    if (this.#held || this.#answerBytes - this.#goneAnswerBytes <= ANSWERS_QUEUED_MAX_BYTES || this.closing) return;
    this.#held = true;
    this.connection.pause();
  }

  #onFrame(buffer: Buffer, start: number, end: number): void {
    if (this.closing) return;
    if (!this.#negotiated) {
      this.#negotiate(buffer, start, end);
      return;
    }
    if (this.#suspended !== null) {
      this.#suspend(this.#suspended, buffer, start, end);
      return;
    }
    const type = buffer[start]!;
    if (type === BYTES_MESSAGE && this.#plainPublications && this.#publication.read(buffer, start, end)) {
      this.#handler.onPublication(this.#publication, buffer);
      return;
    }
    if (type === RESPONSE && end - start === RESPONSE_BYTES - 4) {
      this.#handler.onResponse(buffer.readInt32BE(start + 6));
      return;
    }
    const command = this.#format.decode(buffer, start, end);
    if (command === null || command.kind === WIRE_FORMAT_INFO) return;
    if (command.kind === KEEP_ALIVE_INFO) {
      if (!command.responseRequired) return;
      const before = this.#sentBytes;
      this.sendKeepAlive(false);
      this.#answerBytes += this.#sentBytes - before;
      return;
    }
    this.#handler.onCommand(command);
  }

  #suspend(frames: Buffer[], buffer: Buffer, start: number, end: number): void {
    this.#suspendedBytes += end - start;
    if (this.#suspendedBytes > SUSPENDED_MAX_BYTES) this.fail(`more than ${SUSPENDED_MAX_BYTES} bytes before its login was answered`);
    else frames.push(Buffer.from(buffer.subarray(start, end)));
  }

  #negotiate(buffer: Buffer, start: number, end: number): void {
    const info = this.#format.decode(buffer, start, end);
    if (info?.kind !== WIRE_FORMAT_INFO) {
      this.fail(`a WireFormatInfo was expected first, a frame of type ${buffer[start]} came`);
      return;
    }
    const offer = readWireFormatInfo(info);
    const settings = negotiate(this.#offer(), offer);
    this.#format = new WireFormat(settings);
    this.#splitter.maxFrameSizeBytes = settings.maxFrameSizeBytes;
    this.#plainPublications = settings.version >= PUBLICATION_VERSION_MIN;
    this.#negotiated = true;
    clearTimeout(this.#timer!);
    this.#timer = null;
    this.#watchActivity(settings.maxInactivityDurationMs, settings.maxInactivityDurationInitialDelayMs);
    this.#handler.onNegotiated(this, offer);
  }

  /** OpenWire specification section 2, "Inactivity monitor". */
  #watchActivity(periodMs: number, initialDelayMs: number): void {
    if (periodMs <= 0) return;
    let sentBefore = 0;
    const writeCheck = (): void => {
      if (this.#sentBytes === sentBefore) this.sendKeepAlive(false);
      sentBefore = this.#sentBytes;
    };
    const readCheck = (): void => {
      if (!this.#heard) this.fail(this.silenceFault(periodMs));
      this.#heard = false;
    };
    this.#timer = setTimeout(() => {
      this.#heard = false;
      this.#timer = setInterval(writeCheck, Math.max(1, Math.floor(periodMs / WRITE_CHECKS_PER_PERIOD)));
      this.#readTimer = setInterval(readCheck, periodMs);
    }, initialDelayMs);
  }

  #stopTimers(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#readTimer !== null) clearTimeout(this.#readTimer);
  }

  #write(command: DataStructure, responseRequired: boolean): boolean {
    if (isCommand(command)) {
      command.commandId = this.#nextCommandId();
      command.responseRequired = responseRequired;
    }
    const out = this.#out;
    out.reset();
    try {
      this.#format.encodeInto(out, command);
    } catch (error) {
      if (error instanceof CodedError && error.code === 'OPENWIRE_UNENCODABLE') return false;
      throw error;
    }
    this.connection.writeCopy(out.buffer, 0, out.length);
    this.#sentBytes += out.length;
    return true;
  }

  /** 1, 2, ... and round again before the sign changes; never 0. */
  #nextCommandId(): number {
    this.#lastCommandId = this.#lastCommandId === 0x7fff_ffff ? 1 : this.#lastCommandId + 1;
    return this.#lastCommandId;
  }

  #offer() {
    const { maxFrameSize, maxInactivityDurationMs, host } = this.#options;
    return {
      ...DEFAULT_OFFER,
      tightEncodingEnabled: false,
      cacheEnabled: false,
      stackTraceEnabled: false,
      maxFrameSizeBytes: maxFrameSize,
      maxInactivityDurationMs,
      host,
    };
  }
}

/** The version of what a broker of ours says to others of ours; 0 for anything else. */
export function linkVersionOf(offer: PeerOffer): number {
  const version = offer.properties.get(LINK_VERSION_PROPERTY);
  return offer.providerName === 'Roundhouse' && version?.type === INT_VALUE ? version.value : 0;
}

/** The format that frames made for many channels are in. */
export const codec12 = new WireFormat({
  version: 12,
  tightEncodingEnabled: false,
  cacheEnabled: false,
  cacheSize: 0,
  stackTraceEnabled: false,
  maxFrameSizeBytes: 0x7fff_ffff,
});

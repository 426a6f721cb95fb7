import { isUtf8 } from 'node:buffer';
import { CodedError } from '../errors.ts';

/** Opcodes. RFC 6455 section 5.2. */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** Close codes. RFC 6455 section 7.4.1. */
export const NORMAL_CLOSURE = 1000;
export const WEBSOCKET_PROTOCOL_ERROR = 1002;
export const UNSUPPORTED_DATA = 1003;
/** The close code of a Close frame that has none; never sent. */
export const NO_STATUS_RECEIVED = 1005;
export const INVALID_FRAME_PAYLOAD_DATA = 1007;
export const MESSAGE_TOO_BIG = 1009;

/** Largest payload of a control frame, in bytes. RFC 6455 section 5.5. */
export const CONTROL_PAYLOAD_MAX = 125;

const FIN = 0x80;
const RESERVED = 0x70;
const MASKED = 0x80;
/** Bytes of the longest header: two, a length of eight, a masking key of four. */
const HEADER_SIZE_MAX = 14;

/** The other side broke RFC 6455, or sent what MQTT does not take. */
export class WebSocketError extends CodedError {
  /** What the Close frame says. */
  readonly closeCode: number;

  constructor(closeCode: number, message: string) {
    super('WEBSOCKET_ERROR', message, 'client');
    this.closeCode = closeCode;
  }
}

/** Whom a `FrameReader` tells what it has read. */
export interface FrameSink {
  /** Bytes of binary messages in order, unmasked, however messages and frames are cut: a stream. Valid during this call only. */
  onPayload(chunk: Buffer, start: number, end: number): void;
  /** `payload` may be kept. */
  onPing(payload: Buffer): void;
  /** The last call. */
  onCloseFrame(code: number): void;
}

/**
 * Reads what a WebSocket client sends (RFC 6455 section 5), in whatever pieces it comes.
 *
 *     +-+---+----+ +-+-------+ +-----------------+ +----------+ +------------+
 *     |F|RSV| op | |M| len 7 | | len 16 or 64    | | mask 32  | | payload    |
 *     +-+---+----+ +-+-------+ +-----------------+ +----------+ +------------+
 *
 * Payload is unmasked in place and handed on as it comes: MQTT takes frames and messages for a stream of bytes [MQTT-6.0.0-2], so nobody
 * has to hold a message of the client's choosing until it is complete.
 */
export class FrameReader {
  readonly #payloadSizeMax: number;
  /** The header as far as it has come. */
  readonly #header = Buffer.alloc(HEADER_SIZE_MAX);
  #headerLength = 0;
  #opcode = CONTINUATION;
  /** Where the masking key begins in `#header`. */
  #keyAt = 0;
  /** Bytes of the frame's payload that have come, and that will come. */
  #received = 0;
  #size = 0;
  /** Within a message of several frames. */
  #fragmented = false;
  /** Payload of a control frame, which may be cut by others in no way. */
  #control: Buffer | null = null;
  #closed = false;

  /** @param payloadSizeMax of one frame, in bytes */
  constructor(payloadSizeMax: number) {
    this.#payloadSizeMax = payloadSizeMax;
  }

  /**
   * Reads `chunk[start, end)`, and changes it: payload is unmasked where it stands.
   * @throws WebSocketError; nothing must be read after it
   */
  push(chunk: Buffer, start: number, end: number, sink: FrameSink): void {
    let at = start;
    while (!this.#closed) {
      at = this.#readHeader(chunk, at, end);
      if (this.#headerLength < this.#headerSize()) return;
      const take = Math.min(end - at, this.#size - this.#received);
      this.#unmask(chunk, at, at + take);
      this.#received += take;
      if (this.#control !== null) chunk.copy(this.#control, this.#received - take, at, at + take);
      else if (take > 0) sink.onPayload(chunk, at, at + take);
      at += take;
      if (this.#received < this.#size) return;
      this.#headerLength = 0;
      if (this.#control !== null) this.#endControl(this.#control, sink);
      if (at === end) return;
    }
  }

  /** Takes what belongs to the header, and looks at each part of it as soon as it is there. Returns where the rest begins. */
  #readHeader(chunk: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#headerLength < this.#headerSize()) {
      this.#header[this.#headerLength++] = chunk[at++]!;
      if (this.#headerLength === 1) this.#checkFirstByte(this.#header[0]!);
      else if (this.#headerLength === 2) this.#checkSecondByte(this.#header[1]!);
      if (this.#headerLength === this.#headerSize()) this.#beginPayload();
    }
    return at;
  }

  /** As far as the bytes that are there tell. */
  #headerSize(): number {
    if (this.#headerLength < 2) return 2;
    return 2 + lengthBytes(this.#header[1]!) + 4;
  }

  #checkFirstByte(byte: number): void {
    const opcode = byte & 0x0f;
    const isControl = opcode >= CLOSE;
    if ((byte & RESERVED) !== 0) throw violation('a reserved bit is set, and no extension was agreed on');
    if (isControl ? opcode > PONG : opcode > BINARY) throw violation(`a frame has the unknown opcode ${opcode}`);
    if (opcode === TEXT) throw new WebSocketError(UNSUPPORTED_DATA, 'a text frame: MQTT is sent in binary frames'); // [MQTT-6.0.0-1]
    if (isControl) {
      if ((byte & FIN) === 0) throw violation('a control frame is fragmented');
    } else {
      if (opcode === CONTINUATION && !this.#fragmented) throw violation('a continuation frame continues nothing');
      if (opcode !== CONTINUATION && this.#fragmented) throw violation('a message begins within another one');
      this.#fragmented = (byte & FIN) === 0;
    }
    this.#opcode = opcode;
  }

  #checkSecondByte(byte: number): void {
    if ((byte & MASKED) === 0) throw violation('a frame of a client is not masked');
    if (this.#opcode >= CLOSE && (byte & 0x7f) > CONTROL_PAYLOAD_MAX) throw violation('a control frame has more than 125 bytes');
  }

  #beginPayload(): void {
    const header = this.#header;
    const length = header[1]! & 0x7f;
    const size = length === 127 ? header.readBigUInt64BE(2) : BigInt(length === 126 ? header.readUInt16BE(2) : length);
    if (size >= 0x8000_0000_0000_0000n) throw violation('a length has its highest bit set');
    if (size > this.#payloadSizeMax)
      throw new WebSocketError(MESSAGE_TOO_BIG, `a frame of ${size} bytes: ${this.#payloadSizeMax} are the most that is taken`);
    this.#size = Number(size);
    this.#received = 0;
    this.#keyAt = 2 + lengthBytes(header[1]!);
    this.#control = this.#opcode >= CLOSE ? Buffer.allocUnsafe(this.#size) : null;
  }

  /** RFC 6455 section 5.3. */
  #unmask(chunk: Buffer, start: number, end: number): void {
    const header = this.#header;
    const keyAt = this.#keyAt;
    let i = this.#received;
    for (let at = start; at < end; at++) chunk[at] = chunk[at]! ^ header[keyAt + (i++ & 3)]!;
  }

  #endControl(payload: Buffer, sink: FrameSink): void {
    this.#control = null;
    if (this.#opcode === PING) sink.onPing(payload);
    if (this.#opcode !== CLOSE) return;
    this.#closed = true;
    sink.onCloseFrame(closeCodeOf(payload));
  }
}

/** Bytes of the extended payload length. */
function lengthBytes(secondByte: number): number {
  const length = secondByte & 0x7f;
  return length === 127 ? 8 : length === 126 ? 2 : 0;
}

/** RFC 6455 section 5.5.1. */
function closeCodeOf(payload: Buffer): number {
  if (payload.length === 0) return NO_STATUS_RECEIVED;
  if (payload.length === 1) throw violation('a close frame has half a code');
  const code = payload.readUInt16BE(0);
  const isDefined = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
  if (!isDefined && !(code >= 3000 && code <= 4999)) throw violation(`a close frame has the code ${code}, which is for no one to send`);
  if (!isUtf8(payload.subarray(2))) throw new WebSocketError(INVALID_FRAME_PAYLOAD_DATA, 'the reason in a close frame is not UTF-8');
  return code;
}

function violation(what: string): WebSocketError {
  return new WebSocketError(WEBSOCKET_PROTOCOL_ERROR, what);
}

/** The header of a whole message of ours, which is not masked. */
export function frameHeader(opcode: number, payloadSize: number): Buffer {
  if (payloadSize <= CONTROL_PAYLOAD_MAX) return Buffer.from([FIN | opcode, payloadSize]);
  if (payloadSize <= 0xffff) return Buffer.from([FIN | opcode, 126, payloadSize >> 8, payloadSize & 0xff]);
  const header = Buffer.alloc(10);
  header[0] = FIN | opcode;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(payloadSize), 2);
  return header;
}

/** @param reason for people; cut to what a control frame holds */
export function closeFrame(code: number, reason = ''): Buffer {
  if (code === NO_STATUS_RECEIVED) return frameHeader(CLOSE, 0);
  let text = Buffer.from(reason);
  while (text.length > CONTROL_PAYLOAD_MAX - 2) text = Buffer.from(text.toString('utf8').slice(0, -1));
  const payload = Buffer.alloc(2 + text.length);
  payload.writeUInt16BE(code, 0);
  text.copy(payload, 2);
  return Buffer.concat([frameHeader(CLOSE, payload.length), payload]);
}

import { ByteWriter } from '../../../bytes/byte-writer.ts';
import { CodedError, ProtocolError, TruncatedError } from '../../../errors.ts';
import { allowedCodes, plansFor } from './marshaller.ts';
import { Decoding, Encoding } from './structure-io.ts';
import type { DataStructure } from './structures.ts';
import { VERSION_MAX } from './type-table.ts';
import { ReceiveCache, SendCache } from './value-cache.ts';
import { malformed, unencodable } from './wire-errors.ts';

/** What both ends have agreed on about the bytes; `negotiate` of `wire-format-info.ts` computes it. OpenWire specification section 2. */
export interface WireFormatSettings {
  /** 1 to 12. */
  readonly version: number;
  readonly tightEncodingEnabled: boolean;
  readonly cacheEnabled: boolean;
  /** Slots of each of the two value caches. */
  readonly cacheSize: number;
  /** Whether throwables travel with their stack and causes. */
  readonly stackTraceEnabled: boolean;
  /** Largest frame either way, in bytes, without the size field. */
  readonly maxFrameSizeBytes: number;
}

/** Largest frame before anything is agreed, in bytes: a WireFormatInfo with 64 properties of 512 bytes fits. */
export const FIRST_FRAME_MAX_BYTES = 65_536;

/** How the first frame of each side is written, and nothing else. */
export const BEFORE_NEGOTIATION: WireFormatSettings = {
  version: VERSION_MAX,
  tightEncodingEnabled: false,
  cacheEnabled: false,
  cacheSize: 0,
  stackTraceEnabled: false,
  maxFrameSizeBytes: FIRST_FRAME_MAX_BYTES,
};

export interface WireFormatOptions {
  /**
   * Decode byte fields (`content`, `marshalledProperties`, …) as views of the buffer given to `decode` instead of copies.
   * They are then valid only as long as that buffer's bytes are: for a receiver that is done with a message when its call returns.
   */
  readonly shareBytes?: boolean;
}

/** The size field in front of each frame. OpenWire specification section 1. */
const SIZE_BYTES = 4;

/** The type code of a frame that holds nothing. */
const NULL_COMMAND = 0;

const ANY = allowedCodes('any');

/**
 * Turns commands into frames and back, for one connection (OpenWire specification sections 3 and 4).
 *
 * With the value cache on, both directions have state: encode everything that is sent, once and in order, and decode everything
 * that arrives likewise. After the negotiation make a new one with the settings agreed on.
 */
export class WireFormat {
  readonly settings: WireFormatSettings;
  readonly #decoding: Decoding;
  readonly #encoding: Encoding;
  /** Where a tight frame's bytes wait until its flags, which go in front, are complete; and where `encode` works. */
  readonly #scratch = new ByteWriter();
  readonly #frame = new ByteWriter();

  constructor(settings: WireFormatSettings, { shareBytes = false }: WireFormatOptions = {}) {
    const { version, tightEncodingEnabled, cacheEnabled, cacheSize, stackTraceEnabled } = settings;
    const plans = plansFor(version, tightEncodingEnabled);
    this.settings = settings;
    this.#decoding = new Decoding(plans, cacheEnabled ? new ReceiveCache(cacheSize) : null, stackTraceEnabled, shareBytes);
    this.#encoding = new Encoding(plans, this.#frame, cacheEnabled ? new SendCache(cacheSize) : null, stackTraceEnabled);
  }

  /**
   * The whole frame, size field included, in a buffer of its own.
   *
   * @throws CodedError as `encodeInto`
   */
  encode(command: DataStructure): Buffer {
    this.#frame.reset();
    this.encodeInto(this.#frame, command);
    return this.#frame.copy();
  }

  /**
   * Appends the whole frame, size field included, to `out`.
   *
   * @throws CodedError OPENWIRE_UNENCODABLE when the command has no form in this format (a string or the frame too long, a type
   *         that this version lacks); `out` and the cache are then as before, and the connection can go on
   */
  encodeInto(out: ByteWriter, command: DataStructure): void {
    const start = out.length;
    const { cache } = this.#encoding;
    cache?.beginFrame();
    try {
      out.skip(SIZE_BYTES);
      out.u8(command.kind);
      if (this.settings.tightEncodingEnabled) this.#encodeTight(out, command);
      else this.#encodeLoose(out, command);
      const size = out.length - start - SIZE_BYTES;
      if (size > this.settings.maxFrameSizeBytes) {
        throw unencodable(`a frame of ${size} bytes: at most ${this.settings.maxFrameSizeBytes} were agreed on`);
      }
      out.setU32(start, size);
    } catch (error) {
      out.truncate(start);
      cache?.abandonFrame();
      throw error instanceof CodedError && this.#encoding.path !== '' ? unencodable(`${this.#encoding.path}: ${error.message}`) : error;
    }
  }

  /**
   * Reads the frame in `buffer[start, end)`, from its type code to its last byte (without the size field).
   *
   * @returns null for the null command, which can be ignored
   * @throws ProtocolError OPENWIRE_MALFORMED when the bytes are not exactly one frame of this format; the connection cannot go on.
   *         Its message counts bytes from the type code, which is byte 0.
   */
  decode(buffer: Buffer, start: number, end: number): DataStructure | null {
    const decoding = this.#decoding;
    decoding.begin(buffer, start, end);
    try {
      return this.#decodeFrame(decoding);
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof TruncatedError)) throw error;
      const where = decoding.path === '' ? '' : `, ${decoding.path}`;
      throw malformed(`OpenWire frame of ${end - start} bytes${where}, ${error.message}`);
    } finally {
      decoding.bytes.close();
    }
  }

  #encodeLoose(out: ByteWriter, command: DataStructure): void {
    this.#encoding.begin(out);
    this.#encoding.structure(command, ANY);
  }

  #encodeTight(out: ByteWriter, command: DataStructure): void {
    this.#scratch.reset();
    this.#encoding.begin(this.#scratch);
    this.#encoding.structure(command, ANY);
    this.#encoding.bits.writeTo(out);
    out.slice(this.#scratch.buffer, 0, this.#scratch.length);
  }

  #decodeFrame(decoding: Decoding): DataStructure | null {
    const { bytes, bits } = decoding;
    const code = bytes.u8();
    const tight = this.settings.tightEncodingEnabled;
    let command: DataStructure | null = null;
    if (code !== NULL_COMMAND) {
      if (tight) bits.open(bytes);
      command = decoding.structure(code, ANY);
      if (tight && bits.untouchedBytes > 0) throw malformed(`the boolean block has ${bits.untouchedBytes} bytes too many`);
    }
    if (bytes.remaining > 0) throw malformed(`byte ${bytes.offset}: the end of the frame was expected, ${bytes.remaining} bytes are left`);
    return command;
  }
}

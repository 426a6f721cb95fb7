import { ByteReader } from '../../../bytes/byte-reader.ts';
import { ByteWriter } from '../../../bytes/byte-writer.ts';
import { RecentValues } from '../../../bytes/recent-values.ts';
import { ProtocolError, TruncatedError } from '../../../errors.ts';
import { checkedLong } from './field-forms.ts';
import { readModifiedUtf8, writeUtf } from './modified-utf8.ts';
import { BOOLEAN_VALUE, INT_VALUE, LONG_VALUE, nullValue, type Primitive, readPrimitive, STRING_VALUE } from './primitive-map.ts';
import type { Long } from './structures.ts';
import { malformed } from './wire-errors.ts';

/*
 * Property maps entry by entry, without a map in between: a broker link makes and reads one for each message.
 * The layout is that of OpenWire specification section 5.1; `primitive-map.ts` has the form for all other uses.
 */

/** Longest name or short string, in bytes: what a u16 length can say. Property values here are short. */
const TEXT_MAX_BYTES = 65_535;

/** Fewest bytes of an entry: an empty name and a null. */
const ENTRY_MIN_BYTES = 3;

/** The count that says "no map". */
const NULL_MAP = -1;

/** Makes property maps one after another: `begin`, the entries, `finish`. */
export class PropertyWriter {
  readonly #out = new ByteWriter(512);
  #count = 0;

  begin(): this {
    this.#out.reset();
    this.#out.u32(0);
    this.#count = 0;
    return this;
  }

  int(name: string, value: number): this {
    this.#name(name, INT_VALUE);
    this.#out.u32(value);
    return this;
  }

  long(name: string, value: Long): this {
    this.#name(name, LONG_VALUE);
    this.#out.i64(checkedLong(value));
    return this;
  }

  boolean(name: string, value: boolean): this {
    this.#name(name, BOOLEAN_VALUE);
    this.#out.u8(value ? 1 : 0);
    return this;
  }

  /** For short texts. Throws CodedError OPENWIRE_UNENCODABLE beyond 65,535 bytes. */
  string(name: string, value: string): this {
    this.#name(name, STRING_VALUE);
    writeUtf(this.#out, value, TEXT_MAX_BYTES);
    return this;
  }

  /** The bytes for `marshalledProperties`; null when there are no entries. */
  finish(): Buffer | null {
    if (this.#count === 0) return null;
    this.#out.setU32(0, this.#count);
    return this.#out.copy();
  }

  #name(name: string, tag: number): void {
    writeUtf(this.#out, name, TEXT_MAX_BYTES);
    this.#out.u8(tag);
    this.#count++;
  }
}

/**
 * Goes through property maps, one entry after another; `open` it on each message's in turn.
 *
 *     cursor.open(message.marshalledProperties);
 *     while (cursor.next()) if (cursor.name === 'retain') retain = cursor.boolean() ?? false;
 */
export class PropertyCursor {
  readonly #from = new ByteReader();
  readonly #recentNames = new RecentValues<string>();
  #left = 0;
  #name = '';
  #entry: Primitive = nullValue;

  /**
   * Starts in front of the first entry; null has none.
   *
   * @throws ProtocolError OPENWIRE_MALFORMED when the bytes are no map
   */
  open(properties: Buffer | null): void {
    this.#left = 0;
    if (properties === null) return;
    this.#from.open(properties, 0, properties.length);
    try {
      this.#left = this.#readCount();
      this.#checkEnd();
    } catch (error) {
      throw this.#located(error);
    }
  }

  /**
   * Goes to the next entry, and says whether there is one.
   *
   * @throws ProtocolError OPENWIRE_MALFORMED when the bytes are no map
   */
  next(): boolean {
    if (this.#left === 0) return false;
    const from = this.#from;
    try {
      this.#name = this.#readName();
      this.#entry = readPrimitive(from, from.u8());
      this.#left--;
      this.#checkEnd();
      return true;
    } catch (error) {
      this.#left = 0;
      throw this.#located(error);
    }
  }

  /** The entry's name. */
  get name(): string {
    return this.#name;
  }

  /** The entry's value with its type. */
  get entry(): Primitive {
    return this.#entry;
  }

  /** The entry's value, if it is an int. */
  int(): number | undefined {
    return this.#entry.type === INT_VALUE ? this.#entry.value : undefined;
  }

  /** The entry's value, if it is a long. */
  long(): Long | undefined {
    return this.#entry.type === LONG_VALUE ? this.#entry.value : undefined;
  }

  /** The entry's value, if it is a boolean. */
  boolean(): boolean | undefined {
    return this.#entry.type === BOOLEAN_VALUE ? this.#entry.value : undefined;
  }

  /** The entry's value, if it is a string. */
  string(): string | undefined {
    return this.#entry.type === STRING_VALUE ? this.#entry.value : undefined;
  }

  /** Names are the same in all messages: they are found by their bytes, length included. */
  #readName(): string {
    const from = this.#from;
    const start = from.position;
    const known = this.#recentNames.startingAt(from.buffer, start, start + from.remaining);
    if (known !== undefined) {
      from.skip(known.length);
      return known.value;
    }
    const name = readModifiedUtf8(from, from.u16());
    this.#recentNames.add(name, from.buffer, start, from.position);
    return name;
  }

  #readCount(): number {
    const count = this.#from.i32();
    const most = Math.floor(this.#from.remaining / ENTRY_MIN_BYTES);
    if (count < NULL_MAP || count > most) throw malformed(`byte 0: a count from 0 to ${most} was expected, ${count} came`);
    return Math.max(0, count);
  }

  #checkEnd(): void {
    const { offset, remaining } = this.#from;
    if (this.#left === 0 && remaining > 0) throw malformed(`byte ${offset}: the end was expected, ${remaining} bytes are left`);
  }

  #located(error: unknown): unknown {
    if (!(error instanceof ProtocolError || error instanceof TruncatedError)) return error;
    return malformed(`property map, ${error.message}`);
  }
}

import { ByteReader } from '../../../bytes/byte-reader.ts';
import type { ByteWriter } from '../../../bytes/byte-writer.ts';
import { RecentValues } from '../../../bytes/recent-values.ts';
import { BooleanBlockReader, BooleanBlockWriter } from './boolean-block.ts';
import type { Shape } from './shapes.ts';
import type { DataStructure } from './structures.ts';
import { typeOf } from './type-table.ts';
import type { ReceiveCache, SendCache } from './value-cache.ts';
import { malformed, unencodable } from './wire-errors.ts';

/**
 * How deep structures may nest. The deepest honest one is about seven: a response, a dispatch in it, its message, the advisory's
 * ConsumerInfo, its filter, the broker id. A peer must not be able to exhaust our stack.
 */
const NESTING_MAX = 16;

/** Type codes that may stand in one place, and how to call them when another one comes. */
export interface AllowedCodes {
  readonly name: string;
  /** 1 where the code is allowed. */
  readonly codes: Uint8Array;
  /** Whether only ids that come again and again may stand there, whose loose form depends on nothing around it. */
  readonly areRecurringIds: boolean;
}

/** How one version and encoding reads and writes one type: for each field in wire order its slot in the shape and what to do. */
export interface Plan {
  readonly name: string;
  readonly shape: Shape;
  readonly slots: readonly number[];
  readonly names: readonly string[];
  readonly reads: readonly ((from: Decoding) => unknown)[];
  readonly writes: readonly ((to: Encoding, value: never) => void)[];
}

/** Plans by type code; undefined where the version has no such type. */
export type Plans = readonly (Plan | undefined)[];

/** One frame on its way in. */
export class Decoding {
  readonly bytes = new ByteReader();
  /** The flags of a tight frame. */
  bits = new BooleanBlockReader();
  readonly cache: ReceiveCache | null;
  readonly stackTraces: boolean;
  /** Ids of the last frames, by their loose form with its type code. */
  readonly recentIds = new RecentValues<DataStructure>();
  /** Whether byte fields are views of the frame's buffer instead of copies. */
  readonly shareBytes: boolean;
  /** While a value is read that stays in the cache, and so must not be a view of this frame. */
  isKept = false;
  readonly #plans: Plans;
  #depth = 0;
  /** Names of the fields around the place of an error, innermost first. */
  readonly #path: string[] = [];

  constructor(plans: Plans, cache: ReceiveCache | null, stackTraces: boolean, shareBytes: boolean) {
    this.#plans = plans;
    this.cache = cache;
    this.stackTraces = stackTraces;
    this.shareBytes = shareBytes;
  }

  begin(buffer: Buffer, start: number, end: number): void {
    this.bytes.open(buffer, start, end);
    this.isKept = false;
    this.#depth = 0;
    if (this.#path.length > 0) this.#path.length = 0;
  }

  /** Where the error was, as `ConsumerInfo.destination > Queue.physicalName`. */
  get path(): string {
    return this.#path.toReversed().join(' > ');
  }

  /** Reads the body of a structure of this type. */
  structure(code: number, allowed: AllowedCodes): DataStructure {
    const plan = this.#plans[code];
    if (plan === undefined || allowed.codes[code] !== 1) throw this.#unexpected(code, allowed);
    if (++this.#depth > NESTING_MAX) throw malformed(`byte ${this.bytes.offset}: structures are nested more than ${NESTING_MAX} deep`);
    const { shape, slots, reads } = plan;
    const values = shape.initial.slice();
    let i = 0;
    try {
      for (; i < reads.length; i++) values[slots[i]!] = reads[i]!(this);
    } catch (error) {
      this.#path.push(`${plan.name}.${plan.names[i]}`);
      throw error;
    }
    this.#depth--;
    return shape.make(values);
  }

  #unexpected(code: number, allowed: AllowedCodes): Error {
    const name = typeOf(code)?.name;
    const known = name === undefined ? 'unused' : this.#plans[code] === undefined ? `${name}, which the version in use lacks` : name;
    return malformed(`byte ${this.bytes.offset - 1}: the type code of ${allowed.name} was expected, ${code} (${known}) came`);
  }
}

/** One frame on its way out. */
export class Encoding {
  /** Where the bytes go. */
  out: ByteWriter;
  /** The flags of a tight frame. */
  readonly bits = new BooleanBlockWriter();
  /** Ids of the last frames, with their loose form and its type code. */
  readonly recentIds = new RecentValues<DataStructure>();
  readonly cache: SendCache | null;
  readonly stackTraces: boolean;
  readonly #plans: Plans;
  #depth = 0;
  readonly #path: string[] = [];

  constructor(plans: Plans, out: ByteWriter, cache: SendCache | null, stackTraces: boolean) {
    this.#plans = plans;
    this.out = out;
    this.cache = cache;
    this.stackTraces = stackTraces;
  }

  begin(out: ByteWriter): void {
    this.out = out;
    this.bits.reset();
    this.#depth = 0;
    if (this.#path.length > 0) this.#path.length = 0;
  }

  /** Where the error was, as `ConsumerInfo.destination > Queue.physicalName`. */
  get path(): string {
    return this.#path.toReversed().join(' > ');
  }

  /** Writes the body of a structure, without its type code. */
  structure(value: DataStructure, allowed: AllowedCodes): void {
    const plan = this.#plans[value.kind];
    if (plan === undefined || allowed.codes[value.kind] !== 1) throw this.#unexpected(value.kind, allowed);
    if (++this.#depth > NESTING_MAX) throw unencodable(`structures are nested more than ${NESTING_MAX} deep`);
    const { shape, slots, writes } = plan;
    const values: unknown[] = new Array(shape.initial.length);
    shape.take(value as never, values);
    let i = 0;
    try {
      for (; i < writes.length; i++) writes[i]!(this, values[slots[i]!] as never);
    } catch (error) {
      this.#path.push(`${plan.name}.${plan.names[i]}`);
      throw error;
    }
    this.#depth--;
  }

  #unexpected(code: number, allowed: AllowedCodes): Error {
    const name = typeOf(code)?.name ?? `type ${code}`;
    const why = this.#plans[code] === undefined ? 'the version in use lacks it' : `${allowed.name} was expected`;
    return unencodable(`${name} cannot stand here: ${why}`);
  }
}

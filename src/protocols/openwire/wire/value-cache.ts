import type { DataStructure } from './structures.ts';
import * as T from './structures.ts';
import { malformed } from './wire-errors.ts';

/** What cacheSize 0 stands for. OpenWire specification section 2. */
export const CACHE_SIZE_DEFAULT = 16_383;

/** Slots a Java peer keeps free between frames. OpenWire specification section 4. */
const FREE_SLOTS = 100;

/** The slot number of a value that is not kept. */
export const NOT_KEPT = -1;

/** What values are told apart by: the text of all their parts; null is a value too. */
type Key = string | symbol | null;

/**
 * The sender's half of the value cache: which value has which slot (OpenWire specification section 4).
 *
 * Slots are given out and taken back exactly as a Java peer does, so that frames agree byte for byte:
 *
 *     slots   0    1    2    3   …  size-1        before each frame, while more than size - 100 values are in:
 *           [ .  | .  | k3 | k4 | … | .  ]           drop the one at the eviction cursor, move that cursor on
 *                  ↑ evict        ↑ next           a new value goes to the next-slot cursor, which moves on
 *
 * One thing is safer than in Java: a slot that is still in use is never given out again (there, two frames of over a hundred new
 * values each can make one slot mean two values). Such a value is sent as not kept.
 */
export class SendCache {
  readonly #slotOf = new Map<Key, number>();
  readonly #keyAt: Key[];
  #next = 0;
  #evict = 0;
  /** Slots filled by the frame that is being written: given back when it fails. */
  readonly #filled: number[] = [];

  constructor(size: number) {
    this.#keyAt = new Array<Key>(size).fill(null);
  }

  /** Makes room. To be called before each frame. */
  beginFrame(): void {
    if (this.#filled.length > 0) this.#filled.length = 0;
    const keep = Math.max(0, this.#keyAt.length - FREE_SLOTS);
    while (this.#slotOf.size > keep) {
      this.#slotOf.delete(this.#keyAt[this.#evict]!);
      this.#keyAt[this.#evict] = null;
      this.#evict = (this.#evict + 1) % this.#keyAt.length;
    }
  }

  /** The frame was not sent, so the peer knows nothing of its new values. */
  abandonFrame(): void {
    for (const slot of this.#filled) {
      this.#slotOf.delete(this.#keyAt[slot]!);
      this.#keyAt[slot] = null;
    }
    this.#filled.length = 0;
  }

  /** The slot the peer has this value in, or undefined. */
  find(key: Key): number | undefined {
    return this.#slotOf.get(key);
  }

  /** Gives a new value a slot; NOT_KEPT when there is none. */
  add(key: Key): number {
    const slot = this.#next;
    this.#next = (slot + 1) % this.#keyAt.length;
    if (this.#slotOf.size >= this.#keyAt.length || this.#slotOf.get(this.#keyAt[slot]!) === slot) return NOT_KEPT;
    this.#slotOf.set(key, slot);
    this.#keyAt[slot] = key;
    this.#filled.push(slot);
    return slot;
  }
}

/** The receiver's half: the sender says which slot. */
export class ReceiveCache {
  readonly #values: (DataStructure | null | undefined)[];

  constructor(size: number) {
    this.#values = new Array(size).fill(undefined);
  }

  /** Throws when the slot is none of the negotiated ones. */
  store(slot: number, value: DataStructure | null): void {
    if (slot === NOT_KEPT) return;
    this.#check(slot);
    this.#values[slot] = value;
  }

  /** Throws when the slot is none of the negotiated ones or was never filled. */
  fetch(slot: number): DataStructure | null {
    this.#check(slot);
    const value = this.#values[slot];
    if (value === undefined) throw malformed(`a value from cache slot ${slot} was expected, nothing was ever put there`);
    return value;
  }

  #check(slot: number): void {
    if (slot < 0 || slot >= this.#values.length) {
      throw malformed(`a cache slot from 0 to ${this.#values.length - 1} was expected, ${slot} came`);
    }
  }
}

/** What a cached value is told apart by. Equal ids and destinations have equal keys; anything else is only equal to itself. */
export function cacheKey(value: DataStructure | null): Key {
  if (value === null) return null;
  switch (value.kind) {
    case T.QUEUE:
    case T.TOPIC:
    case T.TEMP_QUEUE:
    case T.TEMP_TOPIC:
      return `${value.kind}${quoted(value.physicalName)}`;
    case T.CONNECTION_ID:
    case T.BROKER_ID:
      return `${value.kind}${quoted(value.value)}`;
    case T.SESSION_ID:
      return `${value.kind} ${value.value}${quoted(value.connectionId)}`;
    case T.CONSUMER_ID:
    case T.PRODUCER_ID:
      return `${value.kind} ${value.sessionId} ${value.value}${quoted(value.connectionId)}`;
    case T.LOCAL_TRANSACTION_ID:
      return `${value.kind} ${value.value}${value.connectionId === null ? '-' : quoted(value.connectionId.value)}`;
    case T.XA_TRANSACTION_ID:
      return `${value.kind} ${value.formatId} ${hex(value.globalTransactionId)} ${hex(value.branchQualifier)}`;
    default:
      return Symbol('unequal to all others');
  }
}

/** Absent and empty differ. */
function quoted(text: string | null): string {
  return text === null ? '' : `=${text}`;
}

function hex(bytes: Buffer | null): string {
  return bytes === null ? '-' : bytes.toString('hex');
}

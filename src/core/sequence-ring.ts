import type { QoS } from './message.ts';
import { type Delivery, DONE, RELEASED, type StoredState, WAITING } from './store.ts';

/** Slots of a ring at its first entry; a power of two. Most sessions are owed little. */
const SLOTS_MIN = 8;

/** From this many slots on they are given back when the last entry is done with. */
const SLOTS_KEPT_MAX = 1_024;

const NO_IDENTIFIERS: readonly number[] = [];

/**
 * What one session is owed, by sequence: a window over an ever growing row, in arrays whose slot is `sequence & mask`.
 *
 *     sequence   ...  41      42        43       44      45
 *                    (gone)   WAITING   DONE     WAITING
 *                             first                      next
 *
 * `Ref` says where the message is: itself, or a number that finds it on disk.
 */
export class SequenceRing<Ref> {
  first = 1;
  next = 1;
  size = 0;
  bytes = 0;
  #mask = -1;
  #refs: (Ref | null)[] = [];
  /** Bits 0-1: state, 2-3: QoS, 4: RETAIN. */
  #flags = new Uint8Array(0);
  #sizes = new Uint32Array(0);
  /** Few messages have them. */
  #identifiers: Map<number, readonly number[]> | null = null;
  #released: number[] = [];

  /** @param size in bytes, by `Message.size` */
  push(ref: Ref, size: number, { qos, retain, identifiers }: Delivery): number {
    if (this.next - this.first > this.#mask) this.#grow(SLOTS_MIN);
    const sequence = this.next++;
    const slot = sequence & this.#mask;
    this.#refs[slot] = ref;
    this.#flags[slot] = WAITING | (qos << 2) | (retain ? 16 : 0);
    this.#sizes[slot] = size;
    if (identifiers.length > 0) (this.#identifiers ??= new Map()).set(sequence, identifiers);
    this.size++;
    this.bytes += size;
    return sequence;
  }

  /** Makes room at once for that many more. */
  reserve(count: number): void {
    const needed = this.next - this.first + count;
    if (needed > this.#mask + 1) this.#grow(needed);
  }

  stateOf(sequence: number): StoredState {
    return this.#has(sequence) ? ((this.#flags[sequence & this.#mask]! & 3) as StoredState) : DONE;
  }

  /** null unless it waits. */
  refAt(sequence: number): Ref | null {
    return this.stateOf(sequence) === WAITING ? this.#refs[sequence & this.#mask]! : null;
  }

  /** What waits at `sequence` is elsewhere from now on. */
  setRef(sequence: number, ref: Ref): void {
    this.#refs[sequence & this.#mask] = ref;
  }

  sizeAt(sequence: number): number {
    return this.#sizes[sequence & this.#mask]!;
  }

  qosAt(sequence: number): QoS {
    return ((this.#flags[sequence & this.#mask]! >> 2) & 3) as QoS;
  }

  retainAt(sequence: number): boolean {
    return (this.#flags[sequence & this.#mask]! & 16) !== 0;
  }

  identifiersAt(sequence: number): readonly number[] {
    return this.#identifiers?.get(sequence) ?? NO_IDENTIFIERS;
  }

  deliveryAt(sequence: number): Delivery {
    return { qos: this.qosAt(sequence), retain: this.retainAt(sequence), identifiers: this.identifiersAt(sequence) };
  }

  /** @returns what was there; null when it did not wait */
  release(sequence: number): Ref | null {
    const ref = this.refAt(sequence);
    if (ref === null) return null;
    const slot = sequence & this.#mask;
    this.#flags[slot] = (this.#flags[slot]! & ~3) | RELEASED;
    this.#forget(sequence, slot);
    this.#released.push(sequence);
    return ref;
  }

  /** @returns what was there and is not any more; null when there was nothing, or it had been released */
  remove(sequence: number): Ref | null {
    const state = this.stateOf(sequence);
    if (state === DONE) return null;
    const slot = sequence & this.#mask;
    const ref = state === WAITING ? this.#refs[slot]! : null;
    if (state === WAITING) this.#forget(sequence, slot);
    else this.#released.splice(this.#released.indexOf(sequence), 1);
    this.#flags[slot] = DONE;
    this.size--;
    while (this.first < this.next && (this.#flags[this.first & this.#mask]! & 3) === DONE) this.first++;
    if (this.size === 0 && this.#mask >= SLOTS_KEPT_MAX) this.#reset();
    return ref;
  }

  /** In the order in which they were released. */
  released(): number[] {
    return [...this.#released];
  }

  /** Calls `visit` with each that waits, in order. */
  eachRef(visit: (ref: Ref) => void): void {
    for (let sequence = this.first; sequence < this.next; sequence++) {
      const slot = sequence & this.#mask;
      if ((this.#flags[slot]! & 3) === WAITING) visit(this.#refs[slot]!);
    }
  }

  /** Goes on at `sequence`, for a window that is filled from elsewhere: what is between is done with, or was lost. */
  skipTo(sequence: number): void {
    if (this.size === 0) {
      this.first = sequence;
      this.next = sequence;
    }
    while (this.next < sequence) {
      if (this.next - this.first > this.#mask) this.#grow(SLOTS_MIN);
      this.#flags[this.next & this.#mask] = DONE;
      this.next++;
    }
  }

  #has(sequence: number): boolean {
    return sequence >= this.first && sequence < this.next;
  }

  #forget(sequence: number, slot: number): void {
    this.bytes -= this.#sizes[slot]!;
    this.#refs[slot] = null;
    this.#identifiers?.delete(sequence);
  }

  #reset(): void {
    this.#mask = -1;
    this.#refs = [];
    this.#flags = new Uint8Array(0);
    this.#sizes = new Uint32Array(0);
  }

  /** @param least slots that are needed, at least */
  #grow(least: number): void {
    let slots = Math.max(SLOTS_MIN, (this.#mask + 1) * 2);
    while (slots < least) slots *= 2;
    const mask = slots - 1;
    const refs: (Ref | null)[] = new Array(slots).fill(null);
    const flags = new Uint8Array(slots);
    const sizes = new Uint32Array(slots);
    for (let sequence = this.first; sequence < this.next; sequence++) {
      const from = sequence & this.#mask;
      const to = sequence & mask;
      refs[to] = this.#refs[from]!;
      flags[to] = this.#flags[from]!;
      sizes[to] = this.#sizes[from]!;
    }
    this.#refs = refs;
    this.#flags = flags;
    this.#sizes = sizes;
    this.#mask = mask;
  }
}

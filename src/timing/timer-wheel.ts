import { invariant } from '../errors.ts';
import { type Clock, systemClock } from './clock.ts';

/** Resolution of the wheel, in milliseconds: an entry fires at its time or up to this much later, never before. */
export const TICK_MS = 100;

/** Slots of one level. A power of two, so that a slot is found with a mask. */
const SLOTS = 64;
/** Levels of 64 slots: 6.4 s, 6.8 min, 7.3 h, 19 days, 3.4 years. What is due later waits at the far end and is placed again from there. */
const LEVELS = 5;
const HORIZON_TICKS = SLOTS ** LEVELS - 1;

/**
 * One deadline. It belongs to its owner, who keeps it and may schedule it any number of times: scheduling allocates nothing.
 * `fire` is a plain function of the owner, so that a hundred thousand entries share one.
 */
export class TimerEntry<Owner = unknown> {
  readonly owner: Owner;
  readonly fire: (owner: Owner) => void;
  /** The tick at which it is due. The wheel's business. */
  dueTick = 0;
  /** Neighbours in the slot's ring; null while not scheduled. The wheel's business. */
  next: TimerEntry | null = null;
  previous: TimerEntry | null = null;

  constructor(owner: Owner, fire: (owner: Owner) => void) {
    this.owner = owner;
    this.fire = fire;
  }

  get scheduled(): boolean {
    return this.next !== null;
  }
}

/**
 * Deadlines for very many owners at the price of one timer: `schedule` and `cancel` are a few pointer writes.
 *
 * ```
 * level 0   |..*...|  64 slots of 100 ms      the slot of the current tick fires
 * level 1   |.*....|  64 slots of 6.4 s       one slot is dealt out to level 0 each time level 0 has gone round
 * level 2   |......|  64 slots of 6.8 min     ... and so on
 * ```
 * The usual way to use it for inactivity: note the time of the last activity in a field, leave the entry where it is, and when it
 * fires schedule it again for what is left.
 *
 * Its one timer does not keep the process alive, and runs only while something is scheduled.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #originMs: number;
  readonly #slots: TimerEntry[][] = [];
  #currentTick = 0;
  #size = 0;
  #armedTick = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: { clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#originMs = this.#clock.monotonicMs();
    for (let level = 0; level < LEVELS; level++) this.#slots.push(Array.from({ length: SLOTS }, emptyRing));
  }

  /** How many entries are scheduled. */
  get size(): number {
    return this.#size;
  }

  /** Lets `timer` fire once, `delayMs` from now (rounded up to the tick). One that is already scheduled is moved. */
  schedule<Owner>(timer: TimerEntry<Owner>, delayMs: number): void {
    invariant(Number.isFinite(delayMs), `a delay is a finite number of milliseconds, not ${delayMs}`);
    const entry = timer as unknown as TimerEntry;
    if (entry.next === null) this.#size++;
    else unlink(entry);
    const nowTicks = (this.#clock.monotonicMs() - this.#originMs) / TICK_MS;
    if (this.#size === 1) this.#currentTick = Math.max(this.#currentTick, Math.floor(nowTicks));
    entry.dueTick = Math.max(this.#currentTick + 1, Math.ceil(nowTicks + delayMs / TICK_MS));
    this.#place(entry);
    if (entry.dueTick < this.#armedTick) this.#arm();
  }

  /** Takes `timer` out; one that is not scheduled is left alone. */
  cancel<Owner>(timer: TimerEntry<Owner>): void {
    if (timer.next === null) return;
    unlink(timer as unknown as TimerEntry);
    this.#size--;
    if (this.#size === 0) this.#disarm();
  }

  /** Fires all that is due by the clock. The wheel's own timer calls this; a test with a fake clock calls it by hand. */
  advance(): void {
    const target = Math.floor((this.#clock.monotonicMs() - this.#originMs) / TICK_MS);
    while (this.#currentTick < target) {
      if (this.#size === 0) {
        this.#currentTick = target;
        break;
      }
      this.#currentTick++;
      this.#dealOut();
      const ring = this.#slots[0]![this.#currentTick & (SLOTS - 1)]!;
      while (ring.next !== ring) {
        const entry = ring.next!;
        unlink(entry);
        this.#size--;
        entry.fire(entry.owner);
      }
    }
    this.#arm();
  }

  /** Forgets all entries and stops the timer. */
  clear(): void {
    for (const level of this.#slots) {
      for (const ring of level) while (ring.next !== ring) unlink(ring.next!);
    }
    this.#size = 0;
    this.#disarm();
  }

  #place(entry: TimerEntry): void {
    const ticksAhead = Math.min(entry.dueTick - this.#currentTick, HORIZON_TICKS);
    const tick = this.#currentTick + ticksAhead;
    let level = 0;
    let span = SLOTS;
    while (ticksAhead >= span) {
      level++;
      span *= SLOTS;
    }
    link(entry, this.#slots[level]![(tick / (span / SLOTS)) & (SLOTS - 1)]!);
  }

  /** When a level has gone round, the next slot of the level above is dealt out to the levels below. */
  #dealOut(): void {
    let span = SLOTS;
    for (let level = 1; level < LEVELS && this.#currentTick % span === 0; level++) {
      const ring = this.#slots[level]![(this.#currentTick / span) & (SLOTS - 1)]!;
      // An entry may land in the same ring again (one beyond the horizon), so the ring is emptied first.
      const entries: TimerEntry[] = [];
      while (ring.next !== ring) {
        entries.push(ring.next!);
        unlink(ring.next!);
      }
      for (const entry of entries) this.#place(entry);
      span *= SLOTS;
    }
  }

  #arm(): void {
    if (this.#size === 0) {
      this.#disarm();
      return;
    }
    const wakeTick = this.#nextWakeTick();
    if (wakeTick === this.#armedTick && this.#timer !== null) return;
    this.#disarm();
    this.#armedTick = wakeTick;
    const delayMs = this.#originMs + wakeTick * TICK_MS - this.#clock.monotonicMs();
    this.#timer = setTimeout(
      () => {
        this.#armedTick = Number.POSITIVE_INFINITY;
        this.#timer = null;
        this.advance();
      },
      Math.max(1, Math.ceil(delayMs)),
    );
    this.#timer.unref();
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#armedTick = Number.POSITIVE_INFINITY;
  }

  /** The first tick at which something fires, or at which level 0 has gone round and must be dealt new entries. */
  #nextWakeTick(): number {
    const slots = this.#slots[0]!;
    let tick = this.#currentTick + 1;
    while (tick % SLOTS !== 0) {
      const ring = slots[tick & (SLOTS - 1)]!;
      if (ring.next !== ring) return tick;
      tick++;
    }
    return tick;
  }
}

function emptyRing(): TimerEntry {
  const ring = new TimerEntry<unknown>(null, () => {});
  ring.next = ring;
  ring.previous = ring;
  return ring;
}

function link(entry: TimerEntry, ring: TimerEntry): void {
  const last = ring.previous!;
  entry.previous = last;
  entry.next = ring;
  last.next = entry;
  ring.previous = entry;
}

function unlink(entry: TimerEntry): void {
  entry.previous!.next = entry.next;
  entry.next!.previous = entry.previous;
  entry.next = null;
  entry.previous = null;
}

import type { Message } from '../../core/message.ts';
import { MESSAGE_BYTES, type Usage } from '../../core/usage.ts';
import { MessageCache } from './message-cache.ts';
import type { Segment } from './segment.ts';

/** Where a message is that was moved out of the file it was first written to. */
interface Moved {
  segment: Segment;
  place: number;
  references: number;
}

/**
 * Bytes of the newest messages that stay in memory while it is to be saved: those on their way to clients that are there, which would only be
 * read back at once...
 */
const PAGED_CACHE_BYTES_MAX = 1024 * 1024;

/** ...but no more than this share of the memory limit. */
const PAGED_CACHE_SHARE_MAX = 1 / 16;

/**
 * Which messages are stored, where, and how many still need each.
 *
 *     number ──► segment (found by its first number) ──► place, references
 *            └─► moved, for the few that were moved
 *
 * Messages are in memory, too, as long as there is room; those that are not are read from their files.
 */
export class Messages {
  /** The journal's files, in order. */
  readonly segments: Segment[] = [];
  /** Those that have messages, which are in order, too: a file may have nothing but what became of messages in others. */
  readonly #filled: Segment[] = [];
  readonly #moved = new Map<number, Moved>();
  readonly #cache = new MessageCache();
  #cacheBytes = 0;
  readonly #cacheBytesMax: number;
  readonly #pagedBytesMax: number;
  readonly #usage: Usage;
  next = 1;

  constructor(cacheBytesMax: number, usage: Usage) {
    this.#cacheBytesMax = cacheBytesMax;
    this.#pagedBytesMax = Math.min(cacheBytesMax, PAGED_CACHE_BYTES_MAX, usage.memory.limitBytes * PAGED_CACHE_SHARE_MAX);
    this.#usage = usage;
  }

  get cacheBytes(): number {
    return this.#cacheBytes;
  }

  /** Whether there is more in memory than may be. */
  get isCacheFull(): boolean {
    return this.#cacheBytes > this.#cacheBytesAllowed;
  }

  get #cacheBytesAllowed(): number {
    return this.#usage.isPaging ? this.#pagedBytesMax : this.#cacheBytesMax;
  }

  get movedEntries(): IterableIterator<[number, Readonly<Moved>]> {
    return this.#moved.entries();
  }

  /** The journal goes on in this file. */
  append(segment: Segment): void {
    this.segments.push(segment);
    if (segment.count > 0) this.#filled.push(segment);
  }

  /** Takes over what was found in the store's folder. @param segments in order */
  adopt(segments: readonly Segment[]): void {
    this.segments.splice(0, this.segments.length);
    this.#filled.splice(0, this.#filled.length);
    for (const segment of segments) this.append(segment);
  }

  /** A message is in the newest file, at `place`. */
  add(number: number, segment: Segment, place: number): void {
    if (segment.count === 0) this.#filled.push(segment);
    segment.addMessage(number, place);
  }

  referencesTo(number: number): number {
    const moved = this.#movedOf(number);
    if (moved !== undefined) return moved.references;
    const segment = this.#segmentOf(number);
    return segment === null ? 0 : segment.table.referencesAt(number - segment.firstMessage);
  }

  /** One more needs the message. */
  refer(number: number): void {
    const moved = this.#movedOf(number);
    if (moved !== undefined) {
      moved.references++;
      return;
    }
    const segment = this.#segmentOf(number);
    if (segment === null) return; // lost with a damaged record
    const { table } = segment;
    const index = number - segment.firstMessage;
    if (table.placeAt(index) === 0) return; // likewise
    const references = table.referencesAt(index);
    table.setReferences(index, references + 1);
    if (references === 0) segment.live++;
  }

  /** One less needs it. */
  unrefer(number: number): void {
    const moved = this.#movedOf(number);
    if (moved !== undefined) {
      if (--moved.references > 0) return;
      moved.segment.moved--;
      this.#moved.delete(number);
      this.#forget(number);
      return;
    }
    const segment = this.#segmentOf(number);
    if (segment === null) return;
    const { table } = segment;
    const index = number - segment.firstMessage;
    const references = table.referencesAt(index);
    if (references === 0) return;
    table.setReferences(index, references - 1);
    if (references > 1) return;
    segment.live--;
    this.#forget(number);
  }

  /** null when there is no such message: it was lost with a damaged record. */
  placeOf(number: number): { segment: Segment; place: number } | null {
    const moved = this.#movedOf(number);
    if (moved !== undefined) return moved;
    const segment = this.#segmentOf(number);
    if (segment === null) return null;
    const place = segment.table.placeAt(number - segment.firstMessage);
    return place === 0 ? null : { segment, place };
  }

  /** The message has a second copy at a new place, which is the one that counts from now on. */
  move(number: number, segment: Segment, place: number, references = this.referencesTo(number)): void {
    const before = this.#movedOf(number);
    if (before !== undefined) {
      before.segment.moved--;
    } else {
      const old = this.#segmentOf(number);
      if (old !== null && old.table.referencesAt(number - old.firstMessage) > 0) {
        old.table.setReferences(number - old.firstMessage, 0);
        old.live--;
      }
    }
    this.#moved.set(number, { segment, place, references });
    segment.moved++;
  }

  /** The message is damaged and cannot be read any more: whoever needs it keeps no file for it. */
  lose(number: number): void {
    const moved = this.#movedOf(number);
    if (moved !== undefined) {
      moved.segment.moved--;
      this.#moved.delete(number);
      return;
    }
    const segment = this.#segmentOf(number);
    if (segment === null) return;
    const { table } = segment;
    const index = number - segment.firstMessage;
    table.setPlace(index, 0);
    if (table.referencesAt(index) === 0) return;
    table.setReferences(index, 0);
    segment.live--;
  }

  /** Lets go of messages that were moved and that nobody needs. */
  forgetUnneeded(): void {
    for (const [number, moved] of this.#moved) {
      if (moved.references > 0) continue;
      moved.segment.moved--;
      this.#moved.delete(number);
    }
  }

  cached(number: number): Message | undefined {
    return this.#cache.get(number);
  }

  /** Keeps a new message in memory. */
  cache(number: number, message: Message): void {
    this.#cache.add(number, message);
    this.#cacheBytes += message.size + MESSAGE_BYTES;
    this.#usage.hold(message);
  }

  /** Lets go of messages beyond what may be in memory, the oldest first; of those from `number` on none, since they are nowhere else. */
  trimCache(number: number): void {
    while (this.isCacheFull) {
      const oldest = this.#cache.oldest();
      if (oldest >= number) return;
      const message = this.#cache.remove(oldest)!;
      this.#cacheBytes -= message.size + MESSAGE_BYTES;
      this.#usage.release(message);
    }
  }

  /** Takes a file out whose messages nobody needs. */
  drop(segment: Segment): void {
    remove(this.segments, segment);
    remove(this.#filled, segment);
    segment.table.clear();
  }

  #forget(number: number): void {
    const message = this.#cache.remove(number);
    if (message === undefined) return;
    this.#cacheBytes -= message.size + MESSAGE_BYTES;
    this.#usage.release(message);
    message.storedAs = 0;
  }

  #movedOf(number: number): Moved | undefined {
    return this.#moved.size === 0 ? undefined : this.#moved.get(number);
  }

  #segmentOf(number: number): Segment | null {
    const segments = this.#filled;
    let low = 0;
    let high = segments.length - 1;
    // Most questions are about the newest messages.
    const newest = segments[high];
    if (newest !== undefined && number >= newest.firstMessage) return number - newest.firstMessage < newest.count ? newest : null;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (segments[middle]!.firstMessage > number) high = middle - 1;
      else low = middle;
    }
    const segment = segments[low];
    if (segment === undefined) return null;
    const index = number - segment.firstMessage;
    return index >= 0 && index < segment.count ? segment : null;
  }
}

function remove(segments: Segment[], segment: Segment): void {
  const at = segments.indexOf(segment);
  if (at >= 0) segments.splice(at, 1);
}

import { ByteWriter } from '../../bytes/byte-writer.ts';
import type { DurabilityListener } from '../../core/store.ts';
import type { StoreFile, StoreFiles } from './files.ts';
import { BATCH, DELIVERIES, MESSAGE, RECORD_HEADER_BYTES, REMOVED, sealRecord } from './record.ts';
import { SEGMENT_HEADER_BYTES, Segment, startBehind } from './segment.ts';
import { type Chunk, SegmentFiles, type SyncStrategy } from './segment-files.ts';
import type { SpareFiles } from './spare-files.ts';

export interface LogOptions {
  readonly files: StoreFiles;
  /** Files to be written over. */
  readonly spares: SpareFiles;
  readonly strategy: SyncStrategy;
  /** `periodic`: milliseconds between two syncs. */
  readonly syncIntervalMs: number;
  /** Bytes from which on a file is full and the next one begun. */
  readonly segmentBytes: number;
  /** Milliseconds after which a write that failed is tried again. */
  readonly retryMs: number;
  /** The log cannot write, or can again (null). */
  onFailure(error: Error | null): void;
}

/** What is on its way to the disk. */
interface Batch {
  readonly chunks: readonly Chunk[];
  readonly upTo: number;
  /** The mark when it was taken. */
  readonly mark: number;
  /** Who waits for it, whatever is in it. */
  readonly listeners: DurabilityListener[];
  /** What became of writing it; null: it is to be written anew. */
  attempt: Promise<Error | null> | null;
  /** null: it went through the segment's own file. */
  readonly overlap: Overlap | null;
}

/** A segment's file, open a second time. */
interface Overlap {
  readonly segment: Segment;
  readonly file: Promise<StoreFile>;
}

interface Waiting {
  readonly mark: number;
  readonly listener: DurabilityListener;
}

/**
 * How long what nobody waits for (that a message is done with, mostly) may gather before it is written, in milliseconds: it goes with the
 * next promise, if one comes, and costs no sync of its own that a promise would have to wait behind.
 */
const UNHURRIED_MS = 100;

/** Bytes of that which are not left to gather any longer. */
const UNHURRIED_BYTES_MAX = 1024 * 1024;

/**
 * How long a batch may be on its way, in milliseconds, before the next one does not wait for it. A disk that is faster than that is better
 * used by fewer and larger batches, since each costs processor time.
 */
const OVERLAP_AFTER_MS = 1;

/** How long a batch may gather, in milliseconds, while more comes all the time. */
const GATHER_MS_MAX = 4;

/** Turns of the event loop in a row that bring nothing, after which no more is waited for. */
const QUIET_TURNS = 2;

/** Writers kept for the next batches. */
const SPARE_WRITERS_MAX = 4;

/**
 * Records appended one behind the other, in files of some size. Appending is synchronous and touches memory alone; all that has gathered
 * while the last batch was on its way to the disk is the next batch: one write and one sync for however many promises.
 *
 *     defer append append defer     ◄ gathers here; what was deferred is appended last, if it has to be
 *     ───── batch ─────             ◄ on its way: written and synced
 *     ═════════════════ segments    ◄ durable
 *
 * Promises wait for marks: `mark` counts what they may be about, and `durableMark` follows it when all before is durable or need not be.
 * Positions are bytes, for reading the log again.
 *
 * Where the disk takes long the next batch sets out before the last one is through; they are durable in order all the same.
 * A batch that cannot be written stays as it is and is tried again from its start; `durable` does not move until it is through. A file
 * whose sync has failed is given up, and what was in it goes to a new one.
 */
export class Log {
  readonly #options: LogOptions;
  #segment: Segment;
  #writer = new ByteWriter();
  readonly #spares: ByteWriter[] = [];
  /** Where `#writer` begins in the present segment. */
  #writerAt: number;
  #chunks: Chunk[] = [];
  #recordStart = 0;
  #batchBegun = false;
  #flushing = false;
  #scheduled = false;
  #closing = false;
  #isClosed = false;
  #unhurried: NodeJS.Timeout | null = null;
  #waiting: Waiting[] = [];
  #waitingHead = 0;
  /** The furthest mark that anybody has waited for. */
  #awaitedTo = 0;
  /** Counts what comes, and what is dismissed: whether there is more to come is seen by it. */
  #activity = 0;
  /** Whether something has gathered that a promise may be about. */
  #hasPromised = false;
  /** What has gathered has done so for long enough, whether anybody waits for it or not. */
  #isOverdue = false;
  /** Bytes of what is to be appended before the next batch is taken, unless it need not be by then. */
  #deferredBytes = 0;
  /** Whether a message has gathered: its publisher and its receivers wait for it, whether they have said so yet or not. */
  #hasMessage = false;
  /** Who waits for what gathers at present, whatever comes to it. */
  #nextBatch: DurabilityListener[] = [];
  #idle: (() => void)[] = [];
  /** The oldest first; one, or two that overlap. */
  readonly #underWay: Batch[] = [];
  #overlap: Overlap | null = null;
  #overlapTimer: NodeJS.Timeout | null = null;
  readonly #failed = new Set<(error: Error) => void>();
  readonly #files: SegmentFiles;
  #cutting: Promise<void> = Promise.resolve();
  position: number;
  /** All before here is durable. */
  durable: number;
  /** How much has come that a promise may be about, in records; with that which is deferred, and may never be one. Promises wait for it. */
  mark = 0;
  /** What is promised of all up to this mark is true, also after a power failure. */
  durableMark = 0;
  failure: Error | null = null;
  /** Told when a segment is full, no more records go there, and which one is next. */
  onSealed: (segment: Segment, next: Segment) => void = () => {};
  /** Called before a batch is taken: a record that is still being written is to be ended. */
  onFlush: () => void = () => {};

  /** @param segment where to go on, at its `size` */
  constructor(segment: Segment, options: LogOptions) {
    this.#options = options;
    this.#files = new SegmentFiles(
      options,
      () => this.durable,
      (error) => {
        this.#setFailure(error);
        setTimeout(() => this.#schedule(), options.retryMs).unref();
      },
    );
    this.#segment = segment;
    this.#writerAt = segment.size;
    segment.written = segment.size;
    if (segment.size === 0) {
      this.#writer.bytes(segment.begin());
      segment.size = SEGMENT_HEADER_BYTES;
    }
    this.position = segment.start + segment.size;
    this.durable = this.position;
  }

  /** Bytes given to write() since the start. */
  get writtenBytes(): number {
    return this.#files.writtenBytes;
  }

  /** The file that the next record goes to. */
  get segment(): Segment {
    return this.#segment;
  }

  /** Begins a record: its body is to be written to what this returns, then `end` called; nothing else in between. */
  begin(): ByteWriter {
    if (!this.#batchBegun) this.#beginBatch();
    this.wake();
    this.#recordStart = this.#writer.length;
    this.#writer.skip(RECORD_HEADER_BYTES);
    return this.#writer;
  }

  /** @returns where the record begins in `segment` */
  end(kind: number): number {
    const writer = this.#writer;
    const start = this.#recordStart;
    sealRecord(writer, start, writer.length, kind, this.#segment.seed);
    if (kind === MESSAGE || kind === DELIVERIES) this.#hasMessage = true;
    if (kind !== REMOVED) this.#promised();
    const segment = this.#segment;
    const at = this.#writerAt + start;
    segment.size = this.#writerAt + writer.length;
    this.position = segment.start + segment.size;
    return at;
  }

  /** Something of so many bytes has come that is to be appended when the next batch is taken: see `onFlush`. */
  defer(bytes: number): void {
    this.mark++;
    this.#activity++;
    this.#deferredBytes += bytes;
    this.wake();
  }

  /** Something that was deferred need not be appended any more. */
  dismiss(): void {
    this.#activity++;
  }

  /** Where the record that was begun stands in `segment`. */
  get recordPlace(): number {
    return this.#writerAt + this.#recordStart;
  }

  /** Something is to be appended before the next batch is taken: see `onFlush`. */
  wake(): void {
    if (this.#flushing || this.#scheduled || this.#isClosed) return;
    if (this.#writer.length + this.#deferredBytes >= UNHURRIED_BYTES_MAX) this.#hurry();
    else this.#unhurried ??= setTimeout(this.#hurry, UNHURRIED_MS).unref();
  }

  /** Makes room for the next record: to be called between records, before its place is asked for. */
  rollIfFull(): void {
    if (this.#segment.size >= this.#options.segmentBytes) this.roll();
  }

  /** Begins another file. To be called between records. */
  roll(): void {
    const segment = this.#segment;
    if (this.#writer.length > 0) this.#chunks.push({ segment, at: this.#writerAt, bytes: this.#writer });
    this.#segment = new Segment(segment.number + 1, startBehind(segment, segment.size));
    this.#segment.formerNumber = this.#options.spares.take();
    this.#files.seal(segment);
    if (this.#writer.length > 0) this.#writer = this.#takeWriter();
    this.#writer.bytes(this.#segment.begin());
    this.#writerAt = 0;
    this.#batchBegun = false;
    this.#segment.size = SEGMENT_HEADER_BYTES;
    this.onSealed(segment, this.#segment);
  }

  whenDurable(mark: number, listener: DurabilityListener): void {
    if (mark <= this.durableMark) {
      listener.onDurable();
      return;
    }
    this.#waiting.push({ mark, listener });
    if (mark > this.#awaitedTo) this.#awaitedTo = mark;
    this.#schedule();
  }

  /** See `Store.whenBatchDurable`; to be called while something is not durable, or is about to be appended. */
  whenBatchDurable(listener: DurabilityListener): void {
    if (this.#batchBegun || this.#chunks.length > 0 || this.#scheduled || this.#deferredBytes > 0) {
      this.#nextBatch.push(listener);
      this.#schedule();
      return;
    }
    listener.onBatch?.();
    const last = this.#underWay.at(-1);
    if (last === undefined) this.whenDurable(this.mark, listener);
    else last.listeners.push(listener);
  }

  /**
   * Resolves when all that was appended is durable.
   * @throws what is the matter, when the log cannot write
   */
  flushed(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure !== null) {
        reject(this.failure);
        return;
      }
      this.#failed.add(reject);
      if (this.durable < this.position) {
        // Also what nobody is promised.
        this.mark++;
        this.#hasPromised ||= this.#hasBytes;
      }
      this.whenDurable(this.mark, {
        onDurable: () => {
          this.#failed.delete(reject);
          resolve();
        },
      });
    });
  }

  /** Resolves when a file that is to go can be closed: nothing is going to sync or to cut it. */
  async release(segment: Segment): Promise<void> {
    if (this.#overlap?.segment === segment) this.#closeOverlap();
    const released = this.#files.release(segment);
    await this.#cutting;
    await released;
  }

  /** Writes what it can, once more, and stops. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#unhurried !== null) clearTimeout(this.#unhurried);
    if (this.failure === null && this.durable < this.position) this.#schedule();
    if (this.#flushing || this.#scheduled) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#files.stopTimer();
    this.#closeOverlap();
    this.#isClosed = true;
    await this.synced();
    if (this.failure !== null) return;
    this.#files.seal(this.#segment);
    await this.#files.cut(this.durable);
  }

  /**
   * Resolves when all that has been written is safe from a power failure, whatever the strategy. Where it cannot be, the log has failed until
   * it is.
   * @throws Node's errors
   */
  synced(): Promise<void> {
    return this.#files.synced();
  }

  #promised(): void {
    this.mark++;
    this.#activity++;
    this.#hasPromised = true;
  }

  #beginBatch(): void {
    this.#batchBegun = true;
    const start = this.#writer.length;
    this.#writer.skip(RECORD_HEADER_BYTES);
    this.#writer.f64(this.durable);
    sealRecord(this.#writer, start, this.#writer.length, BATCH, this.#segment.seed);
  }

  readonly #hurry = (): void => {
    this.#unhurried = null;
    this.#isOverdue = true;
    this.#schedule();
  };

  #schedule(): void {
    if (this.#scheduled || this.#flushing || this.#isClosed) return;
    this.#scheduled = true;
    if (this.#unhurried !== null) clearTimeout(this.#unhurried);
    this.#unhurried = null;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    for (;;) {
      if (this.#underWay.length === 0) {
        await this.#gather();
        this.onFlush();
        if (!this.#isDue) {
          if (this.#hasPromised || (this.durableMark === this.mark && this.#nextBatch.length === 0)) break;
          this.#settle();
          continue;
        }
        this.#beginBatchWrite(null);
      }
      const batch = this.#underWay[0]!;
      if (!(await this.#finish(batch))) break;
      this.#underWay.shift();
      this.durable = batch.upTo;
      this.durableMark = batch.mark;
      if (this.#files.hasUncut) {
        this.#cutting = this.#files.cut(this.durable);
        await this.#cutting;
      }
      for (const { bytes } of batch.chunks) this.#giveWriter(bytes);
      this.#tell(batch.listeners);
    }
    this.#flushing = false;
    this.#isOverdue = false;
    if (this.#overlapTimer !== null) clearTimeout(this.#overlapTimer);
    this.#overlapTimer = null;
    if (this.#hasBytes) this.wake();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Nothing that has gathered needs to be written for what is promised of it. */
  #settle(): void {
    this.#deferredBytes = 0;
    this.durableMark = this.mark;
    const listeners = this.#nextBatch;
    this.#nextBatch = [];
    for (const listener of listeners) listener.onBatch?.();
    this.#tell(listeners);
  }

  /**
   * Resolves when turns of the event loop bring nothing more: the sockets have been read, and whoever was just told has answered or will
   * take its time. Each batch costs processor time of its own, whatever is in it.
   */
  async #gather(): Promise<void> {
    const until = performance.now() + GATHER_MS_MAX;
    let activity = this.#activity;
    for (let quiet = 0; quiet < QUIET_TURNS && performance.now() < until; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#activity === activity) continue;
      activity = this.#activity;
      quiet = -1;
    }
  }

  /**
   * What has gathered becomes a batch and is on its way.
   * @param overlap where it is written beside another batch; null: alone
   */
  #beginBatchWrite(overlap: Overlap | null): void {
    const chunks = this.#takeChunks();
    const upTo = this.position;
    const { mark } = this;
    const listeners = this.#nextBatch;
    this.#nextBatch = [];
    for (const listener of listeners) listener.onBatch?.();
    const before = this.#underWay.at(-1);
    for (const listener of before?.listeners ?? []) {
      if (listener.onNextBatch === undefined) continue;
      listener.onNextBatch();
      listeners.push(listener);
    }
    const attempt =
      before === undefined || overlap === null ? this.#attempt(chunks) : settled(this.#writeBeside(chunks[0]!, overlap, before));
    this.#underWay.push({ chunks, upTo, mark, listeners, attempt, overlap });
    this.#watchOverlap();
  }

  /**
   * The disk takes long: what has gathered need not wait until it is done. Two syncs at a time cost it little more than one. A batch is
   * durable when those before it are, too.
   */
  readonly #beginOverlapping = async (): Promise<void> => {
    this.#overlapTimer = null;
    const [batch] = this.#underWay;
    await this.#gather();
    if (batch === undefined || this.#underWay[0] !== batch || this.#underWay.length > 1 || this.failure !== null || this.#files.isDoubtful)
      return;
    this.onFlush();
    const segment = this.#segment;
    const isOneFile = this.#chunks.length === 0 && batch.chunks.every((chunk) => chunk.segment === segment && segment.file !== null);
    if (isOneFile && this.#hasBytes && this.#isAwaited) this.#beginBatchWrite(this.#overlapIn(segment, batch.overlap));
    else this.#watchOverlap();
  };

  #watchOverlap(): void {
    if (this.#options.strategy !== 'always') return;
    if (this.#overlapTimer !== null) clearTimeout(this.#overlapTimer);
    this.#overlapTimer = setTimeout(() => void this.#beginOverlapping(), OVERLAP_AFTER_MS).unref();
  }

  /**
   * Which of the two open files of the present segment is free: an error of writing is told once to each that has the file open, so that no
   * batch learns of another's in its place.
   */
  #overlapIn(segment: Segment, used: Overlap | null): Overlap | null {
    if (used !== null) return null;
    if (this.#overlap === null || this.#overlap.segment !== segment) {
      this.#closeOverlap();
      this.#overlap = { segment, file: this.#options.files.open(segment.name, true) };
    }
    return this.#overlap;
  }

  #closeOverlap(): void {
    void this.#overlap?.file.then(
      (file) => file.close(),
      () => {}, // it never opened
    );
    this.#overlap = null;
  }

  async #writeBeside(chunk: Chunk, overlap: Overlap, before: Batch): Promise<void> {
    const file = await overlap.file.catch(() => null);
    if (file === null) {
      // There may be too many open files. Then one goes after the other.
      this.#overlap = null;
      const error = await before.attempt;
      if (error !== null) throw error;
      await this.#files.write([chunk]);
      return;
    }
    const { at, bytes } = chunk;
    await this.#files.put(overlap.segment, file, bytes, at);
  }

  /** @returns false when the log is being closed before that was possible */
  async #finish(batch: Batch): Promise<boolean> {
    batch.attempt ??= this.#attempt(batch.chunks);
    for (let error = await batch.attempt; error !== null; error = await this.#attempt(batch.chunks)) {
      // What is beside it is written again when its turn comes: the file may be another one by then.
      for (const other of this.#underWay) {
        await other.attempt;
        other.attempt = null;
      }
      this.#closeOverlap();
      if (this.failure === null) this.#setFailure(error);
      if (this.#closing) return false;
      await new Promise((resolve) => setTimeout(resolve, this.#options.retryMs));
      if (this.#closing) return false;
    }
    if (this.failure !== null) this.#setFailure(null);
    for (const { segment, at, bytes } of batch.chunks) segment.written = at + bytes.length;
    return true;
  }

  #attempt(chunks: readonly Chunk[]): Promise<Error | null> {
    return settled(this.#files.write(chunks));
  }

  /** Whether what has gathered is to be written now: when somebody waits for it, or nobody does and it has gathered for long enough. */
  get #isDue(): boolean {
    return this.#files.isDoubtful || (this.#hasBytes && (this.#isOverdue || this.#isAwaited));
  }

  /** Whether somebody waits for what has gathered. */
  get #isAwaited(): boolean {
    if (this.#hasMessage || this.#closing || this.#chunks.length > 0) return true;
    const underWayTo = this.#underWay.at(-1)?.mark ?? this.durableMark;
    return this.#hasPromised && (this.#nextBatch.length > 0 || this.#awaitedTo > underWayTo);
  }

  /** Bytes that are not durable. */
  get behindBytes(): number {
    return this.position - this.durable + this.#deferredBytes;
  }

  get #hasBytes(): boolean {
    return this.#chunks.length > 0 || this.#writer.length > 0;
  }

  /** What has gathered becomes a batch; its first record says what is durable now that the last batch is. */
  #takeChunks(): Chunk[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    if (this.#writer.length > 0) {
      chunks.push({ segment: this.#segment, at: this.#writerAt, bytes: this.#writer });
      this.#writerAt = this.#segment.size;
      this.#writer = this.#takeWriter();
    }
    this.#batchBegun = false;
    this.#hasMessage = false;
    this.#hasPromised = false;
    this.#isOverdue = false;
    this.#deferredBytes = 0;
    for (const chunk of chunks) this.#stampBatch(chunk);
    return chunks;
  }

  #stampBatch({ segment, at, bytes }: Chunk): void {
    const start = at === 0 ? SEGMENT_HEADER_BYTES : 0;
    const end = start + RECORD_HEADER_BYTES + 8;
    if (bytes.length < end || bytes.buffer[start + 8] !== BATCH) return; // a file's header alone
    bytes.buffer.writeDoubleBE(this.#options.strategy === 'always' ? this.durable : this.#files.syncedTo, start + RECORD_HEADER_BYTES);
    sealRecord(bytes, start, end, BATCH, segment.seed);
  }

  #setFailure(error: Error | null): void {
    this.failure = error;
    if (error !== null) for (const reject of this.#failed) reject(error);
    this.#failed.clear();
    this.#options.onFailure(error);
  }

  /** Calls whoever waited for what is durable now, in the order of their positions, then `listeners`, who waited for the batch. */
  #tell(listeners: readonly DurabilityListener[]): void {
    const waiting = this.#waiting;
    while (this.#waitingHead < waiting.length && waiting[this.#waitingHead]!.mark <= this.durableMark) {
      const { listener } = waiting[this.#waitingHead]!;
      this.#waitingHead++;
      listener.onDurable();
    }
    if (this.#waitingHead === waiting.length) {
      this.#waiting = [];
      this.#waitingHead = 0;
    } else if (this.#waitingHead > 1_024) {
      this.#waiting = waiting.slice(this.#waitingHead);
      this.#waitingHead = 0;
    }
    for (const listener of listeners) listener.onDurable();
  }

  #takeWriter(): ByteWriter {
    return this.#spares.pop() ?? new ByteWriter();
  }

  #giveWriter(writer: ByteWriter): void {
    writer.reset();
    if (this.#spares.length < SPARE_WRITERS_MAX) this.#spares.push(writer);
  }
}

function settled(attempt: Promise<void>): Promise<Error | null> {
  return attempt.then(
    () => null,
    (error: Error) => error,
  );
}

import { BrokerCounters } from '../../core/counters.ts';
import type { Stamp } from '../../core/hybrid-clock.ts';
import type { Message } from '../../core/message.ts';
import type { DurabilityListener, Store, StoredOrigin, StoredSession } from '../../core/store.ts';
import { MEMORY, STORE, Usage } from '../../core/usage.ts';
import type { Log as Logger } from '../../telemetry/log.ts';
import { CHECKPOINTS_KEPT, type Checkpoint, removeOldCheckpoints, writeCheckpoint } from './checkpoint.ts';
import { Compactor } from './compactor.ts';
import type { RetainedEntry } from './entries.ts';
import type { StoreFiles } from './files.ts';
import { Log } from './log.ts';
import type { StoredPropertiesForm } from './message-codec.ts';
import { Messages } from './messages.ts';
import { Records } from './records.ts';
import { recover } from './recover.ts';
import type { Segment } from './segment.ts';
import type { SyncStrategy } from './segment-files.ts';
import { JournalOrigin, JournalSession, ORIGIN, PEER, SELF, SessionContent } from './session.ts';
import { SpareFiles } from './spare-files.ts';

export interface JournalStoreOptions {
  readonly files: StoreFiles;
  readonly log: Logger;
  readonly propertiesForm: StoredPropertiesForm;
  /** Bytes of messages in memory; what is beyond is read from disk. It gives way when the broker's memory is short. */
  readonly cacheBytes: number;
  /** Where what is kept is counted, and limited; left out: nowhere. */
  readonly usage?: Usage;
  readonly strategy?: SyncStrategy;
  readonly syncIntervalMs?: number;
  /** Bytes of one journal file (`journalMaxFileLength`). */
  readonly segmentBytes?: number;
  /** false: each message is written, whoever may have acknowledged it by then, and none is sent before. */
  readonly concurrentStoreAndDispatch?: boolean;
  /** Bytes of a checkpoint that are encoded at once, before everybody else has a turn. */
  readonly checkpointPieceBytes?: number;
  /** Bytes of journal that may wait for the disk before the store counts as behind. */
  readonly unwrittenBytesMax?: number;
  readonly retryMs?: number;
  /** Takes a journal file that nobody needs out of the store's folder; it is removed unless given. */
  archive?(name: string): Promise<void>;
  /** Told when the store cannot write, and when it can again (null). */
  onFailure?(error: Error | null): void;
}

/** ActiveMQ's defaults. */
const SEGMENT_BYTES = 32 * 1024 * 1024;
const SYNC_INTERVAL_MS = 1_000;
const RETRY_MS = 1_000;

/** A checkpoint is written after this many bytes of journal at least, and then when as many times the last checkpoint's size have come. */
const CHECKPOINT_BYTES_MIN = 64 * 1024 * 1024;
const CHECKPOINT_FACTOR = 2;

/** A millisecond or two of work. */
const CHECKPOINT_PIECE_BYTES = 128 * 1024;

/** Where somebody asks for it, a file is emptied of which at most this share lives. */
const COMPACTED_SHARE_MAX = 0.5;

/** A store that is full is compacted when that frees at least this share of its limit: it costs a checkpoint or two. */
const FREED_SHARE_MIN = 1 / 64;

/** Files that nobody needs are kept to be written over while all take at most this share of the limit. */
const SPARE_SHARE_MAX = 0.5;

/** Milliseconds between two looks at whether there is housekeeping to do. */
const TIDY_MS = 1_000;

/** Far above a batch: what waits in memory for a slow or full disk. */
const UNWRITTEN_BYTES_MAX = 64 * 1024 * 1024;

/**
 * The embedded store: a journal of everything that happens, and in memory what it adds up to, as numbers. See docs/reference/journal-format.md.
 */
export class JournalStore implements Store {
  readonly outlivesProcess = true;
  readonly dispatchesWhileStoring: boolean;
  readonly messages: Messages;
  readonly sessionsById = new Map<number, JournalSession>();
  readonly retainedByTopic = new Map<string, RetainedEntry>();
  readonly #options: JournalStoreOptions;
  readonly #usage: Usage;
  readonly #spares: SpareFiles;
  readonly #log: Log;
  readonly #compactor: Compactor;
  readonly #records: Records;
  #nextSessionId: number;
  /** All space is to be given back that can be. */
  #isCompacting = false;
  /** Bytes of the files that are not written to any more. */
  #sealedBytes = 0;
  #checkpoint: Checkpoint;
  #checkpointing: Promise<void> | null = null;
  #checkpointDue: number;
  #closed = false;
  #tidying: Promise<void> | null = null;
  /** The last try to tidy up has failed, and the log has said so. */
  #isUntidy = false;
  readonly #tidyTimer: NodeJS.Timeout;

  /**
   * Opens the store of a folder, with whatever is in it.
   * @throws ConfigError STORE_FORMAT for a format that this program does not know; Node's errors where it cannot be read
   */
  static async open(options: JournalStoreOptions): Promise<JournalStore> {
    const usage = options.usage ?? new Usage(new BrokerCounters(), options.log);
    const messages = new Messages(options.cacheBytes, usage);
    const recovered = await recover(options.files, options.strategy === undefined || options.strategy === 'always', options.log, messages);
    return new JournalStore(options, usage, messages, recovered);
  }

  private constructor(options: JournalStoreOptions, usage: Usage, messages: Messages, recovered: Awaited<ReturnType<typeof recover>>) {
    this.#options = options;
    this.#usage = usage;
    this.dispatchesWhileStoring = options.concurrentStoreAndDispatch ?? true;
    this.messages = messages;
    for (const [topic, entry] of recovered.retained) this.retainedByTopic.set(topic, entry);
    this.#nextSessionId = recovered.nextSessionId;
    this.#checkpoint = recovered.checkpoint;
    const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#spares = new SpareFiles(options.files, segmentBytes);
    this.#log = new Log(recovered.segment, {
      files: options.files,
      spares: this.#spares,
      strategy: options.strategy ?? 'always',
      syncIntervalMs: options.syncIntervalMs ?? SYNC_INTERVAL_MS,
      segmentBytes,
      retryMs: options.retryMs ?? RETRY_MS,
      onFailure: (error) => {
        if (error !== null) void this.#spares.removeAll().catch(() => {}); // there may be no space, or no disk any more
        options.onFailure?.(error);
      },
    });
    this.#records = new Records({
      log: this.#log,
      messages,
      usage,
      propertiesForm: options.propertiesForm,
      logger: options.log,
      dispatchesWhileStoring: this.dispatchesWhileStoring,
      diskBytes: () => this.diskBytes,
      onDropped: ({ id }) => this.sessionsById.delete(id),
    });
    for (const [id, content] of recovered.sessions) this.sessionsById.set(id, new JournalSession(id, this.#records, content));
    this.#log.onFlush = () => {
      this.#records.endAll();
      usage.store.set(this.diskBytes);
    };
    this.#log.onSealed = (segment, next) => {
      messages.append(next);
      this.#sealedBytes += segment.size;
    };
    usage.giveWay = () => {
      if (this.messages.isCacheFull) this.#records.makeRoom();
    };
    this.#measureAll();
    this.#checkpointDue = this.#log.position + this.#checkpointInterval;
    this.#compactor = new Compactor(this);
    this.#tidyTimer = setInterval(() => void this.tidy(), TIDY_MS).unref();
  }

  get position(): number {
    return this.#records.end();
  }

  get durable(): number {
    return this.#log.durableMark;
  }

  /** Bytes appended so far. */
  get appendedBytes(): number {
    return this.#log.position;
  }

  get failure(): Error | null {
    return this.#log.failure;
  }

  get isBehind(): boolean {
    return this.#log.behindBytes > (this.#options.unwrittenBytesMax ?? UNWRITTEN_BYTES_MAX);
  }

  /** Bytes given to write() since the store was opened. */
  get writtenBytes(): number {
    return this.#log.writtenBytes;
  }

  /** Bytes of all journal files, with those that are there to be written over. */
  get diskBytes(): number {
    return this.#sealedBytes + this.#log.segment.size + this.#spares.bytes;
  }

  /** What cannot be written stays in memory. */
  get spaceNeeded(): number {
    return this.failure === null ? STORE : STORE | MEMORY;
  }

  get present(): Segment {
    return this.#log.segment;
  }

  get checkpoint(): Checkpoint {
    return this.#checkpoint;
  }

  get propertiesForm(): StoredPropertiesForm {
    return this.#options.propertiesForm;
  }

  whenDurable(position: number, listener: DurabilityListener): void {
    this.#log.whenDurable(position, listener);
  }

  whenBatchDurable(listener: DurabilityListener): boolean {
    if (!this.#records.hasOpen && this.#log.mark === this.#log.durableMark) return true;
    this.#log.whenBatchDurable(listener);
    return false;
  }

  *sessions(): Generator<StoredSession> {
    for (const session of this.sessionsById.values()) if (!session.name.startsWith('\0')) yield session;
  }

  createSession(clientId: string): StoredSession {
    return this.#create(clientId);
  }

  *peers(): Generator<StoredSession> {
    for (const session of this.sessionsById.values()) if (session.name.startsWith(PEER)) yield session;
  }

  createPeer(brokerId: string): StoredSession {
    return this.#create(PEER + brokerId);
  }

  *origins(): Generator<StoredOrigin> {
    for (const session of this.sessionsById.values()) if (session.name.startsWith(ORIGIN)) yield new JournalOrigin(session, this.#records);
  }

  createOrigin(name: string): StoredOrigin {
    return new JournalOrigin(this.#create(ORIGIN + name), this.#records);
  }

  brokerId(proposed: string): string {
    for (const { name } of this.sessionsById.values()) if (name.startsWith(SELF)) return name.slice(SELF.length);
    this.#create(SELF + proposed);
    return proposed;
  }

  *retained(): Generator<{ topic: string; message: Message | null; stamp: Stamp }> {
    for (const [topic, { number, stamp }] of this.retainedByTopic) {
      const message = number === 0 ? null : this.#records.read(number);
      if (number === 0 || message !== null) yield { topic, message, stamp };
    }
  }

  retain(topic: string, message: Message | null, stamp: Stamp): void {
    const before = this.retainedByTopic.get(topic);
    let number = 0;
    if (message === null) this.#records.appendRetainedRemoved(topic, stamp);
    else number = this.#records.appendRetained(message, topic, stamp);
    this.retainedByTopic.set(topic, { number, stamp });
    if (before !== undefined && before.number !== 0) this.messages.unrefer(before.number);
  }

  /** Nothing is written: should it come back with a restart, it is forgotten again. */
  forgetRemoval(topic: string): void {
    if (this.retainedByTopic.get(topic)?.number === 0) this.retainedByTopic.delete(topic);
  }

  /** Writes a message that lives in an old file anew, so that the file can go. */
  move(number: number): void {
    this.#records.move(number);
  }

  /** Housekeeping that need not be done at once: what may leave memory, checkpoints, files nobody needs. */
  tidy(): Promise<void> {
    if (this.#closed || this.failure !== null) return Promise.resolve();
    this.#tidying ??= this.#tidy().finally(() => {
      this.#tidying = null;
    });
    return this.#tidying;
  }

  /** Lets go of a file that nobody needs. */
  async release(segment: Segment): Promise<void> {
    const { files, archive } = this.#options;
    if (archive !== undefined) await archive(segment.name);
    else if (!(await this.#keepSpare(segment))) await files.remove(segment.name);
    this.messages.drop(segment);
    await this.#log.release(segment);
    await segment.file?.close();
  }

  /** @returns false when it is to be removed */
  async #keepSpare({ number, name, size }: Segment): Promise<boolean> {
    const { store } = this.#usage;
    if (this.#isCompacting || this.diskBytes > store.limitBytes * SPARE_SHARE_MAX) return false;
    return this.#spares.keep(number, name, size);
  }

  /** Resolves when all that was appended is durable. */
  flushed(): Promise<void> {
    this.#records.endAll();
    return this.#log.flushed();
  }

  /** The same, and safe from a power failure, also where not every batch is synced. */
  async safe(): Promise<void> {
    await this.flushed();
    await this.#log.synced();
  }

  /**
   * Frees as much as can be freed, for a store that nobody uses meanwhile.
   * @param onProgress is told how many files are left that may be freed, before and after each
   */
  async compact(onProgress: (filesLeft: number) => void): Promise<void> {
    clearInterval(this.#tidyTimer);
    await this.#tidying;
    await this.#compact(onProgress);
  }

  /** Writes down what the journal adds up to, so that a start need not read all of it. */
  async writeCheckpoint(): Promise<void> {
    this.#checkpointing ??= this.#writeCheckpoint().finally(() => {
      this.#checkpointing = null;
    });
    await this.#checkpointing;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    clearInterval(this.#tidyTimer);
    await this.#tidying;
    this.#records.endAll();
    try {
      await this.#log.flushed();
      await this.writeCheckpoint();
      await this.#compactor.removeDead();
    } catch (error) {
      this.#options.log.error('the store is closed without all that was to be written', { reason: (error as Error).message });
    }
    this.#closed = true;
    try {
      await this.#log.close();
    } catch (error) {
      this.#options.log.error('the store is closed without all being safe from a power failure', { reason: (error as Error).message });
    }
    for (const { file } of this.messages.segments) await file?.close();
  }

  async #tidy(): Promise<void> {
    try {
      if (this.#log.position >= this.#checkpointDue) await this.writeCheckpoint();
      await this.#compactor.run();
      this.#measureAll();
      if (this.messages.isCacheFull) this.#records.makeRoom();
      const { store } = this.#usage;
      if (store.isFull && this.#freeableBytes >= store.limitBytes * FREED_SHARE_MIN) await this.#compact(() => {});
      this.#isUntidy = false;
    } catch (error) {
      if (!this.#isUntidy) this.#options.log.warn('the store could not tidy up and tries on', { reason: (error as Error).message });
      this.#isUntidy = true;
    }
  }

  async #compact(onProgress: (filesLeft: number) => void): Promise<void> {
    this.#isCompacting = true;
    try {
      await this.#spares.removeAll();
      await this.#emptyAll(onProgress);
    } finally {
      this.#isCompacting = false;
    }
  }

  async #emptyAll(onProgress: (filesLeft: number) => void): Promise<void> {
    this.#records.endAll();
    this.#log.roll();
    await this.writeCheckpoint();
    await this.writeCheckpoint();
    onProgress(this.#filesToFree);
    for (let before = Number.POSITIVE_INFINITY; this.diskBytes < before; ) {
      before = this.diskBytes;
      await this.#compactor.run(0, COMPACTED_SHARE_MAX);
      // The second checkpoint is the one that the first was to fall back on.
      await this.writeCheckpoint();
      await this.writeCheckpoint();
      await this.#compactor.removeDead();
      this.#measureAll();
      onProgress(this.#filesToFree);
    }
  }

  /** Adds up what is there: files have come and gone. */
  #measureAll(): void {
    let bytes = 0;
    for (const segment of this.messages.segments) if (segment !== this.#log.segment && segment.file !== null) bytes += segment.size;
    this.#sealedBytes = bytes;
    this.#usage.store.set(this.diskBytes);
  }

  /** Files that `compact` would free. */
  get #filesToFree(): number {
    const { segment: last } = this.#log;
    return this.messages.segments.filter((segment) => segment !== last && segment.liveShare <= COMPACTED_SHARE_MAX).length;
  }

  /** About how many bytes `compact` would free. */
  get #freeableBytes(): number {
    let bytes = 0;
    for (const segment of this.messages.segments) {
      const { size, liveShare } = segment;
      if (liveShare <= COMPACTED_SHARE_MAX) bytes += size * (1 - liveShare);
    }
    return bytes;
  }

  get #checkpointInterval(): number {
    return Math.max(CHECKPOINT_BYTES_MIN, this.#checkpoint.bytes * CHECKPOINT_FACTOR);
  }

  async #writeCheckpoint(): Promise<void> {
    const { files, checkpointPieceBytes = CHECKPOINT_PIECE_BYTES } = this.#options;
    this.#records.endAll();
    const { position } = this.#log;
    const written = await writeCheckpoint(files, checkpointPieceBytes, {
      serial: this.#checkpoint.serial + 1,
      position,
      segmentNumber: this.#log.segment.number,
      nextMessage: this.messages.next,
      nextSessionId: this.#nextSessionId,
      segments: this.messages.segments.map((segment) => [segment, segment.count]),
      messages: this.messages,
      sessions: this.sessionsById,
      retained: this.retainedByTopic,
      settle: () => this.#records.writeUnwritten(),
      durable: () => this.safe(),
    });
    this.#checkpoint = { ...written, previousSegment: this.#checkpoint.segmentNumber };
    this.#checkpointDue = position + this.#checkpointInterval;
    await removeOldCheckpoints(files, this.#checkpoint.serial, CHECKPOINTS_KEPT);
  }

  #create(name: string): JournalSession {
    const session = new JournalSession(this.#nextSessionId++, this.#records, new SessionContent(name));
    this.sessionsById.set(session.id, session);
    this.#records.appendSession(session);
    return session;
  }
}

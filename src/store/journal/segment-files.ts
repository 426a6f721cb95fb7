import type { ByteWriter } from '../../bytes/byte-writer.ts';
import type { StoreFile, StoreFiles } from './files.ts';
import { type Segment, spareName } from './segment.ts';

/** When what was written counts as durable: after each batch's fdatasync; as soon as the kernel has it, and synced now and then, or never. */
export type SyncStrategy = 'always' | 'periodic' | 'never';

export interface SegmentFilesOptions {
  readonly files: StoreFiles;
  readonly strategy: SyncStrategy;
  /** `periodic`: milliseconds between two syncs. */
  readonly syncIntervalMs: number;
}

/** Bytes for one file that are not written yet. */
export interface Chunk {
  readonly segment: Segment;
  readonly at: number;
  readonly bytes: ByteWriter;
}

/** Bytes of a file that are copied at once. */
const COPY_BYTES = 1024 * 1024;

/** Brings what a log appends to the files of its segments, and knows which of them a failed sync has left doubtful. */
export class SegmentFiles {
  readonly #options: SegmentFilesOptions;
  readonly #durable: () => number;
  readonly #onSyncFailure: (error: Error) => void;
  #syncTimer: NodeJS.Timeout | null = null;
  /** Written to and not synced, where not every batch is. */
  readonly #unsynced = new Set<Segment>();
  /** One at a time, so that nobody closes a file that another syncs. */
  #syncing: Promise<void> = Promise.resolve();
  /** Whose sync has failed: see `#renew`. */
  readonly #suspects = new Set<Segment>();
  /** Full, and in files that may have had more in them before. */
  #uncut: Segment[] = [];
  /** Where all was synced, as far as is known; for strategies other than `always`. */
  syncedTo = 0;
  /** Bytes given to write() since the start. */
  writtenBytes = 0;

  /**
   * @param durable where the log is durable
   * @param onSyncFailure told when a sync of its own has failed: `write` is to be called, which writes the file anew
   */
  constructor(options: SegmentFilesOptions, durable: () => number, onSyncFailure: (error: Error) => void) {
    this.#options = options;
    this.#durable = durable;
    this.#onSyncFailure = onSyncFailure;
  }

  /** Whether there is a file to be written anew. */
  get isDoubtful(): boolean {
    return this.#suspects.size > 0;
  }

  /** Whether there is something to `cut`. */
  get hasUncut(): boolean {
    return this.#uncut.length > 0;
  }

  /** Resolves when all is written, and synced where each batch is. @throws Node's errors; then nothing is known of any of it */
  async write(chunks: readonly Chunk[]): Promise<void> {
    const { files, strategy } = this.#options;
    for (const segment of this.#suspects) await this.#renew(segment);
    for (const { segment, at, bytes } of chunks) {
      if (segment.file === null) {
        if (segment.formerNumber !== 0) await this.#takeSpare(segment);
        segment.file = await files.open(segment.name, strategy === 'always');
        if (strategy !== 'never') await this.#trust(segment, files.syncFolder());
      }
      await this.put(segment, segment.file, bytes, at);
    }
  }

  /** Writes to a file of the segment's; where every batch is synced, it is one that does so with it. @throws Node's errors */
  async put(segment: Segment, file: StoreFile, bytes: ByteWriter, at: number): Promise<void> {
    const { files, strategy } = this.#options;
    const content = bytes.buffer.subarray(0, bytes.length);
    const writing = file.write(content, at);
    if (strategy !== 'always') {
      await writing;
      this.#syncLater(segment);
    } else if (!(await hasRoom(writing))) {
      // No space for the bytes, or none below the file system to bring them to: then they can be written, and what was synced is doubtful.
      const again = await files.open(segment.name);
      try {
        await again.write(content, at);
      } finally {
        await again.close();
      }
      this.#suspects.add(segment);
      await writing;
    } else {
      await this.#trust(segment, writing);
    }
    this.writtenBytes += bytes.length;
  }

  /** Resolves when all that has been written is safe from a power failure, whatever the strategy. @throws Node's errors */
  synced(): Promise<void> {
    this.#syncing = this.#syncing.catch(() => {}).then(() => this.#syncAll());
    this.#syncing.catch(this.#onSyncFailure);
    return this.#syncing;
  }

  /** Nothing more goes to the segment: what its file has behind its own records from an earlier time can be cut off. */
  seal(segment: Segment): void {
    if (segment.formerNumber !== 0) this.#uncut.push(segment);
  }

  /** Cuts what is sealed and durable. A cut that fails costs space, and no more. */
  async cut(durable: number): Promise<void> {
    const isThrough = (segment: Segment): boolean => segment.start + segment.size <= durable;
    const full = this.#uncut.filter(isThrough);
    this.#uncut = this.#uncut.filter((segment) => !isThrough(segment));
    for (const { file, size } of full) await file?.truncate(size).catch(() => {});
  }

  /** Resolves when a file that is to go can be closed: nothing is going to sync it, nor to begin to cut it. */
  async release(segment: Segment): Promise<void> {
    this.#unsynced.delete(segment);
    this.#uncut = this.#uncut.filter((uncut) => uncut !== segment);
    await this.#syncing.catch(() => {}); // whoever asked for it is told
  }

  stopTimer(): void {
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer);
  }

  async #syncAll(): Promise<void> {
    for (const segment of [...this.#unsynced]) {
      this.#unsynced.delete(segment);
      await this.#trust(segment, segment.file!.sync());
    }
  }

  #syncLater(segment: Segment): void {
    this.#unsynced.add(segment);
    if (this.#options.strategy === 'periodic')
      this.#syncTimer ??= setTimeout(() => void this.#syncNow(), this.#options.syncIntervalMs).unref();
  }

  async #syncNow(): Promise<void> {
    const upTo = this.#durable();
    await this.synced().then(
      () => {
        this.syncedTo = upTo;
      },
      () => {}, // the log has been told
    );
    this.#syncTimer = null;
    for (const segment of this.#unsynced) this.#syncLater(segment);
  }

  /** A spare file becomes this one. One that is not there (somebody has removed it, or it has its name already) is made anew. */
  async #takeSpare({ formerNumber, name }: Segment): Promise<void> {
    try {
      await this.#options.files.rename(spareName(formerNumber), name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  async #trust(segment: Segment, syncing: Promise<void>): Promise<void> {
    try {
      await syncing;
    } catch (error) {
      this.#suspects.add(segment);
      throw error;
    }
  }

  /**
   * Writes a file anew whose sync has failed, under its name. Linux counts pages as clean that it could not write, so that the next sync of
   * that file succeeds without the disk having them; a new file has no such past, and other blocks of the disk. What is read of the old one
   * was durable before, or is still in the page cache.
   */
  async #renew(segment: Segment): Promise<void> {
    const { files, strategy } = this.#options;
    const old = segment.file!;
    const file = await files.open(segment.renewedName, strategy === 'always');
    try {
      await file.truncate(0);
      const block = Buffer.allocUnsafe(COPY_BYTES);
      for (let at = 0; at < segment.written; at += COPY_BYTES) {
        const wanted = block.subarray(0, Math.min(COPY_BYTES, segment.written - at));
        if (old.read(wanted, at) < wanted.length) throw new Error(`${segment.name}: shorter than what was written to it`);
        await file.write(wanted, at);
      }
      await file.sync();
      await files.rename(segment.renewedName, segment.name);
      await files.syncFolder();
    } catch (error) {
      await file.close();
      throw error;
    }
    segment.file = file;
    this.#suspects.delete(segment);
    await old.close();
  }
}

/** Resolves to false where a write has failed for lack of space. */
function hasRoom(writing: Promise<void>): Promise<boolean> {
  return writing.then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== 'ENOSPC' && code !== 'EDQUOT',
  );
}

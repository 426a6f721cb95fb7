import { ByteReader } from '../../bytes/byte-reader.ts';
import { ByteWriter } from '../../bytes/byte-writer.ts';
import type { Message } from '../../core/message.ts';
import { HOLDER_BYTES, type Spill, type Spilled, type Usage } from '../../core/usage.ts';
import type { Log } from '../../telemetry/log.ts';
import type { StoreFile, StoreFiles } from './files.ts';
import { readMessage, type StoredPropertiesForm, writeMessage } from './message-codec.ts';

export interface SpillOptions {
  /** A folder for these files alone. */
  readonly files: StoreFiles;
  readonly propertiesForm: StoredPropertiesForm;
  readonly usage: Usage;
  readonly log: Log;
  /** After a write that failed, until it is tried again, in milliseconds. */
  readonly retryMs?: number;
}

const RETRY_MS = 1_000;

/** A file is full at this size, in bytes: it goes when nothing in it is needed any more. */
const FILE_BYTES = 32 * 1024 * 1024;

/** ...or earlier, so that one message that nobody fetches keeps no more than this share of the limit. */
const FILE_SHARE_MAX = 1 / 16;

/** A file in which nothing is needed any more is left for the next messages up to this size, in bytes. */
const KEPT_BYTES_MAX = 1024 * 1024;

/** Bytes read at once: who comes for its messages comes for the next ones, too. */
const READ_BYTES = 262_144;

const NAME = /^spill-\d+\.tmp$/;

/** One temporary file. */
class SpillFile {
  readonly name: string;
  file: StoreFile | null = null;
  /** Bytes put into it, written or not. */
  size = 0;
  /** Messages in it that somebody needs. */
  live = 0;

  constructor(name: string) {
    this.name = name;
  }
}

/** Bytes for one place of one file that are not written yet. */
interface Chunk {
  readonly file: SpillFile;
  readonly at: number;
  readonly bytes: ByteWriter;
}

class SpilledMessage implements Spilled {
  readonly file: SpillFile;
  readonly place: number;
  readonly length: number;
  readonly size: number;
  readonly expiresAtMs: number;
  references = 1;

  constructor(file: SpillFile, place: number, length: number, { size, expiresAtMs }: Message) {
    this.file = file;
    this.place = place;
    this.length = length;
    this.size = size;
    this.expiresAtMs = expiresAtMs;
  }
}

/**
 * Messages that wait on disk because memory is short, in temporary files that nobody reads after a restart.
 *
 *     file     ─────────────────────┬────────────┬──────────►
 *               on disk             │ on its way │ gathers         (the last two are in memory, and count there)
 *
 * What gathers while a write is on its way is the next write. A file whose messages have all been fetched is removed.
 */
export class SpillFiles implements Spill {
  readonly #options: SpillOptions;
  readonly #files = new Set<SpillFile>();
  readonly #reader = new ByteReader();
  #number = 0;
  #current: SpillFile;
  #gathers = new ByteWriter();
  /** Where in the present file `#gathers` begins. */
  #gathersAt = 0;
  /** What is to be written, the one that is being written first. */
  readonly #chunks: Chunk[] = [];
  #spare: ByteWriter | null = null;
  #writing: Promise<void> | null = null;
  #isScheduled = false;
  #failure: Error | null = null;
  #block = Buffer.alloc(0);
  #blockFile: SpillFile | null = null;
  #blockAt = 0;
  #blockLength = 0;
  #closed = false;

  private constructor(options: SpillOptions) {
    this.#options = options;
    this.#current = this.#begin();
  }

  /** Empties the folder of what an earlier process left there. @throws Node's errors */
  static async open(options: SpillOptions): Promise<SpillFiles> {
    for (const name of options.files.list()) if (NAME.test(name)) await options.files.remove(name);
    return new SpillFiles(options);
  }

  get #fileBytes(): number {
    return Math.min(FILE_BYTES, this.#options.usage.temp.limitBytes * FILE_SHARE_MAX);
  }

  take(message: Message): Spilled | null {
    const { usage, propertiesForm } = this.#options;
    const known = message.spilled as SpilledMessage | null;
    if (known !== null && known.references > 0) {
      known.references++;
      usage.memory.add(HOLDER_BYTES);
      return known;
    }
    if (this.#failure !== null || this.#closed || usage.temp.bytes + message.size > usage.temp.limitBytes) return null;
    if (this.#current.size >= this.#fileBytes) this.#rollOver();
    const file = this.#current;
    const writer = this.#gathers;
    const start = writer.length;
    writeMessage(writer, message, propertiesForm, true);
    const length = writer.length - start;
    const spilled = new SpilledMessage(file, this.#gathersAt + start, length, message);
    file.size += length;
    file.live++;
    usage.temp.add(length);
    usage.memory.add(length + HOLDER_BYTES);
    message.spilled = spilled;
    this.#schedule();
    return spilled;
  }

  read(spilled: Spilled): Message | null {
    const { file, place, length } = spilled as SpilledMessage;
    try {
      if (file === this.#current && place >= this.#gathersAt) return this.#decode(this.#gathers.buffer, place - this.#gathersAt, length);
      for (const { file: to, at, bytes } of this.#chunks)
        if (file === to && place >= at && place < at + bytes.length) return this.#decode(bytes.buffer, place - at, length);
      if (!this.#inBlock(file, place, length)) this.#readBlock(file, place, Math.max(READ_BYTES, length));
      if (this.#inBlock(file, place, length)) return this.#decode(this.#block, place - this.#blockAt, length);
      this.#options.log.error('a temporary file is shorter than it was: a message in it is lost', { file: file.name, place });
    } catch (error) {
      this.#options.log.error('a temporary file cannot be read: a message in it is lost', {
        file: file.name,
        place,
        reason: (error as Error).message,
      });
    }
    return null;
  }

  release(spilled: Spilled): void {
    const message = spilled as SpilledMessage;
    this.#options.usage.memory.subtract(HOLDER_BYTES);
    if (--message.references > 0) return;
    const { file } = message;
    if (--file.live > 0) return;
    if (file !== this.#current) this.#remove(file);
    else if (file.size > Math.min(KEPT_BYTES_MAX, this.#fileBytes / 4)) this.#rollOver();
  }

  /** Removes all files. Nobody is to ask for a message any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    for (const file of this.#files) await this.#discard(file);
    this.#files.clear();
  }

  #begin(): SpillFile {
    const file = new SpillFile(`spill-${++this.#number}.tmp`);
    this.#files.add(file);
    return file;
  }

  /** Goes on in a new file. */
  #rollOver(): void {
    const before = this.#current;
    if (before.live > 0) this.#seal();
    else this.#forget(this.#gathers);
    this.#current = this.#begin();
    this.#gathersAt = 0;
    if (before.live === 0) this.#remove(before);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#writing !== null) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (this.#chunks.length > 0 || this.#gathers.length > 0) this.#writing = this.#write();
    });
  }

  /** What has gathered is to be written. */
  #seal(): void {
    const bytes = this.#gathers;
    if (bytes.length === 0) return;
    this.#chunks.push({ file: this.#current, at: this.#gathersAt, bytes });
    this.#gathersAt += bytes.length;
    this.#gathers = this.#spare ?? new ByteWriter();
    this.#spare = null;
  }

  /** Writes all there is, and what comes meanwhile. */
  async #write(): Promise<void> {
    for (;;) {
      if (this.#chunks.length === 0) this.#seal();
      const [first] = this.#chunks;
      if (first === undefined || this.#closed) break;
      await this.#writeChunk(first);
      this.#chunks.shift();
      this.#forget(first.bytes);
      this.#spare = first.bytes;
      if (first.file.live === 0 && first.file !== this.#current) this.#remove(first.file);
    }
    this.#writing = null;
  }

  /** Returns when it is written, or not needed any more: what it is about is in memory meanwhile. */
  async #writeChunk({ file, at, bytes }: Chunk): Promise<void> {
    const { files, log, retryMs = RETRY_MS } = this.#options;
    while (file.live > 0 && !this.#closed) {
      try {
        file.file ??= await files.open(file.name);
        await file.file.write(bytes.buffer.subarray(0, bytes.length), at);
        break;
      } catch (error) {
        if (this.#failure === null)
          log.warn('temporary files cannot be written: what waits stays in memory', { file: file.name, reason: (error as Error).message });
        this.#failure = error as Error;
        await new Promise<void>((resolve) => setTimeout(resolve, retryMs).unref());
      }
    }
    if (this.#failure !== null) log.info('temporary files can be written again');
    this.#failure = null;
  }

  /** Bytes that were in memory on their way to the disk are not any more. */
  #forget(bytes: ByteWriter): void {
    this.#options.usage.memory.subtract(bytes.length);
    bytes.reset();
  }

  #remove(file: SpillFile): void {
    if (this.#chunks.some((chunk) => chunk.file === file) || !this.#files.delete(file)) return; // it goes when it is written
    this.#options.usage.temp.subtract(file.size);
    if (file === this.#blockFile) this.#blockFile = null;
    void this.#discard(file);
  }

  async #discard(file: SpillFile): Promise<void> {
    if (file.file === null) return;
    try {
      await file.file.close();
      await this.#options.files.remove(file.name);
    } catch (error) {
      this.#options.log.warn('a temporary file could not be removed', { file: file.name, reason: (error as Error).message });
    }
  }

  #decode(buffer: Buffer, at: number, length: number): Message {
    this.#reader.open(buffer, at, at + length);
    return readMessage(this.#reader, this.#options.propertiesForm);
  }

  #inBlock(file: SpillFile, place: number, length: number): boolean {
    return file === this.#blockFile && place >= this.#blockAt && place + length <= this.#blockAt + this.#blockLength;
  }

  #readBlock(file: SpillFile, at: number, size: number): void {
    if (this.#block.length < size || this.#block.length > READ_BYTES * 4) this.#block = Buffer.allocUnsafeSlow(size);
    this.#blockFile = file;
    this.#blockAt = at;
    this.#blockLength = file.file!.read(this.#block.subarray(0, size), at);
  }
}

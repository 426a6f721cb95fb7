import type { StoreFile, StoreFiles } from '../../src/store/journal/files.ts';

/** Bytes of a file. */
interface Range {
  readonly from: number;
  readonly to: number;
}

interface FileState {
  /** As a process reads it. */
  content: Buffer;
  /** As the disk has it. */
  synced: Buffer;
  /** Bytes that the next sync is to bring to the disk. */
  dirty: Range[];
  /** Bytes that a sync under way is bringing there. */
  syncing: Range[];
  isBroken: boolean;
}

/**
 * A disk in memory that forgets: after a power failure a file has what was synced, and of the rest whatever the test says; a name that was
 * not synced with its folder is gone. It can be full, or fail to sync. As on Linux, what a sync could not bring to the disk counts as clean
 * after it: the next one succeeds without it.
 */
export class FragileFiles implements StoreFiles {
  #names = new Map<string, FileState>();
  #syncedNames = new Map<string, FileState>();
  /** Names changed since the folder was synced; null: removed. */
  #dirtyNames = new Map<string, FileState | null>();
  /** Thrown by every write. */
  writeFault: Error | null = null;
  /** Thrown by every sync. */
  syncFault: Error | null = null;
  /** Thrown by every read. */
  readFault: Error | null = null;
  /** What a sync takes its time for; it fails as this does. */
  onSync: (() => Promise<void>) | null = null;
  writes = 0;
  syncs = 0;
  /** Milliseconds that a sync takes. */
  syncMs = 0;
  /** Called before each write. */
  onWrite: () => void = () => {};

  list(): string[] {
    return [...this.#names.keys()];
  }

  size(name: string): number {
    return this.#state(name).content.length;
  }

  open(name: string, isSynced = false): Promise<StoreFile> {
    let state = this.#names.get(name);
    if (state === undefined) {
      state = { content: Buffer.alloc(0), synced: Buffer.alloc(0), dirty: [], syncing: [], isBroken: false };
      this.#setName(name, state);
    }
    return Promise.resolve(new FragileFile(this, state, isSynced));
  }

  rename(from: string, to: string): Promise<void> {
    this.#setName(to, this.#state(from));
    this.#setName(from, null);
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.#setName(name, null);
    return Promise.resolve();
  }

  syncFolder(): Promise<void> {
    const changed = [...this.#dirtyNames];
    this.#dirtyNames.clear();
    if (this.syncFault !== null) return Promise.reject(this.syncFault);
    for (const [name, state] of changed) {
      if (state === null) this.#syncedNames.delete(name);
      else this.#syncedNames.set(name, state);
    }
    return Promise.resolve();
  }

  /** What a process sees that is killed now and started again: all that was written. What was not synced still is not. */
  afterKill(): FragileFiles {
    const files = new FragileFiles();
    const copies = new Map<FileState, FileState>();
    const copyOf = (state: FileState): FileState => {
      const { content, synced, dirty, syncing, isBroken } = state;
      const copy = copies.get(state) ?? {
        content: Buffer.from(content),
        synced: Buffer.from(synced),
        dirty: [...syncing, ...dirty],
        syncing: [],
        isBroken,
      };
      copies.set(state, copy);
      return copy;
    };
    for (const [name, state] of this.#names) files.#names.set(name, copyOf(state));
    for (const [name, state] of this.#syncedNames) files.#syncedNames.set(name, copyOf(state));
    for (const [name, state] of this.#dirtyNames) files.#dirtyNames.set(name, state === null ? null : copyOf(state));
    return files;
  }

  /**
   * What is there when the power fails now.
   * @param tail what the disk has of the bytes that were not synced, from the first of them on; `former` is what it had there before, and
   *   has behind what is returned
   */
  afterPowerFailure(tail: (unsynced: Buffer, name: string, former: Buffer) => Buffer): FragileFiles {
    const files = new FragileFiles();
    for (const [name, state] of this.#syncedNames) {
      const { content, synced } = state;
      const { from, to } = unsyncedIn(state);
      const rest = to > from ? tail(content.subarray(from, to), name, synced.subarray(from)) : Buffer.alloc(0);
      files.put(name, Buffer.concat([synced.subarray(0, from), rest, synced.subarray(from + rest.length)]));
    }
    return files;
  }

  /** No sync of this file succeeds any more; of another that takes its name it does. */
  breakFile(name: string): void {
    this.#state(name).isBroken = true;
  }

  /** Bytes of one file that a power failure can take. */
  unsynced(name: string): number {
    const { from, to } = unsyncedIn(this.#state(name));
    return to - from;
  }

  contentOf(name: string): Buffer {
    return this.#state(name).content;
  }

  put(name: string, content: Buffer): void {
    const state = { content: Buffer.from(content), synced: Buffer.from(content), dirty: [], syncing: [], isBroken: false };
    this.#names.set(name, state);
    this.#syncedNames.set(name, state);
  }

  #setName(name: string, state: FileState | null): void {
    if (state === null) this.#names.delete(name);
    else this.#names.set(name, state);
    this.#dirtyNames.set(name, state);
  }

  #state(name: string): FileState {
    const state = this.#names.get(name);
    if (state === undefined) throw Object.assign(new Error(`ENOENT: no such file, '${name}'`), { code: 'ENOENT' });
    return state;
  }
}

class FragileFile implements StoreFile {
  readonly #disk: FragileFiles;
  readonly #state: FileState;
  readonly #isSynced: boolean;
  #closed = false;

  constructor(disk: FragileFiles, state: FileState, isSynced: boolean) {
    this.#disk = disk;
    this.#state = state;
    this.#isSynced = isSynced;
  }

  write(bytes: Buffer, at: number): Promise<void> {
    if (this.#closed) return Promise.reject(badDescriptor());
    if (this.#disk.writeFault !== null) return Promise.reject(this.#disk.writeFault);
    this.#disk.writes++;
    this.#disk.onWrite();
    const state = this.#state;
    const content = Buffer.alloc(Math.max(state.content.length, at + bytes.length));
    state.content.copy(content);
    bytes.copy(content, at);
    state.content = content;
    const range = { from: at, to: at + bytes.length };
    state.dirty.push(range);
    return this.#isSynced ? this.#sync([range]) : Promise.resolve();
  }

  sync(): Promise<void> {
    return this.#sync(null);
  }

  /** @param only what is to be synced; null: all that is dirty */
  async #sync(only: readonly Range[] | null): Promise<void> {
    if (this.#disk.syncMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#disk.syncMs));
    if (this.#closed) throw badDescriptor();
    const state = this.#state;
    const { content } = state;
    const dirty = only ?? state.dirty;
    state.dirty = state.dirty.filter((range) => !dirty.includes(range));
    state.syncing = [...state.syncing, ...dirty];
    try {
      await this.#bring(content, dirty);
    } finally {
      state.syncing = state.syncing.filter((range) => !dirty.includes(range));
    }
  }

  async #bring(content: Buffer, dirty: readonly Range[]): Promise<void> {
    const state = this.#state;
    if (this.#disk.syncFault !== null) throw this.#disk.syncFault;
    if (state.isBroken) throw new Error('EIO: i/o error, fdatasync');
    this.#disk.syncs++;
    await this.#disk.onSync?.();
    const synced = Buffer.alloc(Math.max(state.synced.length, content.length));
    state.synced.copy(synced);
    for (const { from, to } of dirty) content.copy(synced, from, from, to);
    state.synced = synced;
  }

  truncate(size: number): Promise<void> {
    const content = Buffer.alloc(size);
    this.#state.content.copy(content);
    this.#state.content = content;
    this.#state.dirty = this.#state.dirty.flatMap(({ from, to }) => (from < size ? [{ from, to: Math.min(to, size) }] : []));
    return Promise.resolve();
  }

  read(target: Buffer, at: number): number {
    if (this.#closed) throw badDescriptor();
    if (this.#disk.readFault !== null) throw this.#disk.readFault;
    return this.#state.content.copy(target, 0, at);
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.reject(badDescriptor());
    this.#closed = true;
    return Promise.resolve();
  }
}

/** From the first to the last byte that the disk does not have as a process reads it. */
function unsyncedIn({ content, synced }: FileState): Range {
  let from = 0;
  while (from < Math.min(content.length, synced.length) && content[from] === synced[from]) from++;
  let to = content.length;
  while (to > from && to <= synced.length && content[to - 1] === synced[to - 1]) to--;
  return { from, to };
}

function badDescriptor(): Error {
  return Object.assign(new Error('EBADF: bad file descriptor'), { code: 'EBADF' });
}

import {
  close,
  closeSync,
  constants,
  fdatasync,
  fsync,
  ftruncate,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  readSync,
  rename,
  statSync,
  unlink,
  write,
} from 'node:fs';
import { join } from 'node:path';

/** One open file of a store. Errors are Node's, with their code. */
export interface StoreFile {
  /** Writes all of `bytes` at `at`. In a file that was opened `isSynced` they are safe from a power failure when this resolves. */
  write(bytes: Buffer, at: number): Promise<void>;
  /** Resolves when all that was written is safe from a power failure. */
  sync(): Promise<void>;
  /** Cuts or lengthens the file. */
  truncate(size: number): Promise<void>;
  /** Reads into `target` from `at`; returns how many bytes there were. */
  read(target: Buffer, at: number): number;
  close(): Promise<void>;
}

/** The files of a store's folder. The one door to the disk, so that tests can have disks that fail. */
export interface StoreFiles {
  /** Names, in no order. */
  list(): string[];
  size(name: string): number;
  /** @param isSynced each write syncs what it has written, which is one call to the kernel instead of two */
  open(name: string, isSynced?: boolean): Promise<StoreFile>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Resolves when names made, changed and removed are safe from a power failure. */
  syncFolder(): Promise<void>;
}

/** Files in a folder of the file system, which is made where it is missing. */
export class FolderFiles implements StoreFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  list(): string[] {
    return readdirSync(this.#folder);
  }

  size(name: string): number {
    return statSync(join(this.#folder, name)).size;
  }

  async open(name: string, isSynced = false): Promise<StoreFile> {
    // Without O_TRUNC: Node has no letter for it that does not append.
    const flags = constants.O_RDWR | constants.O_CREAT | (isSynced ? constants.O_DSYNC : 0);
    const descriptor = await new Promise<number>((resolve, reject) => {
      open(join(this.#folder, name), flags, 0o640, (error, opened) => (error === null ? resolve(opened) : reject(error)));
    });
    return new DiskFile(descriptor);
  }

  rename(from: string, to: string): Promise<void> {
    return settled((done) => rename(join(this.#folder, from), join(this.#folder, to), done));
  }

  remove(name: string): Promise<void> {
    return settled((done) => unlink(join(this.#folder, name), done));
  }

  async syncFolder(): Promise<void> {
    const descriptor = openSync(this.#folder, 'r');
    try {
      await settled((done) => fsync(descriptor, done));
    } finally {
      closeSync(descriptor);
    }
  }
}

class DiskFile implements StoreFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(bytes: Buffer, at: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const from = (offset: number): void => {
        write(this.#descriptor, bytes, offset, bytes.length - offset, at + offset, (error, written) => {
          if (error !== null) reject(error);
          else if (offset + written < bytes.length) from(offset + written);
          else resolve();
        });
      };
      from(0);
    });
  }

  sync(): Promise<void> {
    return settled((done) => fdatasync(this.#descriptor, done));
  }

  truncate(size: number): Promise<void> {
    return settled((done) => ftruncate(this.#descriptor, size, done));
  }

  read(target: Buffer, at: number): number {
    let have = 0;
    while (have < target.length) {
      const count = readSync(this.#descriptor, target, have, target.length - have, at + have);
      if (count === 0) break;
      have += count;
    }
    return have;
  }

  close(): Promise<void> {
    return settled((done) => close(this.#descriptor, done));
  }
}

function settled(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error === null ? resolve() : reject(error))));
}

import type { StoreFiles } from './files.ts';
import { spareName, spareNumber } from './segment.ts';

/** As many as two checkpoints in a row free under load; what is beyond is removed. */
const SPARE_FILES_MAX = 4;

/** Larger than this many times what a file is to be (one large message may do that), it is not kept. */
const SPARE_SIZE_FACTOR = 2;

interface SpareFile {
  /** Which journal file it was. */
  readonly number: number;
  readonly size: number;
}

/**
 * Journal files that nobody needs any more, to be written over as later ones. The disk has their blocks already: to sync bytes that are
 * written there costs the file system no transaction of its own, as it does where a file grows, and takes about half of the time.
 *
 *     journal-00000003.log  ──►  journal-00000003.spare  ──►  journal-00000008.log
 *         not needed                                              begun
 */
export class SpareFiles {
  readonly #files: StoreFiles;
  readonly #segmentBytes: number;
  #spares: SpareFile[];
  /** Of all of them. */
  bytes = 0;

  /** Those that are in the folder are there at once. */
  constructor(files: StoreFiles, segmentBytes: number) {
    this.#files = files;
    this.#segmentBytes = segmentBytes;
    this.#spares = files.list().flatMap((name) => {
      const number = spareNumber(name);
      return number === null ? [] : [{ number, size: files.size(name) }];
    });
    this.#measure();
  }

  /** A file to be written over. @returns which file it was; 0: there is none */
  take(): number {
    const spare = this.#spares.shift();
    if (spare === undefined) return 0;
    this.#measure();
    return spare.number;
  }

  /** Keeps journal file `number`, of so many bytes. @returns false when it is not wanted: nothing was done then */
  async keep(number: number, name: string, size: number): Promise<boolean> {
    if (this.#spares.length >= SPARE_FILES_MAX || this.#spares.some((spare) => spare.number === number)) return false;
    if (size < this.#segmentBytes || size > this.#segmentBytes * SPARE_SIZE_FACTOR) return false;
    await this.#files.rename(name, spareName(number));
    this.#spares.push({ number, size });
    this.#measure();
    return true;
  }

  /** Gives the disk all of them back. */
  async removeAll(): Promise<void> {
    const spares = this.#spares;
    this.#spares = [];
    this.#measure();
    for (const { number } of spares) await this.#files.remove(spareName(number));
  }

  #measure(): void {
    this.bytes = this.#spares.reduce((sum, { size }) => sum + size, 0);
  }
}

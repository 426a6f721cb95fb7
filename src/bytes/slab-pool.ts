/** Sizes of output slabs in bytes: an acknowledgement fits the smallest, a busy turn the largest. */
const SIZES = [1_024, 4_096, 16_384, 65_536] as const;

/** Largest slab that is reused, in bytes. */
export const SLAB_SIZE_MAX = 65_536;

/** Bytes of free slabs kept for each size; more than one turn of a few hundred busy connections needs is given back to the heap. */
const FREE_BYTES_MAX = 8 * 1024 * 1024;

/** Output buffers for reuse. A slab is given back only when the kernel has copied all of it. */
export class SlabPool {
  readonly #free: Buffer[][] = SIZES.map(() => []);

  /** A slab of at least `size` bytes; one larger than the largest size is made to measure and never reused. */
  take(size: number): Buffer {
    for (let i = 0; i < SIZES.length; i++) {
      if (size <= SIZES[i]!) return this.#free[i]!.pop() ?? Buffer.allocUnsafeSlow(SIZES[i]!);
    }
    return Buffer.allocUnsafeSlow(size);
  }

  give(slab: Buffer): void {
    const i = SIZES.indexOf(slab.length as (typeof SIZES)[number]);
    if (i < 0) return;
    const free = this.#free[i]!;
    if ((free.length + 1) * slab.length <= FREE_BYTES_MAX) free.push(slab);
  }
}

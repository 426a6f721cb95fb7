import { readFile, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';

/** Descriptors this process may open: its hard limit, since Node raises the soft one to it. null where the system does not say. */
export async function openFileLimit(): Promise<number | null> {
  const limits = await readFile('/proc/self/limits', 'latin1').catch(() => '');
  const [, , hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? [];
  if (hard === undefined) return null;
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}

/** Memory this process may use, in bytes: the machine's, or less in a container that says so. */
export function usableMemoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}

/** Size and free space, in bytes, of the disk that a folder is on or will be made on. null where the system does not say. */
export async function diskSpace(folder: string): Promise<{ totalBytes: number; freeBytes: number } | null> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      const { blocks, bavail, bsize } = await statfs(path);
      return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path === dirname(path)) return null;
    }
  }
}

/** Bytes that this process's objects and buffers take. */
export function usedMemoryBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

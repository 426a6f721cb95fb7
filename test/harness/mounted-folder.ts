import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of a test's own. */
export interface MountedFolder {
  readonly path: string;
  /** Mounts it anew, which nobody may have open files on. */
  remount(option: 'ro' | 'rw'): void;
  /** Takes it away and mounts it anew, as after a restart of the machine. */
  mountAgain(): void;
  unmount(): void;
}

/** A small file system in memory. @returns why there is none, where it cannot be had */
export function mountMemory(megabytes: number): MountedFolder | string {
  if (process.getuid?.() !== 0) return 'mounting needs root';
  return mount(['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs']);
}

/**
 * An ext4 file system in a sparse file in `folder`: where that is full, the disk below the file system fails.
 * @param options of mkfs.ext4
 */
export function mountExt4(folder: string, megabytes: number, ...options: string[]): MountedFolder | string {
  const image = join(folder, 'image');
  writeFileSync(image, '');
  truncateSync(image, megabytes * 1024 * 1024);
  return run('mkfs.ext4', '-q', '-F', ...options, image) ?? mount(['-o', 'loop', image]);
}

function mount(options: readonly string[]): MountedFolder | string {
  const path = mkdtempSync(join(tmpdir(), 'roundhouse-disk-'));
  const reason = run('mount', ...options, path);
  if (reason !== null) {
    rmSync(path, { recursive: true });
    return reason;
  }
  const must = (command: string, ...args: readonly string[]): void => {
    const why = run(command, ...args);
    if (why !== null) throw new Error(why);
  };
  return {
    path,
    remount: (option) => must('mount', '-o', `remount,${option}`, path),
    mountAgain() {
      must('umount', path);
      must('mount', ...options, path);
    },
    unmount() {
      must('umount', path);
      rmSync(path, { recursive: true });
    },
  };
}

/** @returns null when it was done, why not otherwise */
function run(command: string, ...args: readonly string[]): string | null {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) return `${command}: ${error.message}`;
  return status === 0 ? null : `${command} ${args.join(' ')}: ${stderr.trim()}`;
}

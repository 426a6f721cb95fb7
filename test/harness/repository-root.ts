import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The clone's folder, from the source as from the compiled file: the nearest one above that has a package.json. */
export const REPOSITORY_ROOT = findRepositoryRoot(import.meta.dirname);

function findRepositoryRoot(start: string): string {
  let folder = start;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no package.json in ${start} or above it`);
    folder = parent;
  }
  return folder;
}

import { readFileSync, statSync } from 'node:fs';

/** Largest configuration file read, in bytes: far above any real one, and a device or a log given by mistake must not fill the memory. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** What is in a file, or why it cannot be read in words for its user. */
export type FileContent = { readonly bytes: Buffer; readonly problem: null } | { readonly bytes: null; readonly problem: string };

/** Reads a file that a user has named. Never throws for what can be wrong with it. */
export function readConfigurationFile(path: string): FileContent {
  try {
    const status = statSync(path);
    if (status.isDirectory()) return { bytes: null, problem: 'is a folder; expected a file' };
    if (status.size > FILE_BYTES_MAX)
      return { bytes: null, problem: `has ${status.size} bytes; a configuration has at most ${FILE_BYTES_MAX}` };
    const bytes = readFileSync(path);
    return bytes.length === 0 ? { bytes: null, problem: 'is empty' } : { bytes, problem: null };
  } catch (error) {
    return { bytes: null, problem: describeReadError(error as NodeJS.ErrnoException) };
  }
}

/** The text of a properties file that a configuration names; null when there is none. Throws an Error in a user's words when it cannot be read. */
export function readPropertiesFile(path: string): string | null {
  try {
    return readFileSync(path, 'latin1'); // as Java reads them
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new Error(describeReadError(error as NodeJS.ErrnoException), { cause: error });
  }
}

function describeReadError(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'cannot be read: there is no such file';
    case 'EACCES':
    case 'EPERM':
      return 'cannot be read: no permission';
    case 'EISDIR':
      return 'is a folder; expected a file';
    default:
      return `cannot be read: ${error.message}`;
  }
}

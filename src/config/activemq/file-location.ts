import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Reading } from './reading.ts';

/**
 * The absolute path of a file that Spring would find by a resource location: `file:` URLs are relative to the working directory,
 * `classpath:` and bare paths to ActiveMQ's conf folder, which is on its class path and here is the file's own. null for other URLs.
 */
export function locatedPath(location: string, reading: Reading): string | null {
  const conf = dirname(resolve(reading.workingDirectory, reading.file));
  const matched = /^([A-Za-z][A-Za-z0-9+.-]+\*?):(.*)$/.exec(location);
  if (matched === null) return isAbsolute(location) ? location : join(conf, location);
  const rest = matched[2]!.replace(/^\/\/(?=\/)/, '');
  if (matched[1] === 'file') return resolve(reading.workingDirectory, rest);
  if (matched[1]!.startsWith('classpath')) return join(conf, rest);
  return null;
}

import { lookup } from 'node:dns/promises';
import { type ConfigFile, type ReadOptions, type ReadResult, readHAProxy } from './read.ts';

/** Address of a host name, or null when there is none. */
export type HostLookup = (name: string) => Promise<string | null>;

/** Asks the system, as HAProxy's libc method does: /etc/hosts first, then DNS. */
export const systemLookup: HostLookup = async (name) => {
  try {
    return (await lookup(name)).address;
  } catch {
    // Why a name has no address does not matter: HAProxy does not say either.
    return null;
  }
};

/**
 * Reads haproxy.cfg files with their host names resolved: `readHAProxy`, but names that cannot be resolved are errors at their lines.
 *
 * The files are read twice: once to learn the names, once to judge with the answers.
 */
export async function loadHAProxy(
  files: readonly ConfigFile[],
  options: Omit<ReadOptions, 'hosts'> & { readonly lookup?: HostLookup } = {},
): Promise<ReadResult> {
  const { lookup: ask = systemLookup, ...readOptions } = options;
  const first = readHAProxy(files, readOptions);
  if (first.hostNames.length === 0) return first;
  const answers = await Promise.all(first.hostNames.map(async (name) => [name, await ask(name)] as const));
  return readHAProxy(files, { ...readOptions, hosts: new Map(answers) });
}

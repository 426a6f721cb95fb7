import { lookup } from 'node:dns/promises';
import { type ConfigFile, type ReadOptions, type ReadResult, readHAProxy } from './read.ts';

/** Address of a host name, of that IP version unless it is 0; null when there is none. */
export type HostLookup = (name: string, version: 0 | 4 | 6) => Promise<string | null>;

/** Asks the system, as HAProxy's libc method does: /etc/hosts first, then DNS. */
export const systemLookup: HostLookup = async (name, version) => {
  // A colon or a zone makes it an address that HAProxy does not take, not a name.
  if (/[:%]/.test(name)) return null;
  try {
    return (await lookup(name, { family: version })).address;
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
  const answers = await Promise.all(
    first.hostNames.map(async (key) => {
      const [, version, name = key] = /^(?:ipv([46])@)?(.*)$/.exec(key) ?? [];
      return [key, await ask(name, version === undefined ? 0 : version === '4' ? 4 : 6)] as const;
    }),
  );
  return readHAProxy(files, { ...readOptions, hosts: new Map(answers) });
}

import type { ProxyHeader } from './model.ts';

/**
 * What `send-proxy` and its kin ask for, as HAProxy keeps it: a header is sent when there is anything, of version 2 when `v2` is there.
 */
export type ProxyHeaderOption =
  | 'v1'
  | 'v2'
  | 'ssl'
  | 'cert-cn'
  | 'ssl-cipher'
  | 'cert-sig'
  | 'cert-key'
  | 'authority'
  | 'crc32c'
  | 'unique-id';

/** What a word of a `server` line adds; with `no-` in front it takes as much away. */
const WORDS: ReadonlyMap<string, readonly ProxyHeaderOption[]> = new Map([
  ['send-proxy', ['v1']],
  ['send-proxy-v2', ['v2']],
  ['send-proxy-v2-ssl', ['v2', 'ssl']],
  ['send-proxy-v2-ssl-cn', ['v2', 'ssl', 'cert-cn']],
]);

/** What each of `proxy-v2-options` adds. */
const V2_OPTIONS: ReadonlyMap<string, readonly ProxyHeaderOption[]> = new Map([
  ['ssl', ['ssl']],
  ['cert-cn', ['ssl', 'cert-cn']],
  ['ssl-cipher', ['ssl', 'ssl-cipher']],
  ['cert-sig', ['ssl', 'cert-sig']],
  ['cert-key', ['ssl', 'cert-key']],
  ['authority', ['authority']],
  ['crc32c', ['crc32c']],
  ['unique-id', ['unique-id']],
]);

export function isProxyHeaderWord(word: string): boolean {
  return WORDS.has(word.replace(/^no-/, ''));
}

/** @returns `options` after a word for which `isProxyHeaderWord` is true */
export function applyProxyHeaderWord(options: ReadonlySet<ProxyHeaderOption>, word: string): ReadonlySet<ProxyHeaderOption> {
  const changed = new Set(options);
  for (const option of WORDS.get(word.replace(/^no-/, ''))!) {
    if (word.startsWith('no-')) changed.delete(option);
    else changed.add(option);
  }
  return changed;
}

/** @returns `options` after `proxy-v2-options list`, or the name in the list that is none */
export function applyProxyV2Options(
  options: ReadonlySet<ProxyHeaderOption>,
  list: string,
): { readonly options: ReadonlySet<ProxyHeaderOption> } | { readonly unknown: string } {
  const changed = new Set(options);
  for (const name of list.split(',')) {
    const added = V2_OPTIONS.get(name);
    if (added === undefined) return { unknown: name };
    for (const option of added) changed.add(option);
  }
  return { options: changed };
}

/** null: the server gets no header. */
export function proxyHeaderOf(options: ReadonlySet<ProxyHeaderOption>): ProxyHeader | null {
  if (options.size === 0) return null;
  return {
    version: options.has('v2') ? 2 : 1,
    tls: options.has('ssl'),
    uniqueId: options.has('unique-id'),
    checksum: options.has('crc32c'),
  };
}

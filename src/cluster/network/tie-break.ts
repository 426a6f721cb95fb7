/** What we know of a link with the same broker. */
export type Existing = 'none' | 'live' | 'suspect';

/**
 * What becomes of a new connection between two brokers of ours.
 *
 *     begin      it becomes the link: tell the peer so
 *     await      the peer decides: wait for its word
 *     duplicate  there is a link already: close this one
 *
 * Where both brokers dial each other there are two connections, and both ends must keep the same one. So one end decides, the broker with
 * the smaller id, and it takes what comes first: a link that works is never given up for another, and whoever's connection is refused
 * finds out that there is a link already.
 */
export type Verdict = 'begin' | 'await' | 'duplicate';

export function breakTie(ownId: string, peerId: string, existing: Existing): Verdict {
  if (ownId > peerId) return 'await';
  return existing === 'live' ? 'duplicate' : 'begin';
}

/**
 * "Did you mean": HAProxy's word fingerprints. A word is the counts of its pairs of neighbouring characters (with a begin and an end) and
 * the set of characters in it; the distance of two words is the sum of the differences. Case does not matter, all digits are alike,
 * and so are all other characters.
 */

/** Letters are 1 to 26; these follow. */
const DIGIT = 27;
const OTHER = 28;
/** HAProxy gives begin and end the code of "other" characters. */
const EDGE = 28;

function fingerprint(word: string): Map<number, number> {
  const counts = new Map<number, number>();
  let from = EDGE;
  for (const character of word.toLowerCase()) {
    const code = character.charCodeAt(0);
    const to = code >= 0x61 && code <= 0x7a ? code - 0x60 : code >= 0x30 && code <= 0x39 ? DIGIT : OTHER;
    counts.set(to, 1);
    counts.set(32 * from + to, (counts.get(32 * from + to) ?? 0) + 1);
    from = to;
  }
  counts.set(32 * from + EDGE, (counts.get(32 * from + EDGE) ?? 0) + 1);
  return counts;
}

function distance(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const [key, count] of a) sum += Math.abs(count - (b.get(key) ?? 0));
  for (const [key, count] of b) if (!a.has(key)) sum += count;
  return sum;
}

/** The candidate most like `word`, or null when none is near. Among equals the first wins. */
export function suggest(word: string, candidates: Iterable<string>): string | null {
  const own = fingerprint(word);
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const d = distance(own, fingerprint(candidate));
    if (d < bestDistance) {
      bestDistance = d;
      best = candidate;
    }
  }
  return best !== null && bestDistance <= 2 * word.length && bestDistance <= 2 * best.length ? best : null;
}

/** Suggestions given at most. */
const SUGGESTIONS_MAX = 3;

/** The candidates a misspelled word was likely meant to be, nearest first. */
export function suggest(word: string, candidates: Iterable<string>): string[] {
  const lower = word.toLowerCase();
  const tolerated = Math.max(1, Math.floor(word.length / 3));
  const near: { candidate: string; distance: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const other = candidate.toLowerCase();
    if (Math.abs(other.length - lower.length) > tolerated) continue;
    const distance = editDistance(lower, other);
    if (distance <= tolerated && distance < other.length) near.push({ candidate, distance });
  }
  const best = Math.min(...near.map(({ distance }) => distance));
  const farthest = best === 0 ? 0 : best + 1;
  return near
    .filter(({ distance }) => distance <= farthest)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, SUGGESTIONS_MAX)
    .map(({ candidate }) => candidate);
}

/** `; did you mean a, b or c?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>, show: (name: string) => string = (name) => name): string {
  const names = suggest(word, candidates).map(show);
  return names.length === 0 ? '' : `; did you mean ${listed(names, 'or')}?`;
}

/** `a`, `a or b`, `a, b or c`. */
export function listed(names: readonly string[], conjunction: 'and' | 'or'): string {
  if (names.length <= 1) return names[0] ?? '';
  return `${names.slice(0, -1).join(', ')} ${conjunction} ${names.at(-1)}`;
}

/** Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let previous: number[] = [];
  let current = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const before = previous;
    previous = current;
    current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      current.push(best);
    }
  }
  return current[b.length]!;
}

/**
 * How many times the usual number of cases a randomised test runs: 1, unless ROUNDHOUSE_SOAK asks for more. `ROUNDHOUSE_SOAK=1` means a
 * hundred times, any other number that many times.
 */
export const SOAK_FACTOR = soakFactor(process.env.ROUNDHOUSE_SOAK);

function soakFactor(word: string | undefined): number {
  if (word === undefined || word === '' || word === '0') return 1;
  if (word === '1') return 100;
  const factor = Number(word);
  if (!(factor > 0)) throw new Error(`ROUNDHOUSE_SOAK is a number of times, not "${word}"`);
  return factor;
}

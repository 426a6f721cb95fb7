/** What asks the program to end: Ctrl-C, and `kill`. A hang-up is left to Node, so that `nohup` keeps its meaning. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Two signals within this time are one wish, in milliseconds: a terminal sends Ctrl-C to `npm` and to us, and `npm` passes it on to us
 * again.
 */
export const ONE_WISH_MS = 300;

/**
 * Calls `first` at the first signal, and `second` when the user asks once more.
 *
 * @returns what ends the listening
 */
export function onStopSignals(first: (signal: NodeJS.Signals) => void, second: (signal: NodeJS.Signals) => void): () => void {
  let firstAt: number | null = null;
  const listener = (signal: NodeJS.Signals) => {
    const now = performance.now();
    if (firstAt === null) {
      firstAt = now;
      first(signal);
    } else if (now - firstAt > ONE_WISH_MS) {
      second(signal);
    }
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
}

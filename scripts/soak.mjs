/**
 * `npm run soak`: the randomised tests, a hundred times as long (ROUNDHOUSE_SOAK=N: N times).
 * The same files run in `npm test`, each a short slice.
 */
process.env.ROUNDHOUSE_SOAK ??= '1';
if (process.argv.length === 2) process.argv.push('--no-apt', 'fuzz', 'wire/frame-splitter', 'wire/round-trip', 'wire/mqtt-packet');
await import('./test.mjs');

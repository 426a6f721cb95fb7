/**
 * `npm run soak`: the randomised tests and the mixed load, a hundred times as long (ROUNDHOUSE_SOAK=N: N times).
 * The same files run in `npm test`, each a short slice.
 */
process.env.ROUNDHOUSE_SOAK ??= '1';
if (process.argv.length === 2)
  process.argv.push(
    '--no-apt',
    'mqtt/soak',
    'fuzz',
    'wire/frame-splitter',
    'wire/round-trip',
    'wire/mqtt-packet',
    'cluster/shared-',
    'cluster/killed-links',
    'cluster/links-model',
    'core/edge-table',
    'core/filter-tree',
    'core/route-cache',
    'core/router',
    'store/',
  );
await import('./test.mjs');

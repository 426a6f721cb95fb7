/** Which tests a command line of `npm test` asks for. */

/**
 * @returns words to look for in paths, options for node, and whether missing peers may be installed
 */
export function selectArguments(args, environment) {
  const nodeOptions = args.filter((arg) => arg.startsWith('-') && arg !== '--no-apt');
  const words = args.filter((arg) => !arg.startsWith('-'));
  return { words, nodeOptions, mayInstall: !args.includes('--no-apt') && environment.ROUNDHOUSE_NO_APT !== '1' };
}

/**
 * The compiled test files whose path contains one of `words`, or all without words, sorted. A word may also be the
 * source's path (`src/core/router.test.ts`).
 */
export function selectTests(paths, words) {
  const wanted = words.map((word) => word.replace(/\.ts$/, '.js'));
  return paths.filter((path) => path.endsWith('.test.js') && (wanted.length === 0 || wanted.some((word) => path.includes(word)))).sort();
}

import { join } from 'node:path';

/** The command that runs a neighbour of this module, compiled where this one is. */
export function nodeCommand(name: string): [string, ...string[]] {
  const options = process.execArgv.filter((option) => !option.startsWith('--test'));
  return [process.execPath, ...options, siblingFile(name)];
}

/** A neighbour of this module: `name.js` in a build, `name.ts` among sources. */
export function siblingFile(name: string): string {
  return join(import.meta.dirname, `${name}${import.meta.filename.endsWith('.ts') ? '.ts' : '.js'}`);
}

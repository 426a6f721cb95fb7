import { hasErrors } from '../config/diagnostic.ts';
import { renderDiagnostics, sortDiagnostics, summarize } from './diagnostic-report.ts';
import { readDeployment } from './read-deployment.ts';
import type { RunOptions } from './run-options.ts';
import { wantsColours } from './terminal-colours.ts';

const EXIT_VALID = 0;
const EXIT_ERRORS = 1;

/** `roundhouse check`: says on standard output all that there is to say about the files, and starts nothing. */
export async function check(files: readonly string[], options: RunOptions): Promise<number> {
  const { diagnostics } = await readDeployment(files, options);
  const sorted = sortDiagnostics(diagnostics, files);
  process.stdout.write(renderDiagnostics(sorted, wantsColours(process.stdout, process.env)));
  process.stdout.write(`${sorted.length > 0 ? '\n' : ''}${summarize(sorted, files.length)}\n`);
  return hasErrors(diagnostics) ? EXIT_ERRORS : EXIT_VALID;
}

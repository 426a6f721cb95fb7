import { type Diagnostic, hasErrors } from '../config/diagnostic.ts';
import { CodedError } from '../errors.ts';
import { findCertificateFaults } from './certificate-faults.ts';
import { refuseKahaDB } from './data-directory.ts';
import type { Unit } from './deployment.ts';
import { renderDiagnostics, sortDiagnostics, summarize } from './diagnostic-report.ts';
import { readDeployment } from './read-deployment.ts';
import type { RunOptions } from './run-options.ts';
import { wantsColours } from './terminal-colours.ts';

const EXIT_VALID = 0;
const EXIT_ERRORS = 1;

/** `roundhouse check`: says on standard output all that there is to say about the files, and starts nothing. */
export async function check(files: readonly string[], options: RunOptions): Promise<number> {
  const deployment = await readDeployment(files, options);
  const { units } = deployment;
  const diagnostics = [...deployment.diagnostics, ...(await findForeignStores(units)), ...units.flatMap(findCertificateFaults)];
  const sorted = sortDiagnostics(diagnostics, files);
  process.stdout.write(renderDiagnostics(sorted, wantsColours(process.stdout, process.env)));
  process.stdout.write(`${sorted.length > 0 ? '\n' : ''}${summarize(sorted, files.length)}\n`);
  return hasErrors(diagnostics) ? EXIT_ERRORS : EXIT_VALID;
}

/** Store folders that the broker would refuse. Nothing is made or locked. */
async function findForeignStores(units: readonly Unit[]): Promise<Diagnostic[]> {
  const faults: Diagnostic[] = [];
  for (const unit of units) {
    if (unit.kind !== 'broker' || unit.model.persistenceAdapter.kind === 'memory') continue;
    try {
      await refuseKahaDB(unit.model.persistenceAdapter.directory);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      faults.push({ ...unit.source.places.persistenceAdapter, severity: 'error', keyword: 'persistenceAdapter', message: error.message });
    }
  }
  return faults;
}

import { type Diagnostic, hasErrors } from '../config/diagnostic.ts';
import { CodedError } from '../errors.ts';
import { lifeFaults, readCredentials } from '../transport/tls-credentials.ts';
import { refuseKahaDB } from './data-directory.ts';
import type { Unit } from './deployment.ts';
import { renderDiagnostics, sortDiagnostics, summarize } from './diagnostic-report.ts';
import { readDeployment } from './read-deployment.ts';
import type { RunOptions } from './run-options.ts';
import { wantsColours } from './terminal-colours.ts';
import { tlsFilesOf } from './tls-renewal.ts';

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

/** Keys and certificates that cannot be used, or not now. */
function findCertificateFaults(unit: Unit): Diagnostic[] {
  if (unit.kind !== 'broker' || unit.model.transportConnectors.every(({ tls }) => tls === null)) return [];
  const context = unit.model.sslContext!;
  const say = (severity: Diagnostic['severity'], message: string): Diagnostic => ({
    ...context.place,
    severity,
    keyword: 'sslContext',
    message,
  });
  try {
    return lifeFaults(readCredentials(tlsFilesOf(context)!), Date.now()).map((fault) => say('warning', fault));
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [say('error', error.message)];
  }
}

import { type Diagnostic, hasErrors } from '../config/diagnostic.ts';
import { CodedError } from '../errors.ts';
import { createLog } from '../telemetry/log.ts';
import { createAddressMap } from './address-map.ts';
import { findCertificateFaults } from './certificate-faults.ts';
import type { Job } from './child-messages.ts';
import { openDataDirectory } from './data-directory.ts';
import { listenAddresses, type Unit } from './deployment.ts';
import { printDiagnostics } from './diagnostic-report.ts';
import { onHangUp } from './hang-up.ts';
import { findTaken } from './listen-address.ts';
import { renderOverview } from './overview.ts';
import { PrefixedOutput } from './prefixed-output.ts';
import { readDeployment } from './read-deployment.ts';
import type { RunOptions } from './run-options.ts';
import { onStopSignals } from './stop-signals.ts';
import { SupervisedProcess } from './supervised-process.ts';
import { Supervisor } from './supervisor.ts';
import { wantsColours } from './terminal-colours.ts';

const EXIT_OK = 0;
const EXIT_ERROR = 1;
/** What a shell makes of a program ended by Ctrl-C. */
const EXIT_INTERRUPTED = 130;

/**
 * `roundhouse up`: every file in a process of its own, all or none.
 *
 * Reads all files, tries every port and store folder, and only then starts anything.
 *
 * @returns the exit code: 0 after a clean stop
 * @throws CodedError when one of them cannot start after all; the others have stopped then
 */
export async function up(files: readonly string[], options: RunOptions): Promise<number> {
  const mapAddress = createAddressMap(options.addressPairs);
  const { units, diagnostics } = await readDeployment(files, options);
  printDiagnostics(diagnostics, files);
  if (hasErrors(diagnostics)) return EXIT_ERROR;
  const addresses = units.flatMap((unit) => listenAddresses(unit, mapAddress));
  const faults = [...(await findTaken(addresses)), ...(await findStoreFaults(units)), ...units.flatMap(findCertificateFaults)];
  printDiagnostics(faults, files);
  if (hasErrors(faults)) return EXIT_ERROR;

  const log = createLog({ level: options.logLevel, json: options.logJson });
  const output = new PrefixedOutput({
    names: units.map(({ name }) => name),
    json: options.logJson,
    colours: wantsColours(process.stderr, process.env),
    write: (stream, text) => process[stream].write(text),
  });
  const processes = units.map((unit) => {
    const job = jobOf(unit, options);
    return new SupervisedProcess(job, { log, onLine: (stream, line) => output.line(unit.name, stream, line) });
  });
  const supervisor = new Supervisor(processes);
  let isStopping = false;
  const stopped = new Promise<void>((resolve, reject) => {
    onStopSignals(
      (signal) => {
        isStopping = true;
        log.info('stopping', { signal });
        supervisor.stop().then(resolve, reject);
      },
      () => {
        supervisor.kill();
        process.exit(EXIT_INTERRUPTED);
      },
    );
  });
  const endListening = onHangUp(() => supervisor.renewCertificates());
  try {
    await supervisor.start();
  } catch (error) {
    if (!isStopping) throw error;
  }
  if (!isStopping)
    process.stdout.write(
      renderOverview(
        units.map((unit, i) => ({ unit, pid: processes[i]!.pid })),
        mapAddress,
      ),
    );
  await stopped;
  endListening();
  log.info('stopped');
  return EXIT_OK;
}

function jobOf(unit: Unit, { addressPairs, logLevel, sysIntervalSeconds }: RunOptions): Job {
  const shared = { name: unit.name, addressPairs, logLevel };
  return unit.kind === 'broker'
    ? { kind: 'broker', model: unit.model, limits: unit.limits, sysIntervalSeconds, ...shared }
    : { kind: 'balancer', model: unit.model, ...shared };
}

/** Opens each broker's store folder for a moment: what is wrong with one is better known before anything runs. */
async function findStoreFaults(units: readonly Unit[]): Promise<Diagnostic[]> {
  const faults: Diagnostic[] = [];
  for (const unit of units) {
    if (unit.kind !== 'broker' || unit.model.persistenceAdapter.kind === 'memory') continue;
    try {
      await (await openDataDirectory(unit.model.persistenceAdapter.directory)).release();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      const place = unit.source.places.persistenceAdapter;
      faults.push({ severity: 'error', ...place, keyword: 'persistenceAdapter', message: error.message });
    }
  }
  return faults;
}

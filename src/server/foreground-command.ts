import { hasErrors } from '../config/diagnostic.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { createAddressMap } from './address-map.ts';
import type { Unit } from './deployment.ts';
import { printDiagnostics } from './diagnostic-report.ts';
import { onHangUp } from './hang-up.ts';
import { readDeployment } from './read-deployment.ts';
import type { RunOptions } from './run-options.ts';
import { onStopSignals } from './stop-signals.ts';

const EXIT_OK = 0;
const EXIT_ERROR = 1;
/** What a shell makes of a program ended by Ctrl-C. */
const EXIT_INTERRUPTED = 130;

/**
 * `roundhouse broker` and `roundhouse balancer`: one file in this very process, until it is asked to stop.
 *
 * @throws ConfigError with what it could not have
 */
export async function runInForeground(kind: Unit['kind'], file: string, options: RunOptions): Promise<number> {
  const { units, diagnostics } = await readDeployment([file], options, kind);
  printDiagnostics(diagnostics, [file]);
  const [unit] = units;
  if (unit === undefined || hasErrors(diagnostics)) return EXIT_ERROR;
  const log = createLog({ level: options.logLevel, json: options.logJson });
  const asked = new Promise<NodeJS.Signals>((resolve) => onStopSignals(resolve, () => process.exit(EXIT_INTERRUPTED)));
  const server = await start(unit, log, options);
  const endListening = server.renewCertificates === undefined ? null : onHangUp(() => server.renewCertificates?.());
  log.info('stopping', { signal: await asked });
  endListening?.();
  await server.stop();
  return EXIT_OK;
}

interface Running {
  stop(): Promise<void>;
  renewCertificates?(): void;
}

async function start(unit: Unit, log: Log, options: RunOptions): Promise<Running> {
  const mapAddress = createAddressMap(options.addressPairs);
  if (unit.kind === 'balancer') {
    const { startBalancerProcess } = await import('./balancer-server.ts');
    return startBalancerProcess(unit.model, { log, mapAddress });
  }
  const { BrokerServer } = await import('./broker-server.ts');
  const server = new BrokerServer(unit.model, {
    log,
    mapAddress,
    limits: unit.limits,
    sysIntervalSeconds: options.sysIntervalSeconds,
  });
  await server.start();
  return server;
}

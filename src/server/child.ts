import { CodedError } from '../errors.ts';
import { createLog } from '../telemetry/log.ts';
import { createAddressMap } from './address-map.ts';
import { type FromChild, type Job, PROCESS_FACT, STOP_WAIT_MS, type ToChild } from './child-messages.ts';

/**
 * The program of a child of `roundhouse up`: one broker or one balancer.
 *
 * It gets its job from its parent, ends when its parent says so, and stops cleanly when its parent is gone, however that ended. Only what
 * its job needs is loaded, so that a restarted broker is back soon.
 */

/** What a job is to this program. */
interface Running {
  stop(): Promise<void>;
  renewCertificates?(): void;
}

const EXIT_ERROR = 1;

let running: Running | null = null;
let starting: Promise<void> | null = null;

process.on('message', (message: ToChild) => {
  if (message.type === 'run') starting = start(message.job);
  else if (message.type === 'renewCertificates') running?.renewCertificates?.();
  else void stop();
});
process.on('disconnect', () => void stop());
process.on('SIGTERM', () => void stop());
process.on('SIGHUP', () => running?.renewCertificates?.());
process.on('SIGINT', () => {}); // a terminal sends Ctrl-C to all processes at once; the parent says when to stop

async function start(job: Job): Promise<void> {
  process.title = `roundhouse ${job.kind} ${job.name}`;
  try {
    running = await create(job);
    send({ type: 'started' });
  } catch (error) {
    if (!(error instanceof CodedError) || error.code === 'INVARIANT') throw error; // a bug: the parent starts another one
    process.exitCode = EXIT_ERROR;
    send({ type: 'failed', code: error.code, message: error.message }, () => void stop());
  }
}

async function create(job: Job): Promise<Running> {
  const log = createLog({ level: job.logLevel, json: true }).child({ [PROCESS_FACT]: job.name });
  const mapAddress = createAddressMap(job.addressPairs);
  if (job.kind === 'broker') {
    const { BrokerServer } = await import('./broker-server.ts');
    const server = new BrokerServer(job.model, { log, mapAddress, limits: job.limits, sysIntervalSeconds: job.sysIntervalSeconds });
    await server.start();
    return server;
  }
  const { startBalancerProcess } = await import('./balancer-server.ts');
  return startBalancerProcess(job.model, { log, mapAddress });
}

let stopping = false;

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.exit(EXIT_ERROR), STOP_WAIT_MS).unref(); // nobody may be left to kill a child that hangs
  await starting;
  await running?.stop();
  process.exit();
}

function send(message: FromChild, then: () => void = () => {}): void {
  if (process.connected) process.send!(message, then);
  else then();
}

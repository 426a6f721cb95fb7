import { spawn } from 'node:child_process';

/** Set in the environment of a process that was started to run in the background. */
const DAEMON_VARIABLE = 'ROUNDHOUSE_DAEMON';

/** What the process in the background tells the one that started it. */
export type DaemonReport =
  | { readonly type: 'ready' }
  /** `text` is for standard error. */
  | { readonly type: 'failed'; readonly text: string; readonly exitCode: number };

/** Whether this process was started by `startDaemon`. */
export function isDaemon(): boolean {
  return process.env[DAEMON_VARIABLE] !== undefined && process.send !== undefined;
}

/** Tells the starter how it went, and lets go of it. Only in a process for which `isDaemon` holds. */
export function reportToStarter(report: DaemonReport): Promise<void> {
  delete process.env[DAEMON_VARIABLE];
  return new Promise((resolve) => {
    process.send!(report, () => {
      process.disconnect();
      resolve();
    });
  });
}

/**
 * Starts this very program again with these arguments, in a session of its own and without a terminal,
 * and waits until it is ready or has failed.
 *
 * @param args what follows the program's own file
 */
export function startDaemon(args: readonly string[]): Promise<DaemonReport> {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, [DAEMON_VARIABLE]: '1' },
  });
  return new Promise((resolve) => {
    const settle = (report: DaemonReport): void => {
      child.removeAllListeners();
      if (child.connected) child.disconnect();
      child.unref();
      resolve(report);
    };
    child.once('message', (message) => settle(message as DaemonReport));
    child.once('error', (error) => settle({ type: 'failed', text: `cannot go to the background: ${error.message}`, exitCode: 1 }));
    child.once('exit', (code, signal) =>
      settle({ type: 'failed', text: `the process in the background ended (${signal ?? `exit code ${code}`})`, exitCode: code || 1 }),
    );
  });
}

/**
 * How a program under `npm` learns that it should end.
 *
 * npm runs a script by way of a shell and passes a SIGTERM on to that shell, which dies of it and tells nobody:
 *
 *     npm ---SIGTERM---> sh    node start.mjs   (would run on, holding its ports)
 */

/** Milliseconds between two looks at whether the shell is still there. */
const LOOK_MS = 250;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'];

/** Under npm, sends this process a SIGTERM when the process that started it is gone, unless it was asked to stop already. */
export function endWithNpm(environment = process.env) {
  if (environment.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_MS);
  timer.unref();
  for (const signal of STOP_SIGNALS) {
    const listener = () => {
      clearInterval(timer);
      if (process.listenerCount(signal) > 1) return;
      // Nobody else listens: then the signal means what it means without us.
      process.removeListener(signal, listener);
      process.kill(process.pid, signal);
    };
    process.on(signal, listener);
  }
}

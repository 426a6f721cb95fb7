import { isatty } from 'node:tty';

/** Standard input, output and error. */
const DESCRIPTORS = [0, 1, 2];

/**
 * Calls `renew` at each SIGHUP, which is how daemons are told to read their files again.
 *
 * A terminal that is closed sends the same signal to the programs in it. They end then, as they would if nobody listened.
 *
 * @returns what ends the listening
 */
export function onHangUp(renew: () => void): () => void {
  const hadTerminal = DESCRIPTORS.some((descriptor) => isatty(descriptor));
  const listener = (): void => {
    if (!hadTerminal || DESCRIPTORS.some((descriptor) => isatty(descriptor))) {
      renew();
      return;
    }
    process.off('SIGHUP', listener);
    process.kill(process.pid, 'SIGHUP');
  };
  process.on('SIGHUP', listener);
  return () => process.off('SIGHUP', listener);
}

import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { ConfigError } from '../errors.ts';

/** Where a unix socket is. */
export interface SocketFile {
  readonly path: string;
  /** Permission bits: who may write to the file may connect; null: what the process's umask leaves. */
  readonly permissions: number | null;
}

/**
 * Makes a socket file by binding to it. One that a program has left behind which is gone is replaced; nothing else is.
 *
 * @param what who listens, for messages
 * @param bind makes the file before it returns
 * @throws ConfigError PORT_TAKEN when another program listens there, LISTEN_FAILED when the path is that of another kind of file
 */
export async function openSocketFile(
  { path, permissions }: SocketFile,
  what: string,
  bind: (path: string) => Promise<void>,
): Promise<void> {
  const kind = lstatSync(path, { throwIfNoEntry: false });
  if (kind !== undefined) {
    const cannot = `${what} cannot listen on ${path}`;
    if (!kind.isSocket()) throw new ConfigError('LISTEN_FAILED', `${cannot}: there is a file there that is no socket`);
    if (!(await isAbandoned(path))) throw new ConfigError('PORT_TAKEN', `${cannot}: another program listens there`);
    unlinkSync(path);
  }
  // The file has its permissions from its first moment on.
  const umask = permissions === null ? null : process.umask(0o777 & ~permissions);
  let bound: Promise<void>;
  try {
    bound = bind(path);
  } finally {
    if (umask !== null) process.umask(umask);
  }
  await bound;
}

/** Whether nobody listens behind a socket file any more. */
function isAbandoned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

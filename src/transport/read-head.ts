import type { Arrival } from './stage.ts';

/**
 * Reads the first bytes of an arrival until `take` has seen enough of them. It is given all there are, each time some have come; when it
 * answers true the socket is paused and nobody listens to it any more.
 */
export function readHead({ socket, head }: Arrival, take: (bytes: Buffer) => boolean): void {
  let bytes = head;
  if (bytes.length > 0 && take(bytes)) return;
  const onData = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    socket.pause(); // before `take`, which may give the socket on
    socket.off('data', onData);
    if (take(bytes)) return;
    socket.on('data', onData);
    socket.resume();
  };
  socket.on('data', onData);
  socket.resume();
}

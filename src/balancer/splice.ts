import type { Socket } from 'node:net';

/**
 * Bytes one way, with back-pressure: when `sink` keeps more than the kernel took, `source` is read no further until `sink` has drained.
 * What one turn brings from `source` is at most one read, so the memory of a stalled session is bounded by it and `sink`'s buffer.
 *
 * `write` answers false for every chunk larger than the stream's mark, also when the kernel took all of it at once; what is still there
 * afterwards is what counts.
 *
 * @returns whether `sink` took it all
 */
export function forward(chunk: Buffer, source: Socket, sink: Socket): boolean {
  if (sink.write(chunk) || sink.writableLength === 0) return true;
  source.pause();
  return false;
}

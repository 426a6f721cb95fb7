/**
 * What durability costs at least in Node: whatever comes is written to a file and synced, each asynchronously, and sent back.
 *
 *     node dist/bench/sync-echo.js PORT FILE
 */
import { fdatasync, openSync, write } from 'node:fs';
import { createServer } from 'node:net';

const [port, file] = process.argv.slice(2);
const descriptor = openSync(file!, 'w');
let size = 0;

function check(error: Error | null): void {
  if (error !== null) throw error;
}

createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('data', (chunk) => {
    write(descriptor, chunk, 0, chunk.length, size, (error) => {
      check(error);
      fdatasync(descriptor, (failure) => {
        check(failure);
        socket.write(chunk);
      });
    });
    size += chunk.length;
  });
  socket.on('error', () => socket.destroy());
}).listen(Number(port), '127.0.0.1');

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, startBroker } from './broker-process.ts';
import { nodeCommand } from './node-command.ts';
import { cpuSecondsOf, residentBytesOf, writtenBytesOf } from './process-usage.ts';

const MB = 1024 * 1024;

test('processor time and resident memory are those of the process, and unknown of one that is not there', (t) => {
  if (process.platform !== 'linux') return t.skip('there is no /proc');
  const ballast = Buffer.alloc(64 * MB, 1);
  const resident = residentBytesOf(process.pid)!;
  assert.ok(resident > ballast.length && resident < 4096 * MB, `${resident} bytes`);
  const { user, system } = process.cpuUsage();
  assert.ok(Math.abs(cpuSecondsOf(process.pid)! - (user + system) / 1e6) < 1);
  for (const pid of [0, 2 ** 22 + 1]) assert.deepEqual([cpuSecondsOf(pid), residentBytesOf(pid)], [null, null]);
});

test('bytes given to write() are counted, whatever they are written to', (t) => {
  if (process.platform !== 'linux') return t.skip('there is no /proc');
  const before = writtenBytesOf(process.pid)!;
  writeFileSync('/dev/null', Buffer.alloc(MB));
  const written = writtenBytesOf(process.pid)! - before;
  assert.ok(written >= MB && written < 2 * MB, `${written} bytes`);
  assert.equal(writtenBytesOf(2 ** 22 + 1), null);
});

test('a broker on Node collects its garbage when asked, and says what is left; another cannot be asked', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'roundhouse-heap-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const start = async (heapFile?: string) => {
    const port = await freePort();
    const broker = await startBroker(
      'stub',
      [...nodeCommand('stub-broker'), String(port)],
      port,
      heapFile === undefined ? {} : { heapFile },
    );
    t.after(() => broker.stop());
    return broker;
  };
  const probed = await start(join(folder, 'heap.json'));
  for (let time = 0; time < 2; time++) {
    const bytes = await probed.collectGarbage();
    assert.ok(bytes !== null && bytes > MB && bytes < 100 * MB, `${bytes} bytes`);
  }
  assert.equal(await (await start()).collectGarbage(), null);
});

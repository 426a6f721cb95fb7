import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, startBroker } from './broker-process.ts';
import { runProgram } from './generate.ts';
import { findProgram } from './machine.ts';
import { nodeCommand } from './node-command.ts';
import { flawsOfReplay, runReplay } from './replay.ts';

test('messages queue for a session that is away, and all come in order when it returns', async (t) => {
  const mosquitto = findProgram('mosquitto');
  if (mosquitto === null) return t.skip('mosquitto is not installed');
  const port = await freePort();
  const broker = await startBroker('mosquitto', [mosquitto, '-p', String(port)], port);
  t.after(() => broker.stop());
  // mosquitto drops beyond 1,000 messages unless told otherwise.
  const { queued, replayed, missing, displaced } = await runReplay({
    host: '127.0.0.1',
    port,
    messages: 900,
    payloadBytes: 64,
    brokerPid: 0,
  });
  assert.deepEqual([queued.count, replayed.count, missing, displaced], [900, 900, 0, 0]);
  assert.ok(queued.seconds > 0 && replayed.seconds > 0);
});

test('a round trip to a program that syncs takes longer than nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'roundhouse-sync-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const echo = await startBroker('sync-echo', [...nodeCommand('sync-echo'), String(port), join(folder, 'file')], port);
  t.after(() => echo.stop());
  const { p50 } = await runProgram<{ p50: number }>('sync-probe', [`--port=${port}`, '--seconds=0.1']);
  assert.ok(p50 > 0, `${p50} ms`);
});

test('what is missing or displaced is told', () => {
  const step = { count: 1, seconds: 1, generatorCpu: 0, brokerCpuSeconds: null };
  assert.deepEqual(flawsOfReplay({ queued: step, replayed: step, missing: 2, displaced: 1 }), ['1 messages displaced', '2 messages lost']);
});

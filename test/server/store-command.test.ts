import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import mqtt, { type MqttClient } from 'mqtt';
import { BrokerCounters } from '../../src/core/counters.ts';
import { Message } from '../../src/core/message.ts';
import { Usage } from '../../src/core/usage.ts';
import { openStore } from '../../src/server/open-store.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { readText } from '../harness/activemq-file.ts';
import { freePorts, PROGRAM, Program, runProgram } from '../harness/program.ts';

/** Messages for a session that comes back for them, and for one that never does. */
const MESSAGES = 400;

test('roundhouse store: check, dump, why and compact on the store of a stopped broker, and nothing on that of a running one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-store-'));
  const store = join(folder, 'store');
  const [port] = (await freePorts(1)) as [number];
  const file = join(folder, 'activemq.xml');
  await writeFile(file, configuration(port, store, 'concurrentStoreAndDispatchTopics="false"'));
  const broker = new Program(['broker', file]);
  const clients: MqttClient[] = [];
  try {
    await broker.saying(/broker is up/);
    for (const [clientId, filter] of [
      ['forgotten', 'rare'],
      ['reader', '#'],
    ] as const) {
      const session = await mqtt.connectAsync({ host: '127.0.0.1', port, clientId, clean: false });
      await session.subscribeAsync(filter, { qos: 1 });
      if (clientId === 'forgotten') await session.endAsync();
      else clients.push(session.on('message', () => {}));
    }
    const publisher = await mqtt.connectAsync({ host: '127.0.0.1', port });
    for (let i = 0; i < MESSAGES; i++) await publisher.publishAsync(i % 100 === 0 ? 'rare' : 'common', 'x'.repeat(200), { qos: 1 });
    await publisher.endAsync();

    const running = await runProgram(['store', 'check', store]);
    assert.equal(running.code, 1);
    assert.match(running.stderr, /^roundhouse: data folder .*process \d+/);

    for (const client of clients) await client.endAsync(true);
    broker.kill('SIGKILL');
    await broker.ended;
    const sound = await runProgram(['store', 'check', store]);
    assert.deepEqual([sound.code, sound.stderr], [0, '']);
    assert.match(sound.stdout, /^\d{3,} records, 0 faults\n$/);
    const dumped = await runProgram(['store', 'dump', store]);
    assert.equal([...dumped.stdout.matchAll(/\tmessage\tnumber \d+, topic (rare|common)$/gm)].length, MESSAGES);

    const why = await runProgram(['store', 'why', store]);
    assert.match(why.stdout, /^journal-00000001\.log\t\d+ bytes\t\d+ of \d+ messages live\t.*session forgotten \(\d+\)/m);

    const compacted = await runProgram(['store', 'compact', store]);
    assert.deepEqual([compacted.code, compacted.stderr], [0, '']);
    const [, before, after] = /^(\d+) bytes of journal before, (\d+) after$/m.exec(compacted.stdout)!;
    assert.ok(Number(after) < Number(before) / 2, compacted.stdout);
    const left = await runProgram(['store', 'why', store]);
    assert.equal(
      [...left.stdout.matchAll(/session forgotten \((\d+)\)/g)].reduce((sum, [, count]) => sum + Number(count), 0),
      MESSAGES / 100,
    );

    for (const [words, outcome, said] of [
      [['--session', 'nobody'], 1, /^$/],
      [['--session', 'forgotten'], 0, /^session forgotten: 4 messages, \d+ bytes; --yes drops it\n$/],
      [['--session', 'forgotten', '--yes'], 0, /^session forgotten: 4 messages, \d+ bytes, dropped\n$/],
      [['--session', 'forgotten'], 1, /^$/],
      [['--linked-broker', 'nobody'], 1, /^$/],
      [[], 2, /^$/],
      [['--session', 'a', '--linked-broker', 'b'], 2, /^$/],
    ] as const) {
      const dropped = await runProgram(['store', 'drop', store, ...words]);
      assert.equal(dropped.code, outcome, dropped.stderr);
      assert.match(dropped.stdout, said);
    }
    assert.equal((await runProgram(['store', 'check', store, '--yes'])).code, 2);
    assert.doesNotMatch((await runProgram(['store', 'why', store])).stdout, /forgotten/);
    assert.equal((await runProgram(['store', 'check', store])).code, 0);

    const name = (await readdir(store)).filter((each) => each.endsWith('.log')).sort()[0]!;
    const bytes = await readFile(join(store, name));
    bytes[bytes.length - 20]! ^= 1;
    await writeFile(join(store, name), bytes);
    const damaged = await runProgram(['store', 'check', store]);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stdout, new RegExp(`^${name}: bytes \\d+ to \\d+ are not a sound record$`, 'm'));
  } finally {
    for (const client of clients) client.end(true);
    broker.kill('SIGKILL');
    await broker.ended;
    await rm(folder, { recursive: true, force: true });
  }
});

test('roundhouse store says what it was given in the place of a store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-store-'));
  try {
    for (const path of [folder, join(folder, 'missing')]) {
      const outcome = await runProgram(['store', 'why', path]);
      assert.equal(outcome.code, 1);
      assert.equal(outcome.stderr, `roundhouse: ${path}: a folder with journal-*.log files was expected, there are none\n`);
      assert.deepEqual(await readdir(folder), [], 'and makes nothing');
    }
    assert.equal((await runProgram(['store', 'mend', folder])).code, 2);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

const withoutTerminals =
  spawnSync('script', ['--version']).error === undefined ? false : 'script of util-linux, which has terminals, is not installed';

test('on a terminal each action of roundhouse store shows how far it is, and leaves the line empty', {
  skip: withoutTerminals,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-store-'));
  try {
    const store = join(folder, 'store');
    const usage = new Usage(new BrokerCounters(), silentLog);
    const opened = await openStore(store, readText(configuration(1, store)).model!, usage, silentLog, () => {});
    const session = opened.createSession('away');
    for (let i = 0; i < MESSAGES; i++) {
      const sequence = session.push(Message.of('t', Buffer.alloc(500), 2), { qos: 2, retain: false, identifiers: [] });
      if (i % 20 === 0) await opened.flushed();
      else session.remove(sequence);
    }
    await opened.close();
    const shown = (action: string, output = '') => {
      const command = [process.execPath, ...PROGRAM, 'store', action, store].map((word) => `'${word}'`).join(' ');
      const { stdout, status } = spawnSync('script', ['-qec', `${command} ${output}`, '/dev/null'], { encoding: 'utf8' });
      assert.equal(status, 0, stdout);
      return stdout;
    };
    for (const [action, output, stage] of [
      ['check', '', 'checking'],
      ['dump', `> '${folder}/dump'`, 'dumping'],
      ['why', '', 'reading'],
      ['compact', '', 'emptying'],
    ] as const) {
      const text = shown(action, output);
      const percents = [...text.matchAll(new RegExp(`[█░]{25} (\\d+) % ${stage} `, 'g'))].map(([, percent]) => Number(percent));
      assert.ok(percents.length > 2, `${action}: ${JSON.stringify(text)}`);
      assert.deepEqual(
        percents,
        [...percents].sort((a, b) => a - b),
      );
      assert.equal(percents.at(-1), 100);
      assert.doesNotMatch(text.slice(text.lastIndexOf('\r\x1b[K')), /[█░]/, 'the line is empty, or has what the action found');
    }
    assert.doesNotMatch(shown('dump'), /[█░]/, 'records are its lines on the same terminal');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** @param words more attributes of the store */
function configuration(port: number, store: string, words = ''): string {
  return `<beans xmlns="http://www.springframework.org/schema/beans">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="stored">
    <persistenceAdapter><kahaDB directory="${store}" journalMaxFileLength="16kb" ${words}/></persistenceAdapter>
    <transportConnectors><transportConnector name="mqtt" uri="mqtt+nio://127.0.0.1:${port}"/></transportConnectors>
  </broker>
</beans>
`;
}

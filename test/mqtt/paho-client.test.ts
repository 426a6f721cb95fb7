import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';
import { ClientProgram, DEBIAN_PYTHON, needsPaho } from '../harness/mqtt-programs.ts';
import { REPOSITORY_ROOT } from '../harness/repository-root.ts';

/** What mqtt-paho.py does and prints. */
const STEPS = ['payloads', 'burst', 'retained', 'will', 'session'];

for (const version of ['3.1', '3.1.1', '5']) {
  test(`paho ${version}: payloads, bursts, retained messages, wills, sessions${version === '5' ? ', properties' : ''} [MQTT3-7.0.0-2]`, async (t) => {
    if (!needsPaho(t)) return;
    const broker = await startBroker(t);
    const script = join(REPOSITORY_ROOT, 'test/harness/mqtt-paho.py');
    const client = new ClientProgram(t, DEBIAN_PYTHON, [script, String(broker.port), version]);
    assert.deepEqual((await client.output()).toString().trim().split('\n'), version === '5' ? [...STEPS, 'properties'] : STEPS);
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { balancerCfg, brokerXml, DeploymentFolder } from '../harness/deployment-files.ts';
import { freePorts, Program } from '../harness/program.ts';
import { connectClient } from './fleet.ts';

/** Clients that are connected when the broker is killed. */
const CONNECTED = 40;
/** New connections a second after that, and for how many seconds. */
const ARRIVALS_PER_S = 10;
const ARRIVAL_SECONDS = 5;

test('with one of two brokers killed, no connection attempt begun after that fails, and the broker comes back', async () => {
  const folder = await DeploymentFolder.make();
  const [mqtt1, mqtt2, link1, link2, port, statsPort] = (await freePorts(6)) as [number, number, number, number, number, number];
  const files = [
    await folder.write('one.xml', brokerXml({ brokerName: 'one', mqttPort: mqtt1, openwirePort: link1, linkTo: link2 })),
    await folder.write('two.xml', brokerXml({ brokerName: 'two', mqttPort: mqtt2, openwirePort: link2, linkTo: link1 })),
    await folder.write('haproxy.cfg', balancerCfg({ port, statsPort, serverPorts: [mqtt1, mqtt2] })),
  ];
  const program = new Program(['up', ...files], { cwd: folder.path });
  try {
    await program.saying(/mosquitto_sub/);
    const before = await Promise.all(Array.from({ length: CONNECTED }, () => connectClient('127.0.0.1', port)));

    const pid = Number((await program.saying(/^ +one +broker "one", process (\d+)/m))[1]);
    process.kill(pid, 'SIGKILL');
    const attempts: Promise<string | null>[] = [];
    for (let i = 0; i < ARRIVALS_PER_S * ARRIVAL_SECONDS; i++) {
      attempts.push(
        connectClient('127.0.0.1', port).then(
          (client) => client.endAsync(true).then(() => null),
          (error: Error) => error.message,
        ),
      );
      await sleep(1000 / ARRIVALS_PER_S);
    }
    const failures = (await Promise.all(attempts)).filter((failure) => failure !== null);
    assert.deepEqual(failures, []);

    const again = await connectClient('127.0.0.1', mqtt1);
    await again.endAsync(true);
    const onTheOther = before.filter((client) => client.connected).length;
    assert.equal(onTheOther, CONNECTED / 2, 'the clients of the other broker stay connected');
    await Promise.all(before.map((client) => client.endAsync(true)));
  } finally {
    program.kill();
    await program.ended;
    await folder.remove();
  }
});

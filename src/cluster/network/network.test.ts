import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../../core/broker.ts';
import { silentLog } from '../../telemetry/log.ts';
import { Turn } from '../../transport/turn.ts';
import { Network } from './network.ts';

/** How many hear of subscriptions on behalf of other brokers. */
async function watchersOf(t: import('node:test').TestContext, isDialled: boolean): Promise<number> {
  const broker = new Broker({ id: 'a', name: 'a', log: silentLog });
  const watch = t.mock.method(broker.router, 'watch');
  const network = new Network({ broker, turn: new Turn(), connectors: [], isDialled });
  await network.start();
  await network.stop();
  return watch.mock.callCount();
}

test('what clients want is kept for other brokers only where there can be any', async (t) => {
  assert.equal(await watchersOf(t, true), 1);
  assert.equal(await watchersOf(t, false), 0);
});

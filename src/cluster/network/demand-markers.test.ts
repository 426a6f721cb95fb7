import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channel } from '../../protocols/openwire/channel.ts';
import { DemandMarkers } from './demand-markers.ts';
import { DemandWave } from './demand-wave.ts';

/** What there is of a channel for markers: `ids` are the command ids it gives, 0 for what it cannot send. */
function markersOver(...ids: number[]): DemandMarkers {
  return new DemandMarkers({ request: () => ids.shift()! } as unknown as Channel, 'ID:us');
}

async function isFinished(wave: DemandWave): Promise<boolean> {
  const finished = await Promise.race([wave.known.then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);
  wave.finish();
  return finished as boolean;
}

function ask(markers: DemandMarkers): DemandWave {
  const wave = new DemandWave([]);
  wave.ask([{ awaitDemand: (asked) => markers.await(asked) }]);
  return wave;
}

test('a wave waits for the answer to its marker', async () => {
  const markers = markersOver(7, 8);
  markers.allTold();
  assert.equal(await isFinished(ask(markers)), false);
  const wave = ask(markers);
  assert.equal(markers.answered(8), true);
  assert.equal(await isFinished(wave), true);
});

test('a marker that the peer cannot take holds nobody up', async () => {
  const markers = markersOver(0);
  markers.allTold();
  assert.equal(await isFinished(ask(markers)), true);
  assert.equal(markers.answered(0), false);
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { WriteWatch, type Written } from './write-watch.ts';

class Peer implements Written {
  unsentBytes = 0;
  sentBytes = 0;
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
  }
}

function watch(t: TestContext, ...peers: Peer[]): (ms: number) => Peer[] {
  let nowMs = 5_000;
  let stalled: Peer[] = [];
  const watching = new WriteWatch({
    timeoutMs: 1_000,
    connections: () => peers.filter(({ destroyed }) => !destroyed),
    onStalled: (peer) => stalled.push(peer),
    nowMs: () => nowMs,
  });
  t.after(() => watching.stop());
  return (ms) => {
    nowMs += ms;
    stalled = [];
    watching.look();
    return stalled;
  };
}

test('a peer that takes nothing for the time allowed is closed, said before', (t) => {
  const peer = new Peer();
  const passed = watch(t, peer);
  assert.deepEqual(passed(10_000), [], 'who has nothing to take may take his time');
  peer.unsentBytes = 100;
  assert.deepEqual(passed(250), []);
  assert.deepEqual(passed(999), []);
  peer.unsentBytes = 500; // what is added is not taken
  assert.deepEqual(passed(1), [peer]);
  assert.ok(peer.destroyed);
  assert.deepEqual(passed(1_000), []);
});

test('a peer that takes a little is left alone, however much waits for it', (t) => {
  const peer = new Peer();
  const passed = watch(t, peer);
  peer.unsentBytes = 100;
  for (let i = 0; i < 20; i++) {
    peer.unsentBytes += 1_000;
    peer.sentBytes += 1;
    assert.deepEqual(passed(900), []);
  }
});

test('the time begins anew when everything was taken meanwhile', (t) => {
  const peer = new Peer();
  const passed = watch(t, peer);
  peer.unsentBytes = 100;
  assert.deepEqual(passed(0), []);
  peer.unsentBytes = 0;
  assert.deepEqual(passed(900), []);
  peer.unsentBytes = 100;
  assert.deepEqual(passed(900), []);
  assert.deepEqual(passed(999), []);
  assert.deepEqual(passed(1), [peer]);
});

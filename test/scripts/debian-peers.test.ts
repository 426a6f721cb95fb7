import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadDebianPeers } from './script-modules.ts';

const peers = await loadDebianPeers();

/** A folder that stands for `/`, and the policy's path in it. */
function makeRoot(t: TestContext): { root: string; policy: string } {
  const root = mkdtempSync(join(tmpdir(), 'roundhouse-peers-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'usr/sbin'), { recursive: true });
  return { root, policy: join(root, 'usr/sbin/policy-rc.d') };
}

test('while packages are installed a policy forbids them to start services, and it goes afterwards', async (t) => {
  const { root, policy } = makeRoot(t);
  const result = await peers.withDaemonsHeld(root, async () => {
    assert.match(readFileSync(policy, 'utf8'), /^#!\/bin\/sh\n[\s\S]*\nexit 101\n$/);
    assert.equal(statSync(policy).mode & 0o111, 0o111, 'invoke-rc.d asks only an executable policy');
    return 'done';
  });
  assert.equal(result, 'done');
  assert.ok(!existsSync(policy));
});

test('the policy goes also when the installation throws', async (t) => {
  const { root, policy } = makeRoot(t);
  await assert.rejects(
    peers.withDaemonsHeld(root, () => Promise.reject(new Error('no space left'))),
    /no space left/,
  );
  assert.ok(!existsSync(policy));
});

test("the administrator's own policy is neither replaced nor removed", async (t) => {
  const { root, policy } = makeRoot(t);
  writeFileSync(policy, '#!/bin/sh\nexit 104\n', { mode: 0o755 });
  await peers.withDaemonsHeld(root, () => Promise.resolve());
  assert.equal(readFileSync(policy, 'utf8'), '#!/bin/sh\nexit 104\n');
});

test('a policy of ours that a killed run has left is taken over and removed', (t) => {
  const { root, policy } = makeRoot(t);
  peers.holdDaemons(root);
  const release = peers.holdDaemons(root);
  assert.ok(existsSync(policy));
  release();
  assert.ok(!existsSync(policy));
  release();
});

test('no signal listener stays behind', async (t) => {
  const { root } = makeRoot(t);
  const before = ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit'].map((name) => process.listenerCount(name));
  await peers.withDaemonsHeld(root, () => Promise.resolve());
  assert.deepEqual(
    ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit'].map((name) => process.listenerCount(name)),
    before,
  );
});

test('peers are installed only as root, with apt, and where the user did not opt out', () => {
  assert.equal(peers.reasonNotToInstall({ wanted: true, isRoot: true, hasApt: true }), null);
  assert.match(peers.reasonNotToInstall({ wanted: false, isRoot: true, hasApt: true })!, /switched off/);
  assert.match(peers.reasonNotToInstall({ wanted: true, isRoot: false, hasApt: true })!, /root/);
  assert.match(peers.reasonNotToInstall({ wanted: true, isRoot: true, hasApt: false })!, /no apt-get/);
});

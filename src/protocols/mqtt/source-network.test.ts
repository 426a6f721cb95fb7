import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceNetwork } from './source-network.ts';

for (const [remoteAddress, source] of [
  ['192.0.2.1:51234', '192.0.2.1'],
  ['[::ffff:192.0.2.1]:51234', '192.0.2.1'],
  ['[2001:db8:1:2:3:4:5:6]:51234', '2001:db8:1:2::/64'],
  ['[2001:DB8:1:2::6]:51234', '2001:db8:1:2::/64'],
  ['[2001:db8::1]:51234', '2001:db8:0:0::/64'],
  ['[2001:db8:1::4:5:6:7]:51234', '2001:db8:1:0::/64'],
  ['[2001:db8:1:2:3::]:51234', '2001:db8:1:2::/64'],
  ['[::1]:51234', '0:0:0:0::/64'],
  ['[fe80::1%eth0]:51234', 'fe80::1%eth0'],
  ['unix:/run/mqtt.sock', null],
] as const) {
  test(`a client at ${remoteAddress} comes from ${source}`, () => assert.equal(sourceNetwork(remoteAddress), source));
}

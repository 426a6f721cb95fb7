import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { test } from 'node:test';
import type { PublishedAddressModel } from '../config/activemq/model.ts';
import { publishedAddress } from './published-address.ts';

const NO_POLICY: PublishedAddressModel = { hostStrategy: 'default', hosts: {}, ports: {} };

test('without a policy an address is published as it is, and one for every address of the machine as one that others can dial', async () => {
  assert.deepEqual(await publishedAddress(NO_POLICY, { host: '192.0.2.1', port: 1883 }), { host: '192.0.2.1', port: 1883 });
  for (const host of ['0.0.0.0', '::']) {
    const { host: published } = await publishedAddress(NO_POLICY, { host, port: 1883 });
    assert.ok(isIP(published) === 4 || published === hostname(), published);
    assert.notEqual(published, '0.0.0.0');
  }
});

test('a strategy publishes the address or the name of a host', async () => {
  const by = async (hostStrategy: PublishedAddressModel['hostStrategy'], host: string) =>
    (await publishedAddress({ ...NO_POLICY, hostStrategy }, { host, port: 1883 })).host;
  assert.match(await by('ipAddress', 'localhost'), /^(127\.|::1$)/);
  assert.equal(await by('hostName', '0.0.0.0'), hostname());
  assert.equal(isIP(await by('fqdn', '0.0.0.0')), 0);
  assert.equal(await by('hostName', 'no-such-host.invalid'), 'no-such-host.invalid');
});

test('maps put another host and another port in their place: by the published host, by the machine, or by the host that is listened on', async () => {
  const policy = (hosts: Record<string, string>): PublishedAddressModel => ({ ...NO_POLICY, hosts, ports: { 1883: 21883 } });
  const fleet = { host: 'fleet.example', port: 21883 };
  assert.deepEqual(await publishedAddress(policy({ '10.0.0.1': 'fleet.example' }), { host: '10.0.0.1', port: 1883 }), fleet);
  assert.deepEqual(await publishedAddress(policy({ [hostname()]: 'fleet.example' }), { host: '0.0.0.0', port: 1883 }), fleet);
  assert.deepEqual(await publishedAddress(policy({ '0.0.0.0': 'fleet.example' }), { host: '0.0.0.0', port: 1883 }), fleet);
  assert.deepEqual(await publishedAddress(policy({ constructor: 'x' }), { host: '10.0.0.1', port: 1884 }), {
    host: '10.0.0.1',
    port: 1884,
  });
});

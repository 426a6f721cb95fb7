import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { ConnectRates } from './connect-rates.ts';

const REFUSED = { code: 'MQTT_CONNECTION_RATE_EXCEEDED', reasonCode: 0x9f };

test('each connector has a rate of its own', () => {
  const rates = new ConnectRates({ ...DEFAULT_LIMITS, connectsPerSecond: 2 });
  for (const connector of ['one', 'two']) {
    rates.countConnect(connector, '192.0.2.1:1', 0);
    rates.countConnect(connector, '192.0.2.2:1', 0);
    assert.throws(() => rates.countConnect(connector, '192.0.2.3:1', 0), { ...REFUSED, limit: 'connectsPerSecond' });
    rates.countConnect(connector, '192.0.2.3:1', 500);
  }
});

test('each address has a rate of its own, from whichever port and at whichever connector; beyond it the connector is not charged', () => {
  const rates = new ConnectRates({ ...DEFAULT_LIMITS, addressConnectsPerSecond: 2, connectsPerSecond: 4 });
  rates.countConnect('one', '192.0.2.1:1', 0);
  rates.countConnect('two', '192.0.2.1:2', 0);
  for (let port = 3; port < 10; port++)
    assert.throws(() => rates.countConnect('one', `192.0.2.1:${port}`, 0), { ...REFUSED, limit: 'addressConnectsPerSecond' });
  for (const address of ['192.0.2.2:1', '[2001:db8::1]:1', '[2001:db8::2]:2']) rates.countConnect('one', address, 0);
  assert.throws(() => rates.countConnect('two', '[2001:db8::3]:3', 0), { ...REFUSED, limit: 'addressConnectsPerSecond' });
  rates.countConnect('two', '192.0.2.1:1', 500);
});

test('the addresses seen last are remembered, and clients of a socket file have none', () => {
  const rates = new ConnectRates({ ...DEFAULT_LIMITS, addressConnectsPerSecond: 1 });
  rates.countConnect('c', '192.0.2.1:1', 0);
  for (let i = 0; i < 65_536; i++) rates.countConnect('c', `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:1`, 0);
  rates.countConnect('c', '192.0.2.1:1', 0); // forgotten, so that addresses cannot fill the memory
  assert.throws(() => rates.countConnect('c', '10.0.255.255:1', 0), REFUSED);
  for (let i = 0; i < 10; i++) rates.countConnect('c', 'unix:/run/mqtt.sock', 0);
});

test('each client id has a rate of its own, those of the ids seen last are remembered', () => {
  const rates = new ConnectRates({ ...DEFAULT_LIMITS, clientConnectsPerMinute: 1 });
  rates.countClient('a', 0);
  assert.throws(() => rates.countClient('a', 59_000), { ...REFUSED, limit: 'clientConnectsPerMinute' });
  rates.countClient('b', 59_000);
  rates.countClient('a', 60_000);
  for (let i = 0; i < 65_536; i++) rates.countClient(`other-${i}`, 60_000);
  rates.countClient('a', 60_000); // forgotten, so that made-up ids cannot fill the memory
  assert.throws(() => rates.countClient('other-65535', 60_000), REFUSED);
});

test('without a bound nothing is refused', () => {
  const rates = new ConnectRates(DEFAULT_LIMITS);
  for (let i = 0; i < 1_000; i++) {
    rates.countConnect('c', '192.0.2.1:1', 0);
    rates.countClient('a', 0);
  }
});

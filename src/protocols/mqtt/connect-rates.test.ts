import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { ConnectRates } from './connect-rates.ts';

const REFUSED = { code: 'MQTT_CONNECTION_RATE_EXCEEDED', reasonCode: 0x9f };

test('each connector has a rate of its own', () => {
  const rates = new ConnectRates({ ...DEFAULT_LIMITS, connectsPerSecond: 2 });
  for (const connector of ['one', 'two']) {
    rates.countConnect(connector, 0);
    rates.countConnect(connector, 0);
    assert.throws(() => rates.countConnect(connector, 0), { ...REFUSED, limit: 'connectsPerSecond' });
    rates.countConnect(connector, 500);
  }
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
    rates.countConnect('c', 0);
    rates.countClient('a', 0);
  }
});

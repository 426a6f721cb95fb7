import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerModel, BrokerSource } from '../config/activemq/model.ts';
import type { ProxyModel } from '../config/haproxy/model.ts';
import { createAddressMap } from './address-map.ts';
import type { BalancerUnit, BrokerUnit } from './deployment.ts';
import { renderOverview } from './overview.ts';

const mapAddress = createAddressMap([['172.17.0.10', '127.0.0.1']]);

function broker(name: string, mqttPort: number): BrokerUnit {
  const transportConnectors = [
    { name: 'openwire', scheme: 'tcp', host: '127.0.0.1', port: mqttPort + 100, socketFile: null, tls: null },
    { name: 'mqtt', scheme: 'mqtt', host: '0.0.0.0', port: mqttPort, socketFile: null, tls: null },
  ];
  const persistenceAdapter = { kind: 'kahaDB', directory: `/data/${name}/kahadb` };
  return {
    kind: 'broker',
    name,
    file: `${name}.xml`,
    model: { brokerName: 'broker2', transportConnectors, persistenceAdapter } as unknown as BrokerModel,
    source: {} as BrokerSource,
    limits: {},
  };
}

const bind = (port: number) => ({ host: '', port, path: null, place: { file: 'h.cfg', line: 1 } });
const servers = [1883, 1884].map((port) => ({ host: '172.17.0.10', port }));
const balancer: BalancerUnit = {
  kind: 'balancer',
  name: 'haproxy',
  file: 'haproxy.cfg',
  model: {
    proxies: [
      {
        name: 'admin_stats',
        kind: 'listen',
        mode: 'http',
        disabled: false,
        binds: [bind(8888)],
        servers: [],
        defaultBackend: null,
        stats: { uri: '/haproxy', auth: [{ user: 'admin', password: 'secret' }] },
      },
      {
        name: 'mqtt_proxy',
        kind: 'frontend',
        mode: 'tcp',
        disabled: false,
        binds: [bind(9999)],
        servers: [],
        defaultBackend: 'mqtt_agent',
        stats: null,
      },
      { name: 'mqtt_agent', kind: 'backend', mode: 'tcp', disabled: false, binds: [], servers, defaultBackend: null, stats: null },
    ],
  } as unknown as ProxyModel,
};

test('the overview names every address, store folder and process, and how to try it through the balancer', () => {
  const text = renderOverview(
    [
      { unit: broker('one', 1883), pid: 11 },
      { unit: balancer, pid: 12 },
    ],
    mapAddress,
  );
  assert.equal(
    text,
    `
  one      broker "broker2", process 11
           openwire (tcp)  127.0.0.1:1983
           mqtt            0.0.0.0:1883
           store           /data/one/kahadb

  haproxy  balancer, process 12
           admin_stats  statistics: http://127.0.0.1:8888/haproxy (user admin)
           mqtt_proxy   *:9999 -> 127.0.0.1:1883, 127.0.0.1:1884

  Try it, in two terminals:
    mosquitto_sub -h 127.0.0.1 -p 9999 -v -q 1 -t 'demo/#'
    mosquitto_pub -h 127.0.0.1 -p 9999 -q 1 -t demo/hello -m 'It works'

  Ctrl-C stops everything.

`,
  );
  assert.ok(!text.includes('secret'));
});

test('without a balancer it is tried across brokers, with one broker at that one', () => {
  const two = renderOverview(
    [
      { unit: broker('one', 1883), pid: 1 },
      { unit: broker('two', 1884), pid: 2 },
    ],
    mapAddress,
  );
  assert.match(two, /mosquitto_sub -h 127\.0\.0\.1 -p 1883 .*\n.*mosquitto_pub -h 127\.0\.0\.1 -p 1884 /);
  assert.match(renderOverview([{ unit: broker('one', 1883), pid: 1 }], mapAddress), /mosquitto_pub -h 127\.0\.0\.1 -p 1883 /);
});

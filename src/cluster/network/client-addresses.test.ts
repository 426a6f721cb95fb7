import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientAddress, formatClientAddresses, parseClientAddresses } from './client-addresses.ts';

test('addresses for clients come over as they went', () => {
  const addresses: ClientAddress[] = [
    { carriage: 'mqtt', authority: '10.0.0.1:1883' },
    { carriage: 'mqtt+ssl', authority: 'broker-1.example:8883' },
    { carriage: 'ws', authority: '[2001:db8::1]:80' },
    { carriage: 'wss', authority: 'b:65535' },
  ];
  assert.deepEqual(parseClientAddresses(formatClientAddresses(addresses)), addresses);
  assert.deepEqual(parseClientAddresses(formatClientAddresses([])), []);
});

test('what is no address for MQTT clients is passed over', () => {
  const text = 'stomp://a:1 mqtt://a mqtt://a:1/x mqtt://u@a:1 mqtt://[::1:1 mqtt://a:123456  mqtt://a:1\n mqtt://b:2 MQTT://c:3';
  assert.deepEqual(parseClientAddresses(text), [{ carriage: 'mqtt', authority: 'b:2' }]);
});

test('of very many addresses the first are told and taken', () => {
  const many = Array.from({ length: 100 }, (_, i): ClientAddress => ({ carriage: 'mqtt', authority: `a:${i}` }));
  assert.deepEqual(parseClientAddresses(formatClientAddresses(many)), many.slice(0, 64));
  assert.equal(parseClientAddresses(many.map(({ authority }) => `mqtt://${authority}`).join(' ')).length, 64);
});

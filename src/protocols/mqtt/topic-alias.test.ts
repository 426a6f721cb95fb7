import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { InboundAliases } from './topic-alias.ts';

const limits = { ...DEFAULT_LIMITS, topicAliasMaximum: 3, topicAliasBytes: 10 };

test('an alias stands for the topic that it was last set to', () => {
  const aliases = new InboundAliases();
  assert.equal(aliases.resolve('a', 1, limits), 'a');
  assert.equal(aliases.resolve('', 1, limits), 'a');
  assert.equal(aliases.resolve('b', 1, limits), 'b');
  assert.equal(aliases.resolve('', 1, limits), 'b');
});

test('the topics of all aliases are bounded together, and one that is set anew makes room', () => {
  const aliases = new InboundAliases();
  aliases.resolve('12345', 1, limits);
  aliases.resolve('67890', 2, limits);
  aliases.resolve('1', 1, limits);
  aliases.resolve('1234', 3, limits);
  assert.throws(() => aliases.resolve('12', 1, limits), { code: 'MQTT_QUOTA_EXCEEDED', reasonCode: 0x97, limit: 'topicAliasBytes' });
});

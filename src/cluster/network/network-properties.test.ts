import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LINK_SETTINGS } from './link-settings.ts';
import { formatNetworkProperties, parseNetworkProperties } from './network-properties.ts';

test('a connector crosses as it is, whatever characters its name has', () => {
  for (const name of ['NC', 'a = b: c#!', 'ünï 😀', 'a\u2028b\u2029c', '\\']) {
    const settings = { ...DEFAULT_LINK_SETTINGS, name };
    assert.deepEqual(parseNetworkProperties(formatNetworkProperties(settings, 'us')), settings);
  }
});

test('what a peer writes without escaping is read too: only CR and LF end a line', () => {
  assert.equal(parseNetworkProperties('name=a\u2028b\u2029c\rduplex=true\n').name, 'a\u2028b\u2029c');
  assert.equal(parseNetworkProperties('\u2028\u2029=x\n=\n\\\nname=N').name, 'N');
});

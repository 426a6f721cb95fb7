import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../../../test/harness/repository-root.ts';
import { renderHAProxyReference } from './reference.ts';

test('docs/reference/haproxy-cfg.md is what scripts/haproxy-reference.mjs writes', () => {
  const page = readFileSync(join(REPOSITORY_ROOT, 'docs/reference/haproxy-cfg.md'), 'utf8');
  assert.equal(page, renderHAProxyReference());
});

test('no note of the page breaks its table', () => {
  for (const line of renderHAProxyReference().split('\n')) {
    if (line.startsWith('|')) assert.equal(line.split('|').length, 5, line);
  }
});

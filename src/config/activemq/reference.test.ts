import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../../../test/harness/repository-root.ts';
import { renderActiveMQReference } from './reference.ts';
import { ELEMENTS } from './schema.ts';

test('the reference page is up to date; if not: npm run build && node scripts/activemq-reference.mjs', () => {
  assert.equal(readFileSync(join(REPOSITORY_ROOT, 'docs/reference/activemq-xml.md'), 'utf8'), renderActiveMQReference());
});

test('the reference page names every element and every property', () => {
  const page = renderActiveMQReference();
  for (const { name, properties } of ELEMENTS.values()) {
    assert.ok(page.includes(`\`<${name}>\``), name);
    for (const property of properties.keys()) assert.ok(page.includes(`\`${property}\``), `${name}.${property}`);
  }
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { REPOSITORY_ROOT } from '../../test/harness/repository-root.ts';
import { LIMIT_NAMES, LIMITS } from './limits.ts';
import { renderLimitsReference } from './limits-reference.ts';
import { renderSysReference } from './sys-reference.ts';
import { SYS_VALUES } from './sys-values.ts';

test('the page of limits is up to date; if not: npm run build && node scripts/limits-reference.mjs', () => {
  const page = readFileSync(join(REPOSITORY_ROOT, 'docs/reference/limits.md'), 'utf8');
  assert.equal(page, renderLimitsReference());
  for (const name of LIMIT_NAMES) assert.ok(page.includes(`| \`${name}\` | ${LIMITS[name].default} |`), name);
});

test('the page of $SYS is up to date; if not: npm run build && node scripts/sys-topics-reference.mjs', () => {
  const page = readFileSync(join(REPOSITORY_ROOT, 'docs/reference/sys-topics.md'), 'utf8');
  assert.equal(page, renderSysReference());
  for (const { topic } of SYS_VALUES) assert.ok(page.includes(`| \`${topic}\` |`), topic);
});

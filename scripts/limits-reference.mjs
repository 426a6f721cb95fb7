// Writes docs/reference/limits.md from the broker's table of limits. Build first: npm run build.
import { writeFileSync } from 'node:fs';
import { renderLimitsReference } from '../dist/src/core/limits-reference.js';

writeFileSync(new URL('../docs/reference/limits.md', import.meta.url), renderLimitsReference());

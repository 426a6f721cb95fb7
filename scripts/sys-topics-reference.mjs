// Writes docs/reference/sys-topics.md from the broker's table of values. Build first: npm run build.
import { writeFileSync } from 'node:fs';
import { renderSysReference } from '../dist/src/core/sys-reference.js';

writeFileSync(new URL('../docs/reference/sys-topics.md', import.meta.url), renderSysReference());

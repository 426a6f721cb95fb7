// Writes docs/reference/mqtt-conformance.md from the ids in sources and tests. Build first: npm run build.
import { writeFileSync } from 'node:fs';
import { renderConformancePage } from '../dist/test/conformance/page.js';

writeFileSync(new URL('../docs/reference/mqtt-conformance.md', import.meta.url), renderConformancePage());

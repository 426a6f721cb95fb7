// Writes docs/reference/haproxy-cfg.md from the reader's table. Build first: npm run build.
import { writeFileSync } from 'node:fs';
import { renderHAProxyReference } from '../dist/src/config/haproxy/reference.js';

writeFileSync(new URL('../docs/reference/haproxy-cfg.md', import.meta.url), renderHAProxyReference());

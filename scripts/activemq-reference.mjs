// Writes docs/reference/activemq-xml.md from the reader's tables. Build first: npm run build.
import { writeFileSync } from 'node:fs';
import { renderActiveMQReference } from '../dist/src/config/activemq/reference.js';

writeFileSync(new URL('../docs/reference/activemq-xml.md', import.meta.url), renderActiveMQReference());

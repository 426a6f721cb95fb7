/** `npm run bench`: sets the clone up, then compares Roundhouse with mosquitto. Arguments: see bench/compare.ts. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endWithNpm } from './npm-parent.mjs';
import { REPOSITORY_ROOT, runScript, setUp } from './setup.mjs';

await runScript(async () => {
  endWithNpm();
  setUp();
  await import(pathToFileURL(join(REPOSITORY_ROOT, 'dist', 'bench', 'compare.js')).href);
});

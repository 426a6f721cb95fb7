/**
 * `npm start`: sets the clone up, then runs the deployment of conf/ in this very process, as if the user had typed
 * `bin/roundhouse up conf/activemq-1.xml conf/activemq-2.xml conf/haproxy.cfg`. Further arguments are passed on:
 * `npm start -- -D activemq.data=/tmp/data`.
 *
 * The same process rather than a child: a Ctrl-C reaches it once, and its exit code is the program's own.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endWithNpm } from './npm-parent.mjs';
import { REPOSITORY_ROOT, runScript, setUp } from './setup.mjs';

const DEPLOYMENT = ['conf/activemq-1.xml', 'conf/activemq-2.xml', 'conf/haproxy.cfg'];

await runScript(async () => {
  endWithNpm();
  setUp();
  process.chdir(REPOSITORY_ROOT);
  const program = join(REPOSITORY_ROOT, 'bin', 'roundhouse');
  process.argv = [process.execPath, program, 'up', ...DEPLOYMENT, ...process.argv.slice(2)];
  await import(pathToFileURL(program).href);
});

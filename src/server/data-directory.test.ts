import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError } from '../errors.ts';
import { openDataDirectory } from './data-directory.ts';

const base = await mkdtemp(join(tmpdir(), 'roundhouse-data-'));
after(() => rm(base, { recursive: true, force: true }));

function coded(code: string, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

/** A process that opens the folder, says so and stays. */
async function holder(path: string) {
  const program = `
    import { openDataDirectory } from ${JSON.stringify(new URL(`./data-directory${import.meta.url.slice(-3)}`, import.meta.url).href)};
    await openDataDirectory(${JSON.stringify(path)});
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, [...process.execArgv, '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`the holder ended with ${code}`)));
  });
  return child;
}

test('a data folder is made with its parents, and nothing stays in it after release', async () => {
  const path = join(base, 'a', 'b', 'kahadb');
  const directory = await openDataDirectory(path);
  assert.equal((await readdir(path)).length, 1);
  await directory.release();
  assert.deepEqual(await readdir(path), []);
});

test('a second broker on a data folder is refused, naming the process that has it, and gets it after release', async () => {
  const path = join(base, 'second');
  const first = await openDataDirectory(path);
  await assert.rejects(openDataDirectory(path), coded('DATA_DIRECTORY_LOCKED', new RegExp(`${path}.*process ${process.pid}`)));
  assert.equal((await readdir(path)).length, 1, 'the refused one leaves nothing behind');
  await first.release();
  await (await openDataDirectory(path)).release();
});

test('of many that ask at the same time exactly one gets the folder', async () => {
  const path = join(base, 'race');
  const results = await Promise.allSettled(Array.from({ length: 12 }, () => openDataDirectory(path)));
  const winners = results.filter((r) => r.status === 'fulfilled');
  assert.equal(winners.length, 1);
  await winners[0]!.value.release();
});

test('a folder whose broker was killed with SIGKILL is free at once', async () => {
  const path = join(base, 'killed');
  const child = await holder(path);
  await assert.rejects(openDataDirectory(path), coded('DATA_DIRECTORY_LOCKED', new RegExp(`process ${child.pid}`)));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  assert.equal((await readdir(path)).length, 1, 'its socket is still there');
  const directory = await openDataDirectory(path);
  await directory.release();
  assert.deepEqual(await readdir(path), [], 'and is swept away');
});

test('a stopped process keeps its folder', async () => {
  const path = join(base, 'stopped');
  const child = await holder(path);
  child.kill('SIGSTOP');
  await assert.rejects(openDataDirectory(path), coded('DATA_DIRECTORY_LOCKED', new RegExp(`process ${child.pid}`)));
  child.kill('SIGKILL');
});

test('a path longer than a Unix socket may have is locked all the same', { skip: process.platform !== 'linux' }, async () => {
  const path = join(base, 'x'.repeat(120), 'kahadb');
  const first = await openDataDirectory(path);
  await assert.rejects(openDataDirectory(path), coded('DATA_DIRECTORY_LOCKED', /in use by another broker/));
  await first.release();
  await (await openDataDirectory(path)).release();
});

test("a folder with a store of ActiveMQ's own is refused with advice", async () => {
  const path = join(base, 'kaha');
  await mkdir(path);
  await writeFile(join(path, 'db-1.log'), 'x');
  await assert.rejects(openDataDirectory(path), coded('DATA_DIRECTORY_KAHADB', /db-1\.log.*ActiveMQ.*-D activemq\.data=/));
});

test('a file where the folder should be is refused', async () => {
  await writeFile(join(base, 'file'), '');
  await assert.rejects(openDataDirectory(join(base, 'file')), coded('DATA_DIRECTORY', /file is not a folder/));
  await assert.rejects(openDataDirectory(join(base, 'file', 'kahadb')), coded('DATA_DIRECTORY', /is not a folder/));
});

import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { findCollisions, findTaken, formatAddress, type ListenAddress } from './listen-address.ts';

function at(host: string, port: number, line = 1, v6only = false): ListenAddress {
  return { file: 'a.xml', line, column: 5, what: `connector ${line}`, host, port, v6only };
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a port taken by a program is reported with place, address and, where Linux tells, the process', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const faults = await findTaken([at('127.0.0.1', port)]);
  server.close();
  const holder = process.platform === 'linux' ? `process ${process.pid} \\(.+\\)` : 'another program';
  assert.equal(faults.length, 1);
  assert.deepEqual({ ...faults[0], message: '' }, { severity: 'error', file: 'a.xml', line: 1, column: 5, keyword: '', message: '' });
  assert.match(faults[0]!.message, new RegExp(`^connector 1 cannot listen on 127\\.0\\.0\\.1:${port}: the port is taken by ${holder}$`));
});

test('a free port is no fault and stays free', async () => {
  const port = await freePort();
  assert.deepEqual(await findTaken([at('127.0.0.1', port)]), []);
  assert.deepEqual(await findTaken([at('127.0.0.1', port)]), []);
});

test('the same port asked for twice is reported at the second place, naming the first; port 0 never is', async () => {
  const port = 1883;
  for (const other of ['127.0.0.1', 'localhost', '0.0.0.0', '', '::']) {
    const faults = await findCollisions([at('127.0.0.1', port, 3), at(other, port, 9)]);
    assert.equal(faults.length, 1, other);
    assert.equal(faults[0]!.line, 9);
    assert.match(faults[0]!.message, /asked for twice, first at a\.xml:3 \(connector 3\)/);
  }
  assert.deepEqual(await findCollisions([at('127.0.0.1', 0), at('127.0.0.1', 0)]), []);
});

test('IPv6 alone and IPv4 may share a port', async () => {
  assert.deepEqual(await findCollisions([at('0.0.0.0', 1883), at('::', 1883, 2, true)]), []);
});

test('an unresolvable host and an address of another machine are reported as what they are', async () => {
  const [unresolvable] = await findCollisions([at('no-such-host.invalid', 1)]);
  assert.match(unresolvable!.message, /no-such-host\.invalid:1: the host name no-such-host\.invalid does not resolve/);
  const [elsewhere] = await findTaken([at('192.0.2.1', await freePort())]);
  assert.match(elsewhere!.message, /this machine has no such address \(--map-address/);
});

test('addresses are written the way people write them', () => {
  assert.deepEqual([formatAddress('', 1), formatAddress('::1', 2), formatAddress('127.0.0.1', 3)], ['*:1', '[::1]:2', '127.0.0.1:3']);
});

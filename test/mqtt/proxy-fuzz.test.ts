import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { silentLog } from '../../src/telemetry/log.ts';
import { writeProxyHeaderV1, writeProxyHeaderV2 } from '../../src/transport/proxy-header-writer.ts';
import { createProxyStage } from '../../src/transport/proxy-stage.ts';
import { hostileClient, samplesOf } from '../harness/hostile-clients.ts';
import { discardSessions, inPieces, receiveVisits } from '../harness/hostile-visits.ts';
import { mutated } from '../harness/mqtt-arbitraries.ts';
import { startBroker } from '../harness/mqtt-broker.ts';
import { Canary } from '../harness/mqtt-canary.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';

/**
 * A broker behind proxies that send headers of all kinds, good and broken, with clients of all kinds behind them, while a canary goes on
 * with its round trip.
 */

const port = fc.integer({ min: 0, max: 65_535 });
const ends = (address: fc.Arbitrary<string>) => {
  const end = fc.tuple(address, port).map(([text, number]) => ({ address: text, port: number }));
  return fc.tuple(end, end).map(([source, destination]) => ({ source, destination }));
};
const proxied = fc.option(fc.oneof(ends(fc.ipV4()), ends(fc.ipV6())));
const value = fc.record({ type: fc.integer({ min: 0, max: 255 }), value: fc.uint8Array({ maxLength: 60 }) });

/** Headers as proxies send them; the values of version 2 may be any. */
const header: fc.Arbitrary<Buffer> = fc.oneof(
  proxied.map((connection) => writeProxyHeaderV1(connection)),
  fc
    .tuple(proxied, fc.array(value, { maxLength: 4 }), fc.boolean())
    .map(([connection, values, checksum]) => writeProxyHeaderV2(connection, values, { checksum })),
);

const introduction: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: header },
  { weight: 4, arbitrary: mutated(header) },
  { weight: 1, arbitrary: fc.tuple(header, fc.nat()).map(([bytes, cut]) => bytes.subarray(0, cut % bytes.length)) },
  { weight: 1, arbitrary: fc.tuple(header, header).map(([first, second]) => Buffer.concat([first, second])) },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) },
);

/** What one connection sends, and in how many pieces. */
const visit = fc.tuple(introduction, hostileClient, fc.array(fc.nat(), { maxLength: 3 })).map(([first, { bytes }, cuts]) => {
  const all = Buffer.concat([first, bytes]);
  return inPieces(all, cuts);
});

const LOOPBACK = new BlockList();
LOOPBACK.addAddress('127.0.0.1', 'ipv4');

for (const mode of ['required', 'optional'] as const) {
  test(`${mode}: headers and clients of all kinds: every connection is closed, others get on, nothing stays`, async (t) => {
    const errors: string[] = [];
    const broker = await startBroker(t, {
      limits: { retainedMessages: 1_000 },
      stages: [createProxyStage(mode, LOOPBACK)],
      log: { ...silentLog, error: (message) => errors.push(message) },
    });
    const canary = await Canary.start(
      broker,
      writeProxyHeaderV2({ source: { address: '192.0.2.1', port: 1 }, destination: { address: '192.0.2.2', port: 2 } }),
    );
    await receiveVisits(broker, broker.port, canary, samplesOf(t, visit, 300 * SOAK_FACTOR));
    await broker.until(() => broker.connections === 1, 'all connections but the canary’s to be closed');
    discardSessions(broker);
    assert.equal(broker.broker.sessions.size, 1, 'the canary alone is left');
    assert.equal(broker.broker.router.size, 1);
    assert.deepEqual(errors, []);
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { silentLog } from '../../src/telemetry/log.ts';
import { TcpListener } from '../../src/transport/tcp-listener.ts';
import { Turn } from '../../src/transport/turn.ts';
import { WebSocketStage } from '../../src/transport/websocket-stage.ts';
import { hostileClient, samplesOf } from '../harness/hostile-clients.ts';
import { discardSessions, inPieces, receiveVisits } from '../harness/hostile-visits.ts';
import { mutated } from '../harness/mqtt-arbitraries.ts';
import { startBroker } from '../harness/mqtt-broker.ts';
import { Canary } from '../harness/mqtt-canary.ts';
import { MEMORY_CONNECTOR } from '../harness/mqtt-memory.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';
import { clientClose, clientFrame, upgradeRequest } from '../harness/websocket-bytes.ts';

/**
 * A WebSocket connector with clients of all kinds: good and broken handshakes, good and broken frames, good and broken packets in them,
 * while a canary at another connector of the same broker goes on with its round trip.
 */

const request: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(upgradeRequest()) },
  { weight: 2, arbitrary: mutated(fc.constant(upgradeRequest())) },
  { weight: 1, arbitrary: fc.nat().map((cut) => upgradeRequest().subarray(0, cut % upgradeRequest().length)) },
);

/** What stands between frames with packets in them. */
const between: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(Buffer.alloc(0)) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 125 }).map((bytes) => clientFrame({ opcode: 9, payload: Buffer.from(bytes) })) },
  { weight: 1, arbitrary: fc.constant(clientFrame({ opcode: 10, payload: 'pong' })) },
  { weight: 1, arbitrary: fc.constant(clientFrame({ opcode: 1, payload: 'text' })) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }).map((code) => clientClose(code)) },
);

/** Packets of a hostile client in frames that begin and end anywhere, some of them fragments of one message. */
const frames: fc.Arbitrary<Buffer> = fc
  .tuple(hostileClient, fc.array(fc.nat(), { maxLength: 4 }), between, fc.boolean())
  .map(([{ bytes }, cuts, other, isFragmented]) => {
    const pieces = inPieces(bytes, cuts);
    return Buffer.concat(
      pieces.flatMap((payload, i) => {
        const fin = !isFragmented || i === pieces.length - 1;
        return [clientFrame({ opcode: isFragmented && i > 0 ? 0 : 2, fin, payload }), other];
      }),
    );
  });

/** What one connection sends, and in how many pieces. */
const visit = fc
  .tuple(
    request,
    fc.oneof({ weight: 3, arbitrary: frames }, { weight: 2, arbitrary: mutated(frames) }),
    fc.array(fc.nat(), { maxLength: 3 }),
  )
  .map(([first, rest, cuts]) => {
    const all = Buffer.concat([first, rest]);
    return inPieces(all, cuts);
  });

test('WebSocket clients of all kinds: every connection is closed, others get on, nothing stays', async (t) => {
  const errors: string[] = [];
  const log = { ...silentLog, error: (message: string) => errors.push(message) };
  const broker = await startBroker(t, { limits: { retainedMessages: 1_000 }, log });
  const listener = new TcpListener({
    name: 'ws',
    host: '127.0.0.1',
    port: 0,
    maximumConnections: 1_000,
    stages: [new WebSocketStage(MEMORY_CONNECTOR.maxFrameSize)],
    stagesTimeoutMs: 30_000,
    turn: new Turn(),
    log,
    onConnection: (connection) => broker.protocol.accept(connection, MEMORY_CONNECTOR),
  });
  await listener.listen();
  t.after(() => {
    listener.close();
    for (const connection of listener.connections) connection.destroy();
  });
  const canary = await Canary.start(broker);
  await receiveVisits(broker, listener.port, canary, samplesOf(t, visit, 300 * SOAK_FACTOR));
  await broker.until(() => listener.connections.size === 0, 'all connections to be closed');
  discardSessions(broker);
  assert.equal(broker.broker.sessions.size, 1, 'the canary alone is left');
  assert.equal(broker.broker.router.size, 1);
  assert.deepEqual(errors, []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { parser } from 'mqtt-packet';
import type { AuthenticationMechanism, AuthenticationStep, Verdict } from '../../src/core/ports.ts';
import type { ConnectionHandler } from '../../src/transport/connection.ts';
import { hostileClients } from '../harness/hostile-clients.ts';
import { discardSessions } from '../harness/hostile-visits.ts';
import { AUTHENTICATION_METHOD } from '../harness/mqtt-arbitraries.ts';
import { startBroker } from '../harness/mqtt-broker.ts';
import type { Level } from '../harness/mqtt-bytes.ts';
import { Canary } from '../harness/mqtt-canary.ts';
import { feed, MEMORY_CONNECTOR, MemoryConnection } from '../harness/mqtt-memory.ts';
import { MqttPeer } from '../harness/mqtt-peer.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';

/**
 * Rubbish of all kinds against a whole broker, while a canary goes on with its round trip. A broker must not crash, must not say anything
 * that is not MQTT, and must not keep anything of clients that are gone.
 */

/** Hostile clients that are connected at the same time, and so get each other's messages. */
const OPEN_AT_ONCE = 12;

/** Lets everybody in, by whatever way; the first byte of what a client says decides what happens and whether it happens at once. */
class WhimsicalMechanism implements AuthenticationMechanism {
  readonly name = AUTHENTICATION_METHOD;

  start() {
    return {
      step: (data: Buffer | null): AuthenticationStep | Promise<AuthenticationStep> => {
        const whim = data?.[0] ?? 0;
        const step: AuthenticationStep =
          whim % 4 === 0
            ? { kind: 'admitted', principal: { userName: 'u', groups: [] }, data }
            : whim % 4 === 3
              ? { kind: 'refused', reason: 'notAuthorized', text: 'a whim' }
              : { kind: 'continue', data };
        return whim % 8 < 4 ? step : turn(step);
      },
    };
  }
}

const ADMITTED: Verdict = { kind: 'admitted', principal: { userName: 'u', groups: [] } };

/** Who is let in is asked of everybody, and takes some a turn of the event loop. */
const AUTHENTICATION = {
  mechanisms: [new WhimsicalMechanism()],
  authenticator: { authenticate: ({ clientId }: { clientId: string }) => (clientId.length % 2 === 0 ? ADMITTED : turn(ADMITTED)) },
};

/** Whatever was said must be whole packets that mqtt-packet can read. */
function assertIsMqtt(said: readonly Buffer[], level: Level): void {
  const machine = parser({ protocolVersion: level });
  machine.on('error', (error) => {
    throw error;
  });
  assert.equal(machine.parse(Buffer.concat(said)), 0, 'half a packet was said');
}

test('rubbish in memory: only MQTT is answered, others get on, nothing stays', async (t) => {
  const broker = await startBroker(t, { limits: { retainedMessages: 1_000 }, ...AUTHENTICATION });
  const canary = await Canary.start(broker);
  const open: { connection: MemoryConnection; handler: ConnectionHandler; level: Level }[] = [];
  const close = (): void => {
    const { connection, handler, level } = open.shift()!;
    // A CONNECT with faults may be one of another version: what is answered to it can then be read as that.
    assertIsMqttOfSome(connection.said, level);
    handler.onClose(null);
  };
  let run = 0;
  for (const { level, bytes } of hostileClients(t, 3_000 * SOAK_FACTOR)) {
    const connection = new MemoryConnection();
    const handler = broker.protocol.accept(connection, MEMORY_CONNECTOR);
    const cut = bytes.length === 0 ? 0 : (run * 7) % bytes.length;
    feed(handler, bytes.subarray(0, cut));
    feed(handler, bytes.subarray(cut));
    open.push({ connection, handler, level });
    if (open.length > OPEN_AT_ONCE) close();
    if (++run % 200 === 0) {
      discardSessions(broker);
      await canary.sing();
      await turn();
    }
  }
  while (open.length > 0) close();
  await canary.sing();
  discardSessions(broker);
  assert.equal(broker.broker.sessions.size, 1, 'the canary alone is left');
  assert.equal(broker.broker.router.size, 1);
  assert.equal(broker.protocol.connections.size, 1);
});

test('rubbish over sockets: every connection is closed, others get on, nothing stays', async (t) => {
  const broker = await startBroker(t, { limits: { retainedMessages: 1_000 }, ...AUTHENTICATION });
  const canary = await Canary.start(broker);
  const atOnce: Buffer[] = [];
  for (const { bytes } of hostileClients(t, 600 * SOAK_FACTOR)) {
    if (atOnce.push(bytes) < OPEN_AT_ONCE) continue;
    const peers = await Promise.all(atOnce.map(() => MqttPeer.dial(broker.port)));
    for (const peer of peers) {
      peer.send(atOnce.pop()!);
      peer.end();
    }
    await canary.sing();
    await Promise.all(peers.map((peer) => broker.until(() => peer.closed, 'the connection to be closed')));
    await Promise.all(peers.map((peer) => peer.destroy()));
    discardSessions(broker);
  }
  await broker.until(() => broker.connections === 1, 'all connections but the canary’s to be closed');
  await canary.sing();
  discardSessions(broker);
  assert.equal(broker.broker.sessions.size, 1, 'the canary alone is left');
  assert.equal(broker.broker.router.size, 1);
});

function assertIsMqttOfSome(said: readonly Buffer[], level: Level): void {
  const errors: unknown[] = [];
  for (const candidate of [level, 5, 4] as const) {
    try {
      assertIsMqtt(said, candidate);
      return;
    } catch (error) {
      errors.push(error);
    }
  }
  assert.fail(`not MQTT: ${Buffer.concat(said).toString('hex')}\n${errors.join('\n')}`);
}

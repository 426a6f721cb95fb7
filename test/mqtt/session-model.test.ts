import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ConnectionHandler } from '../../src/transport/connection.ts';
import { startBroker, type TestBroker } from '../harness/mqtt-broker.ts';
import { Packets, two } from '../harness/mqtt-bytes.ts';
import { feed, MEMORY_CONNECTOR, MemoryConnection } from '../harness/mqtt-memory.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';

/**
 * A correct client whose connection is lost at any moment, with a small Receive Maximum and a reader that stalls. Whatever happens, QoS 2
 * messages arrive exactly once and in order, QoS 1 messages at least once and at first in order, and its window is kept.
 */

const packets = new Packets(5);

interface Arrived {
  readonly header: number;
  readonly id: number;
  readonly payload: string;
}

class ModelClient {
  readonly #broker: TestBroker;
  readonly #clientId: string;
  #connection: MemoryConnection | null = null;
  #handler: ConnectionHandler | null = null;
  #receiveMaximum = 0;
  /** Of `said`, how many were looked at. */
  #heard = 0;
  /** PUBLISH and PUBREL that have come on this connection and were not dealt with. */
  readonly #inbox: Arrived[] = [];
  /** Identifiers that count against the Receive Maximum. */
  readonly #window = new Set<number>();
  /** QoS 2: received, and to be released. Survives connections. */
  readonly #unreleased = new Set<number>();
  /** Identifiers that were sent on an earlier connection and never acknowledged. */
  readonly #sentBefore = new Set<number>();
  readonly qos1: number[] = [];
  readonly qos2: number[] = [];

  constructor(broker: TestBroker, clientId: string) {
    this.#broker = broker;
    this.#clientId = clientId;
  }

  get connected(): boolean {
    return this.#connection !== null;
  }

  get idle(): boolean {
    return this.#inbox.length === 0;
  }

  connect(receiveMaximum: number): void {
    this.#connection = new MemoryConnection();
    this.#handler = this.#broker.protocol.accept(this.#connection, MEMORY_CONNECTOR);
    this.#receiveMaximum = receiveMaximum;
    this.#heard = 0;
    const properties = Buffer.concat([Buffer.from('11ffffffff21', 'hex'), two(receiveMaximum)]);
    this.#say(packets.connect({ clientId: this.#clientId, clean: false, properties }));
  }

  subscribe(): void {
    this.#say(packets.subscribe(1, { 'm/#': 2 }));
  }

  lose(): void {
    this.#handler?.onClose(null);
    this.#connection = null;
    this.#handler = null;
    for (const id of this.#window) this.#sentBefore.add(id);
    this.#window.clear();
    this.#inbox.length = 0;
  }

  stall(): void {
    if (this.#connection !== null) this.#connection.queuedBytes = 10_000_000;
  }

  drain(): void {
    if (this.#connection === null || this.#connection.queuedBytes === 0) return;
    this.#connection.queuedBytes = 0;
    this.#handler!.onDrain();
    this.listen();
  }

  /** Deals with one packet. `acknowledge` false: the connection is lost before the answer leaves. */
  handle(which: number, acknowledge: boolean): void {
    if (this.#inbox.length === 0) return;
    const [{ header, id, payload }] = this.#inbox.splice(which % this.#inbox.length, 1) as [Arrived];
    let answer: Buffer;
    if (header >> 4 === 6) {
      this.#unreleased.delete(id);
      answer = packets.pubcomp(id);
    } else if ((header & 6) === 2) {
      this.qos1.push(Number(payload));
      answer = packets.puback(id);
    } else {
      if (!this.#unreleased.has(id)) this.qos2.push(Number(payload));
      this.#unreleased.add(id);
      answer = packets.pubrec(id);
    }
    if (!acknowledge) {
      this.lose();
      return;
    }
    if (answer[0] !== 0x50) {
      this.#window.delete(id);
      this.#sentBefore.delete(id);
    }
    this.#say(answer);
  }

  #say(bytes: Buffer): void {
    feed(this.#handler!, bytes);
    this.listen();
  }

  /** Takes what the broker has said, and holds it to its promises. */
  listen(): void {
    const connection = this.#connection;
    if (connection === null) return;
    assert.equal(connection.ended, false, 'the broker ended the connection of a correct client');
    for (; this.#heard < connection.said.length; this.#heard++) this.#hear(connection.said[this.#heard]!);
  }

  /** These messages are small: the broker says each packet in one piece, with one byte of length. */
  #hear(packet: Buffer): void {
    const header = packet[0]!;
    assert.equal(packet.length, 2 + packet[1]!);
    if (header >> 4 === 6) {
      this.#inbox.push({ header, id: packet.readUInt16BE(2), payload: '' });
    } else if (header >> 4 === 3) {
      const topicEnd = 4 + packet.readUInt16BE(2);
      const id = packet.readUInt16BE(topicEnd);
      assert.ok(!this.#window.has(id), `identifier ${id} is in use`);
      this.#window.add(id);
      assert.ok(this.#window.size <= this.#receiveMaximum, `${this.#window.size} under way, ${this.#receiveMaximum} accepted`);
      assert.equal((header & 8) !== 0, this.#sentBefore.has(id), 'DUP says whether it was sent before [MQTT-3.3.1-1]');
      assert.ok(!(this.#unreleased.has(id) && (header & 6) === 2), 'an identifier of QoS 2 is not used for QoS 1 before its release');
      this.#inbox.push({ header, id, payload: packet.subarray(topicEnd + 3).toString() });
    }
  }
}

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), qos: fc.constantFrom(1, 2), count: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('handle' as const), which: fc.nat(6), count: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const), unanswered: fc.boolean(), which: fc.nat(6) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('connect' as const), receiveMaximum: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stall' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drain' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('subscribe' as const) }) },
);

test('a correct client gets every message as its QoS promises, whatever its connection does [MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-4.4.0-1] [MQTT-4.6.0-5] [MQTT-3.3.4-9]', async (t) => {
  const broker = await startBroker(t);
  let run = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, inOrder) => {
      const client = new ModelClient(broker, `model ${run++}`);
      const sender = broker.protocol.accept(new MemoryConnection(), MEMORY_CONNECTOR);
      feed(sender, packets.connect({ clientId: 'sender' }));
      client.connect(3);
      client.subscribe();
      const sent: Record<number, number[]> = { 1: [], 2: [] };
      let next = 0;
      for (const what of steps) {
        switch (what.kind) {
          case 'publish':
            for (let i = 0; i < what.count; i++) {
              sent[what.qos]!.push(next);
              feed(sender, packets.publish({ topic: 'm/x', payload: String(next++), qos: what.qos, id: 1 }));
              if (what.qos === 2) feed(sender, packets.pubrel(1));
            }
            client.listen();
            break;
          case 'handle':
            for (let i = 0; i < what.count; i++) client.handle(inOrder ? 0 : what.which, true);
            break;
          case 'lose':
            if (what.unanswered && client.connected) client.handle(inOrder ? 0 : what.which, false);
            client.lose();
            break;
          case 'connect':
            if (!client.connected) client.connect(what.receiveMaximum);
            break;
          case 'subscribe':
            if (client.connected) client.subscribe();
            break;
          default:
            client[what.kind]();
        }
      }
      if (!client.connected) client.connect(2);
      client.drain();
      while (!client.idle) client.handle(0, true);
      const firsts = [...new Set(client.qos1)];
      const arrived = inOrder ? { 1: firsts, 2: client.qos2 } : { 1: [...firsts].sort(byNumber), 2: [...client.qos2].sort(byNumber) };
      assert.deepEqual(arrived, sent);
      client.lose();
      feed(sender, packets.disconnect());
      broker.broker.sessions.get(`model ${run - 1}`)!.discard();
    }),
    { numRuns: 1_000 * SOAK_FACTOR },
  );
  assert.equal(broker.broker.router.size, 0);
});

function byNumber(a: number, b: number): number {
  return a - b;
}

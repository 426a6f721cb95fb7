import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Broker } from '../../src/core/broker.ts';
import { Message } from '../../src/core/message.ts';
import type { StoredSession } from '../../src/core/store.ts';
import { type Route, type Subscriber, Subscription } from '../../src/core/subscription.ts';
import { MQTT_5_STORED_PROPERTIES } from '../../src/protocols/mqtt/message-properties.ts';
import { JournalStore } from '../../src/store/journal/store.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { FragileFiles } from '../harness/fragile-files.ts';
import { staticConnector, TestBroker, until } from '../harness/linked-broker.ts';
import { SOAK_FACTOR } from '../harness/soak.ts';

/**
 * Two or three linked brokers, each on a disk that forgets what was not synced. A publisher at each sends again what was not acknowledged, as
 * an MQTT client does; a persistent session at each gets everything. Brokers are killed, or lose their power, at any moment.
 */

interface Publication {
  readonly number: number;
  readonly qos: 1 | 2;
  acknowledged: boolean;
}

/** A persistent session that keeps all it gets: what is in its store at the end is what its client would have been sent. */
class LastingSession implements Subscriber {
  readonly kind = 'client';
  readonly id = 'subscriber';
  readonly publisher = this;
  readonly outlivesProcess = true;
  readonly stored: StoredSession;

  constructor({ store, router }: Broker) {
    this.stored = sessionOf(store, this.id);
    router.subscribe(
      new Subscription({ filter: '#', group: null, subscriber: this, qos: 2, noLocal: false, retainAsPublished: false, identifier: 0 }),
    );
  }

  deliver(message: Message, { qos }: Route): void {
    this.stored.push(message, { qos, retain: false, identifiers: [] });
  }

  received(topic: string): number[] {
    const numbers: number[] = [];
    for (let sequence = this.stored.first; sequence < this.stored.next; sequence++) {
      const message = this.stored.get(sequence)!.message;
      if (message.topic === topic) numbers.push(Number(message.payload.toString()));
    }
    return numbers;
  }
}

/** One broker over all its starts, with the client that publishes there. */
class Site {
  readonly name: string;
  readonly #ports: readonly number[];
  readonly #port: number;
  readonly publications: Publication[] = [];
  session!: LastingSession;
  #files = new FragileFiles();
  #store!: JournalStore;
  #running!: TestBroker;
  /** Changes when it is started: what an earlier start promises late has no effect. */
  #starts = 0;

  constructor(name: string, port: number, ports: readonly number[]) {
    this.name = name;
    this.#port = port;
    this.#ports = ports;
  }

  async start(syncMs: number): Promise<void> {
    this.#files.syncMs = syncMs;
    this.#store = await JournalStore.open({
      files: this.#files,
      log: silentLog,
      propertiesForm: MQTT_5_STORED_PROPERTIES,
      cacheBytes: 10_000,
      segmentBytes: 16_384,
    });
    this.#running = await TestBroker.start({
      name: this.name,
      port: this.#port,
      store: this.#store,
      connectors: this.#ports.length === 0 ? [] : [staticConnector(this.#ports)],
      begin: (broker) => {
        this.session = new LastingSession(broker);
      },
    });
    this.#starts++;
    for (const publication of this.publications) if (!publication.acknowledged) this.#publish(publication);
  }

  get isLinkedWithAll(): boolean {
    return this.#ports.every((port) =>
      this.#running.network.links().some(({ address, state }) => address.endsWith(`:${port}`) && state === 'up'),
    );
  }

  /** Its session is promised, as by SUBACK. */
  async promise(): Promise<void> {
    await this.#running.network.demandKnown();
    await this.#store.flushed();
  }

  publish(qos: 1 | 2): void {
    const publication = { number: this.publications.filter((each) => each.qos === qos).length, qos, acknowledged: false };
    this.publications.push(publication);
    this.#publish(publication);
  }

  cutLinks(): void {
    this.#running.cutLinks();
  }

  async checkpoint(): Promise<void> {
    await this.#store.writeCheckpoint();
  }

  /** @param tail how many unsynced bytes of each file the disk has; null: the process ends and the machine does not */
  async die(tail: number | null): Promise<void> {
    this.#starts++;
    this.#running.cutLinks();
    const files = tail === null ? this.#files.afterKill() : this.#files.afterPowerFailure((unsynced) => unsynced.subarray(0, tail));
    await this.stop();
    this.#files = files;
  }

  async stop(): Promise<void> {
    await this.#running.kill();
    await this.#store.close();
  }

  topic(qos: 1 | 2): string {
    return `${this.name}/${qos}`;
  }

  #publish(publication: Publication): void {
    const { broker } = this.#running;
    const { number, qos } = publication;
    const publisher = sessionOf(broker.store, 'publisher');
    if (qos === 1 || !publisher.received.has(number + 1)) {
      const payload = Buffer.from(`${number}`);
      broker.publish(new Message(this.topic(qos), qos, false, payload, 0, payload.length, true, null, 0, null, null));
      payload.fill(0xee); // the read buffer it came in is used for something else now
      if (qos === 2) publisher.addReceived(number + 1);
    }
    const starts = this.#starts;
    broker.store.whenDurable(broker.store.position, {
      onDurable: () => {
        if (this.#starts === starts) publication.acknowledged = true;
      },
    });
  }
}

function sessionOf(store: Broker['store'], clientId: string): StoredSession {
  return [...store.sessions()].find((session) => session.clientId === clientId) ?? store.createSession(clientId);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), site: fc.nat(2), qos: fc.constantFrom<1 | 2>(1, 2), count: fc.nat(20) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), site: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const), site: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('die' as const),
      site: fc.nat(2),
      tail: fc.option(fc.nat(300)),
      /** Milliseconds that it is away. */
      ms: fc.nat(40),
      syncMs: fc.nat(4),
    }),
  },
);

test('linked brokers that die at any moment, on disks that forget what was not synced: all that was acknowledged is there, QoS 2 once, QoS 1 in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(2, 3), fc.array(step, { minLength: 10, maxLength: 40 }), async (count, steps) => {
      const ports = await freePorts(count);
      const sites = ports.map((port, i) => new Site(`site${i}`, port, ports.slice(0, i)));
      try {
        for (const site of sites) await site.start(1);
        await until(() => sites.every((site) => site.isLinkedWithAll), 'all are linked');
        for (const site of sites) await site.promise();
        for (const each of steps) {
          if (each.kind === 'pass') {
            await sleep(each.ms);
            continue;
          }
          const site = sites[each.site % count]!;
          if (each.kind === 'publish') for (let i = 0; i < each.count; i++) site.publish(each.qos);
          else if (each.kind === 'cut') site.cutLinks();
          else if (each.kind === 'checkpoint') await site.checkpoint();
          else {
            await site.die(each.tail);
            await sleep(each.ms);
            await site.start(each.syncMs);
          }
        }
        const missing = (): string[] =>
          sites.flatMap(({ session, name }) =>
            sites.flatMap((from) =>
              ([1, 2] as const).flatMap((qos) => {
                const have = new Set(session.received(from.topic(qos)));
                return from.publications
                  .filter((each) => each.qos === qos && !have.has(each.number))
                  .map(({ number, acknowledged }) => `${from.topic(qos)} ${number} at ${name}${acknowledged ? '' : ', not acknowledged'}`);
              }),
            ),
          );
        await until(() => missing().length === 0, 'all that was published', 30_000).catch(() => assert.deepEqual(missing(), []));
        for (const { session, name } of sites) {
          for (const from of sites) {
            for (const qos of [1, 2] as const) {
              const numbers = session.received(from.topic(qos));
              const firsts = [...new Set(numbers)];
              const inOrder = [...firsts].sort((a, b) => a - b);
              assert.deepEqual(qos === 2 ? numbers : firsts, inOrder, `${from.topic(qos)} at ${name}`);
            }
          }
        }
      } finally {
        for (const site of sites) await site.stop();
      }
    }),
    { numRuns: Math.min(1_000, 12 * SOAK_FACTOR), endOnFailure: true },
  );
});

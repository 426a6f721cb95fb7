import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryConnection } from '../../../test/harness/mqtt-memory.ts';
import { BrokerCounters } from '../../core/counters.ts';
import type { DurabilityListener, Store } from '../../core/store.ts';
import { type PromisedLink, Promises } from './promises.ts';
import { MQTT_5 } from './wire/control-packet.ts';

/** A store of which the test says how much is durable. */
class SlowStore {
  durable = 0;
  #waiting: { readonly position: number; readonly listener: DurabilityListener }[] = [];

  whenDurable(position: number, listener: DurabilityListener): void {
    if (position <= this.durable) listener.onDurable();
    else this.#waiting.push({ position, listener });
  }

  advance(durable: number): void {
    this.durable = durable;
    const due = this.#waiting.filter(({ position }) => position <= durable);
    this.#waiting = this.#waiting.filter(({ position }) => position > durable);
    for (const { listener } of due) listener.onDurable();
  }
}

function make(): { promises: Promises; store: SlowStore; written(): string } {
  const store = new SlowStore();
  const connection = new MemoryConnection();
  const link = {
    closed: false,
    level: MQTT_5,
    connection,
    broker: { counters: new BrokerCounters() },
    answer: (packet: Buffer) => connection.write(packet),
  } as unknown as PromisedLink;
  const promises = new Promises(link, store as unknown as Store);
  const written = (): string => Buffer.concat(connection.said.splice(0)).toString('hex');
  return { promises, store, written };
}

test('each promise is kept when the store has come to it, in order, packets among acknowledgements', () => {
  const { promises, store, written } = make();
  promises.addAcknowledgement(10, 0x40, 0x0102, 0);
  promises.addPacket(20, Buffer.from('9003ffff', 'hex'));
  promises.addAcknowledgement(20, 0x50, 0xfffe, 0x10);
  promises.addAcknowledgement(0, 0x62, 1, 0x92);
  assert.deepEqual([written(), promises.size], ['', 4]);
  store.advance(10);
  assert.deepEqual([written(), promises.size], ['40020102', 3]);
  store.advance(19);
  assert.deepEqual([written(), promises.size], ['', 3]);
  store.advance(20);
  assert.deepEqual([written(), promises.size], ['9003ffff5003fffe1062030001' + '92', 0]);
});

test('however many wait, none is lost and none overtakes', () => {
  const { promises, store, written } = make();
  let expected = '';
  let next = 1;
  for (let round = 1; round <= 5; round++) {
    for (let i = 0; i < 1_500; i++, next++) {
      promises.addAcknowledgement(round, 0x40, next, 0);
      expected += `4002${next.toString(16).padStart(4, '0')}`;
    }
    if (round % 2 === 0) store.advance(round - 1);
  }
  store.advance(5);
  assert.equal(written(), expected);
  assert.equal(promises.size, 0);
});

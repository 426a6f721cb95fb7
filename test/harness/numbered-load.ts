import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';

/** Bound for every wait, in milliseconds. */
const WAIT_MS = 60_000;

/** A publisher of numbers that keeps so many under way, and which of them the broker has acknowledged. */
export class NumberedPublisher {
  readonly topic: string;
  readonly qos: 1 | 2;
  readonly client: MqttClient;
  readonly acknowledged = new Set<number>();
  next = 0;
  underWay = 0;
  readonly #padding: string;
  readonly #retain: boolean;

  /** @param padding what stands behind each number: `7 xxx` */
  constructor(port: number, topic: string, qos: 1 | 2, padding = '', retain = true) {
    this.topic = topic;
    this.qos = qos;
    this.client = persistentClient(port, `publisher ${topic}`);
    this.#padding = padding === '' ? '' : ` ${padding}`;
    this.#retain = retain;
  }

  /** Publishes until `window` messages are under way. */
  fill(window: number): void {
    while (this.underWay < window) {
      const number = this.next++;
      this.underWay++;
      this.client.publish(this.topic, `${number}${this.#padding}`, { qos: this.qos, retain: this.#retain }, (error) => {
        this.underWay--;
        if (!error) this.acknowledged.add(number);
      });
    }
  }
}

/** A persistent subscriber, and what it has received. */
export class NumberedSubscriber {
  readonly client: MqttClient;
  readonly #received = new Map<string, number[]>();

  constructor(port: number, clientId: string) {
    this.client = persistentClient(port, clientId);
    this.client.on('message', (topic, payload) => {
      const numbers = this.#received.get(topic) ?? [];
      numbers.push(Number(payload.toString('latin1').split(' ', 1)[0]));
      this.#received.set(topic, numbers);
    });
  }

  of(topic: string): readonly number[] {
    return this.#received.get(topic) ?? [];
  }

  /** What the broker has acknowledged of these and this one has not received. */
  missing(publishers: readonly NumberedPublisher[]): string[] {
    return publishers.flatMap(({ topic, acknowledged }) => {
      const have = new Set(this.of(topic));
      return [...acknowledged].filter((number) => !have.has(number)).map((number) => `${topic} ${number}`);
    });
  }

  /** Waits for all that was acknowledged, then for a moment, and checks that each came as its QoS promises, in order, and nothing else. */
  async hasAll(publishers: readonly NumberedPublisher[], note = ''): Promise<void> {
    await until(
      () => this.missing(publishers).length === 0,
      () => `messages that were acknowledged: ${this.missing(publishers).slice(0, 10).join(', ')} ${note}`,
    );
    await sleep(200); // for a repetition that should not be
    for (const { topic, qos, next } of publishers) {
      const numbers = this.of(topic);
      const firsts = [...new Set(numbers)];
      if (qos === 2) assert.equal(firsts.length, numbers.length, `${topic}: exactly once ${note}`);
      const inOrder = [...firsts].sort((a, b) => a - b);
      assert.deepEqual(firsts, inOrder, `${topic}: in order ${note}`);
      assert.ok(
        inOrder.every((number) => number >= 0 && number < next),
        `${topic}: what was never published ${note}`,
      );
    }
  }
}

/** A client of a persistent session that connects again and again. */
export function persistentClient(port: number, clientId: string): MqttClient {
  return mqtt
    .connect({ host: '127.0.0.1', port, clientId, clean: false, reconnectPeriod: 20, connectTimeout: WAIT_MS, keepalive: 60 })
    .on('error', () => {});
}

export async function connected(...clients: readonly MqttClient[]): Promise<void> {
  for (const client of clients) await until(() => client.connected, `${client.options.clientId} to connect`);
}

export async function until(condition: () => boolean, what: string | (() => string)): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`waited ${WAIT_MS} ms for ${typeof what === 'string' ? what : what()}`);
    await sleep(5);
  }
}

/** The number in a topic's retained message. */
export async function retainedNumber(port: number, topic: string): Promise<number> {
  const reader = mqtt.connect({ host: '127.0.0.1', port, clean: true });
  const found = new Promise<number>((resolve) => {
    reader.on('message', (_topic, payload) => resolve(Number(payload.toString('latin1').split(' ', 1)[0])));
  });
  await reader.subscribeAsync(topic);
  const number = await found;
  await reader.endAsync(true);
  return number;
}

import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

/** How long anything in these tests may take before it counts as not coming, in milliseconds. */
export const PATIENCE_MS = 15_000;

let serial = 0;

/** Connects a client once: no reconnecting behind the test's back. Rejects when the connection is refused, cut or not answered. */
export function connectClient(host: string, port: number, options: IClientOptions = {}): Promise<MqttClient> {
  return new Promise((resolve, reject) => {
    const client = mqtt.connect({
      host,
      port,
      protocolVersion: 4,
      clientId: `fleet-${process.pid}-${++serial}`,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: PATIENCE_MS,
      keepalive: 0,
      ...options,
    });
    const fail = (why: string): void => {
      client.end(true);
      reject(new Error(`client ${client.options.clientId} to ${host}:${port}: ${why}`));
    };
    const onClose = (): void => fail('closed before CONNACK');
    const onError = (error: Error): void => fail(error.message);
    client.once('connect', () => {
      client.off('close', onClose);
      client.off('error', onError);
      client.on('error', () => {});
      resolve(client);
    });
    client.once('error', onError);
    client.once('close', onClose);
  });
}

/** Resolves with the first `count` messages that arrive on `client`, or with fewer after PATIENCE_MS. */
export function collect(client: MqttClient, count: number): Promise<{ topic: string; payload: string; retain: boolean; qos: number }[]> {
  return new Promise((resolve) => {
    const messages: { topic: string; payload: string; retain: boolean; qos: number }[] = [];
    const timer = setTimeout(() => resolve(messages), PATIENCE_MS);
    client.on('message', (topic, payload, packet) => {
      messages.push({ topic, payload: payload.toString(), retain: packet.retain, qos: packet.qos });
      if (messages.length === count) {
        clearTimeout(timer);
        resolve(messages);
      }
    });
  });
}

/** The same order at each run, so that a failure can be seen again. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const result = [...items];
  let state = seed;
  for (let i = result.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const j = (state >>> 8) % (i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

/**
 * `pairs` subscribers and as many publishers connect through one address in a mixed order, so that round robin puts many pairs on two
 * brokers; each publisher then publishes once, right after its subscriber's SUBACK.
 * @returns how many pairs delivered
 */
export async function deliveringPairs(host: string, port: number, pairs: number, qos: 0 | 1 | 2, seed: number): Promise<number> {
  const roles = shuffled(
    Array.from({ length: pairs * 2 }, (_, i) => i),
    seed,
  );
  const clients: MqttClient[] = [];
  for (const role of roles) clients[role] = await connectClient(host, port);
  try {
    const outcomes = await Promise.all(
      Array.from({ length: pairs }, async (_, i) => {
        const subscriber = clients[i]!;
        const publisher = clients[pairs + i]!;
        const topic = `pairs/${seed}/${qos}/${i}`;
        const received = collect(subscriber, 1);
        await subscriber.subscribeAsync(topic, { qos });
        await publisher.publishAsync(topic, `payload ${i}`, { qos });
        const [message] = await received;
        return message?.payload === `payload ${i}` && message.qos === qos;
      }),
    );
    return outcomes.filter(Boolean).length;
  } finally {
    await Promise.all(clients.map((client) => client.endAsync(true)));
  }
}

/** Retained messages set through the balancer, each then read by a new subscriber on every address. @returns how many were right */
export async function retainedSeenEverywhere(host: string, port: number, brokers: readonly number[], count: number): Promise<number> {
  const publishers = await Promise.all(Array.from({ length: count }, () => connectClient(host, port)));
  const topic = (i: number): string => `retained/${process.pid}/${i}`;
  await Promise.all(publishers.map((client, i) => client.publishAsync(topic(i), `kept ${i}`, { qos: 1, retain: true })));
  let right = 0;
  for (const broker of brokers) {
    for (let i = 0; i < count; i++) {
      const client = await connectClient(host, broker);
      const received = collect(client, 1);
      await client.subscribeAsync(topic(i), { qos: 1 });
      const [message] = await received;
      if (message?.payload === `kept ${i}` && message.retain) right++;
      await client.endAsync(true);
    }
  }
  await Promise.all(publishers.map((client, i) => client.publishAsync(topic(i), '', { qos: 1, retain: true })));
  await Promise.all(publishers.map((client) => client.endAsync(true)));
  return right;
}

/** Clients with wills connect through the balancer and are cut off; a subscriber on each broker listens. @returns wills that reached each */
export async function willsSeenEverywhere(host: string, port: number, brokers: readonly number[], count: number): Promise<number[]> {
  const listeners = await Promise.all(brokers.map((broker) => connectClient(host, broker)));
  const topic = `wills/${process.pid}`;
  const received = listeners.map((client) => collect(client, count));
  await Promise.all(listeners.map((client) => client.subscribeAsync(`${topic}/#`, { qos: 1 })));
  const dying = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      connectClient(host, port, { will: { topic: `${topic}/${i}`, payload: Buffer.from('gone'), qos: 1, retain: false } }),
    ),
  );
  for (const client of dying) client.stream.destroy();
  const wills = await Promise.all(received);
  await Promise.all([...listeners, ...dying].map((client) => client.endAsync(true)));
  return wills.map((messages) => new Set(messages.map((message) => message.topic)).size);
}

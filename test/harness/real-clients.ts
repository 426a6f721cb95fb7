import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import mqtt, { type IClientOptions, type IPublishPacket } from 'mqtt';
import type { QoS } from '../../src/core/message.ts';
import { ClientProgram } from './mqtt-programs.ts';

/** Other people's clients of MQTT, all driven the same way. */

export type Version = '3.1' | '3.1.1' | '5';

/** How a client gets to a broker on 127.0.0.1. */
export interface Route {
  readonly port: number;
  readonly webSocket: boolean;
  /** Paths of PEM files: whom the client trusts, and what it shows. */
  readonly tls: { readonly authority: string; readonly certificate: string; readonly key: string } | null;
}

export interface ReceivedMessage {
  readonly topic: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly payload: Buffer;
}

/** A client that has subscribed. */
export interface Receiver {
  /** The next message; fails when none comes. */
  next(): Promise<ReceivedMessage>;
  /** Ends in its own way: mosquitto_sub of MQTT 5 asks for its will when it is asked to end (reason code 0x04), others say goodbye. */
  leave(): Promise<void>;
  /** Ends without a word. */
  vanish(): void;
}

export interface ReceiverOptions {
  /** The client identifier of a session that outlives its connection; without, the session ends with it. */
  readonly session?: string;
  /** Topic of a will with the payload `gone` and QoS 1. */
  readonly willTopic?: string;
}

export interface RealClient {
  /** Resolves when the broker has acknowledged the subscriptions, all with QoS 2. */
  receive(topicFilters: readonly string[], options?: ReceiverOptions): Promise<Receiver>;
  /** Does the same and says goodbye at once. */
  visit(topicFilters: readonly string[], options?: ReceiverOptions): Promise<void>;
  /** Resolves when the broker has acknowledged, where the QoS has that. */
  publish(topic: string, payload: Buffer, qos: QoS, retain?: boolean): Promise<void>;
}

/** Bound for every wait, in milliseconds: a program that starts and talks takes some ten, and thousands of them where much else runs. */
const WAIT_MS = 120_000;

/** Seconds, well beyond a test. */
const SESSION_EXPIRY_INTERVAL = 1_000;

/** What has come and what is waited for. */
class Inbox {
  readonly #messages: ReceivedMessage[] = [];
  #arrived: (() => void) | null = null;

  put(message: ReceivedMessage): void {
    this.#messages.push(message);
    this.#arrived?.();
  }

  async next(): Promise<ReceivedMessage> {
    if (this.#messages.length === 0) await within(new Promise<void>((resolve) => (this.#arrived = resolve)), 'a message');
    return this.#messages.shift()!;
  }
}

/** Bounds a wait by `WAIT_MS`. */
async function within<T>(wait: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${WAIT_MS} ms for ${what}`)), WAIT_MS);
  });
  return Promise.race([wait, late]).finally(() => clearTimeout(timer));
}

/** mosquitto_sub says nothing about its SUBACK; a retained message of this topic, which it subscribes to last, does. */
const READY_TOPIC = 'mosquitto_sub/ready';

/** mosquitto_pub and mosquitto_sub, which have no WebSocket. */
export async function mosquittoClient(t: TestContext, version: Version, route: Route): Promise<RealClient> {
  const place = ['-h', '127.0.0.1', '-p', String(route.port), '-V', `mqttv${version.replaceAll('.', '')}`];
  if (route.tls !== null) place.push('--cafile', route.tls.authority, '--cert', route.tls.certificate, '--key', route.tls.key);
  const publish = async (topic: string, payload: Buffer, qos: QoS, retain = false): Promise<void> => {
    const what = payload.length === 0 ? ['-n'] : ['-s']; // -s: the payload is all of standard input
    const args = [...place, '-q', String(qos), '-t', topic, ...what, ...(retain ? ['-r'] : [])];
    await new ClientProgram(t, 'mosquitto_pub', args, payload).output();
  };
  await publish(READY_TOPIC, Buffer.from('ready'), 1, true);
  const subscribe = (topicFilters: readonly string[], { session, willTopic }: ReceiverOptions, ...more: readonly string[]) => {
    const expiry = version === '5' ? ['-x', String(SESSION_EXPIRY_INTERVAL)] : [];
    return new ClientProgram(t, 'mosquitto_sub', [
      ...place,
      ...(session === undefined ? [] : ['-c', '-i', session, ...expiry]),
      ...(willTopic === undefined ? [] : ['--will-topic', willTopic, '--will-payload', 'gone', '--will-qos', '1']),
      ...['-q', '2', '-N', '-F', '%t %q %r %l\\n%p'],
      ...topicFilters.flatMap((filter) => ['-t', filter]),
      ...more,
    ]);
  };
  return {
    publish,
    visit: async (topicFilters, options = {}) => {
      await subscribe(topicFilters, options, '-E').output();
    },
    receive: async (topicFilters, options = {}) => {
      const program = subscribe([...topicFilters, READY_TOPIC], options);
      const inbox = new Inbox();
      const ready = new Promise<void>((resolve) => {
        const take = (message: ReceivedMessage) => (message.topic === READY_TOPIC ? resolve() : inbox.put(message));
        program.onOutput(printedMessages(take));
      });
      await within(ready, 'mosquitto_sub to subscribe');
      return {
        next: () => inbox.next(),
        // Asked to end, it disconnects in the handler of the signal, whatever it is doing, and crashes now and then when that is TLS.
        // Those that disconnect by themselves are the visitors.
        leave: async () => program.kill(),
        vanish: () => program.kill(),
      };
    },
  };
}

/** Takes messages apart that are printed as `topic qos retain length`, a line end, and the payload. */
function printedMessages(take: (message: ReceivedMessage) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const lineEnd = rest.indexOf('\n');
      if (lineEnd < 0) return;
      const [topic, qos, retain, length] = rest.toString('utf8', 0, lineEnd).split(' ');
      const end = lineEnd + 1 + Number(length);
      if (rest.length < end) return;
      take({ topic: topic!, qos: Number(qos), retain: retain === '1', payload: rest.subarray(lineEnd + 1, end) });
      rest = rest.subarray(end);
    }
  };
}

const PROTOCOL_VERSIONS = { '3.1': 3, '3.1.1': 4, '5': 5 } as const;

/** MQTT.js, which publishes over one connection. */
export async function mqttJsClient(t: TestContext, version: Version, route: Route): Promise<RealClient> {
  const connect = async (options: IClientOptions, take: (message: ReceivedMessage) => void) => {
    const client = mqtt.connect({
      ...mqttJsOptions(version, route),
      ...options,
    });
    t.after(() => client.end(true));
    client.on('message', (topic: string, payload: Buffer, { qos, retain }: IPublishPacket) => take({ topic, qos, retain, payload }));
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.on('error', reject);
      client.once('close', () => reject(new Error('closed before CONNACK')));
    });
    return client;
  };
  const sender = await connect({}, () => {});
  const receive: RealClient['receive'] = async (topicFilters, { session, willTopic } = {}) => {
    const inbox = new Inbox();
    const keep: IClientOptions = {
      clean: false,
      clientId: session!,
      ...(version === '5' ? { properties: { sessionExpiryInterval: SESSION_EXPIRY_INTERVAL } } : {}),
    };
    const will = { topic: willTopic!, payload: Buffer.from('gone'), qos: 1 as const, retain: false };
    const options = { ...(session === undefined ? {} : keep), ...(willTopic === undefined ? {} : { will }) };
    const client = await connect(options, (message) => inbox.put(message));
    await within(client.subscribeAsync([...topicFilters], { qos: 2 }), 'SUBACK');
    return { next: () => inbox.next(), leave: () => client.endAsync(), vanish: () => client.stream.destroy() };
  };
  return {
    receive,
    visit: async (topicFilters, options) => (await receive(topicFilters, options)).leave(),
    publish: async (topic, payload, qos, retain = false) => {
      await within(sender.publishAsync(topic, payload, { qos, retain }), 'an acknowledgement');
    },
  };
}

function mqttJsOptions(version: Version, { port, webSocket, tls }: Route): IClientOptions {
  const secret = tls === null ? {} : { ca: readFileSync(tls.authority), cert: readFileSync(tls.certificate), key: readFileSync(tls.key) };
  const protocol = webSocket ? (tls === null ? 'ws' : 'wss') : tls === null ? 'mqtt' : 'mqtts';
  return {
    protocol,
    host: '127.0.0.1',
    hostname: '127.0.0.1', // the name that it looks for with WebSocket
    port,
    protocolVersion: PROTOCOL_VERSIONS[version],
    protocolId: version === '3.1' ? 'MQIsdp' : 'MQTT',
    reconnectPeriod: 0,
    connectTimeout: WAIT_MS,
    ...secret,
  };
}

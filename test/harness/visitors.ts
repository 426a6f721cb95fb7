import { connect as dial } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { PEER_WAIT_MS } from './mqtt-peer.ts';

/** Client ids that come back, with sessions that outlive their connections: few, so that each comes back soon. */
const RETURNING_CLIENTS = 20;

/** Topics that visitors use, and retained messages they leave: a bound on what a broker keeps of them. */
const PLACES = 50;

/** Longest stay, in milliseconds. */
const STAY_MAX_MS = 1_000;

/** Bytes of most payloads at most, and of one in a hundred. */
const PAYLOAD_MAX = 2_000;
const PAYLOAD_LARGE = 100_000;

/** Seconds for which MQTT 5 sessions of clients that do not come back are kept. */
const SESSION_EXPIRY_S = 2;

/** What visitors have done so far. */
export interface VisitorCounts {
  visits: number;
  published: number;
  received: number;
  /** Connections ended by another client with the same id. */
  takenOver: number;
  /** Connections that said nothing, or nothing that is MQTT. */
  strangers: number;
}

/**
 * Clients of all versions that come, subscribe, publish, and go in every way there is: with DISCONNECT, without, with messages under way,
 * taken over by another; and connections that are no clients at all.
 */
export class Visitors {
  readonly counts: VisitorCounts = { visits: 0, published: 0, received: 0, takenOver: 0, strangers: 0 };
  readonly #port: number;
  readonly #random: () => number;
  /** The visit that last connected with each client id. */
  readonly #lastVisitOf = new Map<string, number>();
  #isOpen = true;
  #loops: Promise<void>[] = [];

  /** @param seed of all that is random */
  constructor(port: number, seed: number) {
    this.#port = port;
    this.#random = randomFrom(seed);
  }

  /** Lets so many visit at a time until {@link end}. */
  start(atATime: number): void {
    this.#loops = Array.from({ length: atATime }, () => this.#visitAgain());
    // The first failure is what `end` throws; until then it must not count as nobody's.
    for (const loop of this.#loops) loop.catch(() => {});
  }

  /** Waits for the visits under way; throws what the first of them that failed did. */
  async end(): Promise<void> {
    this.#isOpen = false;
    await Promise.all(this.#loops);
  }

  /** Ends the sessions that outlive their connections. */
  async discardSessions(): Promise<void> {
    for (let number = 0; number < RETURNING_CLIENTS; number++) {
      const client = await this.#connect({ protocolVersion: 4, clientId: returningId(number), clean: true });
      await client.endAsync();
    }
  }

  async #visitAgain(): Promise<void> {
    while (this.#isOpen) {
      if (this.#chance(0.1)) await this.#strangerVisits();
      else await this.#visit();
    }
  }

  async #visit(): Promise<void> {
    const visit = ++this.counts.visits;
    const options = this.#options(visit);
    const clientId = options.clientId!;
    this.#lastVisitOf.set(clientId, visit);
    try {
      await this.#stay(await this.#connect(options), options.clean === false);
    } catch (error) {
      if (this.#lastVisitOf.get(clientId) === visit) throw new Error(`visit ${visit} of ${clientId} failed`, { cause: error });
      this.counts.takenOver++;
    }
    if (!isReturning(clientId)) this.#lastVisitOf.delete(clientId);
  }

  #options(visit: number): IClientOptions {
    const protocolVersion = this.#pick([3, 4, 5] as const);
    const returns = this.#chance(0.3);
    const expires = !returns && protocolVersion === 5 && this.#chance(0.5);
    return {
      protocolVersion,
      clientId: returns ? returningId(this.#below(RETURNING_CLIENTS)) : `once-${visit}`,
      clean: !returns && !expires,
      keepalive: 30,
      ...(protocolVersion === 5 && (returns || expires)
        ? { properties: { sessionExpiryInterval: returns ? 3_600 : SESSION_EXPIRY_S } }
        : {}),
      ...(this.#chance(0.5)
        ? { will: { topic: `visitors/${this.#place()}/gone`, payload: Buffer.from('gone'), qos: this.#qos(), retain: false } }
        : {}),
    };
  }

  async #connect(options: IClientOptions): Promise<MqttClient> {
    const address = `mqtt://127.0.0.1:${this.#port}`;
    const protocolId = options.protocolVersion === 3 ? 'MQIsdp' : 'MQTT';
    const always: IClientOptions = { protocolId, reconnectPeriod: 0, connectTimeout: PEER_WAIT_MS };
    const client = await mqtt.connectAsync(address, { ...always, ...options }, false);
    client.on('error', () => {}); // 'close' follows
    client.on('message', () => {
      this.counts.received++;
    });
    return client;
  }

  async #stay(client: MqttClient, isPersistent: boolean): Promise<void> {
    const closed = new Promise<never>((_, reject) => client.once('close', () => reject(new Error('the connection was closed'))));
    closed.catch(() => {}); // it always closes in the end
    const filters = this.#filters(isPersistent);
    await Promise.race([Promise.all(filters.map((filter) => client.subscribeAsync(filter, { qos: this.#qos() }))), closed]);
    const published = Array.from({ length: 1 + this.#below(8) }, () => this.#publish(client));
    if (this.#chance(0.2)) {
      for (const one of published) one.catch(() => {});
    } else {
      await Promise.race([Promise.all(published), closed]);
      await Promise.race([sleep(this.#below(STAY_MAX_MS)), closed]);
    }
    if (this.#chance(0.3)) await Promise.race([client.unsubscribeAsync(filters[0]!), closed]);
    // MQTT.js ends when all is acknowledged, and so never where it is taken over before.
    await Promise.race([client.endAsync(this.#chance(0.4)), closed.catch(() => {})]);
  }

  /** Sessions that wait for their clients hear little, so that what waits is soon read. */
  #filters(isPersistent: boolean): string[] {
    const narrow = `visitors/${this.#place()}/news`;
    if (isPersistent) return [narrow];
    return [
      narrow,
      ...['visitors/+/gone', '$share/visitors/visitors/+/news', 'visitors/1/#', 'visitors/+/kept'].filter(() => this.#chance(0.3)),
    ];
  }

  async #publish(client: MqttClient): Promise<void> {
    const isRetained = this.#chance(0.2);
    const size = this.#chance(0.01) ? PAYLOAD_LARGE : isRetained && this.#chance(0.3) ? 0 : this.#below(PAYLOAD_MAX);
    const topic = `visitors/${this.#place()}/${isRetained ? 'kept' : 'news'}`;
    await client.publishAsync(topic, Buffer.alloc(size, 'x'), { qos: this.#qos(), retain: isRetained });
    this.counts.published++;
  }

  /** A connection that says nothing, or nothing that is MQTT; it ends when either side has had enough. */
  async #strangerVisits(): Promise<void> {
    this.counts.strangers++;
    const noise = Buffer.from(Array.from({ length: this.#below(40) }, () => this.#below(256)));
    const socket = dial({ port: this.#port, host: '127.0.0.1' });
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {}); // 'close' follows
    socket.resume();
    if (noise.length > 0) socket.write(noise);
    await Promise.race([closed, sleep(this.#below(STAY_MAX_MS))]);
    socket.destroy();
    await closed;
  }

  #place(): number {
    return this.#below(PLACES);
  }

  #qos(): 0 | 1 | 2 {
    return this.#pick([0, 1, 2] as const);
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)]!;
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** A whole number from 0 up to, not including, `end`. */
  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }
}

const RETURNING_PREFIX = 'returning-';

function returningId(number: number): string {
  return `${RETURNING_PREFIX}${number}`;
}

function isReturning(clientId: string): boolean {
  return clientId.startsWith(RETURNING_PREFIX);
}

/** Numbers from 0 up to, not including, 1: the same ones for the same seed. A linear congruential generator of 32 bits. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

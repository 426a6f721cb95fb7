import { Router } from '../src/core/router.ts';
import { type Subscriber, Subscription } from '../src/core/subscription.ts';
import { MQTT_3_1_1, MQTT_5, type ProtocolLevel } from '../src/protocols/mqtt/wire/control-packet.ts';
import { FrameSplitter, type PacketSink } from '../src/protocols/mqtt/wire/frame-splitter.ts';
import { PublishView, writePublish, writePublishProperties } from '../src/protocols/mqtt/wire/publish.ts';
import { crowdFilters, FLEET_REGIONS, fleetFilters, fleetTopics } from './fleet.ts';
import { publishTemplate } from './frames.ts';

/** One function of the hot path, called again and again with the same work. */
export interface MicroCase {
  readonly name: string;
  /** What one operation is. */
  readonly unit: string;
  /** Makes ready, and gives what does a batch of operations and returns how many those were. */
  prepare(): () => number;
}

/** Bytes of a full read from a socket. */
const CHUNK_BYTES = 65_536;

/** Bytes of the pieces that most packets straddle the ends of. */
const PIECE_BYTES = 100;

const TOPIC = 'fleet/r0/s00/d00000/telemetry/temp';
const PAYLOAD_BYTES = 64;

/** Clients with a hundred filters each, in the big router. */
const CROWD_CLIENTS = 1_000;
const CROWD_FILTERS = 100;

/** Operations of a batch that has no natural number of them. */
const BATCH = 1_000;

export const MICRO_CASES: readonly MicroCase[] = [
  { name: 'split', unit: 'packet of a whole chunk', prepare: () => splitting(CHUNK_BYTES) },
  { name: 'split-straddling', unit: 'packet that lies in two pieces', prepare: () => splitting(PIECE_BYTES) },
  { name: 'read-publish', unit: 'PUBLISH of MQTT 3.1.1', prepare: () => reading(MQTT_3_1_1) },
  { name: 'read-publish-5', unit: 'PUBLISH of MQTT 5 with 2 User Properties', prepare: () => reading(MQTT_5) },
  { name: 'write-publish', unit: 'PUBLISH of MQTT 3.1.1', prepare: () => writing(MQTT_3_1_1) },
  { name: 'write-publish-5', unit: 'PUBLISH of MQTT 5 with 2 User Properties', prepare: () => writing(MQTT_5) },
  { name: 'match-remembered', unit: 'topic among 20,000, 100,000 subscriptions', prepare: () => matching(65_536) },
  { name: 'match-anew', unit: 'topic among 20,000, 100,000 subscriptions, none remembered', prepare: () => matching(1) },
  { name: 'subscribe', unit: 'subscription made and ended among 100,000', prepare: subscribing },
];

function packetOf(level: ProtocolLevel): Buffer {
  const version = level === MQTT_5 ? 5 : 4;
  return publishTemplate(TOPIC, 0, { version, qos: 0, payloadBytes: PAYLOAD_BYTES, userProperties: 2 }).bytes;
}

function splitting(pieceBytes: number): () => number {
  const packet = packetOf(MQTT_3_1_1);
  const count = Math.floor(CHUNK_BYTES / packet.length);
  const chunk = Buffer.alloc(count * packet.length, packet);
  let seen = 0;
  const sink: PacketSink = {
    onPacket() {
      seen++;
      return true;
    },
  };
  const splitter = new FrameSplitter(CHUNK_BYTES);
  return () => {
    seen = 0;
    for (let at = 0; at < chunk.length; at += pieceBytes) splitter.push(chunk, at, Math.min(chunk.length, at + pieceBytes), sink);
    return seen;
  };
}

function reading(level: ProtocolLevel): () => number {
  const packet = packetOf(level);
  const body = packet.indexOf(TOPIC) - 2;
  const view = new PublishView();
  return () => {
    let payloadBytes = 0;
    for (let i = 0; i < BATCH; i++) {
      view.read(packet, packet[0]!, body, packet.length, level);
      payloadBytes += packet.length - view.payloadStart;
    }
    return payloadBytes / PAYLOAD_BYTES;
  };
}

function writing(level: ProtocolLevel): () => number {
  const payload = Buffer.alloc(PAYLOAD_BYTES, 'x');
  const values = {
    payloadFormatIndicator: null,
    contentType: null,
    responseTopic: null,
    correlationData: null,
    userProperties: [
      ['name-0', 'value-0'],
      ['name-1', 'value-1'],
    ],
  } as const;
  const size = packetOf(level).length;
  return () => {
    let bytes = 0;
    for (let i = 0; i < BATCH; i++) {
      const properties = level === MQTT_5 ? writePublishProperties(values, null, []) : null;
      const { packet, payloadAt } = writePublish(TOPIC, 0, false, properties, payload.length);
      payload.copy(packet, payloadAt);
      bytes += packet.length;
    }
    return bytes / size;
  };
}

/** A router with the fleet's own subscriptions and a crowd's. */
function crowdedRouter(rememberedTopics: number): Router {
  const router = new Router(rememberedTopics);
  for (let region = 0; region < FLEET_REGIONS; region++)
    for (const filter of fleetFilters(region)) router.subscribe(subscription(filter, subscriber(`fleet-${region}`)));
  for (let client = 0; client < CROWD_CLIENTS; client++) {
    const member = subscriber(`crowd-${client}`);
    for (const filter of crowdFilters(client, CROWD_FILTERS)) router.subscribe(subscription(filter, member));
  }
  return router;
}

function matching(rememberedTopics: number): () => number {
  const router = crowdedRouter(rememberedTopics);
  const topics = Array.from({ length: FLEET_REGIONS }, (_, region) => fleetTopics(region, 2_000)).flat();
  return () => {
    let receivers = 0;
    for (let i = 0; i < topics.length; i++) receivers += router.match(topics[i]!).direct.length;
    return receivers;
  };
}

function subscribing(): () => number {
  const router = crowdedRouter(1);
  const newcomer = subscriber('newcomer');
  const subscriptions = crowdFilters(CROWD_CLIENTS, BATCH).map((filter) => subscription(filter, newcomer));
  return () => {
    let ended = 0;
    for (const one of subscriptions) router.subscribe(one);
    for (const { filter } of subscriptions) if (router.unsubscribe(filter, null, newcomer) !== null) ended++;
    return ended;
  };
}

function subscriber(id: string): Subscriber {
  return { id, kind: 'client', publisher: { id, kind: 'client' }, deliver() {} };
}

function subscription(filter: string, receiver: Subscriber): Subscription {
  return new Subscription({ filter, group: null, subscriber: receiver, qos: 0, noLocal: false, retainAsPublished: false, identifier: 0 });
}

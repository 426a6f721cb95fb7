import fc from 'fast-check';
import {
  generate,
  type IAuthPacket,
  type IConnectPacket,
  type IDisconnectPacket,
  type IPubackPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type IUnsubscribePacket,
  type Packet,
  type UserProperties,
} from 'mqtt-packet';
import type { Level } from './mqtt-bytes.ts';

/** MQTT packets as mqtt-packet, a codec that is not ours, has them: what a client may send, in all its variety. */

/** Text as MQTT 1.5.4 has it: any Unicode but U+0000. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }).filter((value) => !value.includes('\0')),
  fc.constant('\u{feff}'),
);

const binary: fc.Arbitrary<Buffer> = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));

/** Payloads around the sizes where the Remaining Length grows by a byte, and of none. */
export const payload: fc.Arbitrary<Buffer> = fc.oneof(
  binary,
  fc.integer({ min: 90, max: 135 }).map((size) => Buffer.alloc(size, 'x')),
  fc.integer({ min: 16_300, max: 16_400 }).map((size) => Buffer.alloc(size, 'y')),
);

export const level: fc.Arbitrary<Level> = fc.constantFrom(3, 4, 5);

export const packetIdentifier: fc.Arbitrary<number> = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(1, 255, 256, 65_535));

const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
const four = fc.oneof(fc.integer({ min: 1, max: 0xffff_ffff }), fc.constantFrom(1, 0xffff_ffff));
const two = fc.integer({ min: 1, max: 65_535 });

/** mqtt-packet keeps user properties by name, loses an empty value beside another of its name, and cannot write none: so much is left out. */
const userProperties: fc.Arbitrary<UserProperties> = fc.dictionary(
  text.map((name) => `k${name}`),
  fc.oneof(
    text,
    fc.array(
      text.map((value) => `v${value}`),
      { minLength: 2, maxLength: 3 },
    ),
  ),
  { minKeys: 1, maxKeys: 3, noNullPrototype: true },
);

/** Topic names and filters need not mean anything to a codec. */
export const topic: fc.Arbitrary<string> = text.map((name) => `t${name.replaceAll(/[+#]/g, '')}`);

export const publishProperties = fc.record(
  {
    payloadFormatIndicator: fc.boolean(),
    messageExpiryInterval: four,
    contentType: text,
    responseTopic: topic,
    correlationData: binary,
    userProperties,
  },
  { requiredKeys: [] },
);

const will = fc.record(
  {
    topic,
    payload: binary,
    qos,
    retain: fc.boolean(),
    properties: fc.tuple(publishProperties, four).map(([p, delay]) => ({ ...p, willDelayInterval: delay })),
  },
  { requiredKeys: ['topic', 'payload', 'qos', 'retain'] },
);

/** Methods that a broker under test may have, and ones that none has. */
export const AUTHENTICATION_METHOD = 'M';
const authenticationMethod = fc.oneof(fc.constant(AUTHENTICATION_METHOD), fc.constant('SCRAM-SHA-256'), text);

function connectPacket(version: Level): fc.Arbitrary<IConnectPacket> {
  const properties = fc.record(
    {
      sessionExpiryInterval: four,
      receiveMaximum: two,
      maximumPacketSize: four,
      topicAliasMaximum: two,
      requestResponseInformation: fc.boolean(),
      requestProblemInformation: fc.boolean(),
      userProperties,
      authentication: fc.record({ authenticationMethod, authenticationData: binary }, { requiredKeys: ['authenticationMethod'] }),
    },
    { requiredKeys: [] },
  );
  return fc
    .record(
      {
        clientId: text.map((id) => `c${id}`),
        clean: fc.boolean(),
        keepalive: fc.integer({ min: 0, max: 65_535 }),
        will,
        user: fc.record({ username: text, password: binary }, { requiredKeys: ['username'] }),
        properties,
      },
      { requiredKeys: ['clientId', 'clean', 'keepalive'] },
    )
    .map(({ clientId, clean, keepalive, will, user, properties }) => ({
      cmd: 'connect',
      protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
      protocolVersion: version,
      clientId,
      clean,
      keepalive,
      ...(will === undefined ? {} : { will: version === 5 ? will : withoutProperties(will) }),
      ...user,
      ...(version === 5 && properties !== undefined ? { properties: flat(properties) } : {}),
    }));
}

function authPacket(): fc.Arbitrary<IAuthPacket> {
  const properties = fc.record(
    { authenticationMethod, authenticationData: binary, reasonString: text, userProperties },
    { requiredKeys: ['authenticationMethod'] },
  );
  return fc.record({ cmd: fc.constant('auth'), reasonCode: fc.constantFrom(0x18, 0x19), properties });
}

export function publishPacket(version: Level): fc.Arbitrary<IPublishPacket> {
  return fc
    .record({
      qos,
      dup: fc.boolean(),
      retain: fc.boolean(),
      topic,
      payload,
      messageId: packetIdentifier,
      properties: fc.option(fc.tuple(publishProperties, fc.option(two)), { nil: undefined }),
    })
    .map(({ qos, dup, retain, topic, payload, messageId, properties }) => {
      const [p, alias] = properties ?? [undefined, null];
      return {
        cmd: 'publish',
        qos,
        dup: dup && qos > 0,
        retain,
        topic,
        payload,
        ...(qos > 0 ? { messageId } : {}),
        ...(version === 5 && p !== undefined ? { properties: { ...p, ...(alias === null ? {} : { topicAlias: alias }) } } : {}),
      };
    });
}

const reasonProperties = fc.record({ reasonString: text, userProperties }, { requiredKeys: [] });

function acknowledgement(version: Level): fc.Arbitrary<Packet> {
  const received = fc.constantFrom(0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99);
  const released = fc.constantFrom(0x00, 0x92);
  return fc
    .record({
      cmd: fc.constantFrom<IPubackPacket['cmd'] | 'pubrec' | 'pubrel' | 'pubcomp'>('puback', 'pubrec', 'pubrel', 'pubcomp'),
      messageId: packetIdentifier,
      received,
      released,
      properties: fc.option(reasonProperties, { nil: undefined }),
    })
    .map(({ cmd, messageId, received, released, properties }) => ({
      cmd: cmd as 'puback',
      messageId,
      ...(version === 5 ? { reasonCode: cmd === 'puback' || cmd === 'pubrec' ? received : released } : {}),
      ...(version === 5 && properties !== undefined ? { properties } : {}),
    }));
}

function subscribePacket(version: Level): fc.Arbitrary<ISubscribePacket> {
  const options = { nl: fc.boolean(), rap: fc.boolean(), rh: fc.constantFrom(0, 1, 2) };
  const subscription = version === 5 ? fc.record({ topic, qos, ...options }) : fc.record({ topic, qos });
  const properties = fc.record({ subscriptionIdentifier: fc.integer({ min: 1, max: 268_435_455 }), userProperties }, { requiredKeys: [] });
  return fc
    .record({
      messageId: packetIdentifier,
      subscriptions: fc.array(subscription, { minLength: 1, maxLength: 5 }),
      properties: fc.option(properties, { nil: undefined }),
    })
    .map(({ properties, ...rest }) => ({
      cmd: 'subscribe',
      ...rest,
      ...(version === 5 && properties !== undefined ? { properties } : {}),
    }));
}

function unsubscribePacket(version: Level): fc.Arbitrary<IUnsubscribePacket> {
  return fc
    .record({
      messageId: packetIdentifier,
      unsubscriptions: fc.array(topic, { minLength: 1, maxLength: 5 }),
      properties: fc.option(fc.record({ userProperties }), { nil: undefined }),
    })
    .map(({ properties, ...rest }) => ({
      cmd: 'unsubscribe',
      ...rest,
      ...(version === 5 && properties !== undefined ? { properties } : {}),
    }));
}

function disconnectPacket(version: Level): fc.Arbitrary<IDisconnectPacket> {
  const properties = fc.record({ sessionExpiryInterval: four, reasonString: text, userProperties }, { requiredKeys: [] });
  return fc
    .record({
      reasonCode: fc.constantFrom(0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x97),
      properties: fc.option(properties, { nil: undefined }),
    })
    .map(({ reasonCode, properties }) => ({
      cmd: 'disconnect',
      ...(version === 5 ? { reasonCode, ...(properties === undefined ? {} : { properties }) } : {}),
    }));
}

/** Any packet that a client may send, PINGREQ and CONNECT included. */
export function clientPacket(version: Level): fc.Arbitrary<Packet> {
  return fc.oneof<fc.Arbitrary<Packet>[]>(
    connectPacket(version),
    publishPacket(version),
    publishPacket(version),
    acknowledgement(version),
    subscribePacket(version),
    unsubscribePacket(version),
    fc.constant<Packet>({ cmd: 'pingreq' }),
    disconnectPacket(version),
    ...(version === 5 ? [authPacket()] : []),
  );
}

/** The packet's bytes, by mqtt-packet. */
export function encode(packet: Packet, version: Level): Buffer {
  return generate(packet, { protocolVersion: version });
}

/** A stream as a client may send it: CONNECT, then anything. */
export const clientStream: fc.Arbitrary<{ level: Level; packets: Buffer[] }> = level.chain((version) =>
  fc.tuple(connectPacket(version), fc.array(clientPacket(version), { maxLength: 12 })).map(([first, rest]) => ({
    level: version,
    packets: [first, ...rest].map((packet) => encode(packet, version)),
  })),
);

/** Bytes with faults: some replaced, taken out, put in or doubled. */
export function mutated(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const fault = fc.record({
    kind: fc.constantFrom('set', 'flip', 'cut', 'insert', 'truncate', 'repeat'),
    at: fc.nat(),
    size: fc.integer({ min: 1, max: 8 }),
    value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
  });
  return fc.tuple(bytes, fc.array(fault, { minLength: 1, maxLength: 4 })).map(([original, faults]) => {
    let result = Buffer.from(original);
    for (const { kind, at, size, value } of faults) {
      if (result.length === 0) break;
      const i = at % result.length;
      const end = Math.min(result.length, i + size);
      if (kind === 'set') result.fill(value, i, end);
      else if (kind === 'flip') result[i] = result[i]! ^ (1 << (value & 7));
      else if (kind === 'cut') result = Buffer.concat([result.subarray(0, i), result.subarray(end)]);
      else if (kind === 'insert') result = Buffer.concat([result.subarray(0, i), Buffer.alloc(size, value), result.subarray(i)]);
      else if (kind === 'truncate') result = result.subarray(0, i);
      else result = Buffer.concat([result.subarray(0, end), result.subarray(i)]);
    }
    return result;
  });
}

/** Authentication Data needs its method: the two are drawn together. */
function flat<T extends { authentication?: object }>({ authentication, ...rest }: T): Omit<T, 'authentication'> & object {
  return { ...rest, ...authentication };
}

function withoutProperties<T extends { properties?: unknown }>(fields: T): Omit<T, 'properties'> {
  const { properties: _, ...rest } = fields;
  return rest;
}

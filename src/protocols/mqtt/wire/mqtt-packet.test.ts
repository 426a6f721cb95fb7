import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Packet, parser, type UserProperties } from 'mqtt-packet';
import {
  clientPacket,
  encode,
  packetIdentifier,
  publishPacket,
  publishProperties,
  text,
} from '../../../../test/harness/mqtt-arbitraries.ts';
import type { Level } from '../../../../test/harness/mqtt-bytes.ts';
import { SOAK_FACTOR } from '../../../../test/harness/soak.ts';
import { AcknowledgementView, readDisconnect, writeDisconnect, writeRefusal } from './acknowledgement.ts';
import { readAuth, writeAuth } from './auth.ts';
import { readConnect, writeConnackV3, writeConnackV5 } from './connect.ts';
import { PACKET_SIZE_MAX, PUBLISH } from './control-packet.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { Properties, readProperties } from './property.ts';
import { PublishView, writePublish, writePublishProperties } from './publish.ts';
import { readSubscribe, readUnsubscribe, writeSuback, writeUnsuback } from './subscribe.ts';

/** mqtt-packet is the codec of MQTT.js and Aedes: what it writes we must read the same, and the other way round. */

const RUNS = 600 * SOAK_FACTOR;
const LEVELS = [3, 4, 5] as const;

for (const level of LEVELS) {
  test(`level ${level}: what mqtt-packet writes is read the same`, () => {
    fc.assert(
      fc.property(clientPacket(level), (packet) => {
        assert.deepEqual(read(encode(packet, level), level), expected(packet, level));
      }),
      { numRuns: RUNS },
    );
  });

  test(`level ${level}: PUBLISH as we write it is read the same by mqtt-packet`, () => {
    fc.assert(
      fc.property(publishPacket(level), fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 3 }), (sent, identifiers) => {
        const p = sent.properties;
        const properties = writePublishProperties(
          {
            payloadFormatIndicator: indicator(p?.payloadFormatIndicator),
            contentType: p?.contentType ?? null,
            responseTopic: p?.responseTopic ?? null,
            correlationData: p?.correlationData ?? null,
            userProperties: pairs(p?.userProperties),
          },
          p?.messageExpiryInterval ?? null,
          identifiers,
        );
        const { payload, qos, retain, topic, messageId } = sent;
        const frame = writePublish(topic, qos, retain, level === 5 ? properties : null, payload.length);
        (payload as Buffer).copy(frame.packet, frame.payloadAt);
        if (qos > 0) frame.packet.writeUInt16BE(messageId!, frame.packetIdentifierAt);
        assert.equal(frame.payloadAt + payload.length, frame.packet.length);
        const { topicAlias: _, ...application } = p ?? {};
        const wanted = clean({
          ...application,
          subscriptionIdentifier: identifiers.length > 1 ? identifiers : identifiers[0],
        });
        assert.deepEqual(parse(frame.packet, level), {
          ...sent,
          dup: false,
          properties: level === 5 ? wanted : undefined,
        });
      }),
      { numRuns: RUNS },
    );
  });

  test(`level ${level}: SUBACK and UNSUBACK as we write them are read the same by mqtt-packet`, () => {
    const codes = fc.array(level === 5 ? fc.constantFrom(0, 1, 2, 0x8f) : fc.constantFrom(0, 1, 2, 0x80), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(packetIdentifier, codes, fc.option(text), (messageId, granted, reasonString) => {
        const properties = level === 5 && reasonString !== null ? { reasonString } : undefined;
        assert.deepEqual(parse(writeSuback(messageId, granted, level, reasonString), level), {
          cmd: 'suback',
          messageId,
          granted,
          properties,
        });
        const removed = granted.map((code) => (code === 0x8f ? 0x8f : code === 0 ? 0 : 0x11));
        assert.deepEqual(parse(writeUnsuback(messageId, removed, level, reasonString), level), {
          cmd: 'unsuback',
          messageId,
          ...(level === 5 ? { granted: removed } : {}),
          properties,
        });
      }),
      { numRuns: RUNS / 4 },
    );
  });
}

test('CONNACK as we write it is read the same by mqtt-packet', () => {
  const properties = fc.record(
    {
      sessionExpiryInterval: fc.integer({ min: 1, max: 0xffff_ffff }),
      receiveMaximum: fc.integer({ min: 1, max: 65_535 }),
      maximumPacketSize: fc.integer({ min: 1, max: 0xffff_ffff }),
      assignedClientIdentifier: text,
      topicAliasMaximum: fc.integer({ min: 1, max: 65_535 }),
      serverKeepAlive: fc.integer({ min: 1, max: 65_535 }),
      authenticationMethod: text,
      authenticationData: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      responseInformation: text,
      serverReference: text,
      reasonString: text,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.boolean(), fc.constantFrom(0, 0x80, 0x84, 0x95), properties, (sessionPresent, reasonCode, p) => {
      assert.deepEqual(parse(writeConnackV5(sessionPresent, reasonCode, p), 5), {
        cmd: 'connack',
        sessionPresent,
        reasonCode,
        properties: clean(p),
      });
      const returnCode = reasonCode & 7;
      for (const level of [3, 4] as const)
        assert.deepEqual(parse(writeConnackV3(sessionPresent, returnCode), level), {
          cmd: 'connack',
          sessionPresent,
          returnCode,
          properties: undefined,
        });
    }),
    { numRuns: RUNS / 2 },
  );
});

test('AUTH as we write it is read the same by mqtt-packet', () => {
  const data = fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)));
  fc.assert(
    fc.property(fc.constantFrom(0x00, 0x18), text, data, (reasonCode, authenticationMethod, authenticationData) => {
      assert.deepEqual(parse(writeAuth(reasonCode, authenticationMethod, authenticationData), 5), {
        cmd: 'auth',
        reasonCode,
        properties: clean({ authenticationMethod, authenticationData }),
      });
    }),
    { numRuns: RUNS / 4 },
  );
});

test('PUBACK and PUBREC that refuse, as we write them, are read the same by mqtt-packet', () => {
  const cmd = fc.constantFrom('puback' as const, 'pubrec' as const);
  fc.assert(
    fc.property(cmd, packetIdentifier, fc.constantFrom(0x87, 0x97), fc.option(text), (cmd, messageId, reasonCode, reasonString) => {
      assert.deepEqual(parse(writeRefusal(cmd === 'puback' ? 0x40 : 0x50, messageId, reasonCode, reasonString), 5), {
        cmd,
        messageId,
        reasonCode,
        properties: clean({ reasonString }),
      });
    }),
    { numRuns: RUNS / 4 },
  );
});

test('DISCONNECT as we write it is read the same by mqtt-packet', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0, 0x81, 0x8e, 0x95, 0x9c),
      fc.option(text),
      fc.option(text),
      (reasonCode, reasonString, serverReference) => {
        assert.deepEqual(parse(writeDisconnect(reasonCode, reasonString, serverReference), 5), {
          cmd: 'disconnect',
          reasonCode,
          properties: clean({ reasonString, serverReference }),
        });
      },
    ),
    { numRuns: RUNS / 4 },
  );
});

test('the properties of PUBLISH are written in the same bytes as they are read', () => {
  fc.assert(
    fc.property(publishProperties, (p) => {
      const values = {
        payloadFormatIndicator: indicator(p.payloadFormatIndicator),
        contentType: p.contentType ?? null,
        responseTopic: p.responseTopic ?? null,
        correlationData: p.correlationData ?? null,
        userProperties: pairs(p.userProperties),
      };
      const first = writePublish('t', 0, false, writePublishProperties(values, p.messageExpiryInterval ?? null, []), 0).packet;
      const view = new PublishView();
      split(first, (buffer, header, start, end) => view.read(buffer, header, start, end, 5));
      const again = readProperties(first, view.propertiesStart, first.length, PUBLISH);
      // What is not read is passed on as it came; that is so for whatever is for the receivers alone.
      assert.equal(view.forwardsProperties, view.payloadStart - view.propertiesStart > 1 && again.messageExpiryInterval === null);
      if (!view.forwardsProperties) assert.deepEqual(view.properties ?? new Properties(), again);
      const second = writePublishProperties(
        { ...again, payloadFormatIndicator: indicator(p.payloadFormatIndicator), userProperties: again.userProperties ?? [] },
        again.messageExpiryInterval,
        [],
      );
      assert.deepEqual(writePublish('t', 0, false, second, 0).packet, first);
    }),
    { numRuns: RUNS },
  );
});

/** What we read from one whole packet, in mqtt-packet's words. */
function read(bytes: Buffer, level: Level): unknown {
  let result: unknown;
  split(bytes, (buffer, header, start, end) => {
    result = readBody(buffer, header, start, end, level);
  });
  return result;
}

function split(bytes: Buffer, take: (buffer: Buffer, header: number, start: number, end: number) => void): void {
  let packets = 0;
  new FrameSplitter(PACKET_SIZE_MAX).push(bytes, 0, bytes.length, {
    onPacket(buffer, packetStart, start, end) {
      packets++;
      assert.equal(end, bytes.length);
      take(buffer, buffer[packetStart]!, start, end);
      return true;
    },
  });
  assert.equal(packets, 1);
}

function readBody(buffer: Buffer, header: number, start: number, end: number, level: Level): unknown {
  const type = header >> 4;
  switch (type) {
    case 1: {
      const { will, ...c } = readConnect(buffer, header, start, end);
      return clean({
        cmd: 'connect',
        protocolVersion: c.level,
        clientId: c.clientId,
        clean: c.cleanStart,
        keepalive: c.keepAlive,
        will: will === null ? undefined : clean({ ...will, properties: words(will.properties) }),
        username: c.userName,
        password: c.password,
        properties: words(c.properties),
      });
    }
    case 3: {
      const view = new PublishView();
      view.read(buffer, header, start, end, level);
      return clean({
        cmd: 'publish',
        qos: view.qos,
        dup: view.dup,
        retain: view.retain,
        topic: view.topic,
        messageId: view.packetIdentifier === 0 ? undefined : view.packetIdentifier,
        payload: Buffer.from(buffer.subarray(view.payloadStart, end)),
        properties:
          view.payloadStart - view.propertiesStart < 2 ? undefined : words(readProperties(buffer, view.propertiesStart, end, PUBLISH)),
      });
    }
    case 8: {
      const { packetIdentifier, subscriptionIdentifier, requests } = readSubscribe(buffer, header, start, end, level);
      return { cmd: 'subscribe', messageId: packetIdentifier, subscriptionIdentifier, requests };
    }
    case 10: {
      const { packetIdentifier, filters } = readUnsubscribe(buffer, header, start, end, level);
      return { cmd: 'unsubscribe', messageId: packetIdentifier, unsubscriptions: filters };
    }
    case 12:
      assert.equal(start, end);
      return { cmd: 'pingreq' };
    case 14:
      return { cmd: 'disconnect', ...readDisconnect(buffer, header, start, end, level) };
    case 15:
      return { cmd: 'auth', ...readAuth(buffer, header, start, end, level) };
    default: {
      const view = new AcknowledgementView();
      view.read(buffer, header, start, end, level);
      return { cmd: ['puback', 'pubrec', 'pubrel', 'pubcomp'][type - 4], messageId: view.packetIdentifier, reasonCode: view.reasonCode };
    }
  }
}

/** What must be read of a packet that mqtt-packet was asked to write. */
function expected(packet: Packet, level: Level): unknown {
  switch (packet.cmd) {
    case 'connect': {
      const { protocolId: _, properties, will, ...rest } = packet;
      return clean({
        ...rest,
        will: will && clean({ ...will, properties: will.properties && clean(will.properties) }),
        properties: properties && clean(properties),
      });
    }
    case 'publish':
      return clean({ ...packet, properties: packet.properties && clean(packet.properties) });
    case 'subscribe':
      return {
        cmd: 'subscribe',
        messageId: packet.messageId,
        subscriptionIdentifier: packet.properties?.subscriptionIdentifier ?? 0,
        requests: packet.subscriptions.map(({ topic, qos, nl, rap, rh }) => ({
          filter: topic,
          qos,
          noLocal: nl ?? false,
          retainAsPublished: rap ?? false,
          retainHandling: rh ?? 0,
        })),
      };
    case 'unsubscribe':
      return { cmd: 'unsubscribe', messageId: packet.messageId, unsubscriptions: packet.unsubscriptions };
    case 'disconnect':
      return {
        cmd: 'disconnect',
        reasonCode: packet.reasonCode ?? 0,
        sessionExpiryInterval: packet.properties?.sessionExpiryInterval ?? null,
      };
    case 'auth': {
      const { authenticationMethod, authenticationData } = packet.properties!;
      return { cmd: 'auth', reasonCode: packet.reasonCode, authenticationMethod, authenticationData: authenticationData ?? null };
    }
    case 'pingreq':
      return { cmd: 'pingreq' };
    default: {
      const { cmd, messageId, reasonCode } = packet as { cmd: string; messageId: number; reasonCode?: number };
      assert.ok(level === 5 || reasonCode === undefined);
      return { cmd, messageId, reasonCode: reasonCode ?? 0 };
    }
  }
}

/** Our properties under mqtt-packet's names; undefined when there are none. */
function words(properties: Properties): unknown {
  const boolean = (value: number | null) => (value === null ? null : value === 1);
  const { subscriptionIdentifiers, userProperties, ...rest } = properties;
  const users: Record<string, string | string[]> = {};
  for (const [name, value] of userProperties ?? []) {
    const before = users[name];
    users[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return clean({
    ...rest,
    payloadFormatIndicator: boolean(rest.payloadFormatIndicator),
    requestProblemInformation: boolean(rest.requestProblemInformation),
    requestResponseInformation: boolean(rest.requestResponseInformation),
    subscriptionIdentifier: subscriptionIdentifiers,
    userProperties: userProperties === null ? undefined : users,
  });
}

function pairs(users: UserProperties | undefined): [string, string][] {
  return Object.entries(users ?? {}).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one]));
}

/** What mqtt-packet reads from one whole packet, without its own bookkeeping. */
function parse(bytes: Buffer, level: Level): unknown {
  const packets: Packet[] = [];
  const machine = parser({ protocolVersion: level });
  machine.on('packet', (packet) => packets.push(packet));
  machine.on('error', (error) => {
    throw error;
  });
  assert.equal(machine.parse(bytes), 0, 'bytes are left');
  assert.equal(packets.length, 1);
  const { length: _, qos, dup, retain, topic, payload, messageId, properties, ...rest } = packets[0] as unknown as Record<string, unknown>;
  const common = messageId === undefined || messageId === null ? {} : { messageId };
  const users = (properties as { userProperties?: object } | undefined)?.userProperties;
  const readProperties = properties === undefined ? undefined : clean({ ...(properties as object), userProperties: users && { ...users } });
  for (const key of Object.keys(rest)) if (rest[key] === null) delete rest[key];
  return rest.cmd === 'publish'
    ? { ...rest, ...common, qos, dup, retain, topic, payload, properties: readProperties }
    : { ...rest, ...common, properties: readProperties };
}

/** Without what is null or undefined; undefined when nothing is left. */
function clean(fields: object): object | undefined {
  const kept = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** The Payload Format Indicator that mqtt-packet has as a boolean. */
function indicator(value: boolean | undefined): 0 | 1 | null {
  return value === undefined ? null : value ? 1 : 0;
}

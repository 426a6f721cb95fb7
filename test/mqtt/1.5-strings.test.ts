import { test } from 'node:test';
import { startBroker } from '../harness/mqtt-broker.ts';
import { bytes, type Level, type Part, packet, properties, text, userProperty } from '../harness/mqtt-bytes.ts';

/** Bytes that are not well-formed UTF-8, or are what MQTT excludes of it. */
const NO_STRINGS: readonly { what: string; wrong: string }[] = [
  { what: 'a lone continuation byte', wrong: '80' },
  { what: 'a byte that UTF-8 never has', wrong: 'ff' },
  { what: 'a sequence that is cut off', wrong: 'e282' },
  { what: 'a sequence with a wrong second byte', wrong: 'c328' },
  { what: 'a longer form than needed', wrong: 'c0af' },
  { what: 'the longer form of U+0000', wrong: 'c080' },
  { what: 'a high surrogate', wrong: 'eda080' },
  { what: 'a low surrogate', wrong: 'edbfbf' },
  { what: 'a pair of surrogates', wrong: 'eda080edb080' },
  { what: 'a code point over U+10FFFF', wrong: 'f4908080' },
  { what: 'U+0000', wrong: '00' },
  { what: 'U+0000 behind other characters', wrong: "'ab' 00" },
];

interface StringField {
  readonly field: string;
  readonly levels: readonly Level[];
  /** A packet with this string, which comes with its length in front. */
  readonly packetAround: (wrong: Buffer, level: Level) => Buffer;
}

const LEVELS = [3, 4, 5] as const;

function everywhere(field: string, packetAround: StringField['packetAround']): StringField {
  return { field, levels: LEVELS, packetAround };
}

function inMqtt5(field: string, packetAround: (wrong: Buffer) => Buffer): StringField {
  return { field, levels: [5], packetAround };
}

/** Name and value of a user property. */
function pairsIn(where: string, packetAround: (pair: Buffer) => Buffer): StringField[] {
  return [
    inMqtt5(`the name of a user property of ${where}`, (wrong) => packetAround(bytes('26', wrong, text('v')))),
    inMqtt5(`the value of a user property of ${where}`, (wrong) => packetAround(bytes('26', text('n'), wrong))),
  ];
}

/** Content of CONNECT up to the client identifier. */
function connectHead(level: Level, flags: string, content: Part = ''): Buffer {
  const name = text(level === 3 ? 'MQIsdp' : 'MQTT');
  return bytes(name, Buffer.from([level]), flags, '0000', level === 5 ? properties(content) : '');
}

function connectWith(content: Part): Buffer {
  return packet(0x10, connectHead(5, '02', content), text('a'));
}

function connectWithWill(content: Part): Buffer {
  return packet(0x10, connectHead(5, '06'), text('a'), properties(content), text('w'), text(''));
}

/** The Property Length of a packet that has none. */
function noProperties(level: Level): string {
  return level === 5 ? '00' : '';
}

const CONNECT_FIELDS: readonly StringField[] = [
  everywhere('the client identifier', (wrong, level) => packet(0x10, connectHead(level, '02'), wrong)),
  everywhere('the Will Topic', (wrong, level) => packet(0x10, connectHead(level, '06'), text('a'), noProperties(level), wrong, text(''))),
  everywhere('the User Name', (wrong, level) => packet(0x10, connectHead(level, '82'), text('a'), wrong)),
  inMqtt5('the Authentication Method of CONNECT', (wrong) => connectWith(bytes('15', wrong))),
  ...pairsIn('CONNECT', connectWith),
  inMqtt5('the Content Type of a will', (wrong) => connectWithWill(bytes('03', wrong))),
  inMqtt5('the Response Topic of a will', (wrong) => connectWithWill(bytes('08', wrong))),
  ...pairsIn('a will', connectWithWill),
];

const OTHER_FIELDS: readonly StringField[] = [
  everywhere('the topic of PUBLISH', (wrong, level) => packet(0x30, wrong, noProperties(level))),
  inMqtt5('the Content Type of PUBLISH', (wrong) => packet(0x30, text('a'), properties('03', wrong))),
  inMqtt5('the Response Topic of PUBLISH', (wrong) => packet(0x30, text('a'), properties('08', wrong))),
  ...pairsIn('PUBLISH', (pair) => packet(0x30, text('a'), properties(pair))),
  ...pairsIn('PUBLISH behind others', (pair) => packet(0x30, text('a'), properties('01 01', userProperty('a', 'b'), pair))),
  everywhere('the filter of SUBSCRIBE', (wrong, level) => packet(0x82, '0001', noProperties(level), wrong, '00')),
  everywhere('the second filter of SUBSCRIBE', (wrong, level) => packet(0x82, '0001', noProperties(level), text('a'), '00', wrong, '00')),
  ...pairsIn('SUBSCRIBE', (pair) => packet(0x82, '0001', properties(pair), text('a'), '00')),
  everywhere('the filter of UNSUBSCRIBE', (wrong, level) => packet(0xa2, '0001', noProperties(level), wrong)),
  ...pairsIn('UNSUBSCRIBE', (pair) => packet(0xa2, '0001', properties(pair), text('a'))),
  ...[
    { name: 'PUBACK', header: 0x40 },
    { name: 'PUBREC', header: 0x50 },
    { name: 'PUBREL', header: 0x62 },
    { name: 'PUBCOMP', header: 0x70 },
  ].flatMap(({ name, header }) => [
    inMqtt5(`the Reason String of ${name}`, (wrong) => packet(header, '0001 00', properties('1f', wrong))),
    ...pairsIn(name, (pair) => packet(header, '0001 00', properties(pair))),
  ]),
  inMqtt5('the Reason String of DISCONNECT', (wrong) => packet(0xe0, '00', properties('1f', wrong))),
  ...pairsIn('DISCONNECT', (pair) => packet(0xe0, '00', properties(pair))),
];

for (const { what, wrong } of NO_STRINGS) {
  test(`${what} is malformed in every string that a client sends [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1] [MQTT-3.1.3-4] [MQTT-3.1.3-11] [MQTT-3.1.3-12] [MQTT-3.3.2-1] [MQTT-3.3.2-13] [MQTT-3.3.2-19] [MQTT-3.8.3-1] [MQTT-3.10.3-1] [MQTT-4.7.3-2]`, async (t) => {
    const broker = await startBroker(t);
    const string = text(bytes(wrong));
    for (const level of LEVELS) {
      for (const { field, packetAround } of CONNECT_FIELDS.filter(({ levels }) => levels.includes(level))) {
        await t.test(`${field}, level ${level}`, async () => {
          const peer = await broker.dial({ level });
          peer.send(packetAround(string, level));
          if (level === 5) await peer.expectConnack(0x81);
          await peer.expectClose();
        });
      }
      for (const { field, packetAround } of OTHER_FIELDS.filter(({ levels }) => levels.includes(level))) {
        await t.test(`${field}, level ${level}`, async () => {
          const peer = await broker.client(level, { clientId: 'a' });
          peer.send(packetAround(string, level));
          await peer.expectEnd(0x81);
        });
      }
    }
  });
}

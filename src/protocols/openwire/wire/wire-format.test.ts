import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../../../bytes/byte-writer.ts';
import {
  BROKER_ID,
  CONNECTION_ID,
  createBrokerId,
  createBrokerInfo,
  createBrokerSubscriptionInfo,
  createBytesMessage,
  createConnectionError,
  createConnectionId,
  createConnectionInfo,
  createConsumerInfo,
  createControlCommand,
  createDataResponse,
  createExceptionResponse,
  createKeepAliveInfo,
  createMessageAck,
  createMessageDispatch,
  createMessageId,
  createPlainMessage,
  createProducerAck,
  createProducerId,
  createQueue,
  createResponse,
  createSessionId,
  createSessionInfo,
  createTopic,
  createTransactionInfo,
  createXATransactionId,
  type DataStructure,
  longToNumber,
  type Throwable,
} from './commands.ts';
import { BEFORE_NEGOTIATION, WireFormat, type WireFormatSettings } from './wire-format.ts';

const SETTINGS: WireFormatSettings = {
  version: 12,
  tightEncodingEnabled: false,
  cacheEnabled: false,
  cacheSize: 128,
  stackTraceEnabled: true,
  maxFrameSizeBytes: 1_000_000,
};

const TIGHT = { ...SETTINGS, tightEncodingEnabled: true };

function roundTrip(settings: WireFormatSettings, command: DataStructure): DataStructure | null {
  const frame = new WireFormat(settings).encode(command);
  return new WireFormat(settings).decode(frame, 4, frame.length);
}

function decodeHex(settings: WireFormatSettings, hex: string): DataStructure | null {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return new WireFormat(settings).decode(bytes, 0, bytes.length);
}

test('the worked examples of the specification come out as written there', () => {
  const examples: [DataStructure, string, string][] = [
    [createBrokerId({ value: 'b' }), '000000057c01000162', '000000067c0103000162'],
    [createKeepAliveInfo({ commandId: 17, responseRequired: true }), '000000060a0000001101', '000000070a010100000011'],
    [
      createResponse({ commandId: 17, responseRequired: true, correlationId: 99 }),
      '0000000a1e000000110100000063',
      '0000000b1e01010000001100000063',
    ],
    [
      createControlCommand({ commandId: 17, responseRequired: true, command: 'shutdown' }),
      '000000110e000000110101000873687574646f776e',
      '000000110e010700000011000873687574646f776e',
    ],
  ];
  for (const [command, loose, tight] of examples) {
    assert.equal(new WireFormat(SETTINGS).encode(command).toString('hex'), loose);
    assert.equal(new WireFormat(TIGHT).encode(command).toString('hex'), tight);
  }
});

test('the null command decodes to null', () => {
  assert.equal(decodeHex(SETTINGS, '00'), null);
  assert.equal(decodeHex(TIGHT, '00'), null);
});

test('a refusal says where in the frame, in which field, what was expected and what came', () => {
  const refusals: [WireFormatSettings, string, string][] = [
    [SETTINGS, '', 'OpenWire frame of 0 bytes, byte 0: an 8-bit integer (1 byte) was expected, 0 left'],
    [SETTINGS, '0d', 'OpenWire frame of 1 bytes, byte 0: the type code of any structure was expected, 13 (unused) came'],
    [
      { ...SETTINGS, version: 11 },
      '5c',
      'OpenWire frame of 1 bytes, byte 0: the type code of any structure was expected, 92 (BrokerSubscriptionInfo, which the version in use lacks) came',
    ],
    [
      SETTINGS,
      '0a 00000001',
      'OpenWire frame of 5 bytes, KeepAliveInfo.responseRequired, byte 5: an 8-bit integer (1 byte) was expected, 0 left',
    ],
    [SETTINGS, '0a 00000001 00 07', 'OpenWire frame of 7 bytes, byte 6: the end of the frame was expected, 1 bytes are left'],
    [
      SETTINGS,
      '04 00000001 00 01 7c 01 0001 62',
      'OpenWire frame of 12 bytes, SessionInfo.sessionId, byte 7: the type code of a SessionId was expected, 124 (BrokerId) came',
    ],
    [
      SETTINGS,
      '04 00000001 00 01 79 01 0005 62',
      'OpenWire frame of 12 bytes, SessionInfo.sessionId > SessionId.connectionId, byte 11: a field (5 bytes) was expected, 1 left',
    ],
    [
      SETTINGS,
      '03 00000001 00 00 00 00 00 01 7fff 00',
      'OpenWire frame of 14 bytes, ConnectionInfo.brokerPath, byte 11: a count from 0 to 1 was expected (what is left allows no more), 32767 came',
    ],
    [
      SETTINGS,
      '3c 00000001 01 7fffffff 00',
      'OpenWire frame of 11 bytes, PartialCommand.data, byte 10: a byte array (2147483647 bytes) was expected, 1 left',
    ],
    [
      SETTINGS,
      '3c 00000001 01 ffffffff 00',
      'OpenWire frame of 11 bytes, PartialCommand.data, byte 6: the length of a byte array was expected, -1 came',
    ],
    [SETTINGS, '7c 01 0001 ff', 'OpenWire frame of 5 bytes, BrokerId.value, byte 4: modified UTF-8 was expected, 0xff begins no character'],
    [TIGHT, '7c 05 01', 'OpenWire frame of 3 bytes, byte 2: a field (5 bytes) was expected, 1 left'],
    [TIGHT, '7c 80 ffff', 'OpenWire frame of 4 bytes, byte 2: the length of the boolean block was expected, -1 came'],
    [TIGHT, '7c 00', 'OpenWire frame of 2 bytes, BrokerId.value, the boolean block of 0 bytes has no bit left, one more was expected'],
    [TIGHT, '7c 02 0000', 'OpenWire frame of 4 bytes, the boolean block has 1 bytes too many'],
    [TIGHT, '7c 01 03 ffff', 'OpenWire frame of 5 bytes, BrokerId.value, byte 3: the length of a string was expected, -1 came'],
    [
      { ...SETTINGS, cacheEnabled: true },
      '04 00000001 00 00 0003',
      'OpenWire frame of 9 bytes, SessionInfo.sessionId, a value from cache slot 3 was expected, nothing was ever put there',
    ],
    [
      { ...SETTINGS, cacheEnabled: true },
      '04 00000001 00 01 0080 00',
      'OpenWire frame of 10 bytes, SessionInfo.sessionId, a cache slot from 0 to 127 was expected, 128 came',
    ],
  ];
  for (const [settings, hex, message] of refusals) assert.throws(() => decodeHex(settings, hex), { code: 'OPENWIRE_MALFORMED', message });
});

test('a cached value of a type that may not stand in a field is refused', () => {
  const settings = { ...SETTINGS, cacheEnabled: true };
  const format = new WireFormat(settings);
  const frame = new WireFormat(settings).encode(createSessionInfo({ sessionId: createSessionId({ connectionId: 'c' }) }));
  format.decode(frame, 4, frame.length);
  const wrong = Buffer.from('0300000001000000000000000000000000000000000000', 'hex');
  assert.throws(() => format.decode(wrong, 0, wrong.length), {
    message: `OpenWire frame of ${wrong.length} bytes, ConnectionInfo.connectionId, a ConnectionId was expected, the cache slot holds SessionId`,
  });
});

test('a command that has no form in the format is refused and nothing of it is left in the output', () => {
  const out = new ByteWriter();
  out.u8(7);
  const refusals: [WireFormatSettings, DataStructure, string][] = [
    [{ ...SETTINGS, version: 11 }, createBrokerSubscriptionInfo(), 'BrokerSubscriptionInfo cannot stand here: the version in use lacks it'],
    [{ ...TIGHT, version: 2 }, createProducerAck(), 'ProducerAck cannot stand here: the version in use lacks it'],
    [
      SETTINGS,
      createConsumerInfo({ destination: createBrokerId() as never }),
      'ConsumerInfo.destination: BrokerId cannot stand here: a Destination was expected',
    ],
    [
      SETTINGS,
      createConsumerInfo({ destination: createQueue({ physicalName: 'x'.repeat(65_536) }) }),
      'ConsumerInfo.destination > Queue.physicalName: a string of 65536 bytes or more: at most 65535 can be sent',
    ],
    [
      TIGHT,
      createConsumerInfo({ destination: createQueue({ physicalName: 'x'.repeat(32_767) }) }),
      'ConsumerInfo.destination > Queue.physicalName: a string of 32767 bytes or more: at most 32766 can be sent',
    ],
    [
      TIGHT,
      createQueue({ physicalName: '€'.repeat(10_923) }),
      'Queue.physicalName: a string of 32769 bytes or more: at most 32766 can be sent',
    ],
    [SETTINGS, createSessionId({ value: 0.5 }), 'SessionId.value: 0.5: a 64-bit integer was expected (beyond ±(2^53 - 1) as a bigint)'],
    [
      TIGHT,
      createSessionId({ value: 2 ** 53 }),
      'SessionId.value: 9007199254740992: a 64-bit integer was expected (beyond ±(2^53 - 1) as a bigint)',
    ],
    [
      TIGHT,
      createSessionId({ value: 2n ** 63n }),
      `SessionId.value: ${2n ** 63n}: a 64-bit integer was expected (beyond ±(2^53 - 1) as a bigint)`,
    ],
    [{ ...SETTINGS, maxFrameSizeBytes: 5 }, createKeepAliveInfo(), 'a frame of 6 bytes: at most 5 were agreed on'],
    [{ ...TIGHT, maxFrameSizeBytes: 6 }, createKeepAliveInfo(), 'a frame of 7 bytes: at most 6 were agreed on'],
    [
      SETTINGS,
      createConnectionInfo({ brokerPath: new Array(32_768).fill(null) }),
      'ConnectionInfo.brokerPath: 32768 elements: at most 32767 can be sent',
    ],
    [
      TIGHT,
      createBrokerInfo({ peerBrokerInfos: new Array(20_000).fill(createBrokerInfo({ brokerName: 'b' })) }),
      '320014 flags in one frame: tight encoding takes 262136',
    ],
  ];
  for (const [settings, command, message] of refusals) {
    assert.throws(() => new WireFormat(settings).encodeInto(out, command), { code: 'OPENWIRE_UNENCODABLE', message });
    assert.deepEqual(out.copy(), Buffer.from([7]));
  }
});

test('a frame that was refused leaves nothing in the value cache that the peer does not know', () => {
  const sessionId = createSessionId({ connectionId: 'c', value: 1 });
  for (const encoding of [SETTINGS, TIGHT]) {
    const settings = { ...encoding, cacheEnabled: true };
    const sender = new WireFormat(settings);
    const receiver = new WireFormat(settings);
    const tooLong = createQueue({ physicalName: 'x'.repeat(70_000) });
    assert.throws(() => sender.encode(createConsumerInfo({ consumerId: null, destination: tooLong })), { code: 'OPENWIRE_UNENCODABLE' });
    for (const command of [createSessionInfo({ sessionId }), createSessionInfo({ sessionId: null }), createSessionInfo({ sessionId })]) {
      const frame = sender.encode(command);
      assert.deepEqual(receiver.decode(frame, 4, frame.length), command);
    }
  }
});

test('longs are numbers where that is exact and bigints beyond, and either is taken', () => {
  const values = [0, 1, -1, 0xffff, 0x10000, 0xffff_ffff, 0x1_0000_0000, -0x1_0000_0001, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER];
  for (const settings of [SETTINGS, TIGHT]) {
    for (const value of values) {
      assert.deepEqual(roundTrip(settings, createSessionId({ value })), createSessionId({ value }));
      assert.deepEqual(roundTrip(settings, createSessionId({ value: BigInt(value) })), createSessionId({ value }));
    }
    for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      assert.deepEqual(roundTrip(settings, createSessionId({ value })), createSessionId({ value }));
    }
  }
  assert.equal(longToNumber(5), 5);
  assert.equal(longToNumber(2n ** 60n), 2 ** 60);
});

test('structures nested too deep are refused, both ways', () => {
  let nested: DataStructure = createPlainMessage();
  for (let i = 0; i < 15; i++) nested = createPlainMessage({ dataStructure: nested });
  assert.deepEqual(roundTrip(SETTINGS, nested), nested);
  const deeper = createPlainMessage({ dataStructure: nested });
  assert.throws(() => new WireFormat(SETTINGS).encode(deeper), { code: 'OPENWIRE_UNENCODABLE', message: /nested more than 16 deep$/ });
  const level = new WireFormat(SETTINGS).encode(createDataResponse({ data: createDataResponse() }));
  const oneLevel = level.subarray(4, level.length - 11);
  const deep = Buffer.concat([...new Array(1000).fill(oneLevel), Buffer.from('2000000000000000000000', 'hex')]);
  assert.throws(() => new WireFormat(SETTINGS).decode(deep, 0, deep.length), {
    code: 'OPENWIRE_MALFORMED',
    message: /nested more than 16 deep$/,
  });
});

test('a chain of causes is cut when sent and refused when received beyond its bound', () => {
  const chain = (length: number): Throwable => {
    let cause: Throwable | null = null;
    for (let i = 0; i < length; i++) cause = { className: 'E', message: null, stack: [], cause };
    return cause!;
  };
  for (const settings of [SETTINGS, TIGHT]) {
    assert.deepEqual(
      roundTrip(settings, createExceptionResponse({ exception: chain(33) })),
      createExceptionResponse({ exception: chain(33) }),
    );
    assert.deepEqual(
      roundTrip(settings, createExceptionResponse({ exception: chain(40) })),
      createExceptionResponse({ exception: chain(33) }),
    );
  }
  const frame = Buffer.concat([
    Buffer.from('1f000000000000000000', 'hex'),
    ...new Array(34).fill(Buffer.from('0100000000', 'hex')),
    Buffer.from([0]),
  ]);
  assert.throws(() => new WireFormat(SETTINGS).decode(frame, 0, frame.length), { message: /a throwable has more than 32 causes$/ });
});

test('without stack traces a throwable crosses with class and message only', () => {
  const exception: Throwable = {
    className: 'javax.jms.JMSException',
    message: 'no',
    stack: [{ className: 'A', methodName: 'b', fileName: null, lineNumber: -2 }],
    cause: { className: 'E', message: null, stack: [], cause: null },
  };
  for (const settings of [SETTINGS, TIGHT]) {
    assert.deepEqual(roundTrip(settings, createMessageAck({ poisonCause: exception })), createMessageAck({ poisonCause: exception }));
    const short = { ...exception, stack: [], cause: null };
    assert.deepEqual(
      roundTrip({ ...settings, stackTraceEnabled: false }, createMessageAck({ poisonCause: exception })),
      createMessageAck({ poisonCause: short }),
    );
  }
});

test('a message that was marshalled on its own inside a tight frame is read with its own flags', () => {
  const message = createBytesMessage({ persistent: true, destination: createTopic({ physicalName: 't' }), content: Buffer.from([1, 2]) });
  const own = new WireFormat(TIGHT).encode(message);
  const dispatch = createMessageDispatch({ commandId: 1, message: createBytesMessage() });
  const plain = new WireFormat(TIGHT).encode(dispatch);
  const [typeAndBlockLength, bitsEnd] = [plain.subarray(4, 6), 6 + plain[5]!];
  /* responseRequired, consumerId, destination: absent; message: present, and the flag that a copy follows. */
  const bits = Buffer.from([0b0001_1000]);
  const commandId = plain.subarray(bitsEnd, bitsEnd + 4);
  const frame = Buffer.concat([
    typeAndBlockLength.subarray(0, 1),
    Buffer.from([1]),
    bits,
    commandId,
    Buffer.from([24]),
    own,
    Buffer.alloc(4),
  ]);
  assert.deepEqual(new WireFormat(TIGHT).decode(frame, 0, frame.length), { ...dispatch, message });
});

test('byte fields are copies unless the receiver asks for views of the frame', () => {
  const message = createBytesMessage({ content: Buffer.from('body'), marshalledProperties: Buffer.from([0, 0, 0, 0]) });
  const frame = new WireFormat(SETTINGS).encode(message);
  const copied = new WireFormat(SETTINGS).decode(frame, 4, frame.length);
  const viewed = new WireFormat(SETTINGS, { shareBytes: true }).decode(frame, 4, frame.length);
  assert.deepEqual(copied, message);
  assert.deepEqual(viewed, message);
  frame.fill(0);
  assert.deepEqual(copied, message);
  assert.notDeepEqual(viewed, message);
});

test('what stays in the value cache is never a view of a frame', () => {
  const transactionId = createXATransactionId({
    formatId: 1,
    globalTransactionId: Buffer.from('global'),
    branchQualifier: Buffer.from('branch'),
  });
  for (const encoding of [SETTINGS, TIGHT]) {
    const settings = { ...encoding, cacheEnabled: true };
    const sender = new WireFormat(settings);
    const receiver = new WireFormat(settings, { shareBytes: true });
    const command = createTransactionInfo({ transactionId });
    for (let i = 0; i < 2; i++) {
      const frame = sender.encode(command);
      assert.deepEqual(receiver.decode(frame, 4, frame.length), command);
      frame.fill(0);
    }
  }
});

test('an id that came again is known by its bytes, but not where another type has to stand', () => {
  const brokerId = createBrokerId({ value: 'c' });
  const format = new WireFormat(SETTINGS);
  for (let i = 0; i < 2; i++) {
    const frame = format.encode(createConnectionInfo({ brokerPath: [brokerId, null, brokerId] }));
    assert.deepEqual(format.decode(frame, 4, frame.length), createConnectionInfo({ brokerPath: [brokerId, null, brokerId] }));
  }
  const connectionId = createConnectionId({ value: 'c' });
  const frame = format.encode(createConnectionError({ connectionId }));
  assert.deepEqual(format.decode(frame, 4, frame.length), createConnectionError({ connectionId }));
  assert.throws(() => format.encode(createConnectionError({ connectionId: brokerId as never })), { code: 'OPENWIRE_UNENCODABLE' });
  frame[frame.indexOf(CONNECTION_ID)] = BROKER_ID;
  assert.throws(() => format.decode(frame, 4, frame.length), {
    message: /the type code of a ConnectionId was expected, 124 \(BrokerId\) came$/,
  });
});

test('a version that lacks a field leaves it as a Java peer starts it', () => {
  const info = createConnectionInfo({ clientId: 'c', clientMaster: false, clientIp: 'tcp://1.2.3.4:5', faultTolerant: true });
  assert.deepEqual(roundTrip({ ...SETTINGS, version: 1 }, info), createConnectionInfo({ clientId: 'c' }));
  const id = createMessageId({ textView: 'x', producerId: createProducerId({ connectionId: 'c' }), producerSequenceId: 3 });
  assert.deepEqual(roundTrip({ ...TIGHT, version: 9 }, id), { ...id, textView: null });
});

test('before the negotiation frames are loose and small', () => {
  assert.equal(BEFORE_NEGOTIATION.tightEncodingEnabled, false);
  assert.equal(BEFORE_NEGOTIATION.cacheEnabled, false);
  assert.throws(() => new WireFormat(BEFORE_NEGOTIATION).encode(createBytesMessage({ content: Buffer.alloc(70_000) })), {
    message: /^a frame of 70\d{3} bytes: at most 65536 were agreed on$/,
  });
});

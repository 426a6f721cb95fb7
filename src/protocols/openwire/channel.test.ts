import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import fc from 'fast-check';
import { Message } from '../../core/message.ts';
import { type Facts, silentLog } from '../../telemetry/log.ts';
import { FakeClock } from '../../timing/clock.ts';
import type { Connection } from '../../transport/connection.ts';
import { ANSWERS_QUEUED_MAX_BYTES, Channel, linkVersionOf } from './channel.ts';
import { PublicationForm } from './publication-form.ts';
import { type BytesMessage, createBrokerInfo, createKeepAliveInfo, createResponse, type DataStructure } from './wire/commands.ts';
import { intValue } from './wire/primitive-map.ts';
import { BEFORE_NEGOTIATION, WireFormat } from './wire/wire-format.ts';
import { DEFAULT_OFFER, type PeerOffer, wireFormatInfoOf } from './wire/wire-format-info.ts';

const MAX_FRAME = 100_000;

beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }));
afterEach(() => mock.timers.reset());

/** A connection that keeps what is written. */
class FakeConnection implements Connection {
  readonly id = 1;
  readonly remoteAddress = '127.0.0.1:1';
  readonly peerCertificate = null;
  readonly refusal = null;
  readonly serverName = null;
  readonly connector = '';
  queuedBytes = 0;
  readonly unsentBytes = 0;
  paused = false;
  writable = true;
  destroyed = false;
  output: Buffer = Buffer.alloc(0);
  readonly #written: Buffer[] = [];

  /** Keeps what is written in the queue: the peer does not read. */
  stuck = false;

  write(bytes: Buffer): void {
    if (this.stuck) this.queuedBytes += bytes.length;
    this.#written.push(bytes);
  }

  writeCopy(source: Buffer, start: number, end: number): void {
    this.write(Buffer.from(source.subarray(start, end)));
  }

  reserve(size: number): number {
    this.output = Buffer.alloc(size);
    this.write(this.output);
    return 0;
  }

  end(): void {
    this.writable = false;
  }

  destroy(): void {
    this.writable = false;
    this.destroyed = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  admit(): boolean {
    return true;
  }

  countProbe(): void {}

  /** Takes what was written since the last time. */
  take(): Buffer {
    return Buffer.concat(this.#written.splice(0));
  }
}

function formatOf(version: number): WireFormat {
  return new WireFormat({ ...BEFORE_NEGOTIATION, version, maxFrameSizeBytes: MAX_FRAME });
}

/** A channel with the events its handler got, as words. */
function open(options: { maxInactivityDurationMs?: number; onCommand?: () => void } = {}) {
  const connection = new FakeConnection();
  const events: string[] = [];
  const commands: DataStructure[] = [];
  const errors: Facts[] = [];
  const clock = new FakeClock();
  let offer: PeerOffer | null = null;
  const channel = new Channel(connection, {
    handler: {
      onNegotiated: (_, made) => {
        offer = made;
        events.push('negotiated');
      },
      onPublication: (reader, buffer) => {
        events.push(`publication ${reader.topic} ${buffer.toString('latin1', reader.payloadStart, reader.payloadEnd)}`);
      },
      onResponse: (correlationId) => events.push(`response ${correlationId}`),
      onCommand: (command) => {
        options.onCommand?.();
        commands.push(command);
        events.push(`command ${command.kind}`);
      },
      onDrain: () => {},
      onClosed: (fault) => events.push(`closed ${fault}`),
    },
    clock,
    log: { ...silentLog, error: (_, facts) => errors.push(facts!) },
    maxFrameSize: MAX_FRAME,
    maxInactivityDurationMs: options.maxInactivityDurationMs ?? 0,
    negotiationTimeoutMs: 1_000,
    topicLevels: 128,
    host: null,
  });
  const give = (bytes: Buffer): void => channel.onData(bytes, 0, bytes.length);
  return { connection, channel, clock, events, commands, errors, give, offer: () => offer };
}

const OFFER = { ...DEFAULT_OFFER, maxFrameSizeBytes: MAX_FRAME };
const HELLO = formatOf(12).encode(wireFormatInfoOf(OFFER, new Map([['RoundhouseLink', intValue(1)]])));

function publication(topic: string, payload: string): Buffer {
  const { buffer, start, end } = Message.of(topic, Buffer.from(payload), 1).frame(new PublicationForm('ID:x', 'ID:x', () => 1));
  return buffer.subarray(start, end);
}

test('a broker of ours is known by its name and the version of its link', () => {
  const { give, offer } = open();
  give(HELLO);
  assert.equal(linkVersionOf(offer()!), 1);
  const other = open();
  other.give(formatOf(12).encode(wireFormatInfoOf({ ...OFFER, providerName: 'ActiveMQ' }, new Map([['RoundhouseLink', intValue(1)]]))));
  assert.equal(linkVersionOf(other.offer()!), 0);
});

test('frames are told in order, whatever pieces they come in', () => {
  const stream = Buffer.concat([
    HELLO,
    formatOf(12).encode(createBrokerInfo({ brokerName: 'b' })),
    Buffer.from('0000000100', 'hex'), // null command
    publication('a/b', 'hello'),
    formatOf(12).encode(createResponse({ correlationId: 77 })),
  ]);
  const expected = ['negotiated', 'command 2', 'publication a/b hello', 'response 77'];
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 30 }), (cuts) => {
      const { events, give } = open();
      const at = [0, ...cuts.sort((x, y) => x - y), stream.length];
      for (let i = 1; i < at.length; i++) give(Buffer.from(stream.subarray(at[i - 1]!, at[i]!)));
      assert.deepEqual(events, expected);
    }),
  );
});

test('any bytes end the connection with a reason or do nothing; nothing else comes out', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, negotiated) => {
      const { give, connection, channel, events } = open();
      if (negotiated) give(HELLO);
      give(Buffer.from(bytes));
      if (!connection.destroyed) return;
      channel.onClose(null);
      assert.match(events.at(-1)!, /^closed .+/);
    }),
    { numRuns: 2_000 },
  );
});

test('answers and commands have the bytes of the specification', () => {
  const { connection, channel, give } = open();
  give(HELLO);
  connection.take();
  channel.respond(99);
  assert.equal(connection.take().toString('hex'), '0000000a1e000000000000000063');
  channel.sendKeepAlive(true);
  assert.equal(connection.take().toString('hex'), '000000060a0000000101');
  assert.equal(channel.request(createBrokerInfo()), 2);
  assert.equal(connection.take().subarray(5, 10).toString('hex'), '0000000201');
});

test('a message goes out with its numbers patched in, small or large, and leaves its frame as it was', () => {
  for (const size of [10, 50_000]) {
    const { connection, channel, give } = open();
    give(HELLO);
    connection.take();
    const frame = Message.of('t', Buffer.alloc(size, 0x61), 1).frame(new PublicationForm('ID:x', 'ID:x', () => 1));
    const before = Buffer.from(frame.buffer);
    const commandId = channel.sendPublication(frame, true, 42);
    const sent = connection.take();
    const message = formatOf(12).decode(sent, 4, sent.length) as BytesMessage;
    assert.deepEqual(
      [message.commandId, message.responseRequired, message.messageId!.brokerSequenceId, message.content!.length],
      [commandId, true, 42, size],
    );
    assert.deepEqual(frame.buffer, before);
  }
});

test('a peer of an older version gets and sends messages in its own form', () => {
  const { connection, channel, give, commands } = open();
  give(formatOf(9).encode(wireFormatInfoOf({ ...OFFER, version: 9 })));
  connection.take();
  const frame = Message.of('t', Buffer.from('p'), 1).frame(new PublicationForm('ID:x', 'ID:x', () => 1));
  const commandId = channel.sendPublication(frame, true, 0);
  const sent = connection.take();
  const message = formatOf(9).decode(sent, 4, sent.length) as BytesMessage;
  assert.deepEqual([message.commandId, message.destination!.physicalName, message.content!.toString()], [commandId, 't', 'p']);
  give(sent);
  assert.equal((commands[0] as BytesMessage).content!.toString(), 'p');
});

test('what is larger than the peer takes is not sent', () => {
  const { connection, channel, give } = open();
  give(formatOf(12).encode(wireFormatInfoOf({ ...OFFER, maxFrameSizeBytes: 100 })));
  connection.take();
  assert.equal(channel.maxFrameSize, 100);
  assert.equal(channel.send(createBrokerInfo({ brokerName: 'x'.repeat(200) })), false);
  assert.equal(channel.sendEncoded(publication('t', 'x'.repeat(200))), false);
  assert.equal(connection.take().length, 0);
});

test('a peer that says nothing in time is closed', () => {
  const { connection, channel, events } = open();
  mock.timers.tick(999);
  assert.equal(connection.destroyed, false);
  mock.timers.tick(1);
  channel.onClose(null);
  assert.deepEqual(events, ['closed no complete WireFormatInfo within 1000 ms']);
});

test('the inactivity monitor keeps the connection alive when nothing is sent, and drops it when nothing is heard', () => {
  const { connection, give, channel, events } = open({ maxInactivityDurationMs: 3_000 });
  give(formatOf(12).encode(wireFormatInfoOf({ ...OFFER, maxInactivityDurationMs: 30_000, maxInactivityDurationInitialDelayMs: 5_000 })));
  connection.take();
  mock.timers.tick(5_000);
  channel.respond(1);
  mock.timers.tick(1_000);
  assert.equal(connection.take().length, 14, 'the answer alone: something was sent in this third of a period');
  mock.timers.tick(1_000);
  assert.equal(connection.take().toString('hex'), '000000060a0000000100', 'nothing else was');
  give(formatOf(12).encode(createKeepAliveInfo()));
  mock.timers.tick(1_000);
  assert.equal(connection.destroyed, false, 'heard in the first period');
  mock.timers.tick(3_000);
  assert.equal(connection.destroyed, true);
  channel.onClose(null);
  assert.equal(events.at(-1), 'closed nothing heard for 3000 ms');
});

test('a keep-alive that asks for an echo gets one, others none', () => {
  const { connection, give } = open();
  give(HELLO);
  connection.take();
  const keepAlive = createKeepAliveInfo();
  give(formatOf(12).encode(keepAlive));
  assert.equal(connection.take().length, 0);
  keepAlive.responseRequired = true;
  give(formatOf(12).encode(keepAlive));
  assert.equal(connection.take().toString('hex'), '000000060a0000000100');
});

test('after the end nothing is handed on, and a peer that does not close its side is cut', () => {
  const { connection, channel, give, events } = open();
  give(HELLO);
  channel.end();
  give(publication('t', 'late'));
  assert.deepEqual(events, ['negotiated']);
  mock.timers.tick(1_000);
  assert.equal(connection.destroyed, true);
});

test('an error of ours while a peer is read ends its connection alone, and is logged once', () => {
  const { connection, channel, give, events, errors } = open({
    onCommand: () => {
      throw new TypeError('stumbled');
    },
  });
  give(HELLO);
  const info = formatOf(12).encode(createBrokerInfo());
  give(Buffer.concat([info, info]));
  assert.equal(connection.destroyed, true);
  channel.onClose(null);
  assert.deepEqual(events, ['negotiated', 'closed an error of ours while reading what it sent']);
  assert.equal(errors.length, 1);
  assert.match(String(errors[0]!.error), /TypeError: stumbled\n.*channel\.test/s);
});

/** Keep-alives that ask for an echo, whose echoes are `bytes` and a little more. */
function questions(bytes: number): Buffer {
  const keepAlive = createKeepAliveInfo();
  keepAlive.responseRequired = true;
  const frame = formatOf(12).encode(keepAlive);
  return Buffer.alloc((Math.floor(bytes / frame.length) + 1) * frame.length, frame);
}

test('a peer that does not take its answers is not read until it has', () => {
  const { connection, channel, clock, give } = open();
  give(HELLO);
  connection.stuck = true;
  give(questions(ANSWERS_QUEUED_MAX_BYTES / 2));
  assert.equal(connection.paused, false);
  give(questions(ANSWERS_QUEUED_MAX_BYTES / 2));
  assert.equal(connection.paused, true);
  assert.match(channel.silenceFault(5), /did not take our answers for 5 ms/);
  clock.advance(9_000);
  connection.queuedBytes = 0;
  channel.onDrain();
  assert.equal(connection.paused, false);
  assert.equal(channel.heardAtMs, 9_000, 'the silence was our own doing');
});

test('a peer that takes its answers is read on, however many there were and however much else is queued', () => {
  const { connection, channel, give } = open();
  give(HELLO);
  connection.stuck = true;
  for (let i = 0; i < 20; i++) {
    channel.sendEncoded(publication('t', 'x'.repeat(90_000)));
    give(questions(ANSWERS_QUEUED_MAX_BYTES / 8));
    connection.queuedBytes = Math.min(connection.queuedBytes, ANSWERS_QUEUED_MAX_BYTES / 4); // never empty
  }
  const message = publication('t', 'x'.repeat(90_000));
  for (let i = 0; i < 200; i++) channel.sendEncoded(message);
  give(formatOf(12).encode(createKeepAliveInfo()));
  assert.equal(connection.paused, false);
});

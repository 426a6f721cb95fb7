/*
 * Whatever a peer sends, a decoder returns a value or throws one of its declared errors; it never hangs, never runs out of stack, and
 * never allocates what the frame only claims.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { SOAK_FACTOR } from '../../../../test/harness/soak.ts';
import { ProtocolError } from '../../../errors.ts';
import { plainContent, readMapBody, readStreamBody, readTextBody } from './bodies.ts';
import {
  createBytesMessage,
  createMapMessage,
  createStreamMessage,
  createTextMessage,
  TYPES,
  VERSION_MAX,
  VERSION_MIN,
  WIRE_FORMAT_INFO,
} from './commands.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { PropertyCursor } from './message-properties.ts';
import { decodePrimitiveMap } from './primitive-map.ts';
import { WireFormat } from './wire-format.ts';
import { readWireFormatInfo } from './wire-format-info.ts';

const MAX_FRAME_SIZE_BYTES = 1_000_000;

/** A frame of the golden vectors and the format it is in. */
interface Sample {
  frame: Buffer;
  version: number;
  tight: boolean;
}

function samples(): Sample[] {
  const all: Sample[] = [];
  for (const file of ['commands.json', 'edges.json', 'throwables.json']) {
    const { vectors } = JSON.parse(readFileSync(`test/fixtures/openwire/${file}`, 'utf8')) as {
      vectors: { enc: Record<string, Record<string, string>> }[];
    };
    for (const { enc } of vectors) {
      for (const [version, encodings] of Object.entries(enc)) {
        for (const [encoding, hex] of Object.entries(encodings)) {
          all.push({ frame: Buffer.from(hex, 'hex').subarray(4), version: Number(version.slice(1)), tight: encoding === 'tight' });
        }
      }
    }
  }
  return all;
}

const corpus = samples();

/** What happens to a sample on its way: `at` and `value` are taken modulo what there is. */
const mutation = fc.record({
  how: fc.constantFrom('set', 'flip', 'insert', 'remove', 'truncate', 'length', 'repeat'),
  at: fc.nat(),
  value: fc.nat(255),
});

type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never;

/** Values that lengths and counts are most likely to be wrong by. */
const EXTREMES = [0x7fffffff, -1, -2, 0x10000, 0x8000, 0x7fff, 0, 0xff];

function mutate(frame: Buffer, { how, at, value }: Mutation): Buffer {
  const place = at % Math.max(1, frame.length);
  const changed = Buffer.from(frame);
  switch (how) {
    case 'set':
      changed[place] = value;
      return changed;
    case 'flip':
      changed[place]! ^= 1 << (value & 7);
      return changed;
    case 'insert':
      return Buffer.concat([frame.subarray(0, place), Buffer.from([value]), frame.subarray(place)]);
    case 'remove':
      return Buffer.concat([frame.subarray(0, place), frame.subarray(place + 1)]);
    case 'truncate':
      return changed.subarray(0, place);
    case 'length':
      if (place + 4 <= changed.length) changed.writeInt32BE(EXTREMES[value % EXTREMES.length]!, place);
      return changed;
    case 'repeat':
      return Buffer.concat([frame.subarray(0, place), ...new Array(value % 40).fill(frame.subarray(0, 60)), frame.subarray(place)]);
  }
}

function formatOf(version: number, tight: boolean, cacheEnabled: boolean, stackTraceEnabled: boolean): WireFormat {
  return new WireFormat(
    { version, tightEncodingEnabled: tight, cacheEnabled, cacheSize: 128, stackTraceEnabled, maxFrameSizeBytes: MAX_FRAME_SIZE_BYTES },
    { shareBytes: true },
  );
}

/** Runs a decoder; anything but a value or a ProtocolError that says where fails the test. */
function mayOnlyRefuse(decode: () => unknown, what: string): 'value' | 'refused' {
  try {
    decode();
    return 'value';
  } catch (error) {
    assert.ok(error instanceof ProtocolError, `${what}: ${String(error)}`);
    assert.equal(error.code, 'OPENWIRE_MALFORMED');
    assert.equal(error.source, 'peer');
    return 'refused';
  }
}

test('mutated frames decode or are refused with a ProtocolError', () => {
  let refused = 0;
  const cases = 20_000 * SOAK_FACTOR;
  fc.assert(
    fc.property(
      fc.nat(corpus.length - 1),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.boolean(),
      (index, mutations, cacheEnabled, stackTraces) => {
        const { frame, version, tight } = corpus[index]!;
        const changed = mutations.reduce(mutate, frame);
        const format = formatOf(version, tight, cacheEnabled, stackTraces);
        if (mayOnlyRefuse(() => format.decode(changed, 0, changed.length), changed.toString('hex')) === 'refused') refused++;
      },
    ),
    { numRuns: cases },
  );
  assert.ok(refused > cases / 4 && refused < cases, `the cases are neither all good nor all bad: ${refused} of ${cases} were refused`);
});

test('frames decode or are refused whatever format they are read in', () => {
  for (const [index, { frame }] of corpus.entries()) {
    for (const tight of [false, true]) {
      for (const cacheEnabled of [false, true]) {
        const format = formatOf(VERSION_MIN + (index % VERSION_MAX), tight, cacheEnabled, index % 2 === 0);
        mayOnlyRefuse(() => format.decode(frame, 0, frame.length), frame.toString('hex'));
      }
    }
  }
});

test('arbitrary bytes after any type code decode or are refused with a ProtocolError', () => {
  const codes = [...TYPES.map(({ code }) => code), 0, 13, 255];
  const versions = fc.integer({ min: VERSION_MIN, max: VERSION_MAX });
  fc.assert(
    fc.property(
      fc.constantFrom(...codes),
      fc.uint8Array({ maxLength: 200 }),
      versions,
      fc.boolean(),
      fc.boolean(),
      (code, bytes, version, tight, cacheEnabled) => {
        const frame = Buffer.concat([Buffer.from([code]), bytes]);
        mayOnlyRefuse(() => formatOf(version, tight, cacheEnabled, true).decode(frame, 0, frame.length), frame.toString('hex'));
      },
    ),
    { numRuns: 20_000 * SOAK_FACTOR },
  );
});

test('arbitrary property maps and bodies are read or refused with a ProtocolError', () => {
  const tags = fc.constantFrom(...Array.from({ length: 15 }, (_, tag) => tag));
  const likely = fc.array(fc.oneof(tags, fc.constantFrom(0, 0, 0, 1), fc.nat(255)), { maxLength: 60 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(
      fc.oneof(likely, fc.uint8Array({ maxLength: 60 }).map(Buffer.from)),
      fc.nat(3),
      fc.boolean(),
      (bytes, count, compressed) => {
        const properties = Buffer.concat([Buffer.from([0, 0, 0, count]), bytes]);
        const what = properties.toString('hex');
        mayOnlyRefuse(() => decodePrimitiveMap(properties), what);
        mayOnlyRefuse(() => {
          const cursor = new PropertyCursor();
          cursor.open(properties);
          while (cursor.next());
        }, what);
        mayOnlyRefuse(
          () =>
            readWireFormatInfo({ kind: WIRE_FORMAT_INFO, magic: Buffer.from('ActiveMQ'), version: 12, marshalledProperties: properties }),
          what,
        );
        for (const content of compressed ? [properties, deflateSync(properties)] : [properties]) {
          mayOnlyRefuse(() => readTextBody(createTextMessage({ content, compressed })), what);
          mayOnlyRefuse(() => readMapBody(createMapMessage({ content, compressed })), what);
          mayOnlyRefuse(() => readStreamBody(createStreamMessage({ content, compressed })), what);
          mayOnlyRefuse(() => plainContent(createBytesMessage({ content, compressed })), what);
        }
      },
    ),
    { numRuns: 3000 * SOAK_FACTOR },
  );
});

test('arbitrary bytes through the splitter give frames within the limit or a ProtocolError', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 10 }), (chunks) => {
      const splitter = new FrameSplitter(20, (_, start, end) => assert.ok(end - start >= 1 && end - start <= 20));
      mayOnlyRefuse(() => {
        for (const chunk of chunks) splitter.push(Buffer.from(chunk), 0, chunk.length);
      }, 'chunks');
    }),
    { numRuns: 3000 * SOAK_FACTOR },
  );
});

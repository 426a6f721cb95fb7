import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

test('integers are written big-endian, the low bits of what they are given', () => {
  const out = new ByteWriter(1);
  out.u8(-1);
  out.u16(-2);
  out.u16(65_534);
  out.u32(-3);
  out.u32(4_294_967_293);
  assert.equal(out.copy().toString('hex'), 'fffffefffefffffffdfffffffd');
});

test('64-bit integers come back as they were, as numbers and as bigints', () => {
  const value = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
  fc.assert(
    fc.property(value, (written) => {
      const out = new ByteWriter(1);
      out.i64(written);
      assert.equal(out.copy().readBigInt64BE(0), BigInt(written));
      const from = new ByteReader();
      from.open(out.buffer, 0, out.length);
      assert.equal(BigInt(from.i64()), BigInt(written));
    }),
  );
});

test('floats and doubles are IEEE 754', () => {
  const out = new ByteWriter();
  out.f32(1.5);
  out.f64(-2.25);
  assert.equal(out.copy().toString('hex'), '3fc00000c002000000000000');
});

test('bytes, parts of buffers and texts follow each other, however often the buffer has to grow', () => {
  const out = new ByteWriter(2);
  out.bytes(Buffer.from('ab'));
  out.slice(Buffer.from('0123456789'), 3, 6);
  out.latin1('é');
  out.latin1('y'.repeat(5000));
  const expected = Buffer.concat([Buffer.from('ab345'), Buffer.from([0xe9]), Buffer.alloc(5000, 'y')]);
  assert.deepEqual(out.copy(), expected);
  assert.deepEqual(out.copy(4), expected.subarray(4));
  assert.equal(out.length, expected.length);
});

test('room that was skipped is filled in later', () => {
  const out = new ByteWriter(1);
  const [two, four] = [out.skip(2), out.skip(4)];
  out.u8(7);
  out.setU16(two, 0x0102);
  out.setU32(four, 0x03040506);
  assert.equal(out.copy().toString('hex'), '01020304050607');
});

test('what was written can be taken back, in part or in whole', () => {
  const out = new ByteWriter();
  out.u16(0x0102);
  out.truncate(1);
  assert.deepEqual(out.copy(), Buffer.from([1]));
  out.reset();
  assert.equal(out.length, 0);
});

test('one large frame does not keep its memory for ever', () => {
  const out = new ByteWriter();
  out.skip(3_000_000);
  out.reset();
  assert.ok(out.buffer.length < 100_000);
});

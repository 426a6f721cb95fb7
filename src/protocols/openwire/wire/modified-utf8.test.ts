import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader } from '../../../bytes/byte-reader.ts';
import { ByteWriter } from '../../../bytes/byte-writer.ts';
import { modifiedUtf8Length, readModifiedUtf8, writeModifiedUtf8, writeUtf } from './modified-utf8.ts';

function encode(text: string): Buffer {
  const out = new ByteWriter(1);
  writeModifiedUtf8(out, text, modifiedUtf8Length(text));
  return out.copy();
}

function decode(bytes: Buffer): string {
  const from = new ByteReader();
  from.open(bytes, 0, bytes.length);
  return readModifiedUtf8(from, bytes.length);
}

test('each UTF-16 code unit is encoded on its own, U+0000 in two bytes', () => {
  const cases: [string, string][] = [
    ['', ''],
    ['a\u007f', '617f'],
    ['\u0000', 'c080'],
    ['é', 'c3a9'],
    ['\u07ff', 'dfbf'],
    ['\u0800', 'e0a080'],
    ['€', 'e282ac'],
    ['😀', 'eda0bdedb880'],
    ['\ud83d', 'eda0bd'],
    ['\uffff', 'efbfbf'],
  ];
  for (const [text, hex] of cases) {
    assert.equal(encode(text).toString('hex'), hex);
    assert.equal(decode(Buffer.from(hex, 'hex')), text);
  }
});

test('every string comes back as it was, lone surrogates included', () => {
  const anyUnits = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));
  fc.assert(fc.property(fc.oneof(anyUnits, fc.string({ unit: 'binary', maxLength: 200 })), (text) => decode(encode(text)) === text));
});

test('the short form has its length in front and says whether the text is plain', () => {
  const cases: [string, boolean, string][] = [
    ['', true, '0000'],
    ['ab', true, '00026162'],
    ['a\u0000', false, '000361c080'],
    ['né', false, '00036ec3a9'],
  ];
  for (const [text, isPlain, hex] of cases) {
    const out = new ByteWriter(1);
    assert.equal(writeUtf(out, text, 100), isPlain);
    assert.equal(out.copy().toString('hex'), hex);
  }
});

test('a text longer than allowed is refused, counted in bytes', () => {
  const out = new ByteWriter();
  assert.equal(writeUtf(out, 'abc', 3), true);
  assert.throws(() => writeUtf(out, 'abcd', 3), { code: 'OPENWIRE_UNENCODABLE' });
  assert.throws(() => writeUtf(out, 'éé', 3), { code: 'OPENWIRE_UNENCODABLE' });
});

test('as in Java a U+0000 of one byte and overlong forms are read', () => {
  assert.equal(decode(Buffer.from('0061c1a1e08181', 'hex')), '\u0000aaA');
});

test('what is no modified UTF-8 is refused with its place', () => {
  const cases: [string, string][] = [
    ['6180', 'byte 1: modified UTF-8 was expected, 0x80 begins no character'],
    ['f09f9880', 'byte 0: modified UTF-8 was expected, 0xf0 begins no character'],
    ['61c3', 'byte 1: modified UTF-8 was expected, the last character is cut off'],
    ['e282', 'byte 0: modified UTF-8 was expected, the last character is cut off'],
    ['c341', 'byte 1: modified UTF-8 was expected, 0x41 does not continue a character'],
    ['e28241', 'byte 2: modified UTF-8 was expected, 0x41 does not continue a character'],
  ];
  for (const [hex, message] of cases) assert.throws(() => decode(Buffer.from(hex, 'hex')), { code: 'OPENWIRE_MALFORMED', message });
});

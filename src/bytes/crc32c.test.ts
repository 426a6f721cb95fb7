import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from './crc32c.ts';

test('CRC32c of the examples of RFC 3720 section B.4', () => {
  const upwards = Uint8Array.from({ length: 32 }, (_, i) => i);
  const scsiRead = '01c00000000000000000000000000000140000000000040000000014000000182800000000000000' + '0200000000000000';
  for (const [bytes, expected] of [
    [new Uint8Array(32), 0x8a91_36aa],
    [new Uint8Array(32).fill(0xff), 0x62a8_ab43],
    [upwards, 0x46dd_794e],
    [upwards.toReversed(), 0x113f_db5c],
    [Buffer.from(scsiRead, 'hex'), 0xd996_3a56],
  ] as const)
    assert.equal(crc32c(bytes).toString(16), expected.toString(16));
});

test('CRC32c of the ten digits, the check value of the catalogue, and of nothing', () => {
  assert.equal(crc32c(Buffer.from('123456789')).toString(16), 'e3069283');
  assert.equal(crc32c(Buffer.alloc(0)), 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INT_MAX, parseSize } from './sizes.ts';

const KB = 1024;

for (const [text, bytes] of [
  ['0', 0],
  ['1024', 1024],
  ['512b', 512],
  ['1k', KB],
  ['32 kb', 32 * KB],
  ['64m', 64 * KB ** 2],
  ['64mb', 64 * KB ** 2],
  [' 64 MB ', 64 * KB ** 2],
  ['1g', KB ** 3],
  ['100 gb', 107_374_182_400],
  ['50 Gb', 53_687_091_200],
  ['007', 7],
] as const) {
  test(`a size of "${text}" is ${bytes} bytes`, () => {
    assert.deepEqual(parseSize(text), { bytes });
  });
}

for (const [text, problem] of [
  ['', 'expected a size such as 64mb or "100 gb" (digits and one of b, kb, mb, gb), found ""'],
  ['gb', 'expected a size such as 64mb or "100 gb" (digits and one of b, kb, mb, gb), found "gb"'],
  ['-1', 'expected a size such as 64mb or "100 gb" (digits and one of b, kb, mb, gb), found "-1"'],
  ['1.5gb', 'expected a size such as 64mb or "100 gb" (digits and one of b, kb, mb, gb), found "1.5gb"'],
  ['100 g b', 'expected a size such as 64mb or "100 gb" (digits and one of b, kb, mb, gb), found "100 g b"'],
  ['1,000mb', 'expected a size such as 64mb or "100 gb" (digits and one of b, kb, mb, gb), found "1,000mb"'],
  ['1tb', 'unit must be b, kb, mb or gb, found "tb"'],
  ['100 gbb', 'unit must be b, kb, mb or gb, found "gbb"'],
  ['9007199254740992', '9007199254740992 is 9007199254740992 bytes, more than the largest value possible here, 9007199254740991'],
] as const) {
  test(`a size of "${text}" is refused with what was expected`, () => {
    assert.deepEqual(parseSize(text), { problem });
  });
}

test('a size beyond an int property is refused, where ActiveMQ would read 4gb as 0', () => {
  assert.deepEqual(parseSize('4gb', INT_MAX), {
    problem: '4gb is 4294967296 bytes, more than the largest value possible here, 2147483647',
  });
  assert.deepEqual(parseSize('2147483647', INT_MAX), { bytes: INT_MAX });
});

test('a size of absurdly many digits is refused without losing precision', () => {
  const size = parseSize(`${'9'.repeat(400)}gb`);
  assert.ok('problem' in size && size.problem.includes('more than the largest value possible here'));
});

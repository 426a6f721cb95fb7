import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { saslprep } from './saslprep.ts';

for (const { what, given, prepared } of [
  { what: 'plain text stays', given: 'user', prepared: 'user' },
  { what: 'case stays', given: 'USER', prepared: 'USER' },
  {
    what: 'every printable ASCII character stays',
    given: ' !"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~',
    prepared: ' !"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~',
  },
  { what: 'a soft hyphen goes (RFC 4013 section 3)', given: 'I\u00adX', prepared: 'IX' },
  { what: 'compatibility characters are replaced (RFC 4013 section 3)', given: '\u00aa', prepared: 'a' },
  { what: 'a Roman numeral is letters (RFC 4013 section 3)', given: '\u2168', prepared: 'IX' },
  { what: 'a character and its parts are one', given: 'e\u0301', prepared: '\u00e9' },
  { what: 'other spaces are spaces', given: 'a\u00a0b\u3000c\u200bd', prepared: 'a b c d' },
  { what: 'a zero width joiner goes', given: 'a\u200db\ufeff', prepared: 'ab' },
  { what: 'characters beyond 16 bits stay', given: '\u{1f600}', prepared: '\u{1f600}' },
  { what: 'a control character of ASCII is prohibited (RFC 4013 section 3)', given: '\u0007', prepared: null },
  { what: 'another control character is prohibited', given: 'a\u0085', prepared: null },
  { what: 'private use is prohibited', given: '\ue000', prepared: null },
  { what: 'a noncharacter is prohibited', given: '\u{1fffe}', prepared: null },
  { what: 'a lone surrogate is prohibited', given: 'a\ud800', prepared: null },
  { what: 'the replacement character is prohibited', given: '\ufffd', prepared: null },
  { what: 'a change of direction is prohibited', given: 'a\u202eb', prepared: null },
  { what: 'a tag is prohibited', given: '\u{e0041}', prepared: null },
]) {
  test(`SASLprep: ${what}`, () => assert.equal(saslprep(given), prepared));
}

test('SASLprep of what is prepared changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const once = saslprep(text);
      if (once !== null) assert.equal(saslprep(once), once);
    }),
  );
});

/**
 * Prepares a user name or password for comparison: SASLprep (RFC 4013) of stored strings.
 *
 * Printable ASCII stays as it is. Of anything else, other spaces become U+0020, what is commonly mapped to nothing goes, the rest is put
 * in normalization form KC by this program's Unicode version, and characters that the profile prohibits make it null. Knowingly left out:
 * the check of mixed directions (RFC 3454 section 6) and that of code points which Unicode 3.2 had not assigned. Both only refuse more.
 */
export function saslprep(text: string): string | null {
  if (PRINTABLE_ASCII.test(text)) return text;
  const prepared = text.replace(OTHER_SPACES, ' ').replace(MAPPED_TO_NOTHING, '').normalize('NFKC');
  return PROHIBITED.test(prepared) ? null : prepared;
}

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** RFC 3454 table C.1.2. */
const OTHER_SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;

/** RFC 3454 table B.1; U+200B counts as a space. */
const MAPPED_TO_NOTHING = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;

/** RFC 3454 tables C.1.2 and C.2.1 to C.9, one line each. */
const PROHIBITED = new RegExp(
  [
    '[\\u00a0\\u1680\\u2000-\\u200b\\u202f\\u205f\\u3000]', // other spaces
    '[\\u0000-\\u001f\\u007f]', // control characters of ASCII
    '[\\u0080-\\u009f\\u06dd\\u070f\\u180e\\u200c\\u200d\\u2028\\u2029\\u2060-\\u2063\\u206a-\\u206f\\ufeff\\ufff9-\\ufffc\\u{1d173}-\\u{1d17a}]', // others
    '[\\ue000-\\uf8ff\\u{f0000}-\\u{ffffd}\\u{100000}-\\u{10fffd}]', // private use
    '\\p{Noncharacter_Code_Point}',
    '[\\ud800-\\udfff]', // surrogates: only those that stand alone are seen here
    '\\ufffd', // not for plain text
    '[\\u2ff0-\\u2ffb]', // not for canonical representation
    '[\\u0340\\u0341\\u200e\\u200f\\u202a-\\u202e]', // change of display
    '[\\u{e0001}\\u{e0020}-\\u{e007f}]', // tags
  ].join('|'),
  'u',
);

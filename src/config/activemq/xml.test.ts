import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '../diagnostic.ts';
import { parseXml, XML_BYTES_MAX, XML_DEPTH_MAX, type XmlElement } from './xml.ts';

function faults(input: string | Uint8Array): string[] {
  const { root, diagnostics } = parseXml(input, 'f.xml');
  assert.equal(root, null);
  return diagnostics.map(formatDiagnostic);
}

function root(input: string | Uint8Array): XmlElement {
  const parsed = parseXml(input, 'f.xml');
  assert.deepEqual(parsed.diagnostics, []);
  assert.ok(parsed.root);
  return parsed.root;
}

const where = ({ line, column }: { line: number; column: number }) => `${line}:${column}`;

test('elements, attributes and every character of their values know their place', () => {
  const a = root('<?xml version="1.0"?>\r\n<!-- c --><a\r\n  x = "1&amp;&#x1F600;2\n3"\ty=\'é😀!\' ><b/>\n t&lt;u</a>\n');
  assert.equal(where(a.place), '2:11');
  const [x, y] = a.attributes;
  assert.deepEqual([x!.name, x!.value.text, where(x!.place)], ['x', '1&😀2 3', '3:3']);
  const characters = [...x!.value.text].map((_, i, all) => where(x!.value.at(all.slice(0, i).join('').length)));
  assert.deepEqual(characters, ['3:8', '3:9', '3:14', '3:23', '3:24', '4:1']);
  assert.equal(where(x!.value.at(x!.value.text.length)), '4:2');
  assert.deepEqual([y!.value.text, where(y!.place), where(y!.value.at(0)), where(y!.value.at(3))], ['é😀!', '4:4', '4:7', '4:9']);
  assert.equal(where(a.children[0]!.place), '4:13');
  assert.deepEqual([a.content.text, where(a.content.at(2)), where(a.content.at(4))], ['\n t<u', '5:2', '5:7']);
});

test('namespaces are resolved, with and without prefixes, and their declarations are no attributes', () => {
  const a = root('<a xmlns="u:a" xmlns:q="u:q" x="1" q:x="2"><q:b><c/></q:b><d xmlns=""/></a>');
  assert.deepEqual(
    a.attributes.map(({ name, local, namespace }) => [name, local, namespace]),
    [
      ['x', 'x', ''],
      ['q:x', 'x', 'u:q'],
    ],
  );
  const [b, d] = a.children;
  assert.deepEqual([a.namespace, b!.namespace, b!.local, b!.children[0]!.namespace, d!.namespace], ['u:a', 'u:q', 'b', 'u:a', '']);
});

test('text is joined across comments and CDATA, and each part keeps its place', () => {
  const { content } = root('<a>one<!-- & --> <![CDATA[<&>]]>two<b/>three</a>');
  assert.equal(content.text, 'one <&>twothree');
  assert.deepEqual(
    ['o', '<', 't', 'h'].map((c) => where(content.at(content.text.indexOf(c)))),
    ['1:4', '1:27', '1:33', '1:41'],
  );
});

test('an attribute value may hold the other kind of quote, ">" and nothing at all', () => {
  const { attributes } = root(`<a x='"' y="'>" z=""/>`);
  assert.deepEqual(
    attributes.map(({ name, value, place }) => [name, value.text, where(place), where(value.at(0))]),
    [
      ['x', '"', '1:4', '1:7'],
      ['y', "'>", '1:10', '1:13'],
      ['z', '', '1:17', '1:20'],
    ],
  );
});

test('a byte order mark is read and counts as no column, in UTF-8 and UTF-16', () => {
  assert.equal(where(root('\ufeff<a x="1"/>').attributes[0]!.place), '1:4');
  for (const [encoding, mark] of [
    ['utf8', [0xef, 0xbb, 0xbf]],
    ['utf16le', [0xff, 0xfe]],
  ] as const) {
    const a = root(Buffer.concat([Buffer.from(mark), Buffer.from('<a x="é"/>', encoding)]));
    assert.deepEqual([a.attributes[0]!.value.text, where(a.attributes[0]!.place)], ['é', '1:4']);
  }
  const bigEndian = Buffer.from('\ufeff<a x="é"/>', 'utf16le').swap16();
  assert.equal(root(bigEndian).attributes[0]!.value.text, 'é');
  assert.equal(root(Buffer.from('<a x="é"/>', 'utf16le')).attributes[0]!.value.text, 'é');
});

test('an encoding that the declaration names is used', () => {
  assert.equal(root(Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a x="é"/>', 'latin1')).attributes[0]!.value.text, 'é');
});

const CUT = 'is it cut off?';

for (const [title, input, ...expected] of [
  ['an empty file', '', 'f.xml: error: the file is empty: expected XML with a <broker> element'],
  ['white space', ' \n\t\n', 'f.xml: error: the file is empty: expected XML with a <broker> element'],
  ['JSON', '\n {"a": 1}', 'f.xml:2:2: error: the file is not XML: expected "<", found "{"'],
  ['binary', '\u0000\u0001', 'f.xml:1:1: error: the file is not XML: expected "<", found the character U+0000'],
  ['a cut tag', '<a', `f.xml:1:3: error: the file ends before its first element is complete: ${CUT}`],
  ['a cut attribute', '<a><b x="1', `f.xml:1:11: error: the file ends inside <a> of line 1: ${CUT}`],
  ['a cut value', '<a>\n<b>\nx', `f.xml:3:2: error: the file ends inside <b> of line 2: ${CUT}`],
  ['a cut entity', '<a>&am', `f.xml:1:7: error: the file ends inside <a> of line 1: ${CUT}`],
  ['a cut comment', '<a>\n <!-- x ->', 'f.xml:2:2: error: the comment that begins here has no end (-->): is the file cut off?'],
  [
    'a cut CDATA section',
    '<a><![CDATA[ x ]]',
    'f.xml:1:4: error: the CDATA section that begins here has no end (]]>): is the file cut off?',
  ],
  [
    'a cut instruction',
    '<?xml version',
    'f.xml:1:1: error: the processing instruction that begins here has no end (?>): is the file cut off?',
  ],
  ['a wrong closing tag', '<a>\n <b>\n</a>', 'f.xml:3:1: error: </a> stands where </b> is expected, which closes the element of line 2'],
  ['a stray closing tag', '<a>\n</a></a>', 'f.xml:2:5: error: </a> closes an element that was never opened'],
  ['two roots', '<a/>\n<b/>', 'f.xml:2:1: error: a second root element; everything must stand inside <a>'],
  ['text behind the root', '<a/>\n  x', 'f.xml:2:3: error: text outside of the root element'],
  ['an attribute twice', '<a x="1"\n x="2"/>', 'f.xml:2:2: error: attribute x is given twice in one element'],
  [
    'an attribute twice by two prefixes',
    '<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>',
    'f.xml:1:36: error: attribute q:x is given twice in one element',
  ],
  ['a value without quotes', '<a x=1/>', 'f.xml:1:6: error: an attribute value must stand in quotes'],
  ['an attribute without value', '<a x y="1"/>', 'f.xml:1:6: error: an attribute needs a value: name="value"'],
  ['a missing space', '<a x="1"y="2"/>', 'f.xml:1:9: error: a space is missing between two attributes'],
  ['a missing quote', '<a x="1>\n<b/></a>', 'f.xml:2:1: error: "<" inside an attribute value: its closing quote is missing, or write &lt;'],
  [
    'an unbound prefix',
    '<a>\n<q:b/></a>',
    'f.xml:2:1: error: prefix "q" is not bound to a namespace: add xmlns:q="..." to an outer element',
  ],
  ['two dashes in a comment', '<a><!-- x -- y --></a>', 'f.xml:1:13: error: "--" is not allowed inside a comment'],
  ['a control character', '<a>\u0001</a>', 'f.xml:1:4: error: the character U+0001 is not allowed in XML'],
  ['a reference to a control character', '<a>&#1;</a>', 'f.xml:1:4: error: &#1; is not a character that XML allows'],
  ['a name that begins with a digit', '<1/>', 'f.xml:1:2: error: not well-formed XML: disallowed character in tag name'],
  [
    'a late declaration',
    '<a/><?xml version="1.0"?>',
    'f.xml:1:10: error: not well-formed XML: an XML declaration must be at the start of the document',
  ],
] as const) {
  test(`${title} is refused, with its place`, () => {
    assert.deepEqual(faults(input), expected);
  });
}

test('a bare & is reported at its own place, every one of them, and nowhere else', () => {
  const text = `<!-- a & b -->
<a>
  <b uri="tcp://h:1?x=1&y=2&amp;z=3"/>
  <c>R&D <![CDATA[ & ]]></c>
  <d uri="tcp://h:1?x=1&lt=2"/>
</a>`;
  const message = 'a bare "&" is not allowed in XML: write &amp; (also between the options of a URI)';
  assert.deepEqual(faults(text), [`f.xml:3:24: error: ${message}`, `f.xml:4:7: error: ${message}`, `f.xml:5:24: error: ${message}`]);
});

test('an entity that XML does not define is refused where it stands', () => {
  assert.deepEqual(faults('<a>\n &nbsp;</a>'), [
    'f.xml:2:2: error: the entity &nbsp; is not defined: XML knows &amp; &lt; &gt; &quot; &apos; and others would need a DTD, which is refused; write &amp; where "&" is meant',
  ]);
});

for (const [title, declaration] of [
  ['an external document type', '<!DOCTYPE beans PUBLIC "-//SPRING//DTD BEAN//EN" "http://www.springframework.org/dtd/spring-beans.dtd">'],
  ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'],
  ['entities that multiply', '<!DOCTYPE a [<!ENTITY a "1"><!ENTITY b "&a;&a;&a;">]>'],
  ['an external parameter entity', '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://evil/x.dtd"> %p;]>'],
] as const) {
  test(`${title} is refused before anything of it is read`, () => {
    assert.deepEqual(faults(`<?xml version="1.0"?>\n${declaration}\n<a>&x;</a>`), [
      'f.xml:2:1: error: a document type (DTD) is refused, since it can name other files: remove the <!DOCTYPE ...> declaration',
    ]);
  });
}

test('bytes that are not in their encoding are refused at the first of them', () => {
  assert.deepEqual(faults(Buffer.from('<a>\n  <b x="é\xe9"/></a>', 'latin1')), [
    'f.xml:2:9: error: bytes that are not UTF-8: save the file as UTF-8, or name its encoding in <?xml version="1.0" encoding="..."?>',
  ]);
  assert.deepEqual(faults(Buffer.concat([Buffer.from('<a x="é'), Buffer.from([0xff]), Buffer.from('"/>')])), [
    'f.xml:1:8: error: bytes that are not UTF-8: save the file as UTF-8, or name its encoding in <?xml version="1.0" encoding="..."?>',
  ]);
});

test('an encoding nobody knows is refused', () => {
  assert.deepEqual(faults(Buffer.from('<?xml version="1.0" encoding="EBCDIC-37"?><a/>')), [
    'f.xml:1: error: the encoding "EBCDIC-37" is not known: save the file as UTF-8',
  ]);
});

test('a file that is far too large is refused unread', () => {
  assert.deepEqual(faults(Buffer.alloc(XML_BYTES_MAX + 1)), [
    'f.xml: error: the file has 4194305 bytes; a configuration file has at most 4194304: is this the right file?',
  ]);
});

test('a large file within the bound is read', () => {
  const items = '<b x="1"/>'.repeat(50_000);
  assert.equal(root(`<a>${items}</a>`).children.length, 50_000);
});

test('elements nested too deep are refused', () => {
  assert.deepEqual(faults('<a>'.repeat(XML_DEPTH_MAX + 1)), ['f.xml:1:301: error: <a> is nested more than 100 elements deep']);
});

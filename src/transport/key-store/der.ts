import { KeyStoreFormatError } from './material.ts';

/** Tags of X.690 that key stores use. */
export const INTEGER = 0x02;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const SEQUENCE = 0x30;
/** `[0]`, constructed: a field that says what it is. */
export const CONTEXT_0 = 0xa0;

const CONSTRUCTED = 0x20;
const INDEFINITE = 0x80;
/** Bytes of the longest length that is read: a file is smaller. */
const LENGTH_BYTES_MAX = 4;
/** How deep elements may hold elements; PKCS#12 needs about ten. */
const DEPTH_MAX = 32;

/** One element of ASN.1 in DER, or in BER, as some programs still write PKCS#12 files. */
export class DerElement {
  readonly tag: number;
  /** The whole element, with tag and length. */
  readonly bytes: Buffer;
  readonly content: Buffer;

  constructor(tag: number, bytes: Buffer, content: Buffer) {
    this.tag = tag;
    this.bytes = bytes;
    this.content = content;
  }

  /** Elements of a constructed one. */
  get children(): DerElement[] {
    if ((this.tag & CONSTRUCTED) === 0) throw malformed('an element that should hold others does not');
    const children: DerElement[] = [];
    for (let at = 0; at < this.content.length; ) {
      const { element, end } = readElement(this.content, at, 0);
      children.push(element);
      at = end;
    }
    return children;
  }

  /** The child at a place, which must be there, with this tag if one is named. */
  child(index: number, tag?: number): DerElement {
    const child = this.children[index];
    if (child === undefined) throw malformed('a field is missing');
    return tag === undefined ? child : child.expect(tag);
  }

  expect(tag: number): this {
    if (this.tag !== tag) throw malformed(`expected an element of type 0x${tag.toString(16)}, found 0x${this.tag.toString(16)}`);
    return this;
  }

  /** Of an OCTET STRING, in pieces or in one, also where a context tag stands for its own. */
  get octets(): Buffer {
    return (this.tag & CONSTRUCTED) === 0 ? this.content : Buffer.concat(this.children.map(({ octets }) => octets));
  }

  /** Of an INTEGER that is not negative and not large. */
  get integer(): number {
    const bytes = this.expect(INTEGER).content;
    if (bytes.length === 0 || bytes.length > 6 || bytes[0]! >= 0x80) throw malformed('a number is out of bounds');
    return bytes.readUIntBE(0, bytes.length);
  }

  /** Of an OBJECT IDENTIFIER: `1.2.840.113549.1.7.1`. */
  get identifier(): string {
    const arcs: number[] = [];
    let arc = 0;
    for (const byte of this.expect(OBJECT_IDENTIFIER).content) {
      arc = arc * 128 + (byte & 0x7f);
      if (byte >= 0x80) continue;
      arcs.push(arc);
      arc = 0;
    }
    const [first = 0, ...rest] = arcs;
    const root = Math.min(2, Math.floor(first / 40));
    return [root, first - root * 40, ...rest].join('.');
  }
}

/**
 * Reads the element that a buffer holds.
 * @throws KeyStoreFormatError
 */
export function readDer(bytes: Buffer): DerElement {
  return readElement(bytes, 0, 0).element;
}

function readElement(bytes: Buffer, start: number, depth: number): { element: DerElement; end: number } {
  if (depth > DEPTH_MAX) throw malformed('elements are nested too deep');
  const tag = byteAt(bytes, start);
  if ((tag & 0x1f) === 0x1f) throw malformed('an element has a tag of several bytes');
  const first = byteAt(bytes, start + 1);
  let contentStart = start + 2;
  if (first === INDEFINITE) {
    if ((tag & CONSTRUCTED) === 0) throw malformed('an element has no length');
    const contentEnd = endOfContents(bytes, contentStart, depth);
    const content = bytes.subarray(contentStart, contentEnd);
    return { element: new DerElement(tag, bytes.subarray(start, contentEnd + 2), content), end: contentEnd + 2 };
  }
  let length = first;
  if (first > INDEFINITE) {
    const count = first & 0x7f;
    if (count > LENGTH_BYTES_MAX || contentStart + count > bytes.length) throw malformed('a length is out of bounds');
    length = bytes.readUIntBE(contentStart, count);
    contentStart += count;
  }
  const end = contentStart + length;
  if (end > bytes.length) throw malformed('the file ends within an element');
  return { element: new DerElement(tag, bytes.subarray(start, end), bytes.subarray(contentStart, end)), end };
}

/** Where an element of indefinite length ends: at two zeros that are no part of an element in it. */
function endOfContents(bytes: Buffer, start: number, depth: number): number {
  let at = start;
  while (byteAt(bytes, at) !== 0 || byteAt(bytes, at + 1) !== 0) at = readElement(bytes, at, depth + 1).end;
  return at;
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw malformed('the file ends within an element');
  return byte;
}

function malformed(what: string): KeyStoreFormatError {
  return new KeyStoreFormatError(`its ASN.1 is malformed: ${what}`);
}

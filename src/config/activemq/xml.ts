import { SaxesParser, type SaxesTagNS } from 'saxes';
import type { Diagnostic } from '../diagnostic.ts';
import { decode } from './encoding.ts';
import type { Place } from './model.ts';
import { type LocatedText, SourceText } from './source-text.ts';
import { findMarkupProblems } from './xml-scan.ts';

/** Bytes of the largest file read. ActiveMQ's own examples have 5 to 15 KB; a mistaken file name should not fill the memory. */
export const XML_BYTES_MAX = 4 * 1024 * 1024;
/** Deepest nesting read. A policy entry's strategies stand 9 deep; the readers that walk the tree recurse. */
export const XML_DEPTH_MAX = 100;

export interface XmlElement {
  /** With its prefix, as written: `amq:broker`. */
  readonly name: string;
  readonly local: string;
  /** Namespace URI; empty for none. */
  readonly namespace: string;
  /** Of its `<`. */
  readonly place: Place;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** What stands between the tags, child elements left out; CDATA included. */
  readonly content: LocatedText;
}

export interface XmlAttribute {
  readonly name: string;
  readonly local: string;
  readonly namespace: string;
  /** Of its name. */
  readonly place: Place;
  readonly value: LocatedText;
}

/**
 * Reads an XML file into a tree that knows the place of every element, attribute and character.
 *
 * Document types and entities of one's own are refused: they can name other files and grow without bound.
 *
 * @returns the root, or null with at least one error
 */
export function parseXml(input: string | Uint8Array, file: string): { root: XmlElement | null; diagnostics: Diagnostic[] } {
  const size = typeof input === 'string' ? input.length : input.byteLength;
  const wholeFile = { file, line: 0, column: 0 };
  const failed = (place: Place, message: string, keyword = '') => ({
    root: null,
    diagnostics: [{ severity: 'error', ...place, keyword, message } satisfies Diagnostic],
  });
  if (size > XML_BYTES_MAX) {
    return failed(wholeFile, `the file has ${size} bytes; a configuration file has at most ${XML_BYTES_MAX}: is this the right file?`);
  }
  const decoded = decode(input, file);
  if (decoded.problem !== null) return failed(decoded.problem.place, decoded.problem.message);
  const source = new SourceText(file, decoded.text);
  const first = source.text.search(/[^\s\ufeff]/);
  if (first < 0) return failed(wholeFile, 'the file is empty: expected XML with a <broker> element');
  if (source.text[first] !== '<') {
    return failed(source.place(first), `the file is not XML: expected "<", found ${describeCharacter(source.text, first)}`);
  }
  const problems = findMarkupProblems(source);
  if (problems.length > 0) return { root: null, diagnostics: problems };
  return new TreeBuilder(source).build();
}

/** Mutable while its element is open. */
interface OpenElement extends XmlElement {
  readonly attributes: XmlAttribute[];
  readonly children: XmlElement[];
  readonly pieces: LocatedText[];
}

interface PendingAttribute {
  readonly name: string;
  readonly place: Place;
  readonly value: LocatedText;
}

/** Stops the parser at the first error; never leaves this file. */
class Refusal extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

/**
 * Turns saxes' events into a tree. saxes tells where it stands after each piece of markup; the exact start is found
 * by looking back in the text, which is safe because the piece has just been found well-formed.
 */
class TreeBuilder {
  readonly #source: SourceText;
  readonly #parser = new SaxesParser({ xmlns: true, position: true });
  readonly #open: OpenElement[] = [];
  #root: XmlElement | null = null;
  /** saxes closes an element before it says that this was wrong. */
  #lastClosed: XmlElement | null = null;
  #tagStart = 0;
  #attributes: PendingAttribute[] = [];
  /** Where the piece of markup before the current text ended. */
  #markupEnd = 0;

  constructor(source: SourceText) {
    this.#source = source;
  }

  build(): { root: XmlElement | null; diagnostics: Diagnostic[] } {
    const parser = this.#parser;
    parser.on('error', (error) => this.#refuse(error.message.replace(/^\d+:\d+: /, '')));
    parser.on('opentagstart', () => {
      this.#tagStart = this.#source.text.lastIndexOf('<', parser.position - 1);
      this.#attributes = [];
    });
    parser.on('attribute', (attribute) => this.#attributes.push(this.#locateAttribute(attribute.name, attribute.value)));
    parser.on('opentag', (tag) => this.#openElement(tag));
    parser.on('closetag', () => this.#closeElement());
    parser.on('text', (text) => this.#addText(text, this.#markupEnd));
    parser.on('cdata', (text) => {
      this.#addText(text, this.#source.text.lastIndexOf('<![CDATA[', parser.position) + '<![CDATA['.length);
      this.#markupEnd = parser.position;
    });
    const afterMarkup = () => {
      this.#markupEnd = parser.position;
    };
    parser.on('comment', afterMarkup);
    parser.on('processinginstruction', afterMarkup);
    try {
      parser.write(this.#source.text).close();
    } catch (error) {
      if (error instanceof Refusal) return { root: null, diagnostics: [error.diagnostic] };
      throw error;
    }
    return { root: this.#root, diagnostics: [] };
  }

  #locateAttribute(name: string, value: string): PendingAttribute {
    const { text } = this.#source;
    const closing = this.#parser.position - 1;
    const opening = text.lastIndexOf(text[closing]!, closing - 1);
    let nameEnd = text.lastIndexOf('=', opening);
    while (/\s/.test(text[nameEnd - 1]!)) nameEnd--;
    return {
      name,
      place: this.#source.place(nameEnd - name.length),
      value: locatedRaw(this.#source, value, opening + 1),
    };
  }

  #openElement(tag: SaxesTagNS): void {
    if (this.#open.length >= XML_DEPTH_MAX) {
      throw this.#refusal(this.#tagStart, `<${tag.name}> is nested more than ${XML_DEPTH_MAX} elements deep`, tag.name);
    }
    const pieces: LocatedText[] = [];
    const element: OpenElement = {
      name: tag.name,
      local: tag.local,
      namespace: tag.uri,
      place: this.#source.place(this.#tagStart),
      attributes: [],
      children: [],
      pieces,
      get content() {
        return joined(pieces);
      },
    };
    for (const pending of this.#attributes) {
      const resolved = tag.attributes[pending.name];
      if (pending.name === 'xmlns' || pending.name.startsWith('xmlns:') || resolved === undefined) continue;
      element.attributes.push({ ...pending, local: resolved.local, namespace: resolved.uri });
    }
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
    this.#open.push(element);
    this.#markupEnd = this.#parser.position;
  }

  #closeElement(): void {
    this.#lastClosed = this.#open.pop() ?? null;
    this.#markupEnd = this.#parser.position;
  }

  #addText(text: string, start: number): void {
    this.#open.at(-1)?.pieces.push(locatedRaw(this.#source, text, start));
  }

  #refusal(offset: number, message: string, keyword: string): Refusal {
    return new Refusal({ severity: 'error', ...this.#source.place(offset), keyword, message });
  }

  /** Says in a user's words what saxes found, at the place where it begins. */
  #refuse(reason: string): never {
    const { text } = this.#source;
    const position = Math.min(this.#parser.position, text.length);
    const last = Math.max(0, position - 1);
    const quoted = /: (?:"([^"]*)"|(.*?))\.?$/.exec(reason);
    const name = quoted?.[1] ?? quoted?.[2] ?? '';
    const open = this.#open.at(-1);
    const atEnd = position >= text.trimEnd().length;
    if (reason.startsWith('unexpected close tag') || reason.startsWith('unmatched closing tag')) {
      const start = text.lastIndexOf('</', last);
      const closing = text.slice(start + 2, text.indexOf('>', start)).trim();
      const expected = reason.startsWith('unexpected') ? this.#lastClosed : null;
      const message =
        expected === null
          ? `</${closing}> closes an element that was never opened`
          : `</${closing}> stands where </${expected.name}> is expected, which closes the element of line ${expected.place.line}`;
      throw this.#refusal(start, message, closing);
    }
    if (reason.startsWith('duplicate attribute')) {
      const local = name.replace(/^\{.*\}/, '');
      const same = this.#attributes.filter((a) => a.name === name || a.name.endsWith(`:${local}`));
      const second = same[1];
      const message = `attribute ${second?.name ?? local} is given twice in one element`;
      throw second === undefined
        ? this.#refusal(this.#tagStart, message, local)
        : new Refusal({ severity: 'error', ...second.place, keyword: second.name, message });
    }
    if (reason.startsWith('unbound namespace prefix')) {
      throw this.#refusal(
        this.#tagStart,
        `prefix "${name}" is not bound to a namespace: add xmlns:${name}="..." to an outer element`,
        name,
      );
    }
    if (reason === 'documents may contain only one root.') {
      throw this.#refusal(text.lastIndexOf('<', last), `a second root element; everything must stand inside <${this.#root?.name}>`, '');
    }
    if (reason === 'text data outside of root node.') {
      const stray = this.#root === null ? last : text.slice(this.#markupEnd).search(/\S/) + this.#markupEnd;
      throw this.#refusal(stray, 'text outside of the root element', '');
    }
    if (reason === 'disallowed character.' && text[last] === '<') {
      throw this.#refusal(last, '"<" inside an attribute value: its closing quote is missing, or write &lt;', '');
    }
    if (reason === 'disallowed character.') {
      throw this.#refusal(last, `${describeCharacter(text, last)} is not allowed in XML`, '');
    }
    if (reason === 'unquoted attribute value.') throw this.#refusal(last, 'an attribute value must stand in quotes', '');
    if (reason === 'attribute without value.') throw this.#refusal(last, 'an attribute needs a value: name="value"', '');
    if (reason === 'no whitespace between attributes.') throw this.#refusal(last, 'a space is missing between two attributes', '');
    if (reason === 'malformed comment.') throw this.#refusal(last, '"--" is not allowed inside a comment', '');
    if (atEnd && open !== undefined) {
      const message = `the file ends inside <${open.name}> of line ${open.place.line}: is it cut off?`;
      throw this.#refusal(text.length, message, open.name);
    }
    if (atEnd) {
      const what = this.#root === null ? 'before its first element is complete' : 'in the middle of a piece of markup';
      throw this.#refusal(text.length, `the file ends ${what}: is it cut off?`, '');
    }
    throw this.#refusal(last, `not well-formed XML: ${reason.replace(/\.$/, '')}`, '');
  }
}

/** One text out of several pieces that stand apart in the file. */
function joined(pieces: readonly LocatedText[]): LocatedText {
  const only = pieces[0];
  if (only !== undefined && pieces.length === 1) return only;
  return {
    text: pieces.map((piece) => piece.text).join(''),
    at(index) {
      let rest = index;
      for (const piece of pieces) {
        if (rest < piece.text.length) return piece.at(rest);
        rest -= piece.text.length;
      }
      const last = pieces.at(-1);
      return last === undefined ? { file: '', line: 0, column: 0 } : last.at(last.text.length);
    },
  };
}

/** Decoded text that begins at an offset of the source, where `&amp;` or a line end may take more characters. */
function locatedRaw(source: SourceText, text: string, start: number): LocatedText {
  let stretches: Stretch[] | null = null;
  return {
    text,
    at(index) {
      stretches ??= findStretches(source.text, start, text.length);
      let low = 0;
      let high = stretches.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (stretches[middle]!.index <= index) low = middle;
        else high = middle - 1;
      }
      const stretch = stretches[low]!;
      return source.place(stretch.offset + index - stretch.index);
    },
  };
}

/** From this index of a decoded text on, characters follow each other as they do in the source from this offset on. */
interface Stretch {
  readonly index: number;
  readonly offset: number;
}

function findStretches(source: string, start: number, length: number): Stretch[] {
  const stretches: Stretch[] = [{ index: 0, offset: start }];
  let offset = start;
  for (let index = 0; index < length && offset < source.length; ) {
    if (source[offset] === '&') {
      const end = source.indexOf(';', offset);
      const code = /^&#(?:x([0-9a-fA-F]+)|(\d+));$/.exec(source.slice(offset, end + 1));
      const isPair = code !== null && Number.parseInt(code[1] ?? code[2]!, code[1] === undefined ? 10 : 16) > 0xffff;
      if (isPair) stretches.push({ index: index + 1, offset });
      index += isPair ? 2 : 1;
      offset = end + 1;
      stretches.push({ index, offset });
    } else if (source[offset] === '\r' && source[offset + 1] === '\n') {
      index++;
      offset += 2;
      stretches.push({ index, offset });
    } else {
      index++;
      offset++;
    }
  }
  return stretches;
}

/** `"x"`, or `U+0001` for what cannot be shown. */
function describeCharacter(text: string, offset: number): string {
  const code = text.codePointAt(offset) ?? 0;
  const visible = code > 0x20 && code !== 0x7f && !(code >= 0x80 && code < 0xa0) && code !== 0xfffd;
  return visible ? `"${String.fromCodePoint(code)}"` : `the character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

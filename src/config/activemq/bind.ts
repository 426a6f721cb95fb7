import { describe } from './dispositions.ts';
import { elementDisposition, propertyDisposition } from './elements.ts';
import { foreignBeanDisposition } from './foreign-beans.ts';
import { CORE_NAMESPACE, describeNamespace, type Given, givensOf, isSpring, SPRING_COLLECTIONS, warnOfStrayText } from './givens.ts';
import { type MapEntry, readMapEntries } from './map-entries.ts';
import type { ForeignBean, Place } from './model.ts';
import type { Reading } from './reading.ts';
import { ELEMENTS, type ElementSchema, elementOfClass, type PropertySchema } from './schema.ts';
import { type LocatedText, slice, split, trimmed } from './source-text.ts';
import { didYouMean, listed } from './suggestion.ts';
import { type PlainValue, parseValue } from './values.ts';
import type { XmlElement } from './xml.ts';

/** Names listed in full in "expected ..."; longer lists are in the reference. */
const EXPECTED_NAMES_MAX = 8;

/** Elements of other versions, and what became of them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  levelDB: 'the LevelDB store was removed in ActiveMQ 5.17; use <kahaDB>',
  replicatedLevelDB: 'the replicated LevelDB store was removed in ActiveMQ 5.17, and a replicated store is not supported yet; use <kahaDB>',
  amqPersistenceAdapter: 'this store was removed in ActiveMQ 5.9; use <kahaDB>',
  amqPersistenceAdapterFactory: 'this store was removed in ActiveMQ 5.9; use <kahaDB>',
  kahaPersistenceAdapter: 'this store was removed in ActiveMQ 5.9; use <kahaDB>',
};

/** Properties where a Java class we do not know might guard the broker or keep its messages. */
const NO_FOREIGN_BEANS: Readonly<Record<string, string>> = {
  plugins: 'a plugin may decide who is let in, and a broker must not start more open than its file says',
  persistenceAdapter: 'this store is not supported; use <kahaDB>, or <memoryPersistenceAdapter> to keep nothing',
};

/** A plain property's value, and where it stands. */
export interface BoundValue {
  readonly name: string;
  /** Of the attribute's name or the element. */
  readonly place: Place;
  /** As written, placeholders replaced. */
  readonly text: LocatedText;
  readonly value: PlainValue;
}

/** An element of the vocabulary with its properties, checked against the schema. Inert properties are left out. */
export interface Bean {
  readonly name: string;
  readonly place: Place;
  readonly values: ReadonlyMap<string, BoundValue>;
  readonly beans: ReadonlyMap<string, { readonly place: Place; readonly items: readonly Bean[] }>;
  readonly maps: ReadonlyMap<string, readonly MapEntry[]>;
  /** Properties that are given, with a value that is reported as wrong: not to be complained about once more. */
  readonly failed: ReadonlySet<string>;
}

/** Turns XML elements into beans: the one place where the vocabulary, its types and its dispositions are applied. */
export class Binder {
  readonly foreignBeans: ForeignBean[] = [];
  readonly #reading: Reading;
  /** Elements beside the broker, by their `id`, for `#id` and `<ref bean="id"/>`. */
  readonly #byId: ReadonlyMap<string, XmlElement>;
  /** Those that something refers to. */
  readonly #referred = new Set<XmlElement>();
  /** Those being bound, to find one that refers to itself. */
  readonly #underway = new Set<XmlElement>();

  constructor(reading: Reading, byId: ReadonlyMap<string, XmlElement>) {
    this.#reading = reading;
    this.#byId = byId;
  }

  isReferred(element: XmlElement): boolean {
    return this.#referred.has(element);
  }

  /**
   * @param isQuiet inside something that has been reported as inert: unknown and refused words are still errors, but
   *                its parts need no warnings of their own
   */
  bind(xml: XmlElement, schema: ElementSchema, isQuiet: boolean): Bean {
    const values = new Map<string, BoundValue>();
    const beans = new Map<string, { place: Place; items: Bean[] }>();
    const maps = new Map<string, readonly MapEntry[]>();
    const failed = new Set<string>();
    const given = new Map<string, Place>();
    for (const item of givensOf(xml, this.#reading)) {
      const property = schema.properties.get(item.name);
      if (property === undefined) {
        this.#unknownProperty(xml, schema, item);
        continue;
      }
      const earlier = given.get(item.name);
      if (earlier !== undefined) {
        const message = `${item.shown} is given twice, first in line ${earlier.line}; as in ActiveMQ the last one counts`;
        this.#reading.warn(item.place, item.name, message);
      }
      given.set(item.name, item.place);
      const disposition = propertyDisposition(schema.name, property.name);
      if (disposition.kind === 'refused') {
        this.#reading.error(item.place, item.name, describe(item.shown, disposition));
        continue;
      }
      const isInert = disposition.kind === 'inert';
      const reportsBeans = !isQuiet && property.kind.kind === 'bean' && item.elements.some((child) => isSpring(child));
      if (isInert && !isQuiet && !reportsBeans) this.#reading.warn(item.place, item.name, describe(item.shown, disposition));
      const kind = property.kind.kind;
      if (kind === 'element' || kind === 'elements' || kind === 'bean') {
        const items = this.#bindNested(item, property, isQuiet || isInert, reportsBeans);
        if (!isInert) beans.set(item.name, { place: item.place, items });
      } else if (kind === 'map') {
        const entries = readMapEntries(item, this.#reading);
        if (!isInert) maps.set(item.name, entries);
      } else {
        const value = this.#bindValue(item, property);
        if (value === null) failed.add(item.name);
        else if (!isInert) values.set(item.name, value);
      }
    }
    return { name: schema.name, place: xml.place, values, beans, maps, failed };
  }

  /** Reports an element by its own disposition, and binds it unless that refuses it. */
  bindElement(xml: XmlElement, schema: ElementSchema, isQuiet: boolean): Bean | null {
    const disposition = elementDisposition(schema.name);
    const subject = isSpring(xml) && xml.local === 'bean' ? `bean class ${schema.className}` : `<${xml.name}>`;
    if (disposition.kind === 'refused') {
      this.#reading.error(xml.place, schema.name, describe(subject, disposition));
      return null;
    }
    const isInert = disposition.kind === 'inert';
    if (isInert && !isQuiet) this.#reading.warn(xml.place, schema.name, describe(subject, disposition));
    const bean = this.bind(xml, schema, isQuiet || isInert);
    return isInert ? null : bean;
  }

  /** Reports a Spring bean of a class that no element of ours stands for. */
  foreignBean(xml: XmlElement): void {
    const className = xml.attributes.find(({ name }) => name === 'class')?.value.text.trim() ?? '';
    const id = xml.attributes.find(({ name }) => name === 'id' || name === 'name')?.value.text ?? '';
    this.foreignBeans.push({ place: xml.place, id, className: className === '' ? xml.name : className });
    const subject = className === '' ? `<${xml.name}>` : `bean class ${className}`;
    this.#reading.warn(xml.place, className === '' ? xml.local : className, describe(subject, foreignBeanDisposition(className)));
  }

  #bindValue(item: Given, property: PropertySchema): BoundValue | null {
    const text = item.text === null ? null : this.#reading.resolve(item.text);
    if (text === null) {
      if (property.kind.kind !== 'text') this.#reading.error(item.place, item.name, `${item.shown} needs a value, not elements`);
      return null;
    }
    if (property.kind.kind !== 'text' && text.text.startsWith('#')) {
      this.#reading.error(text.at(0), item.name, `${item.name} needs a value; "${text.text}" refers to a bean`);
      return null;
    }
    const parsed = parseValue(property.kind, text.text);
    if ('problem' in parsed) {
      this.#reading.error(text.at(0), item.name, `${item.name}: ${parsed.problem}`);
      return null;
    }
    return { name: item.name, place: item.place, text, value: parsed.value };
  }

  /** @param reportsBeans beans in the property say more about themselves than the property does */
  #bindNested(item: Given, property: PropertySchema, isQuiet: boolean, reportsBeans: boolean): Bean[] {
    if (item.text !== null) return this.#bindReferences(item, item.text, property, isQuiet);
    const { kind } = property;
    if (kind.kind === 'bean') {
      for (const child of flattened(item.elements)) this.#bindLoose(child, item.shown, isQuiet && !reportsBeans);
      return [];
    }
    const accepts = kind.kind === 'element' || kind.kind === 'elements' ? kind.accepts : [];
    if (item.holder !== null && item.elements.length > 0) warnOfStrayText(item.holder, this.#reading);
    const items = flattened(item.elements);
    const isWrapper = items.some((child) => isSpring(child) || accepts.includes(child.local));
    const shorthand = accepts.length === 1 ? ELEMENTS.get(accepts[0]!) : undefined;
    if (kind.kind === 'element' && !isWrapper && shorthand !== undefined && item.holder !== null && this.#looksLike(item, shorthand)) {
      const bean = this.bindElement(item.holder, shorthand, isQuiet);
      return bean === null ? [] : [bean];
    }
    const misplaced = (item.holder?.attributes ?? []).filter(({ namespace, name }) => namespace === '' && name !== 'id');
    for (const { place, name } of misplaced) {
      const inner = accepts.length === 1 ? `write it on the inner <${accepts[0]}>` : `expected ${expectedElements(accepts)} inside it`;
      this.#reading.error(place, name, `${item.shown} takes no attributes: ${inner}`);
    }
    const beans = items.flatMap((child) => this.#bindItem(child, item, accepts, isQuiet));
    if (kind.kind === 'element' && items.length === 0 && misplaced.length === 0) {
      this.#reading.warn(item.place, item.name, `${item.shown} is empty: expected ${expectedElements(accepts)}`);
    }
    if (kind.kind === 'element' && items.length > 1) {
      this.#reading.error(
        items[1]!.place,
        items[1]!.local,
        `${item.shown} holds one element; the first is in line ${items[0]!.place.line}`,
      );
    }
    return beans;
  }

  /** Whether a property's element has the attributes or children of the one element that may stand in it. */
  #looksLike(item: Given, schema: ElementSchema): boolean {
    const names = [
      ...(item.holder?.attributes ?? []).filter((a) => a.namespace === '' && a.name !== 'id').map(({ local }) => local),
      ...item.elements.map(({ local }) => local),
    ];
    return item.elements.length === 0 ? names.length > 0 : names.some((name) => schema.properties.has(name));
  }

  #bindItem(child: XmlElement, item: Given, accepts: readonly string[], isQuiet: boolean): Bean[] {
    if (isSpring(child)) return this.#bindSpring(child, item, accepts, isQuiet);
    if (this.#isForeign(child)) return [];
    const schema = ELEMENTS.get(child.local);
    if (schema === undefined || !accepts.includes(schema.name)) {
      this.#misplaced(child, item.shown, accepts);
      return [];
    }
    const bean = this.bindElement(child, schema, isQuiet);
    return bean === null ? [] : [bean];
  }

  #bindSpring(child: XmlElement, item: Given, accepts: readonly string[], isQuiet: boolean): Bean[] {
    if (child.local === 'null') return [];
    if (child.local === 'ref' || child.local === 'idref') {
      const target = child.attributes.find(({ name }) => name === 'bean' || name === 'local');
      return target === undefined ? [] : this.#bindReference(target.value, item, accepts, isQuiet);
    }
    if (child.local !== 'bean') {
      this.#misplaced(child, item.shown, accepts);
      return [];
    }
    const className = this.#classOf(child);
    const schema = className === null ? undefined : elementOfClass(className);
    if (schema !== undefined && accepts.includes(schema.name)) {
      const bean = this.bindElement(child, schema, isQuiet);
      return bean === null ? [] : [bean];
    }
    const refusal = Object.hasOwn(NO_FOREIGN_BEANS, item.name) ? NO_FOREIGN_BEANS[item.name] : undefined;
    if (refusal === undefined) this.foreignBean(child);
    else this.#reading.error(child.place, className ?? 'bean', `bean class ${className ?? '(none)'} is not known: ${refusal}`);
    return [];
  }

  /** What stands in a property that only Java objects fill. */
  #bindLoose(child: XmlElement, holder: string, isQuiet: boolean): void {
    if (!isSpring(child) && this.#isForeign(child)) return;
    const schema = isSpring(child) ? elementOfClass(this.#classOf(child) ?? '') : ELEMENTS.get(child.local);
    if (schema !== undefined) this.bindElement(child, schema, isQuiet);
    else if (child.local === 'bean' && !isQuiet) this.foreignBean(child);
    else if (!isSpring(child)) this.#misplaced(child, holder, []);
  }

  /** Reports an element of another namespace than ActiveMQ's. */
  #isForeign(child: XmlElement): boolean {
    if (child.namespace === CORE_NAMESPACE) return false;
    this.#reading.error(child.place, child.local, describeNamespace(child));
    return true;
  }

  #classOf(bean: XmlElement): string | null {
    const attribute = bean.attributes.find(({ name }) => name === 'class');
    return attribute === undefined ? null : this.#reading.resolve(attribute.value).text.trim();
  }

  #bindReferences(item: Given, text: LocatedText, property: PropertySchema, isQuiet: boolean): Bean[] {
    const resolved = trimmed(this.#reading.resolve(text));
    const { kind } = property;
    if (kind.kind === 'bean') return [];
    const accepts = kind.kind === 'element' || kind.kind === 'elements' ? kind.accepts : [];
    const references = kind.kind === 'elements' ? split(resolved, ',') : [resolved];
    return references.flatMap((reference) => {
      if (reference.text.startsWith('#')) return this.#bindReference(slice(reference, 1), item, accepts, isQuiet);
      this.#reading.error(
        resolved.at(0),
        item.name,
        `${item.name} takes no text: expected ${expectedElements(accepts)} inside <${item.name}>`,
      );
      return [];
    });
  }

  #bindReference(id: LocatedText, item: Given, accepts: readonly string[], isQuiet: boolean): Bean[] {
    const target = this.#byId.get(id.text.trim());
    if (target === undefined) {
      const message = `no bean beside the broker has the id "${id.text.trim()}"${didYouMean(id.text.trim(), this.#byId.keys())}`;
      this.#reading.error(id.at(0), item.name, message);
      return [];
    }
    if (this.#underway.has(target)) {
      this.#reading.error(id.at(0), item.name, `the bean with the id "${id.text.trim()}" refers to itself`);
      return [];
    }
    this.#referred.add(target);
    this.#underway.add(target);
    const beans = this.#bindItem(target, item, accepts, isQuiet);
    this.#underway.delete(target);
    return beans;
  }

  #unknownProperty(xml: XmlElement, schema: ElementSchema, item: Given): void {
    const names = [...schema.properties.keys()];
    const holders = [...schema.properties.values()].filter(
      ({ kind }) => (kind.kind === 'element' || kind.kind === 'elements') && kind.accepts.includes(item.name),
    );
    if (item.isElement && holders.length > 0) {
      const inside = listed(
        holders.map(({ name }) => `<${name}>`),
        'or',
      );
      this.#reading.error(item.place, item.name, `${item.shown} cannot stand directly in <${xml.name}>: put it inside ${inside}`);
      return;
    }
    const show = item.isElement ? (name: string) => `<${name}>` : (name: string) => name;
    const suggestion = didYouMean(item.name, names, show);
    const expected =
      names.length === 0
        ? 'it has none'
        : names.length <= EXPECTED_NAMES_MAX
          ? `expected ${listed(names.map(show), 'or')}`
          : `it is none of the ${names.length} that docs/reference/activemq-xml.md lists`;
    const what = item.isElement ? 'element' : 'attribute';
    this.#reading.error(item.place, item.name, `unknown ${what} ${item.shown} of <${xml.name}>: ${expected}${suggestion}`);
  }

  #misplaced(child: XmlElement, holder: string, accepts: readonly string[]): void {
    const shown = `<${child.name}>`;
    const gone = Object.hasOwn(ELSEWHERE, child.local) ? ELSEWHERE[child.local] : undefined;
    if (gone !== undefined) {
      this.#reading.error(child.place, child.local, `${shown}: ${gone}`);
      return;
    }
    const isKnown = ELEMENTS.has(child.local);
    const suggestion = isKnown ? '' : didYouMean(child.local, accepts.length > 0 ? accepts : ELEMENTS.keys(), (name) => `<${name}>`);
    const what = isKnown ? `${shown} cannot stand` : `unknown element ${shown}`;
    const expected = accepts.length > 0 ? `: expected ${expectedElements(accepts)}` : '';
    this.#reading.error(child.place, child.local, `${what} in ${holder}${expected}${suggestion}`);
  }
}

/** Elements with Spring's collection wrappers opened up. */
function flattened(elements: readonly XmlElement[]): XmlElement[] {
  return elements.flatMap((element) =>
    isSpring(element) && SPRING_COLLECTIONS.has(element.local) ? flattened(element.children) : [element],
  );
}

function expectedElements(names: readonly string[]): string {
  const shown = names.map((name) => `<${name}>`);
  if (shown.length <= EXPECTED_NAMES_MAX) return listed(shown, 'or');
  return `one of ${shown.slice(0, EXPECTED_NAMES_MAX).join(', ')} and ${shown.length - EXPECTED_NAMES_MAX} others in docs/reference/activemq-xml.md`;
}

import { CORE_NAMESPACE, type Given, isSpring, SPRING_COLLECTIONS } from './givens.ts';
import type { Place } from './model.ts';
import type { Reading } from './reading.ts';
import type { LocatedText } from './source-text.ts';
import type { XmlElement } from './xml.ts';

/** One entry of a property that holds a map. */
export interface MapEntry {
  readonly place: Place;
  readonly key: LocatedText;
  /** Several where a list or set stands in the entry. */
  readonly values: readonly LocatedText[];
}

/** Beans that stand for nothing but the name they are made with. */
const NAME_CLASSES = new Set(['org.apache.activemq.jaas.GroupPrincipal', 'java.lang.String', 'java.lang.Integer']);

/**
 * A map as Spring has it: `<map><entry key="a" value="b"/></map>`, without `<map>` too. An entry's value may be an element
 * (`<value>b</value>`), a list or set of them, or a bean that only carries a name. Placeholders are replaced.
 */
export function readMapEntries(item: Given, reading: Reading): MapEntry[] {
  if (item.elements.length === 0) {
    reading.error(item.place, item.name, `${item.shown} needs entries: <map><entry key="..." value="..."/></map>`);
    return [];
  }
  return item.elements
    .flatMap((element) => (element.local === 'map' && isPlain(element) ? element.children : [element]))
    .flatMap((element) => readEntry(element, item, reading));
}

function readEntry(element: XmlElement, item: Given, reading: Reading): MapEntry[] {
  if (element.local !== 'entry' || !isPlain(element)) {
    reading.error(element.place, element.local, `<${element.name}> cannot stand in ${item.shown}: expected <entry key="..." value="..."/>`);
    return [];
  }
  const attribute = (name: string) => element.attributes.find((candidate) => candidate.name === name)?.value;
  const keyElement = element.children.find(({ local }) => local === 'key');
  const key = attribute('key') ?? (keyElement === undefined ? undefined : valuesIn(keyElement)[0]);
  const value = attribute('value');
  const values = value === undefined ? element.children.filter((child) => child !== keyElement).flatMap(valuesOf) : [value];
  if (key === undefined || values.length === 0) {
    reading.error(element.place, 'entry', `an <entry> of ${item.shown} needs a key and a value: <entry key="..." value="..."/>`);
    return [];
  }
  return [{ place: element.place, key: reading.resolve(key), values: values.map((text) => reading.resolve(text)) }];
}

/** The texts that a value's element stands for. */
function valuesOf(element: XmlElement): LocatedText[] {
  if (element.local === 'value') return [element.content];
  if (SPRING_COLLECTIONS.has(element.local)) return valuesIn(element);
  const className = element.attributes.find(({ name }) => name === 'class')?.value.text.trim() ?? '';
  if (element.local !== 'bean' || !NAME_CLASSES.has(className)) return [];
  return element.children
    .filter(({ local }) => local === 'constructor-arg' || local === 'property')
    .flatMap((argument) => argument.attributes.find(({ name }) => name === 'value')?.value ?? valuesIn(argument));
}

function valuesIn(element: XmlElement): LocatedText[] {
  return element.children.flatMap(valuesOf);
}

/** Spring's own, or written in the file's default namespace. */
function isPlain(element: XmlElement): boolean {
  return isSpring(element) || element.namespace === CORE_NAMESPACE;
}

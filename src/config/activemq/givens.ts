import type { Place } from './model.ts';
import type { Reading } from './reading.ts';
import type { LocatedText } from './source-text.ts';
import type { XmlElement } from './xml.ts';

export const CORE_NAMESPACE = 'http://activemq.apache.org/schema/core';
export const SPRING_NAMESPACE = 'http://www.springframework.org/schema/beans';
/** `p:brokerName="..."` on a `<bean>`. */
const SPRING_P_NAMESPACE = 'http://www.springframework.org/schema/p';

export const SPRING_COLLECTIONS: ReadonlySet<string> = new Set(['list', 'set', 'array']);

/** Spring's own attributes of a bean, which ActiveMQ's elements take too. */
const LIFE_CYCLE = new Set([
  'id',
  'class',
  'lazy-init',
  'scope',
  'singleton',
  'depends-on',
  'init-method',
  'destroy-method',
  'autowire',
  'parent',
  'primary',
]);

/** One property that an element is given, by attribute, by child element or by Spring's `<property>`. */
export interface Given {
  readonly name: string;
  /** For messages: `brokerName` or `<brokerName>`. */
  readonly shown: string;
  readonly isElement: boolean;
  readonly place: Place;
  /** Its text, when it has no elements inside; `#id` refers to a bean. */
  readonly text: LocatedText | null;
  readonly elements: readonly XmlElement[];
  /** The property's own element; null for an attribute. */
  readonly holder: XmlElement | null;
}

/** Elements of Spring's own; as in ActiveMQ, those without a namespace count as such. */
export function isSpring(element: XmlElement): boolean {
  return element.namespace === SPRING_NAMESPACE || element.namespace === '';
}

/** Says that text between elements means nothing. */
export function warnOfStrayText(element: XmlElement, reading: Reading): void {
  const index = element.content.text.search(/\S/);
  if (index >= 0) reading.warn(element.content.at(index), element.local, `the text here means nothing: <${element.name}> holds elements`);
}

/** For an element that is in no namespace of ActiveMQ's or Spring's. */
export function describeNamespace({ name, namespace }: XmlElement): string {
  return `<${name}> is in the namespace "${namespace}": ActiveMQ's elements are in "${CORE_NAMESPACE}"`;
}

/** The properties an element of ActiveMQ's or a Spring `<bean>` is given, in file order. */
export function givensOf(element: XmlElement, reading: Reading): Given[] {
  warnOfStrayText(element, reading);
  return [...givenAttributes(element), ...givenElements(element, reading)];
}

function givenAttributes(element: XmlElement): Given[] {
  const givens: Given[] = [];
  for (const { local, name, namespace, place, value } of element.attributes) {
    const attribute = { isElement: false, place, elements: [], holder: null };
    if (namespace === SPRING_P_NAMESPACE && local.endsWith('-ref')) {
      const property = local.slice(0, -'-ref'.length);
      givens.push({ ...attribute, name: property, shown: name, text: reference(value) });
    } else if (namespace === SPRING_P_NAMESPACE) {
      givens.push({ ...attribute, name: local, shown: name, text: value });
    } else if (namespace === '' && !LIFE_CYCLE.has(name) && !(isSpring(element) && name === 'name')) {
      givens.push({ ...attribute, name, shown: name, text: value });
    }
  }
  return givens;
}

function givenElements(element: XmlElement, reading: Reading): Given[] {
  const givens: Given[] = [];
  for (const child of element.children) {
    if (isSpring(child) && child.local === 'property') {
      const given = givenBySpring(child, reading);
      if (given !== null) givens.push(given);
    } else if (isSpring(child)) {
      if (child.local === 'description' || child.local === 'meta') continue;
      const advice = child.local === 'bean' ? ': a bean stands inside the element of the property it is for' : '';
      reading.error(child.place, child.local, `<${child.name}> cannot stand directly in <${element.name}>${advice}`);
    } else if (child.namespace !== CORE_NAMESPACE) {
      reading.error(child.place, child.local, describeNamespace(child));
    } else {
      givens.push({ name: child.local, shown: `<${child.name}>`, isElement: true, place: child.place, ...contentOf(child), holder: child });
    }
  }
  return givens;
}

/** `<property name="x" value="y"/>`, with `ref="id"`, or with the value inside. */
function givenBySpring(property: XmlElement, reading: Reading): Given | null {
  const find = (name: string) => property.attributes.find((attribute) => attribute.name === name);
  const name = find('name');
  if (name === undefined) {
    reading.error(property.place, 'property', '<property> needs a name');
    return null;
  }
  const base = { name: name.value.text, shown: name.value.text, isElement: true, place: property.place, holder: null };
  const value = find('value');
  if (value !== undefined) return { ...base, text: value.value, elements: [] };
  const ref = find('ref');
  if (ref !== undefined) return { ...base, text: reference(ref.value), elements: [] };
  return { ...base, ...contentOf(property) };
}

/** Text or elements inside a property; a lone `<value>` is its text. */
function contentOf(holder: XmlElement): { text: LocatedText | null; elements: readonly XmlElement[] } {
  const only = holder.children[0];
  if (only !== undefined && holder.children.length === 1 && isSpring(only) && only.local === 'value')
    return { text: only.content, elements: [] };
  if (holder.children.length > 0) return { text: null, elements: holder.children };
  return { text: holder.content.text.trim() === '' ? null : holder.content, elements: [] };
}

/** The id of a bean in the form of an attribute that refers to one. */
function reference(id: LocatedText): LocatedText {
  return { text: `#${id.text}`, at: (index) => id.at(Math.max(0, index - 1)) };
}

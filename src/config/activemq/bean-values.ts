import type { Bean } from './bind.ts';
import type { Place } from './model.ts';
import { ELEMENTS } from './schema.ts';
import type { PlainValue } from './values.ts';

/** A boolean property, or its default. */
export function booleanOf(bean: Bean, name: string, fallback: boolean): boolean {
  const value = bean.values.get(name)?.value;
  return typeof value === 'boolean' ? value : fallback;
}

/** A number property, or its default. */
export function numberOf(bean: Bean, name: string, fallback: number): number {
  const value = bean.values.get(name)?.value;
  return typeof value === 'number' ? value : fallback;
}

/** A text property without white space around it, or its default. */
export function textOf(bean: Bean, name: string, fallback: string): string {
  const value = bean.values.get(name)?.text.text.trim();
  return value === undefined || value === '' ? fallback : value;
}

/** The one bean in a property. */
export function beanOf(bean: Bean, name: string): Bean | undefined {
  return bean.beans.get(name)?.items[0];
}

/** Where a property stands; the bean itself when it does not say. */
export function placeOf(bean: Bean, name: string): Place {
  return bean.values.get(name)?.place ?? bean.beans.get(name)?.place ?? bean.place;
}

/** All plain values but some, by name. */
export function plainAttributes(bean: Bean, without: readonly string[] = []): Readonly<Record<string, PlainValue>> {
  const attributes: Record<string, PlainValue> = {};
  for (const { name, value } of bean.values.values()) {
    if (!without.includes(name)) attributes[name] = value;
  }
  return attributes;
}

/** ActiveMQ's default of a whole number. */
export function defaultNumber(element: string, property: string): number {
  return Number(ELEMENTS.get(element)?.properties.get(property)?.default);
}

import { basename, dirname, resolve } from 'node:path';
import { type PlaceholderLookup, type Property, parseProperties } from '../properties.ts';
import { locatedPath } from './file-location.ts';
import { isSpring } from './givens.ts';
import type { Place, PropertiesFile, Setting } from './model.ts';
import type { Reading } from './reading.ts';
import { type LocatedText, split } from './source-text.ts';
import type { XmlElement } from './xml.ts';

/** Classes whose bean replaces placeholders: Spring's two, and jasypt's that also decrypts. */
const CONFIGURER_CLASS = /\.(?:Encryptable)?(?:PropertyPlaceholderConfigurer|PropertySourcesPlaceholderConfigurer)$/;
const CONTEXT_NAMESPACE = 'http://www.springframework.org/schema/context';

/** Where names are looked for, nearest first, before the properties files. */
export interface PlaceholderSources {
  /** `-D name=value` */
  readonly defines: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of a properties file; null when there is none. May throw when it cannot be read. */
  readonly readFile: (path: string) => string | null;
  /** `${activemq.data}` unless defined. */
  readonly dataDirectoryDefault: string;
}

/** A properties file that was read, or could not be. */
interface LoadedFile {
  readonly path: string;
  readonly place: Place;
  /** null: it does not exist. */
  readonly values: ReadonlyMap<string, PlacedValue> | null;
}

interface PlacedValue {
  readonly value: string;
  readonly place: Place;
}

/** What a file's configurers hold besides the placeholders that the reading now knows. */
export interface Configured {
  readonly propertiesFiles: readonly PropertiesFile[];
  readonly settings: readonly Setting[];
}

/**
 * Properties that begin so, or with a slip in it, are words of ours and for no placeholder: ActiveMQ passes over properties that no
 * placeholder names, so that they may stand in a file for both.
 */
const SETTING = /^roundhouse\.limits?\b/i;

export function isPlaceholderConfigurer(element: XmlElement): boolean {
  if (element.namespace === CONTEXT_NAMESPACE) return element.local === 'property-placeholder';
  const className = element.attributes.find(({ name }) => name === 'class')?.value.text.trim() ?? '';
  return isSpring(element) && element.local === 'bean' && CONFIGURER_CLASS.test(className);
}

/**
 * Reads the placeholder configurers' properties files and hands the reading what it needs to replace placeholders:
 * `-D` definitions, then ActiveMQ's own names, the environment, the files.
 */
export function preparePlaceholders(configurers: readonly XmlElement[], sources: PlaceholderSources, reading: Reading): Configured {
  const standard = standardNames(reading, sources);
  const lookupWithoutFiles: PlaceholderLookup = (name) => {
    const fromEnvironment = Object.hasOwn(sources.env, name) ? sources.env[name] : undefined;
    const value = sources.defines.get(name) ?? standard.get(name) ?? fromEnvironment;
    return value === undefined ? null : { value };
  };
  reading.usePlaceholders({
    lookup: lookupWithoutFiles,
    explain: () => '; it is needed to find a properties file',
    ignoresUndefined: false,
  });

  const inline = new Map<string, PlacedValue>();
  const files: LoadedFile[] = [];
  let ignoresUndefined = false;
  for (const configurer of configurers) {
    const settings = new ConfigurerSettings(configurer, reading);
    for (const [name, value] of settings.inline) inline.set(name, value);
    for (const location of settings.locations) {
      const file = loadFile(location, settings.ignoresMissingFiles, sources, reading);
      if (file !== null) files.push(file);
    }
    ignoresUndefined ||= settings.ignoresUndefined;
  }
  reading.usePlaceholders({
    lookup: (name) => lookupWithoutFiles(name) ?? lookupInFiles(name, files, inline),
    explain: (name) => explainUndefined(name, files),
    ignoresUndefined,
  });
  return {
    propertiesFiles: files.map(({ path, place, values }) => ({ place, path, found: values !== null })),
    settings: findSettings(sources.defines, files, inline, reading),
  };
}

/** Of several of one name the one that a placeholder would stand for. */
function findSettings(
  defines: ReadonlyMap<string, string>,
  files: readonly LoadedFile[],
  inline: ReadonlyMap<string, PlacedValue>,
  { file }: Reading,
): Setting[] {
  const settings = new Map<string, Setting>();
  for (const values of [inline, ...files.map((loaded) => loaded.values ?? new Map<string, PlacedValue>())])
    for (const [name, { value, place }] of values) if (SETTING.test(name)) settings.set(name, { name, value, place });
  for (const [name, value] of defines) if (SETTING.test(name)) settings.set(name, { name, value, place: { file, line: 0, column: 0 } });
  return [...settings.values()];
}

/** Names that ActiveMQ's start script defines. */
function standardNames(reading: Reading, sources: PlaceholderSources): ReadonlyMap<string, string> {
  const conf = dirname(resolve(reading.workingDirectory, reading.file));
  const base = basename(conf) === 'conf' ? dirname(conf) : conf;
  return new Map([
    ['activemq.conf', conf],
    ['activemq.data', sources.dataDirectoryDefault],
    ['activemq.home', base],
    ['activemq.base', base],
    ['activemq.hostname', reading.hostname],
  ]);
}

/** What a configurer's properties say; others of Spring's have no effect here. */
class ConfigurerSettings {
  readonly locations: LocatedText[] = [];
  readonly inline = new Map<string, PlacedValue>();
  ignoresMissingFiles = false;
  ignoresUndefined = false;

  constructor(configurer: XmlElement, reading: Reading) {
    for (const { name, namespace, value, place } of configurer.attributes) {
      if (configurer.namespace !== CONTEXT_NAMESPACE || namespace !== '') continue;
      if (name === 'location') this.#addLocations(value);
      else if (name === 'ignore-resource-not-found') this.ignoresMissingFiles = value.text.trim() === 'true';
      else if (name === 'ignore-unresolvable') this.ignoresUndefined = value.text.trim() === 'true';
      else reading.warn(place, name, `${name} of the placeholder configurer has no effect here`);
    }
    for (const property of configurer.children) {
      if (!isSpring(property) || property.local !== 'property') continue;
      const attribute = (name: string) => property.attributes.find((candidate) => candidate.name === name);
      const name = attribute('name')?.value.text ?? '';
      const value = attribute('value')?.value;
      const text = (value ?? valuesInside(property)[0])?.text.trim();
      if (name === 'location' || name === 'locations') {
        for (const location of value === undefined ? valuesInside(property) : [value]) this.#addLocations(location);
      } else if (name === 'ignoreResourceNotFound') this.ignoresMissingFiles = text === 'true';
      else if (name === 'ignoreUnresolvablePlaceholders') this.ignoresUndefined = text === 'true';
      else if (name === 'properties') this.#addInline(property);
      else reading.warn(property.place, name, `property ${name} of the placeholder configurer has no effect here`);
    }
  }

  #addLocations(text: LocatedText): void {
    this.locations.push(...split(text, ',').filter((location) => location.text !== ''));
  }

  /** `<props><prop key="name">value</prop></props>`, or `<value>` with the text of a properties file. */
  #addInline(property: XmlElement): void {
    for (const child of property.children) {
      if (child.local === 'value') {
        const { properties } = parseProperties(child.content.text);
        for (const [name, { value }] of properties) this.inline.set(name, { value, place: child.place });
      }
      for (const prop of child.local === 'props' ? child.children : []) {
        const key = prop.attributes.find(({ name }) => name === 'key')?.value.text;
        if (key !== undefined) this.inline.set(key, { value: prop.content.text.trim(), place: prop.place });
      }
    }
  }
}

/** The texts of all `<value>` elements inside, however deep. */
function valuesInside(element: XmlElement): LocatedText[] {
  return element.children.flatMap((child) => (child.local === 'value' ? [child.content] : valuesInside(child)));
}

function loadFile(location: LocatedText, mayBeMissing: boolean, sources: PlaceholderSources, reading: Reading): LoadedFile | null {
  const resolved = reading.resolve(location);
  if (resolved.text.includes('${')) return null;
  const place = location.at(0);
  const path = locatedPath(resolved.text, reading);
  if (path === null) {
    reading.error(place, 'location', `a properties file is named by a file: URL, found "${resolved.text}"`);
    return null;
  }
  let text: string | null;
  try {
    text = sources.readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    reading.error(place, 'location', `properties file ${path} cannot be read: ${reason}`);
    return null;
  }
  if (text === null) {
    if (!mayBeMissing) {
      const message = `properties file ${path} does not exist: ActiveMQ would not start (an empty file is enough for it), here only a placeholder that needs it fails`;
      reading.warn(place, 'location', message);
    }
    return { path, place, values: null };
  }
  const { properties, problems } = parseProperties(text);
  for (const problem of problems) reading.error({ file: path, line: problem.line, column: 0 }, '', problem.message);
  const placed = ({ value, line }: Property): PlacedValue => ({ value, place: { file: path, line, column: 0 } });
  return { path, place, values: new Map([...properties].map(([name, property]) => [name, placed(property)])) };
}

/** As in Spring, a later file replaces what an earlier one says, and files what stands in the configurer itself. */
function lookupInFiles(
  name: string,
  files: readonly LoadedFile[],
  inline: ReadonlyMap<string, PlacedValue>,
): ReturnType<PlaceholderLookup> {
  const file = files.findLast(({ values }) => values?.has(name) === true);
  const value = (file?.values?.get(name) ?? inline.get(name))?.value;
  if (value === undefined) return null;
  if (!/^\s*ENC\(.*\)\s*$/s.test(value)) return { value };
  const from = file === undefined ? '' : ` in ${file.path}`;
  return {
    problem: `the value of ${name}${from} is encrypted, and ENC(...) is not decrypted here: write it in clear, or set -D ${name}=...`,
  };
}

function explainUndefined(name: string, files: readonly LoadedFile[]): string {
  const missing = files.filter(({ values }) => values === null).map(({ path }) => `${path}, which does not exist`);
  const found = files.filter(({ values }) => values !== null).map(({ path }) => path);
  const searched = [...found, ...missing];
  const inFiles = searched.length === 0 ? '' : ` and not in ${searched.join(' or ')}`;
  return `: not by -D ${name}=..., not in the environment${inFiles}`;
}

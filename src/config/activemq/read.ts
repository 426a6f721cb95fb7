import { hostname } from 'node:os';
import type { Diagnostic } from '../diagnostic.ts';
import { beanOf, booleanOf, placeOf, textOf } from './bean-values.ts';
import { type Bean, Binder } from './bind.ts';
import { describe, inert } from './dispositions.ts';
import { elementDisposition } from './elements.ts';
import { CORE_NAMESPACE, isSpring, SPRING_NAMESPACE, warnOfStrayText } from './givens.ts';
import type { BrokerModel, BrokerSource } from './model.ts';
import { type Configured, isPlaceholderConfigurer, type PlaceholderSources, preparePlaceholders } from './placeholders.ts';
import { readAuthentication } from './read-authentication.ts';
import { readTransportConnectors } from './read-connectors.ts';
import { readDestinations } from './read-destinations.ts';
import { readNetworkConnectors } from './read-network.ts';
import { readDefaultEntry, readPolicyEntries } from './read-policy.ts';
import { checkTlsConnectors, readSslContext } from './read-ssl-context.ts';
import { readDataDirectory, readIOExceptionHandler, readPersistenceAdapter } from './read-store.ts';
import { readSystemUsage } from './read-usage.ts';
import { Reading } from './reading.ts';
import { ELEMENTS, type ElementSchema, elementOfClass } from './schema.ts';
import { didYouMean } from './suggestion.ts';
import { parseXml, type XmlElement } from './xml.ts';

export interface ReadOptions extends PlaceholderSources {
  /** Folder that relative paths are relative to; that of the process unless given. */
  readonly workingDirectory?: string;
  /** `${activemq.hostname}`; the machine's name unless given. */
  readonly hostname?: string;
}

export interface ReadResult {
  /** null when a diagnostic is an error. */
  readonly model: BrokerModel | null;
  /** null together with the model. */
  readonly source: BrokerSource | null;
  readonly diagnostics: Diagnostic[];
}

/** Characters of the longest message: a name or value of a wrong file may be as long as the file. */
export const MESSAGE_LENGTH_MAX = 2000;

/** ActiveMQ's name of a broker that has none. */
const DEFAULT_BROKER_NAME = 'localhost';

/**
 * Reads an activemq.xml. Never throws: whatever is wrong with the text is in the diagnostics, in file order.
 *
 * @param text the file's content; bytes are decoded by their byte order mark or XML declaration
 * @param file its path, for messages and for `${activemq.conf}`
 */
export function readActiveMQ(text: string | Uint8Array, file: string, options: ReadOptions): ReadResult {
  const { root, diagnostics } = parseXml(text, file);
  if (root === null) return { model: null, source: null, diagnostics: diagnostics.map(shortened) };
  const reading = new Reading(file, options.workingDirectory ?? process.cwd(), options.hostname ?? hostname());
  const broker = new FileReader(root, reading).read(options);
  const found = reading.diagnostics().map(shortened);
  if (broker === null || reading.hasErrors) return { model: null, source: null, diagnostics: found };
  return { ...broker, diagnostics: found };
}

function shortened(diagnostic: Diagnostic): Diagnostic {
  const cut = (text: string) => (text.length <= MESSAGE_LENGTH_MAX ? text : `${text.slice(0, MESSAGE_LENGTH_MAX)}...`);
  return { ...diagnostic, keyword: cut(diagnostic.keyword), message: cut(diagnostic.message) };
}

/** Reads the level of `<beans>`: finds the broker and says what becomes of all that stands beside it. */
class FileReader {
  readonly #root: XmlElement;
  readonly #reading: Reading;
  readonly #items: readonly XmlElement[];
  readonly #binder: Binder;

  constructor(root: XmlElement, reading: Reading) {
    this.#root = root;
    this.#reading = reading;
    this.#items = isBeans(root) ? this.#itemsOf(root) : [root];
    const byId = new Map<string, XmlElement>();
    for (const item of this.#items) {
      const id = item.attributes.find(({ name }) => name === 'id')?.value.text.trim();
      if (id !== undefined) byId.set(id, item);
    }
    this.#binder = new Binder(reading, byId);
  }

  read(options: ReadOptions): { model: BrokerModel; source: BrokerSource } | null {
    const configurers = this.#items.filter(isPlaceholderConfigurer);
    const configured = preparePlaceholders(configurers, options, this.#reading);
    const brokers = this.#items.flatMap((item) => {
      const schema = brokerSchema(item);
      return schema === undefined ? [] : [{ item, schema }];
    });
    const [first, second] = brokers;
    const bean = first === undefined ? null : this.#binder.bind(first.item, first.schema, false);
    if (second !== undefined) {
      this.#reading.error(second.item.place, 'broker', `one file describes one broker; the first is in line ${first!.item.place.line}`);
    }
    for (const item of this.#items) {
      if (!isPlaceholderConfigurer(item) && brokerSchema(item) === undefined) this.#readBeside(item);
    }
    if (bean === null) {
      if (!this.#reading.hasErrors)
        this.#reading.error(this.#root.place, this.#root.local, `the file has no <broker xmlns="${CORE_NAMESPACE}">`);
      return null;
    }
    return { model: this.#model(bean), source: this.#source(bean, configured) };
  }

  /** The children of `<beans>`, those of nested `<beans>` in their place. */
  #itemsOf(beans: XmlElement): XmlElement[] {
    warnOfStrayText(beans, this.#reading);
    return beans.children.flatMap((child) => (isBeans(child) ? this.#itemsOf(child) : [child]));
  }

  /** Something beside the broker. */
  #readBeside(item: XmlElement): void {
    if (this.#binder.isReferred(item)) return;
    const schema = item.namespace === CORE_NAMESPACE ? ELEMENTS.get(item.local) : undefined;
    if (schema !== undefined) {
      const { does } = elementDisposition(schema.name);
      this.#reading.warn(
        item.place,
        item.local,
        describe(`<${item.name}>`, inert(does, 'it stands beside the broker and nothing refers to it')),
      );
    } else if (item.namespace === CORE_NAMESPACE) {
      const suggestion = didYouMean(item.local, ['broker', ...ELEMENTS.keys()], (name) => `<${name}>`);
      this.#reading.error(item.place, item.local, `unknown element <${item.name}>: expected <broker>${suggestion}`);
    } else if (item.local === 'broker') {
      const message = `<${item.name}> is in the namespace "${item.namespace}", not ActiveMQ's: write <broker xmlns="${CORE_NAMESPACE}">`;
      this.#reading.error(item.place, item.local, message);
    } else if (isSpring(item)) {
      this.#readSpring(item);
    } else {
      this.#reading.warn(item.place, item.local, describe(`<${item.name}>`, inert('is read by a Spring extension', 'there is none here')));
    }
  }

  #readSpring(item: XmlElement): void {
    switch (item.local) {
      case 'description':
        return;
      case 'bean':
        this.#binder.foreignBean(item);
        return;
      case 'import': {
        const resource = item.attributes.find(({ name }) => name === 'resource')?.value.text ?? '';
        const does = `adds the beans of ${resource === '' ? 'another file' : resource}`;
        const because = /jetty/i.test(resource) ? 'there is no Jetty web console here' : BESIDE_THE_BROKER;
        this.#reading.warn(item.place, 'import', describe('<import>', inert(does, because)));
        return;
      }
      case 'alias':
        this.#reading.warn(item.place, 'alias', describe('<alias>', inert('gives a bean a second name', BESIDE_THE_BROKER)));
        return;
      default: {
        const suggestion = didYouMean(item.local, ['beans', 'bean', 'import', 'broker'], (name) => `<${name}>`);
        const message = `unknown element <${item.name}>: expected <broker xmlns="${CORE_NAMESPACE}"> or Spring's <beans>, <bean>, <import>${suggestion}`;
        this.#reading.error(item.place, item.local, message);
      }
    }
  }

  #model(bean: Bean): BrokerModel {
    const reading = this.#reading;
    const brokerName = this.#brokerName(bean);
    const dataDirectory = readDataDirectory(bean, reading);
    const policyMap = beanOf(bean, 'destinationPolicy');
    const sslContext = beanOf(bean, 'sslContext');
    const model: BrokerModel = {
      file: reading.file,
      brokerName,
      dataDirectory,
      persistent: booleanOf(bean, 'persistent', true),
      deleteAllMessagesOnStartup: booleanOf(bean, 'deleteAllMessagesOnStartup', false),
      advisorySupport: booleanOf(bean, 'advisorySupport', true),
      transportConnectors: readTransportConnectors(bean.beans.get('transportConnectors')?.items ?? [], reading),
      networkConnectors: readNetworkConnectors(bean.beans.get('networkConnectors')?.items ?? [], reading),
      persistenceAdapter: readPersistenceAdapter(bean, brokerName, dataDirectory, reading),
      ioExceptionHandler: readIOExceptionHandler(beanOf(bean, 'ioExceptionHandler'), reading),
      systemUsage: readSystemUsage(beanOf(bean, 'systemUsage'), reading),
      policyEntries: readPolicyEntries(policyMap, reading),
      defaultPolicyEntry: readDefaultEntry(policyMap, reading),
      authentication: readAuthentication(bean, reading),
      sslContext: sslContext === undefined ? null : readSslContext(sslContext, reading),
      destinations: readDestinations(bean.beans.get('destinations')?.items ?? [], reading),
    };
    checkTlsConnectors(model.transportConnectors, model.sslContext, reading);
    if (!bean.beans.has('transportConnectors')) {
      reading.warn(bean.place, 'transportConnectors', 'the broker has no transport connector, so no client can reach it');
    }
    return model;
  }

  /** ActiveMQ replaces what would not do in an object name, and says so. */
  #brokerName(bean: Bean): string {
    const fallback = booleanOf(bean, 'useLocalHostBrokerName', false) ? this.#reading.hostname : DEFAULT_BROKER_NAME;
    const written = textOf(bean, 'brokerName', fallback);
    const name = written.replace(/[^a-zA-Z0-9._:-]/g, '_');
    if (name !== written && !written.includes('${')) {
      const value = bean.values.get('brokerName');
      const message = `brokerName "${written}" is read as "${name}", as in ActiveMQ: letters, digits and . _ - : only`;
      this.#reading.warn(value?.text.at(0) ?? bean.place, 'brokerName', message);
    }
    return name;
  }

  /** Inert, but whether the file opens the broker to management tools is worth advice. */
  #managementContext(): BrokerSource['managementContext'] {
    const contexts = descendants(this.#root, 'managementContext');
    const outer = contexts[0];
    if (outer === undefined) return null;
    const values = contexts.flatMap(({ attributes }) => attributes.filter(({ name }) => name === 'createConnector'));
    return {
      place: outer.place,
      createConnector: values.some(({ value }) => this.#reading.resolve(value).text.trim().toLowerCase() === 'true'),
    };
  }

  #source(bean: Bean, configured: Configured): BrokerSource {
    const systemUsage = beanOf(bean, 'systemUsage');
    const usage = (name: string) => (systemUsage === undefined ? bean.place : (beanOf(systemUsage, name)?.place ?? systemUsage.place));
    return {
      file: this.#reading.file,
      places: {
        broker: bean.place,
        brokerName: placeOf(bean, 'brokerName'),
        dataDirectory: bean.values.has('dataDirectory') ? placeOf(bean, 'dataDirectory') : placeOf(bean, 'dataDirectoryFile'),
        persistenceAdapter: beanOf(bean, 'persistenceAdapter')?.place ?? bean.place,
        memoryUsage: usage('memoryUsage'),
        storeUsage: usage('storeUsage'),
        tempUsage: usage('tempUsage'),
      },
      managementContext: this.#managementContext(),
      beans: this.#binder.foreignBeans.toSorted((a, b) => a.place.line - b.place.line),
      ...configured,
    };
  }
}

/** All elements of a name below an element, outer ones first. */
function descendants(element: XmlElement, local: string): XmlElement[] {
  return element.children.flatMap((child) => [...(child.local === local ? [child] : []), ...descendants(child, local)]);
}

const BESIDE_THE_BROKER = 'beans beside the broker are Java';

function isBeans(element: XmlElement): boolean {
  return isSpring(element) && element.local === 'beans';
}

/** The schema of a broker, be it ActiveMQ's element or a Spring bean of its class. */
function brokerSchema(item: XmlElement): ElementSchema | undefined {
  if (item.namespace === CORE_NAMESPACE)
    return item.local === 'broker' || item.local === 'brokerService' ? ELEMENTS.get(item.local) : undefined;
  if (item.namespace !== SPRING_NAMESPACE || item.local !== 'bean') return undefined;
  const className = item.attributes.find(({ name }) => name === 'class')?.value.text.trim() ?? '';
  const schema = elementOfClass(className);
  return schema?.name === 'broker' || schema?.name === 'brokerService' ? schema : undefined;
}

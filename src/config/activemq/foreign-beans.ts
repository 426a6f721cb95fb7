import { BECAUSE, type Disposition, inert } from './dispositions.ts';

/** Java classes that stand in the files ActiveMQ ships, or that its users often add. */
const KNOWN: readonly { readonly pattern: RegExp; readonly disposition: Disposition }[] = [
  {
    pattern: /\.Log4j(?:2)?LogQuery$/,
    disposition: inert('shows recent log lines to JMX tools', BECAUSE.jmx),
  },
  {
    pattern: /\.SpringContextHook$/,
    disposition: inert('closes the Spring context, and with it the web console, when the broker stops', 'there is no Spring context here'),
  },
  {
    pattern: /^org\.jasypt\./,
    disposition: inert('decrypts ENC(...) values of properties files', 'encrypted values are not read here'),
  },
  {
    pattern: /DataSource$/,
    disposition: inert('connects to a database', 'there is no store in a database'),
  },
  {
    pattern: /^org\.(?:eclipse\.jetty|mortbay)\./,
    disposition: inert('serves the web console', 'there is no Jetty here'),
  },
  {
    pattern: /^org\.apache\.camel\./,
    disposition: inert('routes messages with Camel', BECAUSE.java),
  },
];

/** What happens to a Spring bean of a class that no element of ActiveMQ's schema stands for: it is always inert. */
export function foreignBeanDisposition(className: string): Disposition {
  return KNOWN.find(({ pattern }) => pattern.test(className))?.disposition ?? inert('is Java code', BECAUSE.java);
}

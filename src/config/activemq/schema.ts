import { VOCABULARY_TABLE } from './vocabulary.ts';

/** What a property holds and how its text is read. */
export type PropertyKind =
  /** `strict`: true and false only; otherwise also on, yes, 1, off, no, 0, as Spring has it. */
  | { readonly kind: 'boolean'; readonly strict: boolean }
  /** A whole number within Java's short, int or long. */
  | { readonly kind: 'integer'; readonly type: 'short' | 'int' | 'long' }
  /** Bytes with a unit: "64mb". */
  | { readonly kind: 'size'; readonly type: 'int' | 'long' }
  | { readonly kind: 'decimal' }
  /** Any text: names, paths, URIs, and lists that are written with commas. */
  | { readonly kind: 'text' }
  /** One element out of some. */
  | { readonly kind: 'element'; readonly accepts: readonly string[] }
  /** Any number of elements out of some. */
  | { readonly kind: 'elements'; readonly accepts: readonly string[] }
  /** Texts by name: Spring's `<map>`. */
  | { readonly kind: 'map' }
  /** A Java object that ActiveMQ's schema has no element for: only a Spring bean can stand here. */
  | { readonly kind: 'bean' };

export interface PropertySchema {
  readonly name: string;
  /** Simple name of its Java type. */
  readonly type: string;
  readonly kind: PropertyKind;
  /** ActiveMQ's default; empty when there is none to print. */
  readonly default: string;
}

export interface ElementSchema {
  readonly name: string;
  /** The Java class that a Spring bean would name instead. */
  readonly className: string;
  readonly properties: ReadonlyMap<string, PropertySchema>;
}

/** Elements and properties that the table lacks: its Debian build has no class for some, and later versions know more. */
const SUPPLEMENT = `
abortSlowConsumerStrategy org.apache.activemq.broker.region.policy.AbortSlowConsumerStrategy
 abortConnection boolean false
 checkPeriod long 30000
 ignoreNetworkConsumers boolean true
 maxSlowCount long -1
 maxSlowDuration long 30000
 name String
abortSlowAckConsumerStrategy org.apache.activemq.broker.region.policy.AbortSlowAckConsumerStrategy
 abortConnection boolean false
 checkPeriod long 30000
 ignoreIdleConsumers boolean true
 ignoreNetworkConsumers boolean true
 maxSlowCount long -1
 maxSlowDuration long 30000
 maxTimeSinceLastAck long 30000
 name String
broker org.apache.activemq.xbean.XBeanBrokerService
 maxUncommittedCount int 0
managementContext org.apache.activemq.broker.jmx.ManagementContext
 propertyList List
oldestMessageEvictionStrategy org.apache.activemq.broker.region.policy.OldestMessageEvictionStrategy
 expiryCheckEnabled boolean true
oldestMessageWithLowestPriorityEvictionStrategy org.apache.activemq.broker.region.policy.OldestMessageWithLowestPriorityEvictionStrategy
 expiryCheckEnabled boolean true
partitionBrokerPlugin org.apache.activemq.partition.PartitionBrokerPlugin
 config String
 minTransferCount int
runtimeConfigurationPlugin org.apache.activemq.plugin.RuntimeConfigurationPlugin
 checkPeriod long 0
uniquePropertyMessageEvictionStrategy org.apache.activemq.broker.region.policy.UniquePropertyMessageEvictionStrategy
 expiryCheckEnabled boolean true
`;

const DESTINATIONS = ['queue', 'topic', 'tempQueue', 'tempTopic'];
const JDBC_ADAPTERS = [
  'axionJDBCAdapter',
  'blobJDBCAdapter',
  'bytesJDBCAdapter',
  'db2JDBCAdapter',
  'defaultJDBCAdapter',
  'hsqldb-jdbc-adapter',
  'imageBasedJDBCAdaptor',
  'informixJDBCAdapter',
  'maxdb-jdbc-adapter',
  'mysql-jdbc-adapter',
  'oracleBlobJDBCAdapter',
  'oracleJDBCAdapter',
  'postgresql-jdbc-adapter',
  'sqlServerJDBCAdapter',
  'streamJDBCAdapter',
  'sybase-jdbc-adapter',
  'transact-jdbc-adapter',
];
const RECOVERY_POLICIES = [
  'fixedCountSubscriptionRecoveryPolicy',
  'fixedSizedSubscriptionRecoveryPolicy',
  'lastImageSubscriptionRecoveryPolicy',
  'noSubscriptionRecoveryPolicy',
  'queryBasedSubscriptionRecoveryPolicy',
  'retainedMessageSubscriptionRecoveryPolicy',
  'timedSubscriptionRecoveryPolicy',
];

/** Elements that are of a Java type, or implement it. */
const ELEMENTS_BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  ActiveMQDestination: DESTINATIONS,
  ActiveMQPrefetchPolicy: ['prefetchPolicy'],
  AuthorizationEntry: ['authorizationEntry'],
  AuthorizationMap: ['authorizationMap', 'cachedLDAPAuthorizationMap', 'lDAPAuthorizationMap', 'simpleAuthorizationMap'],
  ConnectionFactory: ['connectionFactory'],
  DeadLetterStrategy: ['sharedDeadLetterStrategy', 'individualDeadLetterStrategy', 'discarding'],
  DispatchPolicy: [
    'clientIdFilterDispatchPolicy',
    'priorityDispatchPolicy',
    'priorityNetworkDispatchPolicy',
    'roundRobinDispatchPolicy',
    'simpleDispatchPolicy',
    'strictOrderDispatchPolicy',
  ],
  IOExceptionHandler: ['defaultIOExceptionHandler', 'jDBCIOExceptionHandler', 'leaseLockerIOExceptionHandler'],
  JDBCAdapter: JDBC_ADAPTERS,
  JDBCPersistenceAdapter: ['jdbcPersistenceAdapter'],
  JmsMesageConvertor: ['simpleJmsMessageConvertor'],
  JobSchedulerUsage: ['jobSchedulerUsage'],
  Locker: ['shared-file-locker', 'database-locker', 'lease-database-locker', 'transact-database-locker'],
  ManagementContext: ['managementContext'],
  MemoryUsage: ['memoryUsage'],
  MessageEvictionStrategy: [
    'oldestMessageEvictionStrategy',
    'oldestMessageWithLowestPriorityEvictionStrategy',
    'uniquePropertyMessageEvictionStrategy',
  ],
  MessageGroupMapFactory: ['cachedMessageGroupMapFactory', 'messageGroupHashBucketFactory', 'simpleMessageGroupMapFactory'],
  NetworkBridgeFilterFactory: ['defaultNetworkBridgeFilterFactory', 'conditionalNetworkBridgeFilterFactory'],
  PListStore: ['pListStoreImpl'],
  PendingDurableSubscriberMessageStoragePolicy: ['storeDurableSubscriberCursor', 'fileDurableSubscriberCursor', 'vmDurableCursor'],
  PendingMessageLimitStrategy: ['constantPendingMessageLimitStrategy', 'prefetchRatePendingMessageLimitStrategy'],
  PendingQueueMessageStoragePolicy: ['storeCursor', 'vmQueueCursor', 'fileQueueCursor'],
  PendingSubscriberMessageStoragePolicy: ['fileCursor', 'vmCursor'],
  PersistenceAdapter: ['kahaDB', 'memoryPersistenceAdapter', 'mKahaDB', 'jdbcPersistenceAdapter', 'journalPersistenceAdapter'],
  PersistenceAdapterFactory: ['journalPersistenceAdapterFactory', 'journaledJDBC'],
  PolicyEntry: ['policyEntry'],
  PolicyMap: ['policyMap'],
  PublishedAddressPolicy: ['publishedAddressPolicy'],
  ReconnectionPolicy: ['reconnectionPolicy'],
  RedeliveryPolicy: ['redeliveryPolicy'],
  RedeliveryPolicyMap: ['redeliveryPolicyMap'],
  SlowConsumerStrategy: ['abortSlowConsumerStrategy', 'abortSlowAckConsumerStrategy'],
  SslContext: ['sslContext'],
  Statements: ['statements'],
  StoreUsage: ['storeUsage'],
  SubscriptionRecoveryPolicy: RECOVERY_POLICIES,
  SystemUsage: ['systemUsage'],
  TaskRunnerFactory: ['taskRunnerFactory'],
  TempDestinationAuthorizationEntry: ['tempDestinationAuthorizationEntry'],
  TempUsage: ['tempUsage'],
  UsageCapacity: ['defaultUsageCapacity', 'usageCapacity'],
};

/** Elements that a Java array type holds. */
const ELEMENTS_BY_ARRAY_TYPE: Readonly<Record<string, readonly string[]>> = {
  'ActiveMQDestination[]': DESTINATIONS,
  'BrokerPlugin[]': [
    'authorizationPlugin',
    'connectionDotFilePlugin',
    'destinationDotFilePlugin',
    'destinationPathSeparatorPlugin',
    'destinationsPlugin',
    'discardingDLQBrokerPlugin',
    'forcePersistencyModeBrokerPlugin',
    'jaasAuthenticationPlugin',
    'jaasCertificateAuthenticationPlugin',
    'jaasDualAuthenticationPlugin',
    'loggingBrokerPlugin',
    'multicastTraceBrokerPlugin',
    'partitionBrokerPlugin',
    'redeliveryPlugin',
    'runtimeConfigurationPlugin',
    'simpleAuthenticationPlugin',
    'statisticsBrokerPlugin',
    'timeStampingBrokerPlugin',
    'traceBrokerPathPlugin',
    'udpTraceBrokerPlugin',
    'virtualSelectorCacheBrokerPlugin',
  ],
  'DestinationInterceptor[]': ['virtualDestinationInterceptor', 'mirroredQueue'],
  'InboundQueueBridge[]': ['inboundQueueBridge'],
  'InboundTopicBridge[]': ['inboundTopicBridge'],
  'JmsConnector[]': ['jmsQueueConnector', 'jmsTopicConnector'],
  'OutboundQueueBridge[]': ['outboundQueueBridge'],
  'OutboundTopicBridge[]': ['outboundTopicBridge'],
  'VirtualDestination[]': ['virtualTopic', 'compositeQueue', 'compositeTopic'],
};

/** Elements that a collection without an element type holds, by the name of its property. */
const ELEMENTS_BY_PROPERTY: Readonly<Record<string, readonly string[]>> = {
  authorizationEntries: ['authorizationEntry', 'tempDestinationAuthorizationEntry'],
  durableDestinations: DESTINATIONS,
  dynamicallyIncludedDestinations: DESTINATIONS,
  excludedDestinations: DESTINATIONS,
  filteredPersistenceAdapters: ['filteredKahaDB'],
  forwardTo: ['queue', 'topic', 'filteredDestination'],
  networkConnectors: ['networkConnector', 'ldapNetworkConnector', 'multicastNetworkConnector'],
  policyEntries: ['policyEntry'],
  proxyConnectors: ['proxyConnector'],
  redeliveryPolicyEntries: ['redeliveryPolicy'],
  staticallyIncludedDestinations: DESTINATIONS,
  transportConnectors: ['transportConnector'],
  users: ['authenticationUser'],
};

/** Collections that are also written as text, and maps and properties, whose content is not read. */
const TEXT_TYPES = new Set([
  'String',
  'String[]',
  'File',
  'URI',
  'Set',
  'Map',
  'Properties',
  'PublishedHostStrategy',
  'SocketAddress',
  'ObjectName',
]);

/** Maps whose content is read. */
const MAPS = new Set(['userPasswords', 'userGroups', 'hostMapping', 'portMapping']);

const EDITOR_KINDS: Readonly<Record<string, (type: string) => PropertyKind>> = {
  BooleanEditor: () => ({ kind: 'boolean', strict: true }),
  MemoryPropertyEditor: (type) => ({ kind: 'size', type: type === 'long' ? 'long' : 'int' }),
  MemoryIntPropertyEditor: () => ({ kind: 'size', type: 'int' }),
};

/** All elements, by name. */
export const ELEMENTS: ReadonlyMap<string, ElementSchema> = parseTables(VOCABULARY_TABLE, SUPPLEMENT);

const ELEMENTS_BY_CLASS: ReadonlyMap<string, ElementSchema> = new Map(
  [...ELEMENTS.values()].map((element) => [element.className, element]),
);

/** The element that means the same as a Spring bean of a class. */
export function elementOfClass(className: string): ElementSchema | undefined {
  return ELEMENTS_BY_CLASS.get(className);
}

function parseTables(...tables: string[]): Map<string, ElementSchema> {
  const elements = new Map<string, ElementSchema & { readonly properties: Map<string, PropertySchema> }>();
  for (const table of tables) {
    let properties = new Map<string, PropertySchema>();
    for (const line of table.split('\n').filter((text) => text !== '')) {
      const [first, second, ...rest] = line.trimStart().split(' ') as [string, string, ...string[]];
      if (line.startsWith(' ')) {
        const [type, editor] = second.split('/') as [string, string | undefined];
        properties.set(first, { name: first, type, kind: kindOf(first, type, editor), default: rest.join(' ') });
      } else {
        properties = elements.get(first)?.properties ?? new Map();
        elements.set(first, { name: first, className: second, properties });
      }
    }
  }
  return elements;
}

function kindOf(name: string, type: string, editor: string | undefined): PropertyKind {
  const edited = editor === undefined ? undefined : EDITOR_KINDS[editor];
  if (edited !== undefined) return edited(type);
  if (type === 'boolean' || type === 'Boolean') return { kind: 'boolean', strict: false };
  if (type === 'short' || type === 'int' || type === 'long') return { kind: 'integer', type };
  if (type === 'float' || type === 'double') return { kind: 'decimal' };
  const one = ELEMENTS_BY_TYPE[type];
  if (one !== undefined) return { kind: 'element', accepts: one };
  const several = ELEMENTS_BY_ARRAY_TYPE[type] ?? ELEMENTS_BY_PROPERTY[name];
  if (several !== undefined) return { kind: 'elements', accepts: several };
  if (type === 'Map' && MAPS.has(name)) return { kind: 'map' };
  if (TEXT_TYPES.has(type)) return { kind: 'text' };
  return { kind: 'bean' };
}

import { invariant } from '../../errors.ts';
import { BECAUSE, type Disposition, each, honoured, inert, type Rules, refused } from './dispositions.ts';
import { ELEMENTS, type ElementSchema } from './schema.ts';

interface ElementRule {
  readonly element: Disposition;
  /** Of its properties. The rest of an inert or refused element shares its fate. */
  readonly properties: Rules;
}

const only = (element: Disposition): ElementRule => ({ element, properties: {} });

/** Several elements with one fate. */
function all(names: string, element: Disposition): Record<string, ElementRule> {
  return Object.fromEntries(names.split(' ').map((name) => [name, only(element)]));
}

const BROKER: Rules = {
  brokerName: honoured('names the broker in logs, client ids and announcements'),
  useLocalHostBrokerName: honoured('names the broker after its host, where brokerName does not'),
  ...each('dataDirectory dataDirectoryFile', honoured("is the folder of the broker's files")),
  persistent: honoured('decides whether messages are kept in files; false means memory'),
  advisorySupport: honoured('announces subscriptions to linked brokers; without it no link forwards on demand'),
  transportConnectors: honoured('lists the ports the broker listens on'),
  networkConnectors: honoured('lists the links to other brokers'),
  persistenceAdapter: honoured('says where messages are kept'),
  systemUsage: honoured('limits memory, store and temporary files (docs/guides/limits.md)'),
  destinationPolicy: honoured('sets limits and strategies by destination'),
  destinations: honoured('lists queues and topics that exist from the start'),
  plugins: honoured('lists plugins; each of them is judged by itself'),

  messageAuthorizationPolicy: refused('decides message by message who may consume it', BECAUSE.notOpen),
  sslContext: honoured('names the keys and certificates of connectors with TLS'),
  persistenceFactory: refused('keeps messages in a database with a journal before it', BECAUSE.notKept),
  jmsBridgeConnectors: refused('forwards messages to and from another JMS provider', BECAUSE.notLost),
  proxyConnectors: refused('listens on a port and forwards its clients to another broker', 'this is not supported; use a balancer'),
  transportConnectorURIs: refused('lists the ports the broker listens on', 'write a <transportConnector> for each'),
  networkConnectorURIs: refused('lists the links to other brokers', 'write a <networkConnector> for each'),

  destinationInterceptors: inert('feeds queues from topics (virtual topics) and mirrors queues', BECAUSE.queues),
  managementContext: inert('opens the broker to JMX tools', BECAUSE.jmx),
  useJmx: inert('switches management by JMX on or off', BECAUSE.jmx),
  mbeanInvocationTimeout: inert('bounds the time of a JMX call', BECAUSE.jmx),
  brokerObjectName: inert("is the broker's name in JMX", BECAUSE.jmx),
  populateUserNameInMBeans: inert('shows user names in JMX', BECAUSE.jmx),
  restartAllowed: inert('allows a restart by JMX', BECAUSE.jmx),
  enableStatistics: inert('counts messages for JMX', 'counters are always kept'),
  services: inert('starts Java services beside the broker', BECAUSE.java),
  shutdownHooks: inert('runs Java code when the broker stops', BECAUSE.java),
  useShutdownHook: inert('stops the broker when its Java machine ends', 'the broker always stops cleanly on a signal'),
  ...each(
    'systemExitOnShutdown systemExitOnShutdownExitCode',
    inert('ends the Java machine after the broker', 'the process always ends with its broker'),
  ),
  useLoggingForShutdownErrors: inert('logs errors of the stop', 'they are always logged'),
  ...each(
    'dedicatedTaskRunner taskRunnerPriority taskRunnerFactory persistenceTaskRunnerFactory persistenceThreadPriority',
    inert("tunes the broker's threads", BECAUSE.threads),
  ),
  start: inert('decides whether the broker starts with its file', 'it always does'),
  startAsync: inert('starts the broker in the background', BECAUSE.threads),
  networkConnectorStartAsync: inert('starts links in the background', BECAUSE.linkStarts),
  brokerId: inert("sets the broker's id", 'each start makes an id of its own, which is how two brokers of one name are told apart'),
  vmConnectorURI: inert('lets code in the same Java machine connect', BECAUSE.java),
  ...each(
    'waitForSlave waitForSlaveTimeout passiveSlave shutdownOnSlaveFailure shutdownOnMasterFailure',
    inert('belongs to pure master/slave, removed in 5.8, and does nothing', 'it does nothing here either'),
  ),

  adjustUsageLimits: inert('lowers usage limits to what the machine has, or refuses to start', 'limits are always lowered'),
  ...each(
    'schedulePeriodForDiskUsageCheck diskUsageCheckRegrowThreshold',
    inert('fits the store limit to the disk as it fills', 'it is fitted at the start, and rises by itself when the disk has space again'),
  ),
  ...each(
    'splitSystemUsageForProducersConsumers producerSystemUsage consumerSystemUsage producerSystemUsagePortion consumerSystemUsagePortion',
    inert('divides usage limits between producers and consumers', BECAUSE.oneLimit),
  ),
  deleteAllMessagesOnStartup: honoured('empties the store at every start'),
  ioExceptionHandler: honoured('decides what happens when the disk fails'),
  ...each('tempDataStore tmpDataDirectory', inert('is where waiting messages go when memory is short', BECAUSE.spill)),
  keepDurableSubsActive: inert('keeps what arrives for subscribers that are away ready to send', 'sessions that are away always keep it'),
  ...each(
    'offlineDurableSubscriberTimeout offlineDurableSubscriberTaskSchedule',
    inert('forgets subscribers that stay away too long', 'sessions end as MQTT says: by their own expiry interval, or never'),
  ),
  enableMessageExpirationOnActiveDurableSubs: inert('looks for expired messages of durable subscribers', 'expired messages are never sent'),
  rejectDurableConsumers: inert('refuses durable JMS subscribers', BECAUSE.jms),
  ...each(
    'schedulePeriodForDestinationPurge maxPurgedDestinationsPerSweep',
    inert('removes destinations nobody uses', 'a topic takes no room while nobody uses it'),
  ),
  ...each(
    'schedulerSupport schedulerDirectory schedulerDirectoryFile maxSchedulerRepeatAllowed jobSchedulerStore',
    inert('delays and repeats messages for JMS clients', BECAUSE.jms),
  ),
  ...each(
    'useVirtualTopics useVirtualDestSubs useVirtualDestSubsOnCreation',
    inert('feeds queues from topics (virtual topics)', BECAUSE.queues),
  ),
  ...each('useMirroredQueues useTempMirroredQueues', inert('copies what goes to queues to topics', BECAUSE.queues)),
  anonymousProducerAdvisorySupport: inert('advises of producers without a destination', BECAUSE.advisories),
  ...each(
    'allowTempAutoCreationOnSend cacheTempDestinations timeBeforePurgeTempDestinations',
    inert('handles temporary destinations', BECAUSE.jms),
  ),
  ...each('populateJMSXUserID useAuthenticatedPrincipalForJMSXUserID', inert("writes the sender's user name into messages", BECAUSE.jms)),
  ...each('rollbackOnlyOnAsyncException maxUncommittedCount', inert('concerns transactions', BECAUSE.jms)),
  monitorConnectionSplits: inert('logs connections that a client opens twice', BECAUSE.jms),
  storeOpenWireVersion: inert('is the format of stored messages', BECAUSE.kahaFiles),
};

const TRANSPORT_CONNECTOR: Rules = {
  name: honoured('names the connector in logs'),
  uri: honoured('is where it listens, with its options'),
  discoveryUri: honoured('announces the connector to brokers that look for neighbours'),
  messageAuthorizationPolicy: refused('decides message by message who may consume it', BECAUSE.notOpen),
  discoveryAgent: refused('announces the connector in some other way', 'write discoveryUri="multicast://default" instead'),
  allowLinkStealing: inert('lets a new client take the connection of one with its id', 'MQTT asks for that, so it is always so'),
  ...each(
    'maximumConsumersAllowedPerConnection maximumProducersAllowedPerConnection',
    inert('bounds what one JMS connection opens', BECAUSE.jms),
  ),
  updateClusterClients: honoured(
    'tells clients of the linked brokers; here MQTT 5 clients, when the broker stops (DISCONNECT 0x9C with their addresses)',
  ),
  updateClusterFilter: honoured('lists the names of brokers that clients are told of, as regular expressions; all unless given'),
  publishedAddressPolicy: honoured('decides which address of the connector others are told'),
  updateClusterClientsOnRemove: inert(
    'tells clients that a broker has left',
    'MQTT clients keep no list of brokers: they are told where to go when they have to',
  ),
  rebalanceClusterClients: inert(
    'moves clients to a broker that has joined',
    'a session and what waits in it stay at their broker, so nobody is sent away from one that works',
  ),
  auditNetworkProducers: inert('drops what a link sends twice', BECAUSE.linkAcks),
  disableAsyncDispatch: inert('sends messages in the thread of their publisher', BECAUSE.threads),
  taskRunnerFactory: inert("tunes the connector's threads", BECAUSE.threads),
  enableStatusMonitor: inert('watches for slow connections', 'slow receivers are seen by what waits for them'),
  ...each('displayStackTrace warnOnRemoteClose', inert('says more in the log when a connection ends', BECAUSE.logs)),
};

const NETWORK_CONNECTOR: Rules = {
  name: honoured('names the link; part of its client ids'),
  uri: honoured('says which brokers to link to: static:(...) or multicast://...'),
  duplex: honoured('forwards both ways over one connection; between two Roundhouse brokers only "false" changes anything'),
  ...each('networkTTL messageTTL consumerTTL', honoured('is how many brokers a message or a subscription may cross')),
  conduitSubscriptions: honoured(
    "forwards a message once for all of a neighbour's subscribers; so it is here also where this is false, which would deliver copies",
  ),
  prefetchSize: honoured('is how many messages may be on their way unacknowledged'),
  dynamicOnly: inert(
    'lets a durable subscriber that was away when the link began wait at the sending broker until it is back',
    "what a session that is away wants is forwarded at once and waits at the session's own broker",
  ),
  staticBridge: honoured('forwards the statically included destinations and nothing else'),
  dynamicallyIncludedDestinations: honoured('forwards these destinations only, when somebody subscribes'),
  staticallyIncludedDestinations: honoured('forwards these destinations always'),
  excludedDestinations: honoured('never forwards these destinations'),
  sslContext: refused('names the keys and certificates of TLS links', BECAUSE.notOpen),
  connectionFilter: refused('decides which brokers may be linked', BECAUSE.notOpen),
  discoveryAgent: refused('finds neighbours in some other way', 'write uri="static:(...)" or uri="multicast://default" instead'),
  ...each('userName password', honoured('logs in at the other broker')),
  ...each('remoteUserName remotePassword', inert('logs in for the way back of a duplex link', BECAUSE.linkLogin)),
  ...each(
    'advisoryPrefetchSize advisoryAckPercentage alwaysSyncSend dispatchAsync checkDuplicateMessagesOnDuplex advisoryForFailedForward',
    inert('tunes how a link acknowledges', BECAUSE.linkAcks),
  ),
  ...each('bridgeTempDestinations gcDestinationViews gcSweepTime', inert('handles temporary destinations and their views', BECAUSE.jms)),
  ...each(
    'conduitNetworkQueueSubscriptions decreaseNetworkConsumerPriority consumerPriorityBase suppressDuplicateQueueSubscriptions',
    inert('concerns queues across brokers', BECAUSE.queues),
  ),
  ...each('durableDestinations syncDurableSubs', inert('keeps durable JMS subscriptions in step across brokers', BECAUSE.jms)),
  suppressDuplicateTopicSubscriptions: inert('avoids double delivery in rings of brokers', 'a message is never taken twice'),
  destinationFilter: inert('narrows the advisories a link listens to', 'write dynamicallyIncludedDestinations instead'),
  clientIdToken: inert("separates the parts of the link's client ids", 'they are written as by default'),
  useCompression: inert('compresses what is forwarded', 'messages cross as they are'),
  useVirtualDestSubs: inert('forwards for virtual destinations', BECAUSE.queues),
  useBrokerNameAsIdSees: inert('tells brokers apart by name', 'brokers are told apart by their ids'),
  ...each('localUri objectName brokerName brokerURL', inert('is part of how a link is set up', BECAUSE.wiring)),
};

const JAVA_TLS = 'TLS is done by OpenSSL here';

const SSL_CONTEXT: Rules = {
  keyStore: honoured("holds the broker's keys and certificates (docs/guides/transports.md has the forms)"),
  keyStorePassword: honoured('opens the key store'),
  keyStoreKeyPassword: honoured('opens the key in it; the same as keyStorePassword unless given'),
  ...each('keyStoreType trustStoreType', honoured('is jks, pkcs12 or pem; what a file really is shows in its first bytes')),
  trustStore: honoured('holds the certificates that those of clients must come from'),
  trustStorePassword: honoured('opens the trust store'),
  crlPath: honoured('is a list of revoked certificates, in PEM or DER'),
  protocol: inert('is the family of TLS', 'it bounds no server in Java either: transport.enabledProtocols does'),
  ...each('keyStoreAlgorithm trustStoreAlgorithm secureRandomAlgorithm provider', inert("chooses among Java's ways to do TLS", JAVA_TLS)),
  ...each('SSLContext keyManagers trustManagers secureRandom', refused('does part of TLS by a Java object', BECAUSE.notOpen)),
};

const KAHADB: Rules = {
  directory: honoured('is the folder of the store'),
  journalDiskSyncStrategy: honoured(
    'is always (before anything is acknowledged), periodic or never; enableJournalDiskSyncs="false" is never',
  ),
  journalDiskSyncInterval: honoured('is the time in ms between two syncs of the periodic strategy'),
  enableJournalDiskSyncs: honoured('switches syncing off where it is false; the older word for journalDiskSyncStrategy="never"'),
  journalMaxFileLength: honoured('is the size from which on the next journal file is begun'),
  journalMaxWriteBatchSize: inert('bounds one write', 'a write has what has gathered while the last one was on its way'),
  ...each(
    'checkpointInterval cleanupInterval cleanupOnStop',
    inert('says when journal files are tidied up', 'that is done by how much was written, each second, and at a stop'),
  ),
  ...each(
    'checksumJournalFiles checkForCorruptJournalFiles ignoreMissingJournalfiles',
    inert('says what is checked at the start', 'every record is checked when it is read, and a damaged one is named and passed over'),
  ),
  archiveDataLogs: honoured('keeps journal files that are no longer needed, in another folder'),
  directoryArchive: honoured('is that folder; data-archive within the store unless given'),
  ...each(
    'indexCacheSize indexDirectory indexLFUEvictionFactor indexWriteBatchSize useIndexLFRUEviction enableIndexDiskSyncs ' +
      'enableIndexPageCaching enableIndexRecoveryFile enableIndexWriteAsync forceRecoverIndex archiveCorruptedIndex',
    inert("tunes KahaDB's index", BECAUSE.kahaIndex),
  ),
  ...each(
    'preallocationScope preallocationStrategy enableAckCompaction compactAcksAfterNoGC compactAcksIgnoresStoreGrowth',
    inert("tunes KahaDB's journal files", BECAUSE.kahaFiles),
  ),
  concurrentStoreAndDispatchTopics: honoured(
    'lets a message be sent while it is being stored, and not be written when all who get it have acknowledged it by then; other than in ' +
      'ActiveMQ it does unless it is given as false',
  ),
  concurrentStoreAndDispatchQueues: inert(
    'sends a message of a queue while it is being stored',
    'MQTT sessions are subscribers of topics: see concurrentStoreAndDispatchTopics',
  ),
  maxAsyncJobs: inert('bounds what is being stored', 'what waits for the disk is bounded in bytes'),
  ...each(
    'failoverProducersAuditDepth maxFailoverProducersToTrack purgeRecoveredXATransactionStrategy',
    inert('finds what JMS clients send twice, and old transactions', BECAUSE.jms),
  ),
  ...each(
    'useLock lockKeepAlivePeriod locker databaseLockedWaitDelay stopOnError',
    inert(
      'lets a second broker wait for the folder as a slave',
      'the folder is always locked, and a second broker on it is refused at once',
    ),
  ),
  enableSubscriptionStatistics: inert('counts what waits for each subscriber for JMX', 'counters are always kept'),
  brokerName: inert('is part of how the store is set up', BECAUSE.wiring),
};

const POLICY_ENTRY: Rules = {
  ...each('queue topic tempQueue tempTopic destination', honoured('says which destinations the entry is for')),
  pendingMessageLimitStrategy: honoured('bounds what waits for a slow subscriber'),
  messageEvictionStrategy: honoured('chooses what a slow subscriber loses'),
  deadLetterStrategy: honoured('says where messages go that are not delivered: expired ones, and what slow subscribers lose'),
  slowConsumerStrategy: honoured('closes slow subscribers'),
  memoryLimit: honoured(
    'bounds the memory of what waits for subscribers, topic by topic: who publishes to a full one waits; `0` is no bound',
  ),
  producerFlowControl: honoured('slows publishers down when memory is short; `false`: only a full store does'),
  sendFailIfNoSpace: honoured('refuses what there is no room for at once, whatever <systemUsage> says; MQTT 5 clients can be told'),
  sendFailIfNoSpaceAfterTimeout: honoured(
    'is how long, in ms, publishers wait before they are refused, whatever <systemUsage> says; `0`: they are not, `-1`: as it says',
  ),
  blockedProducerWarningInterval: honoured(
    'says how often, in ms, it is logged that publishers wait for a `memoryLimit`, `0` is never; at the limits of <systemUsage> it is every 30 s',
  ),
  cursorMemoryHighWaterMark: inert(
    'is the share of the memory limit from which on messages are paged to disk',
    'it is 70 % of <memoryUsage>, for all destinations together',
  ),
  storeUsageHighWaterMark: inert('is the share of the store limit at which it counts as reached', 'it counts as reached when it is'),
  ...each('topicPrefetch durableTopicPrefetch', honoured('is how many messages a subscriber gets ahead of its acknowledgements')),
  expireMessagesPeriod: honoured('says how often expired messages are looked for; the shortest period of all entries counts, `0` is never'),
  ...each(
    'gcInactiveDestinations gcWithNetworkConsumers inactiveTimeoutBeforeGC inactiveTimoutBeforeGC',
    inert('removes destinations nobody uses', BECAUSE.noTopicObjects),
  ),
  maxDestinations: inert('bounds the number of destinations', BECAUSE.noTopicObjects),
  advisoryForDiscardingMessages: honoured('sends an advisory for each message that a slow subscriber loses'),
  advisoryForSlowConsumers: honoured('sends an advisory when a subscriber begins to be slow'),
  ...each(
    'advisoryForFastProducers advisoryWhenFull',
    honoured('sends an advisory when a publisher has to wait, or is refused, because of memoryLimit or a limit of <systemUsage>'),
  ),
  sendAdvisoryIfNoConsumers: honoured('sends an advisory with each message of QoS 0 that nobody has subscribed to'),
  advisoryForDelivery: honoured('sends an advisory for each message and each client that it is for'),
  advisoryForConsumed: honoured('sends an advisory for each message that a client has acknowledged, or was sent at QoS 0'),
  includeBodyForAdvisory: honoured('has advisories of messages that were delivered or consumed carry them'),
  ...each(
    'queuePrefetch queueBrowserPrefetch usePrefetchExtension allConsumersExclusiveByDefault consumersBeforeDispatchStarts ' +
      'timeBeforeDispatchStarts lazyDispatch strictOrderDispatch useConsumerPriority prioritizedMessages',
    inert('says how consumers of a queue share it', BECAUSE.queues),
  ),
  ...each(
    'pendingQueuePolicy pendingSubscriberPolicy pendingDurableSubscriberPolicy maxPageSize maxBrowsePageSize maxExpirePageSize useCache',
    inert('says where waiting messages are held', BECAUSE.cursors),
  ),
  ...each('messageGroupMapFactory messageGroupMapFactoryType', inert('keeps messages of one group with one consumer', BECAUSE.queues)),
  dispatchPolicy: inert('says in which order subscribers get a message', 'every subscriber of a topic gets it in the order of arrival'),
  ...each('subscriptionRecoveryPolicy alwaysRetroactive', inert('gives late subscribers earlier messages', BECAUSE.recovery)),
  networkBridgeFilterFactory: inert('decides what queues send back over a link', BECAUSE.queues),
  ...each(
    'enableAudit maxAuditDepth maxQueueAuditDepth maxProducersToAudit sendDuplicateFromStoreToDLQ',
    inert('finds messages that were sent twice', 'QoS 2 does that for MQTT'),
  ),
  ...each(
    'doOptimzeMessageStorage optimizeMessageStoreInFlightLimit persistJMSRedelivered',
    inert('tunes how a queue is stored', BECAUSE.queues),
  ),
  optimizedDispatch: inert("tunes the destination's threads", BECAUSE.threads),
  ...each('reduceMemoryFootprint minimumMessageSize', inert('saves Java memory', BECAUSE.java)),
  useTopicSubscriptionInflightStats: inert('counts messages on their way for JMX', 'counters are always kept'),
};

const EVICTION: Rules = {
  evictExpiredMessagesHighWatermark: honoured('looks for expired messages first when more than this wait'),
  expiryCheckEnabled: inert('looks for expired messages before others are dropped', 'it always does'),
};

const SLOW_CONSUMER: Rules = {
  ...each('maxSlowCount maxSlowDuration maxTimeSinceLastAck', honoured('says when a subscriber is slow enough to be closed')),
  checkPeriod: honoured('says how often slow subscribers are looked for'),
  abortConnection: inert('closes the connection, and not the subscription alone', 'an MQTT client has no other way to be told'),
  ignoreNetworkConsumers: inert('leaves links alone', 'links have limits of their own and are never closed for this'),
  ignoreIdleConsumers: inert('leaves subscribers alone that have nothing to acknowledge', 'they always are'),
  name: inert('names the strategy in JMX', BECAUSE.jmx),
};

const DEAD_LETTER: Rules = {
  ...each('deadLetterQueue topicPrefix topicSuffix', honoured('names the dead letter destinations')),
  ...each('queuePrefix queueSuffix useQueueForQueueMessages', inert('names the dead letter destinations of queues', BECAUSE.queues)),
  useQueueForTopicMessages: honoured('sends dead letters of topics to queues, which come later: they are dropped; `false`: to topics'),
  destinationPerDurableSubscriber: inert(
    'keeps the dead letters of each subscriber apart',
    'a message becomes one once, whoever it was for',
  ),
  ...each('processExpired processNonPersistent', honoured('says which messages become dead letters')),
  expiration: honoured('is the life of a dead letter'),
  ...each(
    'enableAudit maxAuditDepth maxProducersToAudit',
    inert('avoids a second dead letter for one message', 'a message becomes one once'),
  ),
};

const USAGE: Rules = {
  limit: honoured('is the limit in bytes'),
  limiter: refused('is the limit, computed by a Java object', 'write limit="..." instead'),
  usagePortion: inert('takes a share of the limit', 'write the limit itself'),
  ...each('pollingTime percentUsageMinDelta', inert('says how often usage is looked at', BECAUSE.limitPolling)),
  ...each('name usage', inert('is part of how usage is counted', BECAUSE.wiring)),
};

const FILE_USAGE: Rules = {
  ...USAGE,
  percentLimit: honoured('is the limit as a share of the disk'),
  total: honoured('is what percentLimit is a share of, instead of the disk'),
};

const DESTINATION: Rules = {
  physicalName: honoured('is the name, with "." between levels'),
  ...each('DLQ properties compositeDestinations connectionId', inert('is part of how a destination is handled inside', BECAUSE.wiring)),
};

const SIMPLE_AUTHENTICATION: Rules = {
  users: honoured('lists the users'),
  userPasswords: honoured('is another list of users: passwords by user name'),
  userGroups: honoured('puts users in groups: group names by user name'),
  anonymousAccessAllowed: honoured('lets clients in that give neither user name nor password'),
  anonymousUser: honoured('is the user that such clients are'),
  anonymousGroup: honoured('is the group that such clients are in'),
};

const NO_DATABASE = 'no store here is a database';
const JDBC_STORE = refused('belongs to a store in a database', BECAUSE.notKept);
const AUTHORIZATION = refused('says who may read, write and create what', BECAUSE.notOpen);
const JAAS = refused('asks clients to log in by JAAS', BECAUSE.notOpen);
const JMS_BRIDGE = refused('forwards messages to and from another JMS provider', BECAUSE.notLost);
const COMPOSITE = refused('forwards what is sent to one destination to others', BECAUSE.notLost);
const CURSOR = inert('says where waiting messages are held', BECAUSE.cursors);
const DISPATCH = inert('says in which order subscribers get a message', 'every subscriber of a topic gets it in the order of arrival');
const GROUPS = inert('keeps messages of one group with one consumer', BECAUSE.queues);
const BRIDGE = inert('is one link between brokers', 'network connectors make their links themselves');
const JAVA_CLIENT = inert('makes connections for Java code in the same machine', BECAUSE.java);
const REDELIVERY = inert('says when a JMS client gets a message again', BECAUSE.jms);
const RECOVERY = inert('gives late subscribers earlier messages', BECAUSE.recovery);
const TRACE = inert('sends copies of all messages as datagrams for tracing', 'tracing is not part of the broker');
const DOT_FILE = inert('draws connections or destinations into a file', 'pictures are not part of the broker');

const RULES: Readonly<Record<string, ElementRule>> = {
  ...Object.fromEntries(['broker', 'brokerService'].map((name) => [name, { element: honoured('is the broker'), properties: BROKER }])),
  transportConnector: { element: honoured('is a port the broker listens on'), properties: TRANSPORT_CONNECTOR },
  networkConnector: { element: honoured('links the broker to others'), properties: NETWORK_CONNECTOR },
  ldapNetworkConnector: only(
    refused('finds neighbours in an LDAP directory', 'this is not supported; use <networkConnector uri="static:(...)">'),
  ),
  multicastNetworkConnector: only(
    refused('links brokers by multicast datagrams', 'this is not supported; use <networkConnector uri="multicast://default">'),
  ),
  ...all('compositeDemandForwardingBridge demandForwardingBridge forwardingBridge', BRIDGE),
  ...all(
    'conditionalNetworkBridgeFilterFactory defaultNetworkBridgeFilterFactory',
    inert('decides what queues send back over a link', BECAUSE.queues),
  ),
  proxyConnector: only(refused('listens on a port and forwards its clients to another broker', 'this is not supported; use a balancer')),
  publishedAddressPolicy: {
    element: honoured('decides which address of a connector others are told'),
    properties: {
      publishedHostStrategy: honoured(
        'is DEFAULT (the host of the URI; an address of the machine for 0.0.0.0), IPADDRESS, HOSTNAME or FQDN',
      ),
      hostMapping: honoured('puts another host in the place of the one that would be published'),
      portMapping: honoured('puts another port in the place of the one that is listened on'),
      clusterClientUriQuery: inert('adds options to the address that JMS clients are told', BECAUSE.jms),
    },
  },

  kahaDB: { element: honoured('keeps messages in files'), properties: KAHADB },
  memoryPersistenceAdapter: {
    element: honoured('keeps messages in memory only'),
    properties: each(
      'directory createTransactionStore useExternalMessageReferences brokerName',
      inert('is part of how the store is set up', BECAUSE.wiring),
    ),
  },
  ...all('mKahaDB filteredKahaDB', refused('keeps messages in several stores by destination', BECAUSE.notKept)),
  ...all('jdbcPersistenceAdapter', refused('keeps messages in a database', BECAUSE.notKept)),
  ...all(
    'journalPersistenceAdapter journalPersistenceAdapterFactory journaledJDBC',
    refused('keeps messages in a database with a journal before it', BECAUSE.notKept),
  ),
  ...all(
    'axionJDBCAdapter blobJDBCAdapter bytesJDBCAdapter db2JDBCAdapter defaultJDBCAdapter hsqldb-jdbc-adapter imageBasedJDBCAdaptor ' +
      'informixJDBCAdapter maxdb-jdbc-adapter mysql-jdbc-adapter oracleBlobJDBCAdapter oracleJDBCAdapter postgresql-jdbc-adapter ' +
      'sqlServerJDBCAdapter streamJDBCAdapter sybase-jdbc-adapter transact-jdbc-adapter statements',
    JDBC_STORE,
  ),
  ...all('database-locker lease-database-locker transact-database-locker', JDBC_STORE),
  'shared-file-locker': only(
    inert(
      'lets a second broker wait for the folder as a slave',
      'the folder is always locked, and a second broker on it is refused at once',
    ),
  ),
  defaultIOExceptionHandler: {
    element: honoured('decides what happens while the disk fails'),
    properties: {
      stopStartConnectors: honoured('stops the connectors until the store can write again'),
      ignoreAllErrors: honoured('leaves the connectors open whatever the error is'),
      ignoreNoSpaceErrors: honoured('leaves them open when it is lack of space'),
      noSpaceMessage: honoured('is what the message of such an error contains'),
      resumeCheckSleepPeriod: honoured('is the time in ms between two attempts to write; 1,000 here unless given'),
      ...each('ignoreSQLExceptions sqlExceptionMessage', inert('tells errors of a database', NO_DATABASE)),
      systemExitOnShutdown: inert('ends the Java machine when the broker stops', 'the broker does not stop but goes on when it can write'),
      brokerService: inert('is the broker', BECAUSE.wiring),
    },
  },
  ...all('jDBCIOExceptionHandler leaseLockerIOExceptionHandler', inert('decides what happens when a database fails', NO_DATABASE)),
  pListStoreImpl: only(inert('is where waiting messages go when memory is short', BECAUSE.spill)),

  systemUsage: {
    element: honoured('limits memory, store and temporary files'),
    properties: {
      ...each('memoryUsage storeUsage tempUsage', honoured('is one of the limits')),
      sendFailIfNoSpace: honoured('refuses what there is no room for at once, where publishers can be told (MQTT 5: 0x97); others wait'),
      sendFailIfNoSpaceAfterTimeout: honoured('is how long, in ms, publishers wait before they are refused, or disconnected before MQTT 5'),
      jobSchedulerUsage: inert('limits delayed messages of JMS clients', BECAUSE.jms),
      checkLimitsLogLevel: inert('is the log level for limits that are too large', BECAUSE.logs),
      ...each('name parent sendFailIfNoSpaceExplicitySet', inert('is part of how usage is counted', BECAUSE.wiring)),
    },
  },
  memoryUsage: {
    element: honoured('limits the memory of messages'),
    properties: {
      ...USAGE,
      percentOfJvmHeap: honoured('is the limit as a share of the memory that the broker process may use: the machine, or its container'),
      ...parentOf('memoryUsage'),
    },
  },
  storeUsage: { element: honoured('limits the journal files of the store'), properties: { ...FILE_USAGE, ...parentOf('storeUsage') } },
  tempUsage: { element: honoured('limits temporary files'), properties: { ...FILE_USAGE, ...parentOf('tempUsage') } },
  jobSchedulerUsage: only(inert('limits delayed messages of JMS clients', BECAUSE.jms)),
  ...all('defaultUsageCapacity usageCapacity', refused('is a limit, computed by a Java object', 'write limit="..." instead')),

  policyMap: {
    element: honoured('holds the policy entries'),
    properties: {
      policyEntries: honoured('lists the policy entries; a destination follows the most specific one'),
      defaultEntry: honoured('is for destinations that no policy entry names'),
    },
  },
  policyEntry: { element: honoured('sets limits and strategies for the destinations it names'), properties: POLICY_ENTRY },
  constantPendingMessageLimitStrategy: {
    element: honoured('bounds what waits for a slow subscriber to a number'),
    properties: { limit: honoured('is the number; -1 for no bound, 0 for nothing') },
  },
  prefetchRatePendingMessageLimitStrategy: {
    element: honoured('bounds what waits for a slow subscriber to a multiple of `topicPrefetch`'),
    properties: { multiplier: honoured('is the factor') },
  },
  oldestMessageEvictionStrategy: { element: honoured('drops the oldest message of a slow subscriber'), properties: EVICTION },
  oldestMessageWithLowestPriorityEvictionStrategy: {
    element: honoured('drops the oldest message of the lowest priority: MQTT messages have one priority, so the oldest'),
    properties: EVICTION,
  },
  uniquePropertyMessageEvictionStrategy: {
    element: honoured('drops what a newer message with the same value of a property replaces, else the oldest'),
    properties: { ...EVICTION, propertyName: honoured('is the property, of MQTT messages a User Property') },
  },
  abortSlowConsumerStrategy: { element: honoured('closes subscribers that are slow for long'), properties: SLOW_CONSUMER },
  abortSlowAckConsumerStrategy: { element: honoured('closes subscribers that do not acknowledge'), properties: SLOW_CONSUMER },
  sharedDeadLetterStrategy: { element: honoured('sends undeliverable messages to one destination'), properties: DEAD_LETTER },
  individualDeadLetterStrategy: {
    element: honoured('sends undeliverable messages to a destination for each of theirs'),
    properties: DEAD_LETTER,
  },
  discarding: { element: honoured('drops undeliverable messages'), properties: DEAD_LETTER },
  destinationEntry: only(inert('is the general form of an entry in a map by destination', BECAUSE.wiring)),
  ...all(
    'fixedCountSubscriptionRecoveryPolicy fixedSizedSubscriptionRecoveryPolicy lastImageSubscriptionRecoveryPolicy ' +
      'noSubscriptionRecoveryPolicy queryBasedSubscriptionRecoveryPolicy retainedMessageSubscriptionRecoveryPolicy timedSubscriptionRecoveryPolicy',
    RECOVERY,
  ),
  ...all(
    'fileCursor fileDurableSubscriberCursor fileQueueCursor storeCursor storeDurableSubscriberCursor vmCursor vmDurableCursor vmQueueCursor',
    CURSOR,
  ),
  ...all(
    'clientIdFilterDispatchPolicy priorityDispatchPolicy priorityNetworkDispatchPolicy roundRobinDispatchPolicy simpleDispatchPolicy ' +
      'strictOrderDispatchPolicy simpleDispatchSelector queueDispatchSelector',
    DISPATCH,
  ),
  ...all('cachedMessageGroupMapFactory messageGroupHashBucketFactory simpleMessageGroupMapFactory', GROUPS),

  ...Object.fromEntries(
    ['queue', 'topic', 'tempQueue', 'tempTopic'].map((name) => [name, { element: honoured('is a destination'), properties: DESTINATION }]),
  ),

  simpleAuthenticationPlugin: {
    element: honoured('asks clients, and brokers that link to this one, for user names and passwords'),
    properties: SIMPLE_AUTHENTICATION,
  },
  authenticationUser: {
    element: honoured('is a user'),
    properties: {
      ...each('username password', honoured('is what the user logs in with')),
      groups: honoured('lists the groups the user is in, with commas'),
    },
  },
  ...all('jaasAuthenticationPlugin jaasCertificateAuthenticationPlugin jaasDualAuthenticationPlugin', JAAS),
  ...all(
    'authorizationPlugin authorizationMap authorizationEntry tempDestinationAuthorizationEntry simpleAuthorizationMap ' +
      'cachedLDAPAuthorizationMap lDAPAuthorizationMap',
    AUTHORIZATION,
  ),
  sslContext: { element: honoured('names the keys and certificates of connectors with TLS'), properties: SSL_CONTEXT },

  managementContext: only(inert('opens the broker to JMX tools', BECAUSE.jmx)),
  statisticsBrokerPlugin: only(inert('answers JMS clients that ask for statistics', BECAUSE.jms)),
  runtimeConfigurationPlugin: only(inert('reads the file again when it changes', 'restart the broker after a change')),
  loggingBrokerPlugin: only(inert('logs what clients do', BECAUSE.logs)),
  traceBrokerPathPlugin: only(inert('writes the brokers a message crossed into it', BECAUSE.jms)),
  ...all('multicastTraceBrokerPlugin udpTraceBrokerPlugin', TRACE),
  ...all('connectionDotFilePlugin destinationDotFilePlugin', DOT_FILE),
  destinationPathSeparatorPlugin: only(inert('lets JMS clients write another character between levels', BECAUSE.jms)),
  destinationsPlugin: only(inert('keeps the list of destinations in a file', 'a topic needs no record while nobody uses it')),
  discardingDLQBrokerPlugin: only(inert('drops dead letters', 'there are none but where a deadLetterStrategy names a topic for them')),
  ...all(
    'forcePersistencyModeBroker forcePersistencyModeBrokerPlugin',
    inert('makes all messages persistent or none', 'for MQTT the QoS of a message says it'),
  ),
  timeStampingBrokerPlugin: only(inert("corrects times and lives of JMS clients' messages", BECAUSE.jms)),
  partitionBrokerPlugin: only(inert('sends JMS clients to the broker that has their destination', BECAUSE.jms)),
  ...all('redeliveryPlugin redeliveryPolicyMap redeliveryPolicy', REDELIVERY),
  virtualSelectorCacheBrokerPlugin: only(inert('remembers selectors of virtual topic consumers', BECAUSE.queues)),
  virtualDestinationInterceptor: only(inert('feeds queues from topics', BECAUSE.queues)),
  virtualTopic: only(inert('feeds queues from topics', BECAUSE.queues)),
  mirroredQueue: only(inert('copies what goes to queues to topics', BECAUSE.queues)),
  ...all('compositeQueue compositeTopic filteredDestination', COMPOSITE),
  ...all(
    'jmsQueueConnector jmsTopicConnector inboundQueueBridge inboundTopicBridge outboundQueueBridge outboundTopicBridge ' +
      'reconnectionPolicy simpleJmsMessageConvertor',
    JMS_BRIDGE,
  ),
  ...all('connectionFactory xaConnectionFactory pooledConnectionFactory prefetchPolicy', JAVA_CLIENT),
  taskRunnerFactory: only(inert('tunes threads', BECAUSE.threads)),
};

/** A usage's property of its own type, which stands for the usage it is part of. */
function parentOf(name: string): Rules {
  return { parent: inert(`is the ${name} this one is part of`, BECAUSE.wiring) };
}

const WIRING = inert('is set by ActiveMQ itself', BECAUSE.wiring);

/** @throws CodedError INVARIANT for a name that is no element: all of the schema have a rule */
export function elementDisposition(element: string): Disposition {
  return ruleOf(element).element;
}

/** What happens to a property of an element, by its own rule or by that of the element. */
export function propertyDisposition(element: string, property: string): Disposition {
  const rule = ruleOf(element);
  const own = Object.hasOwn(rule.properties, property) ? rule.properties[property] : undefined;
  if (own !== undefined) return own;
  return rule.element.kind === 'honoured' ? WIRING : rule.element;
}

/** Whether the property has a rule of its own, and not one it shares with its element or with all inner wiring. */
export function hasOwnRule(element: string, property: string): boolean {
  return Object.hasOwn(ruleOf(element).properties, property);
}

/** Elements in the order of the tables above, which puts what belongs together side by side. */
export function elementsInOrder(): readonly ElementSchema[] {
  return Object.keys(RULES).map((name) => ELEMENTS.get(name)!);
}

function ruleOf(element: string): ElementRule {
  const rule = Object.hasOwn(RULES, element) ? RULES[element] : undefined;
  invariant(rule !== undefined, `element ${element} has a disposition`);
  return rule;
}

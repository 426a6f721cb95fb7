// Written by scripts/activemq-vocabulary.mjs; do not edit.

/**
 * The elements of ActiveMQ 5.17.2's XML vocabulary. A line without indent is an element and its Java class; the
 * indented lines below it are its properties: name, Java type (and the property editor that reads it), default.
 */
export const VOCABULARY_TABLE = `
abortSlowAckConsumerStrategy org.apache.activemq.broker.region.policy.AbortSlowAckConsumerStrategy
abortSlowConsumerStrategy org.apache.activemq.broker.region.policy.AbortSlowConsumerStrategy
authenticationUser org.apache.activemq.security.AuthenticationUser
 groups String
 password String
 username String
authorizationEntry org.apache.activemq.security.XBeanAuthorizationEntry
 admin String
 adminACLs Set
 destination ActiveMQDestination
 groupClass String
 queue String
 read String
 readACLs Set
 tempQueue boolean
 tempTopic boolean
 topic String
 write String
 writeACLs Set
authorizationMap org.apache.activemq.security.XBeanAuthorizationMap
 authorizationEntries List
 defaultEntry AuthorizationEntry
 groupClass String org.apache.activemq.jaas.GroupPrincipal
 tempDestinationAuthorizationEntry TempDestinationAuthorizationEntry
authorizationPlugin org.apache.activemq.security.AuthorizationPlugin
 map AuthorizationMap
axionJDBCAdapter org.apache.activemq.store.jdbc.adapter.AxionJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
blobJDBCAdapter org.apache.activemq.store.jdbc.adapter.BlobJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
broker org.apache.activemq.xbean.XBeanBrokerService
 adjustUsageLimits boolean true
 adminView BrokerView
 advisorySupport boolean/BooleanEditor true
 allowTempAutoCreationOnSend boolean false
 anonymousProducerAdvisorySupport boolean false
 brokerContext BrokerContext
 brokerId String
 brokerName String localhost
 brokerObjectName ObjectName
 cacheTempDestinations boolean false
 consumerSystemUsage SystemUsage
 consumerSystemUsagePortion int 40
 dataDirectory String
 dataDirectoryFile File activemq-data
 dedicatedTaskRunner boolean false
 deleteAllMessagesOnStartup boolean/BooleanEditor false
 destinationFactory DestinationFactory
 destinationInterceptors DestinationInterceptor[]
 destinationPolicy PolicyMap
 destinations ActiveMQDestination[]
 diskUsageCheckRegrowThreshold int/MemoryPropertyEditor -1
 enableMessageExpirationOnActiveDurableSubs boolean false
 enableStatistics boolean true
 ioExceptionHandler IOExceptionHandler
 jmsBridgeConnectors JmsConnector[]
 jobSchedulerStore JobSchedulerStore
 keepDurableSubsActive boolean true
 managementContext ManagementContext
 maxPurgedDestinationsPerSweep int 0
 maxSchedulerRepeatAllowed int 1000
 mbeanInvocationTimeout long 0
 messageAuthorizationPolicy MessageAuthorizationPolicy
 monitorConnectionSplits boolean false
 networkConnectorStartAsync boolean false
 networkConnectorURIs String[]
 networkConnectors List
 offlineDurableSubscriberTaskSchedule long 300000
 offlineDurableSubscriberTimeout long -1
 passiveSlave boolean/BooleanEditor false
 persistenceAdapter PersistenceAdapter
 persistenceFactory PersistenceAdapterFactory
 persistenceTaskRunnerFactory TaskRunnerFactory
 persistenceThreadPriority int 10
 persistent boolean/BooleanEditor true
 plugins BrokerPlugin[]
 populateJMSXUserID boolean false
 populateUserNameInMBeans boolean false
 producerSystemUsage SystemUsage
 producerSystemUsagePortion int 60
 proxyConnectors List
 regionBroker Broker
 rejectDurableConsumers boolean false
 restartAllowed boolean true
 rollbackOnlyOnAsyncException boolean true
 schedulePeriodForDestinationPurge int 0
 schedulePeriodForDiskUsageCheck int
 schedulerDirectory String
 schedulerDirectoryFile File activemq-data/localhost/scheduler
 schedulerSupport boolean/BooleanEditor false
 services Service[]
 shutdownHooks List
 shutdownOnMasterFailure boolean false
 shutdownOnSlaveFailure boolean/BooleanEditor false
 splitSystemUsageForProducersConsumers boolean false
 sslContext SslContext
 start boolean
 startAsync boolean false
 storeOpenWireVersion int 11
 systemExitOnShutdown boolean/BooleanEditor false
 systemExitOnShutdownExitCode int 0
 systemUsage SystemUsage
 taskRunnerFactory TaskRunnerFactory
 taskRunnerPriority int 5
 tempDataStore PListStore
 timeBeforePurgeTempDestinations int 5000
 tmpDataDirectory File activemq-data/localhost/tmp_storage
 transportConnectorURIs String[]
 transportConnectors List
 useAuthenticatedPrincipalForJMSXUserID boolean false
 useJmx boolean/BooleanEditor true
 useLocalHostBrokerName boolean false
 useLoggingForShutdownErrors boolean false
 useMirroredQueues boolean false
 useShutdownHook boolean true
 useTempMirroredQueues boolean true
 useVirtualDestSubs boolean false
 useVirtualDestSubsOnCreation boolean false
 useVirtualTopics boolean true
 vmConnectorURI URI vm://localhost
 waitForSlave boolean/BooleanEditor false
 waitForSlaveTimeout long 600000
brokerService org.apache.activemq.broker.BrokerService
 adjustUsageLimits boolean true
 adminView BrokerView
 advisorySupport boolean/BooleanEditor true
 allowTempAutoCreationOnSend boolean false
 anonymousProducerAdvisorySupport boolean false
 brokerContext BrokerContext
 brokerId String
 brokerName String localhost
 brokerObjectName ObjectName
 cacheTempDestinations boolean false
 consumerSystemUsage SystemUsage
 consumerSystemUsagePortion int 40
 dataDirectory String
 dataDirectoryFile File activemq-data
 dedicatedTaskRunner boolean false
 deleteAllMessagesOnStartup boolean/BooleanEditor false
 destinationFactory DestinationFactory
 destinationInterceptors DestinationInterceptor[]
 destinationPolicy PolicyMap
 destinations ActiveMQDestination[]
 diskUsageCheckRegrowThreshold int/MemoryPropertyEditor -1
 enableMessageExpirationOnActiveDurableSubs boolean false
 enableStatistics boolean true
 ioExceptionHandler IOExceptionHandler
 jmsBridgeConnectors JmsConnector[]
 jobSchedulerStore JobSchedulerStore
 keepDurableSubsActive boolean true
 managementContext ManagementContext
 maxPurgedDestinationsPerSweep int 0
 maxSchedulerRepeatAllowed int 1000
 mbeanInvocationTimeout long 0
 messageAuthorizationPolicy MessageAuthorizationPolicy
 monitorConnectionSplits boolean false
 networkConnectorStartAsync boolean false
 networkConnectorURIs String[]
 networkConnectors List
 offlineDurableSubscriberTaskSchedule long 300000
 offlineDurableSubscriberTimeout long -1
 passiveSlave boolean/BooleanEditor false
 persistenceAdapter PersistenceAdapter
 persistenceFactory PersistenceAdapterFactory
 persistenceTaskRunnerFactory TaskRunnerFactory
 persistenceThreadPriority int 10
 persistent boolean/BooleanEditor true
 plugins BrokerPlugin[]
 populateJMSXUserID boolean false
 populateUserNameInMBeans boolean false
 producerSystemUsage SystemUsage
 producerSystemUsagePortion int 60
 proxyConnectors List
 regionBroker Broker
 rejectDurableConsumers boolean false
 restartAllowed boolean true
 rollbackOnlyOnAsyncException boolean true
 schedulePeriodForDestinationPurge int 0
 schedulePeriodForDiskUsageCheck int
 schedulerDirectory String
 schedulerDirectoryFile File activemq-data/localhost/scheduler
 schedulerSupport boolean/BooleanEditor false
 services Service[]
 shutdownHooks List
 shutdownOnMasterFailure boolean false
 shutdownOnSlaveFailure boolean/BooleanEditor false
 splitSystemUsageForProducersConsumers boolean false
 sslContext SslContext
 startAsync boolean false
 storeOpenWireVersion int 11
 systemExitOnShutdown boolean/BooleanEditor false
 systemExitOnShutdownExitCode int 0
 systemUsage SystemUsage
 taskRunnerFactory TaskRunnerFactory
 taskRunnerPriority int 5
 tempDataStore PListStore
 timeBeforePurgeTempDestinations int 5000
 tmpDataDirectory File activemq-data/localhost/tmp_storage
 transportConnectorURIs String[]
 transportConnectors List
 useAuthenticatedPrincipalForJMSXUserID boolean false
 useJmx boolean/BooleanEditor true
 useLocalHostBrokerName boolean false
 useLoggingForShutdownErrors boolean false
 useMirroredQueues boolean false
 useShutdownHook boolean true
 useTempMirroredQueues boolean true
 useVirtualDestSubs boolean false
 useVirtualDestSubsOnCreation boolean false
 useVirtualTopics boolean true
 vmConnectorURI URI vm://localhost
 waitForSlave boolean/BooleanEditor false
 waitForSlaveTimeout long 600000
bytesJDBCAdapter org.apache.activemq.store.jdbc.adapter.BytesJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
cachedLDAPAuthorizationMap org.apache.activemq.security.CachedLDAPAuthorizationMap
 adminPermissionGroupSearchFilter String (cn=Admin)
 authentication String simple
 connectionPassword String
 connectionProtocol String s
 connectionURL String ldap://localhost:1024
 connectionUsername String uid=admin,ou=system
 groupClass String org.apache.activemq.jaas.GroupPrincipal
 groupNameAttribute String cn
 groupObjectClass String groupOfNames
 legacyGroupMapping boolean true
 permissionGroupMemberAttribute String member
 queueSearchBase String ou=Queue,ou=Destination,ou=ActiveMQ,ou=system
 readPermissionGroupSearchFilter String (cn=Read)
 refreshDisabled boolean false
 refreshInterval int -1
 tempSearchBase String ou=Temp,ou=Destination,ou=ActiveMQ,ou=system
 topicSearchBase String ou=Topic,ou=Destination,ou=ActiveMQ,ou=system
 userNameAttribute String uid
 userObjectClass String person
 writePermissionGroupSearchFilter String (cn=Write)
cachedMessageGroupMapFactory org.apache.activemq.broker.region.group.CachedMessageGroupMapFactory
 cacheSize int 1024
clientIdFilterDispatchPolicy org.apache.activemq.broker.region.policy.ClientIdFilterDispatchPolicy
 ptpClientId String PTP_CLIENTID
 ptpSuffix String .PTP
compositeDemandForwardingBridge org.apache.activemq.network.CompositeDemandForwardingBridge
 brokerService BrokerService
 createdByDuplex boolean
 durableDestinations ActiveMQDestination[]
 dynamicallyIncludedDestinations ActiveMQDestination[]
 excludedDestinations ActiveMQDestination[]
 mbeanObjectName ObjectName
 networkBridgeListener NetworkBridgeListener
 staticallyIncludedDestinations ActiveMQDestination[]
compositeQueue org.apache.activemq.broker.region.virtual.CompositeQueue
 concurrentSend boolean false
 copyMessage boolean true
 forwardOnly boolean true
 forwardTo Collection
 name String
 sendWhenNotMatched boolean false
compositeTopic org.apache.activemq.broker.region.virtual.CompositeTopic
 concurrentSend boolean false
 copyMessage boolean true
 forwardOnly boolean true
 forwardTo Collection
 name String
 sendWhenNotMatched boolean false
conditionalNetworkBridgeFilterFactory org.apache.activemq.network.ConditionalNetworkBridgeFilterFactory
 rateDuration int 1000
 rateLimit int 0
 replayDelay int 0
 replayWhenNoConsumers boolean false
 selectorAware boolean false
connectionDotFilePlugin org.apache.activemq.broker.view.ConnectionDotFilePlugin
 file String ActiveMQConnections.dot
connectionFactory org.apache.activemq.spring.ActiveMQConnectionFactory
 alwaysSessionAsync boolean true
 alwaysSyncSend boolean false
 auditDepth int 2048
 auditMaximumProducerNumber int 64
 beanName String
 blobTransferPolicy BlobTransferPolicy
 brokerURL String failover://tcp://localhost:61616
 checkForDuplicates boolean true
 clientID String
 clientIDPrefix String
 clientInternalExceptionListener ClientInternalExceptionListener
 closeTimeout int 15000
 connectResponseTimeout int 0
 connectionIDPrefix String
 consumerExpiryCheckEnabled boolean true
 consumerFailoverRedeliveryWaitPeriod long 0
 copyMessageOnSend boolean true
 disableTimeStampsByDefault boolean false
 dispatchAsync boolean true
 exceptionListener ExceptionListener
 exclusiveConsumer boolean false
 maxThreadPoolSize int 1000
 messagePrioritySupported boolean false
 nestedMapAndListEnabled boolean true
 nonBlockingRedelivery boolean false
 objectMessageSerializationDefered boolean false
 optimizeAcknowledge boolean false
 optimizeAcknowledgeTimeOut long 300
 optimizedAckScheduledAckInterval long 0
 optimizedMessageDispatch boolean true
 password String
 prefetchPolicy ActiveMQPrefetchPolicy
 producerWindowSize int 0
 properties Properties
 redeliveryPolicy RedeliveryPolicy
 redeliveryPolicyMap RedeliveryPolicyMap
 rejectedTaskHandler RejectedExecutionHandler
 rmIdFromConnectionId boolean false
 sendAcksAsync boolean true
 sendTimeout int 0
 sessionTaskRunner TaskRunnerFactory
 statsEnabled boolean false
 transactedIndividualAck boolean false
 transformer MessageTransformer
 transportListener TransportListener
 trustAllPackages boolean false
 trustedPackages List
 useAsyncSend boolean false
 useBeanNameAsClientIdPrefix boolean false
 useCompression boolean false
 useDedicatedTaskRunner boolean false
 useRetroactiveConsumer boolean false
 userName String
 warnAboutUnstartedConnectionTimeout long 500
 watchTopicAdvisories boolean true
constantPendingMessageLimitStrategy org.apache.activemq.broker.region.policy.ConstantPendingMessageLimitStrategy
 limit int -1
database-locker org.apache.activemq.store.jdbc.DefaultDatabaseLocker
 createTablesOnStartup boolean
 dataSource DataSource
 exceptionHandler Handler
 failIfLocked boolean
 lockAcquireSleepInterval long 10000
 lockable LockableServiceSupport
 name String
 queryTimeout int -1
 statements Statements
db2JDBCAdapter org.apache.activemq.store.jdbc.adapter.DB2JDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
defaultIOExceptionHandler org.apache.activemq.util.DefaultIOExceptionHandler
 brokerService BrokerService
 ignoreAllErrors boolean false
 ignoreNoSpaceErrors boolean true
 ignoreSQLExceptions boolean true
 noSpaceMessage String space
 resumeCheckSleepPeriod long 5000
 sqlExceptionMessage String
 stopStartConnectors boolean false
 systemExitOnShutdown boolean false
defaultJDBCAdapter org.apache.activemq.store.jdbc.adapter.DefaultJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
defaultNetworkBridgeFilterFactory org.apache.activemq.network.DefaultNetworkBridgeFilterFactory
defaultUsageCapacity org.apache.activemq.usage.DefaultUsageCapacity
 limit long 0
demandForwardingBridge org.apache.activemq.network.DemandForwardingBridge
 brokerService BrokerService
 createdByDuplex boolean
 durableDestinations ActiveMQDestination[]
 dynamicallyIncludedDestinations ActiveMQDestination[]
 excludedDestinations ActiveMQDestination[]
 mbeanObjectName ObjectName
 networkBridgeListener NetworkBridgeListener
 staticallyIncludedDestinations ActiveMQDestination[]
destinationDotFilePlugin org.apache.activemq.broker.view.DestinationDotFilePlugin
 file String ActiveMQDestinations.dot
destinationEntry org.apache.activemq.filter.DefaultDestinationMapEntry
 destination ActiveMQDestination
 queue String
 tempQueue boolean
 tempTopic boolean
 topic String
 value DestinationMapEntry
destinationPathSeparatorPlugin org.apache.activemq.broker.util.DestinationPathSeparatorBroker
 adminConnectionContext ConnectionContext
 next Broker
 pathSeparator String
destinationsPlugin org.apache.activemq.broker.util.DestinationsPlugin
 adminConnectionContext ConnectionContext
 location File
 next Broker
discarding org.apache.activemq.broker.region.policy.DiscardingDeadLetterStrategy
 deadLetterQueue ActiveMQDestination
 enableAudit boolean true
 expiration long 0
 maxAuditDepth int 2048
 maxProducersToAudit int 64
 processExpired boolean true
 processNonPersistent boolean false
discardingDLQBrokerPlugin org.apache.activemq.plugin.DiscardingDLQBrokerPlugin
 dropAll boolean true
 dropOnly String
 dropTemporaryQueues boolean true
 dropTemporaryTopics boolean true
 reportInterval int 1000
fileCursor org.apache.activemq.broker.region.policy.FilePendingSubscriberMessageStoragePolicy
fileDurableSubscriberCursor org.apache.activemq.broker.region.policy.FilePendingDurableSubscriberMessageStoragePolicy
fileQueueCursor org.apache.activemq.broker.region.policy.FilePendingQueueMessageStoragePolicy
filteredDestination org.apache.activemq.broker.region.virtual.FilteredDestination
 destination ActiveMQDestination
 filter BooleanExpression
 queue String
 selector String
 topic String
filteredKahaDB org.apache.activemq.store.kahadb.FilteredKahaDBPersistenceAdapter
 destination ActiveMQDestination
 perDestination boolean false
 persistenceAdapter PersistenceAdapter
 queue String
 tempQueue boolean
 tempTopic boolean
 topic String
 usage StoreUsage
fixedCountSubscriptionRecoveryPolicy org.apache.activemq.broker.region.policy.FixedCountSubscriptionRecoveryPolicy
 broker Broker
 maximumSize int 100
fixedSizedSubscriptionRecoveryPolicy org.apache.activemq.broker.region.policy.FixedSizedSubscriptionRecoveryPolicy
 broker Broker
 buffer MessageList
 maximumSize int 65536
 useSharedBuffer boolean true
forcePersistencyModeBroker org.apache.activemq.plugin.ForcePersistencyModeBroker
 adminConnectionContext ConnectionContext
 persistenceFlag boolean
forcePersistencyModeBrokerPlugin org.apache.activemq.plugin.ForcePersistencyModeBrokerPlugin
 persistenceFlag boolean
forwardingBridge org.apache.activemq.network.ForwardingBridge
 clientId String
 destinationFilter String
 dispatchAsync boolean
 networkBridgeFailedListener NetworkBridgeListener
 prefetchSize int
 useCompression boolean
hsqldb-jdbc-adapter org.apache.activemq.store.jdbc.adapter.HsqldbJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
imageBasedJDBCAdaptor org.apache.activemq.store.jdbc.adapter.ImageBasedJDBCAdaptor
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
inboundQueueBridge org.apache.activemq.network.jms.InboundQueueBridge
 consumer MessageConsumer
 consumerConnection QueueConnection
 consumerQueue Queue
 doHandleReplyTo boolean true
 inboundQueueName String
 jmsConnector JmsConnector
 jmsMessageConvertor JmsMesageConvertor
 localQueueName String
 producerConnection QueueConnection
 producerQueue Queue
 selector String
inboundTopicBridge org.apache.activemq.network.jms.InboundTopicBridge
 consumer MessageConsumer
 consumerConnection TopicConnection
 consumerName String
 consumerTopic Topic
 doHandleReplyTo boolean true
 inboundTopicName String
 jmsConnector JmsConnector
 jmsMessageConvertor JmsMesageConvertor
 localTopicName String
 producerConnection TopicConnection
 producerTopic Topic
 selector String
individualDeadLetterStrategy org.apache.activemq.broker.region.policy.IndividualDeadLetterStrategy
 destinationPerDurableSubscriber boolean false
 enableAudit boolean true
 expiration long 0
 maxAuditDepth int 2048
 maxProducersToAudit int 64
 processExpired boolean true
 processNonPersistent boolean false
 queuePrefix String ActiveMQ.DLQ.Queue.
 queueSuffix String
 topicPrefix String ActiveMQ.DLQ.Topic.
 topicSuffix String
 useQueueForQueueMessages boolean true
 useQueueForTopicMessages boolean true
informixJDBCAdapter org.apache.activemq.store.jdbc.adapter.InformixJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
jDBCIOExceptionHandler org.apache.activemq.store.jdbc.JDBCIOExceptionHandler
 brokerService BrokerService
 ignoreAllErrors boolean false
 ignoreNoSpaceErrors boolean true
 ignoreSQLExceptions boolean false
 noSpaceMessage String space
 resumeCheckSleepPeriod long 5000
 sqlExceptionMessage String
 stopStartConnectors boolean true
 systemExitOnShutdown boolean false
jaasAuthenticationPlugin org.apache.activemq.security.JaasAuthenticationPlugin
 configuration String activemq-domain
 discoverLoginConfig boolean true
jaasCertificateAuthenticationPlugin org.apache.activemq.security.JaasCertificateAuthenticationPlugin
 configuration String activemq-domain
 discoverLoginConfig boolean true
jaasDualAuthenticationPlugin org.apache.activemq.security.JaasDualAuthenticationPlugin
 configuration String activemq-domain
 discoverLoginConfig boolean true
 sslConfiguration String activemq-ssl-domain
jdbcPersistenceAdapter org.apache.activemq.store.jdbc.JDBCPersistenceAdapter
 adapter JDBCAdapter
 auditRecoveryDepth int 1024
 brokerName String
 brokerService BrokerService
 changeAutoCommitAllowed boolean true
 cleanupPeriod int 300000
 createTablesOnStartup boolean true
 dataDirectory String activemq-data
 dataDirectoryFile File activemq-data
 dataSource DataSource
 databaseLocker Locker
 directory File
 enableAudit boolean false
 lockAcquireSleepInterval long
 lockDataSource DataSource
 lockKeepAlivePeriod long 30000
 locker Locker
 maxAuditDepth int 1000
 maxProducersToAudit int 1024
 maxRows int 32767
 networkTimeout int -1
 queryTimeout int -1
 scheduledThreadPoolExecutor ScheduledThreadPoolExecutor
 statements Statements
 stopOnError boolean false
 transactionIsolation int
 usageManager SystemUsage
 useDatabaseLock boolean
 useExternalMessageReferences boolean false
 useLock boolean true
 wireFormat WireFormat
jmsQueueConnector org.apache.activemq.network.jms.JmsQueueConnector
 brokerService BrokerService
 inboundMessageConvertor JmsMesageConvertor
 inboundQueueBridges InboundQueueBridge[]
 jndiLocalTemplate JndiLookupFactory
 jndiOutboundTemplate JndiLookupFactory
 localClientId String
 localConnectionFactoryName String
 localPassword String
 localQueueConnection QueueConnection
 localQueueConnectionFactory QueueConnectionFactory
 localUsername String
 name String Connector:0
 outboundClientId String
 outboundMessageConvertor JmsMesageConvertor
 outboundPassword String
 outboundQueueBridges OutboundQueueBridge[]
 outboundQueueConnection QueueConnection
 outboundQueueConnectionFactory QueueConnectionFactory
 outboundQueueConnectionFactoryName String
 outboundUsername String
 preferJndiDestinationLookup boolean false
 reconnectionPolicy ReconnectionPolicy
 replyToDestinationCacheSize int 10000
jmsTopicConnector org.apache.activemq.network.jms.JmsTopicConnector
 brokerService BrokerService
 inboundMessageConvertor JmsMesageConvertor
 inboundTopicBridges InboundTopicBridge[]
 jndiLocalTemplate JndiLookupFactory
 jndiOutboundTemplate JndiLookupFactory
 localClientId String
 localConnectionFactoryName String
 localPassword String
 localTopicConnection TopicConnection
 localTopicConnectionFactory TopicConnectionFactory
 localUsername String
 name String Connector:1
 outboundClientId String
 outboundMessageConvertor JmsMesageConvertor
 outboundPassword String
 outboundTopicBridges OutboundTopicBridge[]
 outboundTopicConnection TopicConnection
 outboundTopicConnectionFactory TopicConnectionFactory
 outboundTopicConnectionFactoryName String
 outboundUsername String
 preferJndiDestinationLookup boolean false
 reconnectionPolicy ReconnectionPolicy
 replyToDestinationCacheSize int 10000
jobSchedulerUsage org.apache.activemq.usage.JobSchedulerUsage
 executor ThreadPoolExecutor
 limit long/MemoryPropertyEditor 0
 limiter UsageCapacity
 name String
 parent JobSchedulerUsage
 percentUsageMinDelta int/MemoryPropertyEditor 1
 pollingTime int 100
 store JobSchedulerStore
 usagePortion float 1.0
journalPersistenceAdapter org.apache.activemq.store.journal.JournalPersistenceAdapter
 brokerName String
 brokerService BrokerService
 checkpointInterval long 300000
 directory File
 journal Journal
 maxCheckpointMessageAddSize int 1048576
 maxCheckpointWorkers int 10
 persistenceAdapter PersistenceAdapter
 taskRunnerFactory TaskRunnerFactory
 usageManager SystemUsage
 useExternalMessageReferences boolean false
journalPersistenceAdapterFactory org.apache.activemq.store.journal.JournalPersistenceAdapterFactory
 adapter JDBCAdapter
 brokerService BrokerService
 checkpointInterval long 300000
 createTablesOnStartup boolean true
 dataDirectory String activemq-data
 dataDirectoryFile File activemq-data
 dataSource DataSource
 jdbcAdapter JDBCPersistenceAdapter
 journal Journal
 journalArchiveDirectory File
 journalLogFileSize int/MemoryIntPropertyEditor 20971520
 journalLogFiles int 2
 journalThreadPriority int 10
 lockKeepAlivePeriod long 0
 locker Locker
 scheduledThreadPoolExecutor ScheduledThreadPoolExecutor
 statements Statements
 stopOnError boolean false
 taskRunnerFactory TaskRunnerFactory
 useDatabaseLock boolean
 useDedicatedTaskRunner boolean false
 useJournal boolean true
 useLock boolean true
 useQuickJournal boolean false
journaledJDBC org.apache.activemq.store.PersistenceAdapterFactoryBean
kahaDB org.apache.activemq.store.kahadb.KahaDBPersistenceAdapter
 archiveCorruptedIndex boolean false
 archiveDataLogs boolean false
 brokerName String
 brokerService BrokerService
 checkForCorruptJournalFiles boolean false
 checkpointInterval long 5000
 checksumJournalFiles boolean true
 cleanupInterval long 30000
 cleanupOnStop boolean true
 compactAcksAfterNoGC int 10
 compactAcksIgnoresStoreGrowth boolean false
 concurrentStoreAndDispatchQueues boolean true
 concurrentStoreAndDispatchTopics boolean false
 databaseLockedWaitDelay int
 directory File KahaDB
 directoryArchive File
 enableAckCompaction boolean true
 enableIndexDiskSyncs boolean true
 enableIndexPageCaching boolean true
 enableIndexRecoveryFile boolean true
 enableIndexWriteAsync boolean false
 enableJournalDiskSyncs boolean true
 enableSubscriptionStatistics boolean false
 failoverProducersAuditDepth int 2048
 forceRecoverIndex boolean false
 ignoreMissingJournalfiles boolean false
 indexCacheSize int/MemoryPropertyEditor 10000
 indexDirectory File
 indexLFUEvictionFactor float 0.2
 indexWriteBatchSize int/MemoryPropertyEditor 1000
 journalDiskSyncInterval long 1000
 journalDiskSyncStrategy String ALWAYS
 journalMaxFileLength int/MemoryIntPropertyEditor 33554432
 journalMaxWriteBatchSize int/MemoryPropertyEditor 4194304
 lockKeepAlivePeriod long 0
 locker Locker
 maxAsyncJobs int 10000
 maxFailoverProducersToTrack int 64
 preallocationScope String ENTIRE_JOURNAL
 preallocationStrategy String SPARSE_FILE
 purgeRecoveredXATransactionStrategy String NEVER
 scheduledThreadPoolExecutor ScheduledThreadPoolExecutor
 stopOnError boolean false
 transactionIdTransformer TransactionIdTransformer
 usageManager SystemUsage
 useIndexLFRUEviction boolean false
 useLock boolean true
lDAPAuthorizationMap org.apache.activemq.security.LDAPAuthorizationMap
 adminAttribute String uniqueMember
 adminBase String (cn=admin)
 advisorySearchBase String
 authentication String simple
 connectionPassword String
 connectionProtocol String s
 connectionURL String ldap://localhost:10389
 connectionUsername String uid=admin,ou=system
 context DirContext
 initialContextFactory String com.sun.jndi.ldap.LdapCtxFactory
 queueSearchMatchingFormat MessageFormat
 queueSearchSubtreeBool boolean true
 readAttribute String uniqueMember
 readBase String (cn=read)
 tempSearchBase String
 topicSearchMatchingFormat MessageFormat
 topicSearchSubtreeBool boolean true
 useAdvisorySearchBase boolean true
 writeAttribute String uniqueMember
 writeBase String (cn=write)
lastImageSubscriptionRecoveryPolicy org.apache.activemq.broker.region.policy.LastImageSubscriptionRecoveryPolicy
 broker Broker
ldapNetworkConnector org.apache.activemq.network.LdapNetworkConnector
 advisoryAckPercentage int 75
 advisoryForFailedForward boolean false
 advisoryPrefetchSize int 0
 alwaysSyncSend boolean true
 anonymousAuthentication boolean
 base String
 bridgeFactory BridgeFactory
 bridgeTempDestinations boolean true
 brokerName String localhost
 brokerService BrokerService
 brokerURL String
 checkDuplicateMessagesOnDuplex boolean false
 clientIdToken String _
 conduitNetworkQueueSubscriptions boolean false
 conduitSubscriptions boolean true
 connectionFilter ConnectionFilter
 consumerPriorityBase int -5
 consumerTTL int 1
 decreaseNetworkConsumerPriority boolean false
 destinationFilter String ActiveMQ.Advisory.Consumer.>
 dispatchAsync boolean true
 duplex boolean false
 durableDestinations Set
 dynamicOnly boolean false
 dynamicallyIncludedDestinations List
 excludedDestinations List
 gcDestinationViews boolean true
 gcSweepTime long 60000
 localUri URI
 messageTTL int 1
 name String NC
 networkTTL int 1
 objectName ObjectName
 password String
 prefetchSize int/MemoryIntPropertyEditor 1000
 remotePassword String
 remoteUserName String
 searchEventListener boolean
 searchFilter String
 searchScope String
 sslContext SslContext
 staticBridge boolean false
 staticallyIncludedDestinations List
 suppressDuplicateQueueSubscriptions boolean false
 suppressDuplicateTopicSubscriptions boolean true
 syncDurableSubs boolean false
 uri URI
 useBrokerNameAsIdSees boolean
 useCompression boolean false
 useVirtualDestSubs boolean false
 user String
 userName String
lease-database-locker org.apache.activemq.store.jdbc.LeaseDatabaseLocker
 createTablesOnStartup boolean
 dataSource DataSource
 failIfLocked boolean
 handleStartException boolean false
 leaseHolderId String
 lockAcquireSleepInterval long 10000
 lockable LockableServiceSupport
 maxAllowableDiffFromDBTime int 0
 name String
 queryTimeout int -1
 statements Statements
leaseLockerIOExceptionHandler org.apache.activemq.util.LeaseLockerIOExceptionHandler
 brokerService BrokerService
 ignoreAllErrors boolean false
 ignoreNoSpaceErrors boolean true
 ignoreSQLExceptions boolean false
 noSpaceMessage String space
 resumeCheckSleepPeriod long 5000
 sqlExceptionMessage String
 stopStartConnectors boolean true
 systemExitOnShutdown boolean false
loggingBrokerPlugin org.apache.activemq.broker.util.LoggingBrokerPlugin
 adminConnectionContext ConnectionContext
 logAll boolean false
 logConnectionEvents boolean true
 logConsumerEvents boolean false
 logInternalEvents boolean false
 logProducerEvents boolean false
 logSessionEvents boolean true
 logTransactionEvents boolean false
 next Broker
 perDestinationLogger boolean false
mKahaDB org.apache.activemq.store.kahadb.MultiKahaDBPersistenceAdapter
 brokerName String
 brokerService BrokerService
 checkForCorruption boolean true
 directory File activemq-data/mKahaDB
 filteredPersistenceAdapters List
 journalCleanupInterval long 30000
 journalMaxFileLength int/MemoryIntPropertyEditor 33554432
 journalWriteBatchSize int/MemoryIntPropertyEditor 4194304
 lockKeepAlivePeriod long 0
 locker Locker
 scheduledThreadPoolExecutor ScheduledThreadPoolExecutor
 stopOnError boolean false
 transactionStore MultiKahaDBTransactionStore
 usageManager SystemUsage
 useLock boolean true
managementContext org.apache.activemq.broker.jmx.ManagementContext
 MBeanServer MBeanServer
 allowRemoteAddressInMBeanNames boolean true
 brokerName String
 connectorHost String localhost
 connectorPath String /jmxrmi
 connectorPort int/MemoryIntPropertyEditor 1099
 createConnector boolean/BooleanEditor false
 createMBeanServer boolean true
 environment Map
 findTigerMbeanServer boolean true
 jmxDomainName String org.apache.activemq
 rmiServerPort int/MemoryIntPropertyEditor 0
 suppressMBean String
 useMBeanServer boolean true
maxdb-jdbc-adapter org.apache.activemq.store.jdbc.adapter.MaxDBJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
memoryPersistenceAdapter org.apache.activemq.store.memory.MemoryPersistenceAdapter
 brokerName String
 createTransactionStore boolean
 directory File
 usageManager SystemUsage
 useExternalMessageReferences boolean false
memoryUsage org.apache.activemq.usage.MemoryUsage
 executor ThreadPoolExecutor
 limit long/MemoryPropertyEditor 0
 limiter UsageCapacity
 name String
 parent MemoryUsage
 percentOfJvmHeap int
 percentUsageMinDelta int/MemoryPropertyEditor 1
 pollingTime int 100
 usage long 0
 usagePortion float 1.0
messageGroupHashBucketFactory org.apache.activemq.broker.region.group.MessageGroupHashBucketFactory
 bucketCount int 1024
 cacheSize int 64
mirroredQueue org.apache.activemq.broker.region.virtual.MirroredQueue
 brokerService BrokerService
 copyMessage boolean true
 postfix String
 prefix String VirtualTopic.Mirror.
multicastNetworkConnector org.apache.activemq.network.MulticastNetworkConnector
 advisoryAckPercentage int 75
 advisoryForFailedForward boolean false
 advisoryPrefetchSize int 0
 alwaysSyncSend boolean true
 bridge DemandForwardingBridgeSupport
 bridgeFactory BridgeFactory
 bridgeTempDestinations boolean true
 brokerName String localhost
 brokerService BrokerService
 brokerURL String
 checkDuplicateMessagesOnDuplex boolean false
 clientIdToken String _
 conduitNetworkQueueSubscriptions boolean false
 conduitSubscriptions boolean true
 connectionFilter ConnectionFilter
 consumerPriorityBase int -5
 consumerTTL int 1
 decreaseNetworkConsumerPriority boolean false
 destinationFilter String ActiveMQ.Advisory.Consumer.>
 dispatchAsync boolean true
 duplex boolean false
 durableDestinations Set
 dynamicOnly boolean false
 dynamicallyIncludedDestinations List
 excludedDestinations List
 gcDestinationViews boolean true
 gcSweepTime long 60000
 localTransport Transport
 localUri URI
 messageTTL int 1
 name String NC
 networkTTL int 1
 objectName ObjectName
 password String
 prefetchSize int/MemoryIntPropertyEditor 1000
 remotePassword String
 remoteTransport Transport
 remoteURI URI
 remoteUserName String
 sslContext SslContext
 staticBridge boolean false
 staticallyIncludedDestinations List
 suppressDuplicateQueueSubscriptions boolean false
 suppressDuplicateTopicSubscriptions boolean true
 syncDurableSubs boolean false
 useBrokerNameAsIdSees boolean
 useCompression boolean false
 useVirtualDestSubs boolean false
 userName String
multicastTraceBrokerPlugin org.apache.activemq.broker.util.MulticastTraceBrokerPlugin
 address SocketAddress
 adminConnectionContext ConnectionContext
 broadcast boolean false
 destination URI multicast://224.1.2.3:61616
 maxTraceDatagramSize int 4096
 next Broker
 timeToLive int 1
 wireFormat WireFormat
 wireFormatFactory WireFormatFactory
mysql-jdbc-adapter org.apache.activemq.store.jdbc.adapter.MySqlJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 engineType String INNODB
 maxRows int 32767
 statements Statements
 typeStatement String ENGINE
 useExternalMessageReferences boolean
networkConnector org.apache.activemq.network.DiscoveryNetworkConnector
 advisoryAckPercentage int 75
 advisoryForFailedForward boolean false
 advisoryPrefetchSize int 0
 alwaysSyncSend boolean true
 bridgeFactory BridgeFactory
 bridgeTempDestinations boolean true
 brokerName String localhost
 brokerService BrokerService
 brokerURL String
 checkDuplicateMessagesOnDuplex boolean false
 clientIdToken String _
 conduitNetworkQueueSubscriptions boolean false
 conduitSubscriptions boolean true
 connectionFilter ConnectionFilter
 consumerPriorityBase int -5
 consumerTTL int 1
 decreaseNetworkConsumerPriority boolean false
 destinationFilter String ActiveMQ.Advisory.Consumer.>
 discoveryAgent DiscoveryAgent
 dispatchAsync boolean true
 duplex boolean false
 durableDestinations Set
 dynamicOnly boolean false
 dynamicallyIncludedDestinations List
 excludedDestinations List
 gcDestinationViews boolean true
 gcSweepTime long 60000
 localUri URI
 messageTTL int 1
 name String NC
 networkTTL int 1
 objectName ObjectName
 password String
 prefetchSize int/MemoryIntPropertyEditor 1000
 remotePassword String
 remoteUserName String
 sslContext SslContext
 staticBridge boolean false
 staticallyIncludedDestinations List
 suppressDuplicateQueueSubscriptions boolean false
 suppressDuplicateTopicSubscriptions boolean true
 syncDurableSubs boolean false
 uri URI
 useBrokerNameAsIdSees boolean
 useCompression boolean false
 useVirtualDestSubs boolean false
 userName String
noSubscriptionRecoveryPolicy org.apache.activemq.broker.region.policy.NoSubscriptionRecoveryPolicy
 broker Broker
oldestMessageEvictionStrategy org.apache.activemq.broker.region.policy.OldestMessageEvictionStrategy
 evictExpiredMessagesHighWatermark int 1000
oldestMessageWithLowestPriorityEvictionStrategy org.apache.activemq.broker.region.policy.OldestMessageWithLowestPriorityEvictionStrategy
 evictExpiredMessagesHighWatermark int 1000
oracleBlobJDBCAdapter org.apache.activemq.store.jdbc.adapter.OracleBlobJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
oracleJDBCAdapter org.apache.activemq.store.jdbc.adapter.OracleJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
outboundQueueBridge org.apache.activemq.network.jms.OutboundQueueBridge
 consumer MessageConsumer
 consumerConnection QueueConnection
 consumerQueue Queue
 doHandleReplyTo boolean true
 jmsConnector JmsConnector
 jmsMessageConvertor JmsMesageConvertor
 localQueueName String
 outboundQueueName String
 producerConnection QueueConnection
 producerQueue Queue
 selector String
outboundTopicBridge org.apache.activemq.network.jms.OutboundTopicBridge
 consumer MessageConsumer
 consumerConnection TopicConnection
 consumerName String
 consumerTopic Topic
 doHandleReplyTo boolean true
 jmsConnector JmsConnector
 jmsMessageConvertor JmsMesageConvertor
 localTopicName String
 outboundTopicName String
 producerConnection TopicConnection
 producerTopic Topic
 selector String
pListStoreImpl org.apache.activemq.store.kahadb.plist.PListStoreImpl
 brokerService BrokerService
 cleanupInterval long 30000
 directory File
 enableIndexWriteAsync boolean false
 failIfDatabaseIsLocked boolean false
 indexCacheSize int 100
 indexDirectory File
 indexEnablePageCaching boolean true
 indexPageSize int 4096
 indexWriteBatchSize int 1000
 journalMaxFileLength int 33554432
 journalMaxWriteBatchSize int 4194304
 lazyInit boolean true
partitionBrokerPlugin org.apache.activemq.partition.PartitionBrokerPlugin
policyEntry org.apache.activemq.broker.region.policy.PolicyEntry
 advisoryForConsumed boolean false
 advisoryForDelivery boolean false
 advisoryForDiscardingMessages boolean false
 advisoryForFastProducers boolean false
 advisoryForSlowConsumers boolean false
 advisoryWhenFull boolean false
 allConsumersExclusiveByDefault boolean false
 alwaysRetroactive boolean false
 blockedProducerWarningInterval long 30000
 consumersBeforeDispatchStarts int 0
 cursorMemoryHighWaterMark int 70
 deadLetterStrategy DeadLetterStrategy
 destination ActiveMQDestination
 dispatchPolicy DispatchPolicy
 doOptimzeMessageStorage boolean true
 durableTopicPrefetch int 100
 enableAudit boolean true
 expireMessagesPeriod long 30000
 gcInactiveDestinations boolean false
 gcWithNetworkConsumers boolean false
 inactiveTimeoutBeforeGC long 60000
 inactiveTimoutBeforeGC long 60000
 includeBodyForAdvisory boolean false
 lazyDispatch boolean false
 maxAuditDepth int 10000
 maxBrowsePageSize int 400
 maxDestinations int -1
 maxExpirePageSize int 400
 maxPageSize int 200
 maxProducersToAudit int 64
 maxQueueAuditDepth int 10000
 memoryLimit long/MemoryPropertyEditor 0
 messageEvictionStrategy MessageEvictionStrategy
 messageGroupMapFactory MessageGroupMapFactory
 messageGroupMapFactoryType String cached
 minimumMessageSize long 1024
 networkBridgeFilterFactory NetworkBridgeFilterFactory
 optimizeMessageStoreInFlightLimit int 10
 optimizedDispatch boolean false
 pendingDurableSubscriberPolicy PendingDurableSubscriberMessageStoragePolicy
 pendingMessageLimitStrategy PendingMessageLimitStrategy
 pendingQueuePolicy PendingQueueMessageStoragePolicy
 pendingSubscriberPolicy PendingSubscriberMessageStoragePolicy
 persistJMSRedelivered boolean false
 prioritizedMessages boolean false
 producerFlowControl boolean true
 queue String
 queueBrowserPrefetch int 500
 queuePrefetch int 1000
 reduceMemoryFootprint boolean false
 sendAdvisoryIfNoConsumers boolean false
 sendDuplicateFromStoreToDLQ boolean false
 sendFailIfNoSpace boolean false
 sendFailIfNoSpaceAfterTimeout long -1
 slowConsumerStrategy SlowConsumerStrategy
 storeUsageHighWaterMark int 100
 strictOrderDispatch boolean false
 subscriptionRecoveryPolicy SubscriptionRecoveryPolicy
 tempQueue boolean
 tempTopic boolean
 timeBeforeDispatchStarts int 0
 topic String
 topicPrefetch int 32767
 useCache boolean true
 useConsumerPriority boolean true
 usePrefetchExtension boolean true
 useTopicSubscriptionInflightStats boolean true
policyMap org.apache.activemq.broker.region.policy.PolicyMap
 defaultEntry PolicyEntry
 policyEntries List
pooledConnectionFactory org.apache.activemq.pool.PooledConnectionFactoryBean
 connectionFactory ConnectionFactory
 maxConnections int 1
 maximumActive int 500
 resourceName String
 transactionManager Object
postgresql-jdbc-adapter org.apache.activemq.store.jdbc.adapter.PostgresqlJDBCAdapter
 acksPkName String
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
prefetchPolicy org.apache.activemq.ActiveMQPrefetchPolicy
 all int
 durableTopicPrefetch int 100
 maximumPendingMessageLimit int 0
 optimizeDurableTopicPrefetch int 1000
 queueBrowserPrefetch int 500
 queuePrefetch int 1000
 topicPrefetch int 32767
prefetchRatePendingMessageLimitStrategy org.apache.activemq.broker.region.policy.PrefetchRatePendingMessageLimitStrategy
 multiplier double 0.5
priorityDispatchPolicy org.apache.activemq.broker.region.policy.PriorityDispatchPolicy
priorityNetworkDispatchPolicy org.apache.activemq.broker.region.policy.PriorityNetworkDispatchPolicy
proxyConnector org.apache.activemq.proxy.ProxyConnector
 bind URI
 localUri URI
 name String proxy
 proxyToLocalBroker boolean true
 remote URI
 server TransportServer
publishedAddressPolicy org.apache.activemq.broker.PublishedAddressPolicy
 clusterClientUriQuery String
 hostMapping Map
 portMapping Map
 publishedHostStrategy PublishedHostStrategy
queryBasedSubscriptionRecoveryPolicy org.apache.activemq.broker.region.policy.QueryBasedSubscriptionRecoveryPolicy
 broker Broker
 query MessageQuery
queue org.apache.activemq.command.ActiveMQQueue
 DLQ boolean false
 compositeDestinations ActiveMQDestination[]
 physicalName String
 properties Properties
queueDispatchSelector org.apache.activemq.broker.region.QueueDispatchSelector
 exclusiveConsumer Subscription
reconnectionPolicy org.apache.activemq.network.jms.ReconnectionPolicy
 backOffMultiplier double 2.0
 initialReconnectDelay long 1000
 maxInitialConnectAttempts int -1
 maxReconnectAttempts int -1
 maxSendRetries int 10
 maximumReconnectDelay long 30000
 sendRetyDelay long
 useExponentialBackOff boolean false
redeliveryPlugin org.apache.activemq.broker.util.RedeliveryPlugin
 adminConnectionContext ConnectionContext
 fallbackToDeadLetter boolean true
 next Broker
 redeliveryPolicyMap RedeliveryPolicyMap
 sendToDlqIfMaxRetriesExceeded boolean true
redeliveryPolicy org.apache.activemq.RedeliveryPolicy
 backOffMultiplier double 5.0
 collisionAvoidancePercent short 15
 destination ActiveMQDestination
 initialRedeliveryDelay long 1000
 maximumRedeliveries int 6
 maximumRedeliveryDelay long -1
 preDispatchCheck boolean true
 queue String
 redeliveryDelay long 1000
 tempQueue boolean
 tempTopic boolean
 topic String
 useCollisionAvoidance boolean false
 useExponentialBackOff boolean false
redeliveryPolicyMap org.apache.activemq.broker.region.policy.RedeliveryPolicyMap
 defaultEntry RedeliveryPolicy
 redeliveryPolicyEntries List
retainedMessageSubscriptionRecoveryPolicy org.apache.activemq.broker.region.policy.RetainedMessageSubscriptionRecoveryPolicy
 broker Broker
 wrapped SubscriptionRecoveryPolicy
roundRobinDispatchPolicy org.apache.activemq.broker.region.policy.RoundRobinDispatchPolicy
runtimeConfigurationPlugin org.apache.activemq.plugin.RuntimeConfigurationPlugin
shared-file-locker org.apache.activemq.store.SharedFileLocker
 directory File KahaDB
 failIfLocked boolean
 lockAcquireSleepInterval long 10000
 lockable LockableServiceSupport
 name String
sharedDeadLetterStrategy org.apache.activemq.broker.region.policy.SharedDeadLetterStrategy
 deadLetterQueue ActiveMQDestination
 enableAudit boolean true
 expiration long 0
 maxAuditDepth int 2048
 maxProducersToAudit int 64
 processExpired boolean true
 processNonPersistent boolean false
simpleAuthenticationPlugin org.apache.activemq.security.SimpleAuthenticationPlugin
 anonymousAccessAllowed boolean false
 anonymousGroup String anonymous
 anonymousUser String anonymous
 userGroups Map
 userPasswords Map
 users List
simpleAuthorizationMap org.apache.activemq.security.SimpleAuthorizationMap
 adminACLs DestinationMap
 readACLs DestinationMap
 tempDestinationAuthorizationEntry TempDestinationAuthorizationEntry
 writeACLs DestinationMap
simpleDispatchPolicy org.apache.activemq.broker.region.policy.SimpleDispatchPolicy
simpleDispatchSelector org.apache.activemq.broker.region.policy.SimpleDispatchSelector
simpleJmsMessageConvertor org.apache.activemq.network.jms.SimpleJmsMessageConvertor
 connection Connection
simpleMessageGroupMapFactory org.apache.activemq.broker.region.group.SimpleMessageGroupMapFactory
sqlServerJDBCAdapter org.apache.activemq.store.jdbc.adapter.SqlServerJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
sslContext org.apache.activemq.spring.SpringSslContext
 SSLContext SSLContext
 crlPath String
 keyManagers List
 keyStore String
 keyStoreAlgorithm String SunX509
 keyStoreKeyPassword String
 keyStorePassword String
 keyStoreType String jks
 protocol String TLS
 provider String
 secureRandom SecureRandom
 secureRandomAlgorithm String SHA1PRNG
 trustManagers List
 trustStore String
 trustStoreAlgorithm String PKIX
 trustStorePassword String
 trustStoreType String jks
statements org.apache.activemq.store.jdbc.Statements
 addMessageStatement String
 binaryDataType String BLOB
 clearDurableLastAckInTxStatement String
 clearXidFlagStatement String
 containerNameDataType String VARCHAR(250)
 createDurableSubStatement String
 createLockSchemaStatements String[]
 createSchemaStatements String[]
 currentDateTimeStatement String
 deleteOldMessagesStatementWithPriority String
 deleteSubscriptionStatement String
 destinationMessageCountStatement String
 dropAckPKAlterStatementEnd String DROP PRIMARY KEY
 dropSchemaStatements String[]
 durableSubAcksTableName String ACTIVEMQ_ACKS
 durableSubscriberMessageCountStatement String
 durableSubscriberMessageCountStatementWithPriority String
 findAcksPendingOutcomeStatement String
 findAllDestinationsStatement String
 findAllDurableSubMessagesStatement String
 findAllDurableSubsStatement String
 findAllMessageIdsStatement String
 findAllMessagesStatement String
 findDurableSubMessagesStatement String
 findDurableSubStatement String
 findLastSequenceIdInAcksStatement String SELECT MAX(LAST_ACKED_ID) FROM ACTIVEMQ_ACKS
 findLastSequenceIdInMsgsStatement String SELECT MAX(ID) FROM ACTIVEMQ_MSGS
 findMessageByIdStatement String SELECT MSG FROM ACTIVEMQ_MSGS WHERE ID=?
 findMessageSequenceIdStatement String
 findMessageStatement String
 findNextMessagesByPriorityStatement String
 findNextMessagesStatement String
 findOpsPendingOutcomeStatement String
 findXidByIdStatement String SELECT XID FROM ACTIVEMQ_MSGS WHERE ID=?
 insertDurablePriorityAckStatement String
 lastAckedDurableSubscriberMessageStatement String
 lastProducerSequenceIdStatement String
 leaseObtainStatement String
 leaseOwnerStatement String
 leaseUpdateStatement String
 lockCreateStatement String SELECT * FROM ACTIVEMQ_LOCK FOR UPDATE
 lockTableName String ACTIVEMQ_LOCK
 lockUpdateStatement String UPDATE ACTIVEMQ_LOCK SET TIME = ? WHERE ID = 1
 longDataType String BIGINT
 messageTableName String ACTIVEMQ_MSGS
 msgIdDataType String VARCHAR(250)
 nextDurableSubscriberMessageStatement String
 removeAllMessagesStatement String DELETE FROM ACTIVEMQ_MSGS WHERE CONTAINER=?
 removeAllSubscriptionsStatement String DELETE FROM ACTIVEMQ_ACKS WHERE CONTAINER=?
 removeMessageStatment String
 selectDurablePriorityAckStatement String
 sequenceDataType String BIGINT
 stringIdDataType String VARCHAR(250)
 tablePrefix String
 updateDurableLastAckInTxStatement String
 updateDurableLastAckStatement String
 updateDurableLastAckWithPriorityInTxStatement String
 updateDurableLastAckWithPriorityStatement String
 updateLastPriorityAckRowOfDurableSubStatement String
 updateMessageStatement String
 updateXidFlagStatement String UPDATE ACTIVEMQ_MSGS SET XID = ? WHERE ID = ?
 useExternalMessageReferences boolean false
 useLockCreateWhereClause boolean false
statisticsBrokerPlugin org.apache.activemq.plugin.StatisticsBrokerPlugin
storeCursor org.apache.activemq.broker.region.policy.StorePendingQueueMessageStoragePolicy
storeDurableSubscriberCursor org.apache.activemq.broker.region.policy.StorePendingDurableSubscriberMessageStoragePolicy
 immediatePriorityDispatch boolean true
 useCache boolean true
storeUsage org.apache.activemq.usage.StoreUsage
 executor ThreadPoolExecutor
 limit long/MemoryPropertyEditor 0
 limiter UsageCapacity
 name String
 parent StoreUsage
 percentLimit int 0
 percentUsageMinDelta int/MemoryPropertyEditor 1
 pollingTime int 100
 store PersistenceAdapter
 total long/MemoryPropertyEditor 0
 usagePortion float 1.0
streamJDBCAdapter org.apache.activemq.store.jdbc.adapter.StreamJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
strictOrderDispatchPolicy org.apache.activemq.broker.region.policy.StrictOrderDispatchPolicy
sybase-jdbc-adapter org.apache.activemq.store.jdbc.adapter.SybaseJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
systemUsage org.apache.activemq.usage.SystemUsage
 checkLimitsLogLevel String warn
 executor ThreadPoolExecutor
 jobSchedulerUsage JobSchedulerUsage
 memoryUsage MemoryUsage
 name String default
 parent SystemUsage
 sendFailIfNoSpace boolean false
 sendFailIfNoSpaceAfterTimeout long 0
 sendFailIfNoSpaceExplicitySet boolean false
 storeUsage StoreUsage
 tempUsage TempUsage
taskRunnerFactory org.apache.activemq.thread.TaskRunnerFactory
 daemon boolean true
 dedicatedTaskRunner boolean false
 executor ExecutorService
 maxIterationsPerRun int 1000
 maxThreadPoolSize int 2147483647
 name String ActiveMQ Task
 priority int 5
 rejectedTaskHandler RejectedExecutionHandler
 shutdownAwaitTermination long 30000
 threadClassLoader ClassLoader
tempDestinationAuthorizationEntry org.apache.activemq.security.TempDestinationAuthorizationEntry
 admin String
 adminACLs Set
 destination ActiveMQDestination
 groupClass String
 queue String
 read String
 readACLs Set
 tempQueue boolean
 tempTopic boolean
 topic String
 write String
 writeACLs Set
tempQueue org.apache.activemq.command.ActiveMQTempQueue
 DLQ boolean false
 compositeDestinations ActiveMQDestination[]
 connection ActiveMQConnection
 connectionId String
 physicalName String
 properties Properties
tempTopic org.apache.activemq.command.ActiveMQTempTopic
 DLQ boolean false
 compositeDestinations ActiveMQDestination[]
 connection ActiveMQConnection
 connectionId String
 physicalName String
 properties Properties
tempUsage org.apache.activemq.usage.TempUsage
 executor ThreadPoolExecutor
 limit long/MemoryPropertyEditor 0
 limiter UsageCapacity
 name String
 parent TempUsage
 percentLimit int 0
 percentUsageMinDelta int/MemoryPropertyEditor 1
 pollingTime int 100
 store PListStore
 total long/MemoryPropertyEditor 0
 usagePortion float 1.0
timeStampingBrokerPlugin org.apache.activemq.broker.util.TimeStampingBrokerPlugin
 adminConnectionContext ConnectionContext
 futureOnly boolean
 next Broker
 processNetworkMessages Boolean
 ttlCeiling long
 zeroExpirationOverride long
timedSubscriptionRecoveryPolicy org.apache.activemq.broker.region.policy.TimedSubscriptionRecoveryPolicy
 broker Broker
 recoverDuration long 60000
topic org.apache.activemq.command.ActiveMQTopic
 DLQ boolean false
 compositeDestinations ActiveMQDestination[]
 physicalName String
 properties Properties
traceBrokerPathPlugin org.apache.activemq.broker.util.TraceBrokerPathPlugin
 adminConnectionContext ConnectionContext
 next Broker
 stampProperty String BrokerPath
transact-database-locker org.apache.activemq.store.jdbc.adapter.TransactDatabaseLocker
 createTablesOnStartup boolean
 dataSource DataSource
 exceptionHandler Handler
 failIfLocked boolean
 lockAcquireSleepInterval long 10000
 lockable LockableServiceSupport
 name String
 queryTimeout int -1
 statements Statements
transact-jdbc-adapter org.apache.activemq.store.jdbc.adapter.TransactJDBCAdapter
 batchStatements boolean true
 batchStatments boolean true
 maxRows int 32767
 statements Statements
 useExternalMessageReferences boolean
transportConnector org.apache.activemq.broker.TransportConnector
 allowLinkStealing boolean
 auditNetworkProducers boolean false
 brokerInfo BrokerInfo
 brokerService BrokerService
 disableAsyncDispatch boolean false
 discoveryAgent DiscoveryAgent
 discoveryUri URI
 displayStackTrace boolean false
 enableStatusMonitor boolean false
 maximumConsumersAllowedPerConnection int 2147483647
 maximumProducersAllowedPerConnection int 2147483647
 messageAuthorizationPolicy MessageAuthorizationPolicy
 name String
 publishedAddressPolicy PublishedAddressPolicy
 rebalanceClusterClients boolean false
 server TransportServer
 taskRunnerFactory TaskRunnerFactory
 updateClusterClients boolean false
 updateClusterClientsOnRemove boolean false
 updateClusterFilter String
 uri URI
 warnOnRemoteClose boolean false
udpTraceBrokerPlugin org.apache.activemq.broker.util.UDPTraceBrokerPlugin
 address SocketAddress
 adminConnectionContext ConnectionContext
 broadcast boolean false
 destination URI udp://127.0.0.1:61616
 maxTraceDatagramSize int 4096
 next Broker
 wireFormat WireFormat
 wireFormatFactory WireFormatFactory
uniquePropertyMessageEvictionStrategy org.apache.activemq.broker.region.policy.UniquePropertyMessageEvictionStrategy
 evictExpiredMessagesHighWatermark int 1000
 propertyName String
usageCapacity org.apache.activemq.usage.UsageCapacity
 limit long
virtualDestinationInterceptor org.apache.activemq.broker.region.virtual.VirtualDestinationInterceptor
 virtualDestinations VirtualDestination[]
virtualSelectorCacheBrokerPlugin org.apache.activemq.plugin.SubQueueSelectorCacheBrokerPlugin
 ignoreWildcardSelectors boolean false
 persistFile File
 persistInterval long 600000
 singleSelectorPerDestination boolean false
virtualTopic org.apache.activemq.broker.region.virtual.VirtualTopic
 concurrentSend boolean false
 dropOnResourceLimit boolean false
 local boolean false
 name String >
 postfix String
 prefix String Consumer.*.
 selectorAware boolean false
 setOriginalDestination boolean true
 transactedSend boolean false
vmCursor org.apache.activemq.broker.region.policy.VMPendingSubscriberMessageStoragePolicy
vmDurableCursor org.apache.activemq.broker.region.policy.VMPendingDurableSubscriberMessageStoragePolicy
vmQueueCursor org.apache.activemq.broker.region.policy.VMPendingQueueMessageStoragePolicy
xaConnectionFactory org.apache.activemq.spring.ActiveMQXAConnectionFactory
 alwaysSessionAsync boolean true
 alwaysSyncSend boolean false
 auditDepth int 2048
 auditMaximumProducerNumber int 64
 beanName String
 blobTransferPolicy BlobTransferPolicy
 brokerURL String failover://tcp://localhost:61616
 checkForDuplicates boolean true
 clientID String
 clientIDPrefix String
 clientInternalExceptionListener ClientInternalExceptionListener
 closeTimeout int 15000
 connectResponseTimeout int 0
 connectionIDPrefix String
 consumerExpiryCheckEnabled boolean true
 consumerFailoverRedeliveryWaitPeriod long 0
 copyMessageOnSend boolean true
 disableTimeStampsByDefault boolean false
 dispatchAsync boolean true
 exceptionListener ExceptionListener
 exclusiveConsumer boolean false
 maxThreadPoolSize int 1000
 messagePrioritySupported boolean false
 nestedMapAndListEnabled boolean true
 nonBlockingRedelivery boolean false
 objectMessageSerializationDefered boolean false
 optimizeAcknowledge boolean false
 optimizeAcknowledgeTimeOut long 300
 optimizedAckScheduledAckInterval long 0
 optimizedMessageDispatch boolean true
 password String
 prefetchPolicy ActiveMQPrefetchPolicy
 producerWindowSize int 0
 properties Properties
 redeliveryPolicy RedeliveryPolicy
 redeliveryPolicyMap RedeliveryPolicyMap
 rejectedTaskHandler RejectedExecutionHandler
 rmIdFromConnectionId boolean false
 sendAcksAsync boolean true
 sendTimeout int 0
 sessionTaskRunner TaskRunnerFactory
 statsEnabled boolean false
 transactedIndividualAck boolean false
 transformer MessageTransformer
 transportListener TransportListener
 trustAllPackages boolean false
 trustedPackages List
 useAsyncSend boolean false
 useBeanNameAsClientIdPrefix boolean false
 useCompression boolean false
 useDedicatedTaskRunner boolean false
 useRetroactiveConsumer boolean false
 userName String
 warnAboutUnstartedConnectionTimeout long 500
 watchTopicAdvisories boolean true
 xaAckMode int -1
`;

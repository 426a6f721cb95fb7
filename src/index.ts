/**
 * Roundhouse as a library: brokers and balancers inside a Node program.
 *
 * ```ts
 * import { startBroker } from 'roundhouse';
 *
 * const broker = await startBroker({ file: 'activemq.xml' });
 * await broker.subscribe('demo/#', (message) => console.log(message.topic, message.payload.toString()));
 * broker.publish('demo/hello', 'world', { qos: 1 });
 * await broker.stop();
 * ```
 */

export type { BoundAddress } from './balancer/listener.ts';
export type { BrokerModel } from './config/activemq/model.ts';
export { type ReadOptions as ReadActiveMQOptions, type ReadResult as ReadActiveMQResult, readActiveMQ } from './config/activemq/read.ts';
export { type Diagnostic, formatDiagnostic, hasErrors, type Severity } from './config/diagnostic.ts';
export type { ProxyModel } from './config/haproxy/model.ts';
export {
  type ConfigFile,
  type ReadOptions as ReadHAProxyOptions,
  type ReadResult as ReadHAProxyResult,
  readHAProxy,
} from './config/haproxy/read.ts';
export type { BrokerCounters } from './core/counters.ts';
export type { LimitName, Limits } from './core/limits.ts';
export type { MessageProperties, QoS } from './core/message.ts';
export type {
  AuthenticationExchange,
  AuthenticationMechanism,
  AuthenticationStep,
  Authenticator,
  ClientOrigin,
  Credentials,
  Principal,
  Refusal,
  Verdict,
} from './core/ports.ts';
export { CodedError, ConfigError, type ErrorSource } from './errors.ts';
export { deriveScramCredential, type ScramCredential } from './security/scram-credential.ts';
export { type ScramOptions, ScramSha256, type ScramUser } from './security/scram-sha-256.ts';
export type { ListeningConnector } from './server/broker-server.ts';
export {
  type BrokerConfiguration,
  type BrokerInWords,
  type BrokerSettings,
  type DisconnectOptions,
  type EmbeddedBalancer,
  type EmbeddedBroker,
  type EmbeddingOptions,
  type RedirectOptions,
  type SecurityOptions,
  type StartBalancerOptions,
  type StartBrokerOptions,
  type StopOptions,
  startBalancer,
  startBroker,
} from './server/embedding.ts';
export type {
  ActiveSubscription,
  PublishOptions,
  PublishProperties,
  ReceivedMessage,
  SubscribeOptions,
} from './server/in-process-client.ts';
export { createLog, type Facts, type Log, type LogLevel, silentLog } from './telemetry/log.ts';

import { LIMIT_NAMES, LIMITS, type RefusingLimit, USAGE_LIMITS } from './limits.ts';

/** Why a copy of a message did not reach its receiver. */
export type DropReason =
  | 'sessionQueueMessages'
  | 'sessionQueueBytes'
  | 'connectionQueueBytes'
  /** By the `pendingMessageLimitStrategy` of its topic's policy. */
  | 'pendingMessageLimit'
  /** Larger than the client's Maximum Packet Size [MQTT-3.1.2-25]. */
  | 'maximumPacketSize'
  /** A linked broker that is away, slow, or takes no frame as large. */
  | 'linkedBroker'
  /** QoS 0, while there was no room for it: its publisher could be told, or went before there was. */
  | 'noSpace'
  /** It was in a temporary file that could not be read. */
  | 'temporaryFile';

/**
 * What a broker has done and seen since its start: plain numbers, so that counting costs an addition. Whoever does a thing counts it.
 * Packets and PUBLISH are MQTT's; what links carry is counted by the cluster.
 */
export class BrokerCounters {
  /** Messages published here by clients and by linked brokers. */
  published = 0;
  /** Copies handed to subscribers. */
  delivered = 0;
  /** Copies thrown away. */
  dropped = 0;
  readonly droppedBy: Record<DropReason, number> = {
    sessionQueueMessages: 0,
    sessionQueueBytes: 0,
    connectionQueueBytes: 0,
    pendingMessageLimit: 0,
    maximumPacketSize: 0,
    linkedBroker: 0,
    noSpace: 0,
    temporaryFile: 0,
  };
  /** Copies that expired while they waited for their receiver. */
  expired = 0;
  /** Clients disconnected because they did not keep up, by a `slowConsumerStrategy`. */
  slowClients = 0;
  /** How often somebody was refused something because of this limit. */
  readonly refusedBy: Record<RefusingLimit, number> = noRefusals();
  /** Connections accepted by MQTT connectors, whatever came of them. */
  sockets = 0;
  /** Connections to any connector that came, said nothing and went, as health checks do. */
  probes = 0;
  /** CONNECT packets, also those refused. */
  connects = 0;
  /** Connections closed, or CONNECT packets refused, because of what the client sent. */
  protocolErrors = 0;
  /** Clients that were not let in because of who they are, or no longer when they authenticated anew. */
  authenticationFailures = 0;
  /** Clients that are connected. */
  clientsConnected = 0;
  /** The most there have been at a time. */
  clientsMaximum = 0;
  /** Sessions that ended because their Session Expiry Interval had passed. */
  sessionsExpired = 0;
  /** Packets of all kinds. */
  packetsReceived = 0;
  /** Packets other than PUBLISH: acknowledgements and answers. */
  answersSent = 0;
  /** PUBLISH packets by QoS, and the bytes of their payloads. */
  readonly publishReceived: [number, number, number] = [0, 0, 0];
  publishBytesReceived = 0;
  readonly publishSent: [number, number, number] = [0, 0, 0];
  publishBytesSent = 0;

  drop(reason: DropReason): void {
    this.dropped++;
    this.droppedBy[reason]++;
  }

  clientConnected(): void {
    this.clientsConnected++;
    if (this.clientsConnected > this.clientsMaximum) this.clientsMaximum = this.clientsConnected;
  }
}

function noRefusals(): Record<RefusingLimit, number> {
  const names = LIMIT_NAMES.filter((name) => LIMITS[name].refuses);
  return Object.fromEntries(
    [...names, 'maxFrameSize', 'maximumConnections', ...Object.keys(USAGE_LIMITS)].map((name) => [name, 0]),
  ) as Record<RefusingLimit, number>;
}

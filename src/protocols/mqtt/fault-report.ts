import type { RefusingLimit } from '../../core/limits.ts';
import { ProtocolError } from '../../errors.ts';
import type { MqttConnection } from './connection.ts';
import { RedirectionError } from './dismissal.ts';
import { LimitError } from './limit-error.ts';
import { SERVER_UNAVAILABLE } from './wire/reason-code.ts';

/**
 * Counts and logs what a client is turned away or disconnected for: its own mistake, or a limit that it has met.
 * @param what what the log calls a mistake
 */
export function reportFault(connection: MqttConnection, error: ProtocolError, what: string): void {
  const { broker, protocol } = connection;
  if (error.reasonCode === SERVER_UNAVAILABLE) {
    broker.log.debug('client refused for the time being', { ...connection.facts(), reason: error.message });
    return;
  }
  if (error instanceof RedirectionError) {
    broker.log.debug('client sent elsewhere', { ...connection.facts(), serverReference: error.serverReference });
    return;
  }
  const limit = limitOf(connection, error);
  const facts = { ...connection.facts(), code: error.code, reason: error.message };
  if (limit === 'maximumConnections') {
    broker.counters.refusedBy[limit]++; // the connector has said so
  } else if (limit !== null) {
    broker.refused(limit, facts);
  } else {
    broker.counters.protocolErrors++;
    protocol.sayFault(what, facts);
  }
}

/** For a client whose session or will would have to be stored. */
export function storeUnavailable(): ProtocolError {
  const text = 'the store cannot write at present, and this client needs it';
  return new ProtocolError('MQTT_SERVER_UNAVAILABLE', text, SERVER_UNAVAILABLE);
}

/** The limit that an error comes from; null where it is the client's mistake. */
function limitOf({ session, packetSizeMax, options }: MqttConnection, error: ProtocolError): RefusingLimit | null {
  if (error instanceof LimitError) return error.limit;
  if (error.code !== 'MQTT_PACKET_TOO_LARGE') return null;
  return packetSizeMax < options.maxFrameSize && session === null ? 'connectPacketBytes' : 'maxFrameSize';
}

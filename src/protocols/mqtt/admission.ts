import type { Verdict } from '../../core/ports.ts';
import { ProtocolError } from '../../errors.ts';
import { type ConnectRequest, enter, readRequest, settle } from './connect.ts';
import type { MqttConnection } from './connection.ts';
import { EnhancedAuthentication } from './enhanced-authentication.ts';
import { AwaitedVerdict, unavailable } from './pending-connect.ts';
import type { ConnectPacket } from './wire/connect.ts';
import { BAD_AUTHENTICATION_METHOD } from './wire/reason-code.ts';

/**
 * Finds out who connects, and lets the client in, refuses it, or leaves it pending until that is known.
 * @throws ProtocolError when it cannot be admitted, whoever it is
 */
export function admit(connection: MqttConnection, packet: ConnectPacket): void {
  const request = readRequest(connection, packet);
  const { refusal } = connection.connection;
  if (refusal !== null) {
    connection.refuseClient({ kind: 'refused', reason: 'notAuthorized', text: refusal }, request);
    return;
  }
  const { authenticationMethod } = packet.properties;
  if (authenticationMethod === null) admitByCredentials(connection, request);
  else admitByMethod(connection, request, authenticationMethod);
}

function admitByCredentials(connection: MqttConnection, request: ConnectRequest): void {
  const { authenticator, mechanisms } = connection.broker;
  connection.liftPacketSize();
  if (authenticator === null) {
    if (mechanisms.size === 0) enter(connection, request, null, null);
    else connection.refuseClient({ kind: 'refused', reason: 'notAuthorized', text: 'an Authentication Method is needed' }, request);
    return;
  }
  const { userName, password } = request.packet;
  let verdict: Verdict | Promise<Verdict>;
  try {
    verdict = authenticator.authenticate({
      ...connection.origin(request.clientId),
      userName,
      password,
      certificateName: connection.certificateName,
    });
  } catch (error) {
    verdict = unavailable(connection, error);
  }
  if ('then' in verdict) connection.pending = new AwaitedVerdict(connection, request, verdict);
  else settle(connection, request, verdict);
}

/** User name and password may be there too (section 4.12); the method alone decides. */
function admitByMethod(connection: MqttConnection, request: ConnectRequest, method: string): void {
  const mechanism = connection.broker.mechanisms.get(method);
  if (mechanism === undefined)
    throw new ProtocolError(
      'MQTT_BAD_AUTHENTICATION_METHOD',
      'the Authentication Method is not supported [MQTT-4.12.0-1]',
      BAD_AUTHENTICATION_METHOD,
    );
  const authentication = new EnhancedAuthentication(connection, mechanism, request);
  connection.authentication = authentication;
  connection.pending = authentication;
  authentication.begin(request.packet.properties.authenticationData);
}

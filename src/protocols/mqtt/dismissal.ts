import type { Redirection } from '../../core/broker.ts';
import type { Dismissal } from '../../core/ports.ts';
import { ProtocolError } from '../../errors.ts';
import { ADMINISTRATIVE_ACTION, QUOTA_EXCEEDED, SERVER_MOVED, USE_ANOTHER_SERVER } from './wire/reason-code.ts';

/** Reason Codes of DISCONNECT and CONNACK. */
export const DISMISSAL_CODES: Readonly<Record<Dismissal['reason'], number>> = {
  administrativeAction: ADMINISTRATIVE_ACTION,
  useAnotherServer: USE_ANOTHER_SERVER,
  serverMoved: SERVER_MOVED,
  quotaExceeded: QUOTA_EXCEEDED,
};

/** A CONNECT is answered with where to go instead. */
export class RedirectionError extends ProtocolError {
  readonly serverReference: string | null;

  constructor({ reason, text, serverReference }: Redirection) {
    super('MQTT_REDIRECTED', text ?? 'clients of this broker are sent elsewhere', DISMISSAL_CODES[reason]);
    this.serverReference = serverReference;
  }
}
